"""Errors of the SIP stack: whose fault, and what the far end is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rostra.sip.message import Request


class SipError(Exception):
    """Base of all errors of this package."""


class RemoteError(SipError):
    """The far end sent something unusable. `status` answers it; `request` is what could be read of it."""

    def __init__(self, reason: str, status: int = 400, request: Request | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.request = request


class LocalError(SipError):
    """We were asked for something that cannot be done now, such as answering a call that has ended."""


class PortTaken(LocalError):
    """A listening port is in use; the text names port and variable."""
