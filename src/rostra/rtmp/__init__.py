"""Streams and recordings: conferences sent to RTMP servers."""
