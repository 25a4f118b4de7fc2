"""Sockets under the SIP engine."""
