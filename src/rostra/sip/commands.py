"""What the application tells its calls, by their names."""

from __future__ import annotations

from rostra.sip.call import Call
from rostra.sip.errors import LocalError


class Commands:
    """The part of the engine that hands commands on to calls."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def ring(self, call: str, now: float, sdp: bytes = b"") -> None:
        """180 to a received call; with `sdp`, the answer to its offer, 183 and early media."""
        self._call(call).ring(now, sdp)

    def focus(self, call: str) -> None:
        """What the call is with is a conference (RFC 4579)."""
        self._call(call).dialog.focus()

    def answer(self, call: str, sdp: bytes, now: float) -> None:
        """200 to the call, re-INVITE or UPDATE that waits. Raises LocalError when none does (cancelled meanwhile)."""
        self._call(call).answer(sdp, now)

    def refuse(self, call: str, status: int, now: float, reason: str = "", elsewhere: str = "") -> None:
        """Failure response to what waits; a 3xx names `elsewhere`. Raises LocalError when nothing does."""
        self._call(call).refuse(status, reason, now, elsewhere)

    def offer(self, call: str, sdp: bytes, now: float) -> None:
        """Re-INVITE. Raises LocalError when the call has ended."""
        self._call(call).offer(sdp, now)

    def inform(self, call: str, content_type: str, body: bytes, now: float) -> None:
        """INFO within a call that is up."""
        found = self._calls.get(call)
        if found is not None:
            found.inform(content_type, body, now)

    def report(self, call: str, name: str, status: int, now: float) -> None:
        """What has come of a REFER that was received; calls that have ended are fine."""
        found = self._calls.get(call)
        if found is not None:
            found.report(name, status, now)

    def refer(self, call: str, uri: str, by: str, now: float) -> bool:
        """Have the far end call `uri` instead; False: it cannot. `Referred` says what comes of it."""
        found = self._calls.get(call)
        return found is not None and found.refer(uri, by, now)

    def takes(self, call: str, method: str) -> bool:
        """The far end of a call says that it takes requests of this method."""
        found = self._calls.get(call)
        return found is not None and method.lower() in found.allowed

    def hang_up(self, call: str, now: float, reason: str = "") -> None:
        """End a call; unknown ones are fine."""
        found = self._calls.get(call)
        if found is not None:
            found.hang_up(now, reason)

    def heard(self, call: str) -> bool:
        """The far end has said something to our INVITE; so it has of calls that have ended."""
        found = self._calls.get(call)
        return found is None or found.heard

    def _call(self, name: str) -> Call:
        found = self._calls.get(name)
        if found is None:
            raise LocalError("the call has ended")
        return found
