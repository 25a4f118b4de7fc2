"""Licences of calls as calls see them: one is held by a participant while it has media (SYS-185, SYS-189)."""

from __future__ import annotations

from typing import Protocol

import structlog

from rostra.calls.switchboard import CallRefused, Refusal
from rostra.domain.licensing import LicenceKind, Shortage

logger = structlog.get_logger("rostra.calls")

_REFUSALS = {
    Shortage.INSUFFICIENT: (Refusal.INSUFFICIENT_LICENSES, "license limit reached"),
    Shortage.INVALID: (Refusal.INVALID_LICENSE, "no valid license available"),
}
"""What the caller is told, and what the log says (DIAG-184, DIAG-186)."""


class Licences(Protocol):
    """Where this node's participants get them."""

    async def take(self, holder: str, wanted: LicenceKind) -> LicenceKind | Shortage:
        """A licence for `holder`, who keeps one that it has; AUDIO although PORT is wanted: no video (SYS-188)."""
        ...

    def give_back(self, holder: str) -> None:
        """Its media has ended. Safe to repeat."""


class Unlimited:
    """Nothing is counted."""

    async def take(self, holder: str, wanted: LicenceKind) -> LicenceKind | Shortage:
        return LicenceKind.PORT

    def give_back(self, holder: str) -> None:
        """Nothing was taken."""


class MediaLicence:
    """The licence of one participant."""

    def __init__(self, licences: Licences, holder: str, *, alias: str = "", name: str = "") -> None:
        """`alias` and `name` are for the log."""
        self._licences = licences
        self._holder = holder
        self._log = logger.bind(participant=name, alias=alias, participant_id=holder)
        self.last = LicenceKind.PORT
        """The one it has, or had last."""
        self.audio_only = False
        """There was none for video: it stays without (SYS-188)."""

    async def take(self, *, video: bool) -> bool:
        """Have a licence for media; may it have video? Raises CallRefused when there is none."""
        video = video and not self.audio_only
        found = await self._licences.take(self._holder, LicenceKind.PORT if video else LicenceKind.AUDIO)
        if isinstance(found, Shortage):
            refusal, reason = _REFUSALS[found]
            self._log.warning("Participant failed to join conference.", reason=reason)
            raise CallRefused(refusal)
        self.last = found
        if video and found is LicenceKind.AUDIO:
            self.audio_only = True
            self._log.warning("Participant goes on without video.", reason="insufficient video licenses")
        return video and not self.audio_only

    def give_back(self) -> None:
        """The participant has no media any more. Safe to repeat."""
        self._licences.give_back(self._holder)
