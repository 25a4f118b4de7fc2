"""A gateway call that came by SIP is answered when its other end has answered, and rings when that rings."""

from __future__ import annotations

from typing import Protocol

from rostra.calls.switchboard import FarEnd
from rostra.domain import gateway


class Line(Protocol):
    """What is needed of the service."""

    def ring(self, call: str, sdp: bytes = b"") -> None: ...

    def answer(self, call: str, sdp: bytes) -> None: ...

    def refuse(self, call: str, status: int, reason: str, elsewhere: str = "") -> None: ...


class Waiting:
    """The answer to one call, kept until then."""

    def __init__(self, line: Line, call: str) -> None:
        self._line = line
        self._call = call
        self._sdp: bytes | None = None
        self._answers = False

    def keep(self, sdp: bytes, *, answers: bool) -> None:
        """`answers`: it answers an offer of the caller, and may be sent before the call is answered."""
        self._sdp, self._answers = sdp, answers

    def follow(self, now: FarEnd) -> None:
        """What the other end does now. Raises LocalError when the caller has given up meanwhile."""
        if self._sdp is None:  # it was answered before: it comes from a reception, or was sent here
            return
        if now is not FarEnd.ANSWERED:
            self._line.ring(self._call, self._sdp if self._answers and now is FarEnd.EARLY else b"")
            return
        sdp, self._sdp = self._sdp, None
        self._line.answer(self._call, sdp)

    def refuse(self, reason: str) -> bool:
        """Nobody is there; False: the call was answered already."""
        if self._sdp is None:
            return False
        self._sdp = None
        self._line.refuse(self._call, gateway.sip_status(reason), reason)
        return True
