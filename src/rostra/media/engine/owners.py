"""Whose leg it is: nodes steer legs that they opened, on whichever node's worker; the rest only the worker's node."""

from __future__ import annotations

from rostra.media import messages as m

_OPENING = m.OpenWebRtc | m.ReserveRtp | m.OpenStream
_OWN_NODE_ONLY = m.ReceiveBackplane | m.SendBackplane | m.ShowStill


class Owners:
    """The legs of one worker."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def permit(self, request: m.Request, speaker: str | None, *, own: bool) -> bool:
        """May this member ask that? `own`: it is the worker's own node; no speaker: nothing is guarded."""
        leg: str = getattr(request, "leg", "")
        if speaker is None:
            return True
        if not own and (not leg or isinstance(request, _OWN_NODE_ONLY) or self._of.get(leg, speaker) != speaker):
            return False
        if isinstance(request, _OPENING):
            self._of.setdefault(leg, speaker)
        if isinstance(request, m.Close):
            self._of.pop(leg, None)
        return True
