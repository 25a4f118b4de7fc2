"""What can go wrong with a session description."""

from __future__ import annotations


class SdpError(Exception):
    """The far end's description cannot be used; the text says where and why (SIP answers 400)."""
