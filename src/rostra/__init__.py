"""Rostra: an open, distributed, multi-protocol conferencing platform."""

__version__ = "0.1.0"
