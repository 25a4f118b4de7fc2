"""Bit rates of one RTP leg: what its pictures may take, by the reports of its far end and what that asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from rostra.domain.media import Content, MediaDescription, MediaKind
from rostra.media.engine import rtp_statistics, rungs
from rostra.media.engine.estimator import Heard
from rostra.media.engine.feedback import Reports
from rostra.media.engine.rtp_transport import RtpTransport
from rostra.media.engine.rungs import Rung
from rostra.media.engine.sending import SendingRate

AGAIN: Final = 0.4
"""Share of the rate at which what got lost is sent again at most."""
STALE, FLOODED = 1.0, 0.4
"""Seconds in which nothing is sent again after the rate was lowered, where more than such a share got lost."""
COUNTING: Final = 0.9
"""Seconds between two looks at counters; reports come every few seconds."""


class RtpRates:
    """The rates of one leg, whose main picture is a stream with reports of its own."""

    def __init__(self, leg: str) -> None:
        self.rate = SendingRate(leg, prompt=False)
        self._reports = Reports()
        self._counted = float("-inf")

    @property
    def limit(self) -> int | None:
        """bit/s of a picture, in steps; None: whatever was agreed. Slides beside it get no more."""
        return self.rate.limit

    def poll(self, now: float, transport: RtpTransport, index: int, best: Callable[[int | None], Rung]) -> bool:
        """Look at what the far end reported of a stream; True: it is sent another rate from now on."""
        heard: Heard | None = None
        counting = now - self._counted >= COUNTING
        if counting:
            self._counted = now
            sent = rtp_statistics.read(transport.sessions, index)[1]
            main = max(sent, key=lambda one: one.octets, default=None)
            heard = self._reports.heard(now, main, transport.missed(index))
        changed = self.rate.look(now, heard, self._reports.sent, best)
        # what was lost of the stream as it was before is of no use, and would fill the path where that was why
        if counting or changed:
            known = self.rate.estimate
            fresh = now - known.cut_at < STALE and known.share > FLOODED
            transport.limit_repeats(index, 0 if fresh else AGAIN * best(self.limit).bitrate)
        return changed


def limit(remote: MediaDescription, content: Content, more: Iterable[int | None], *, both: bool) -> int | None:
    """bit/s of a picture for a far end that described itself so, where these are limits as well.

    Main video and slides that are `both` sent share half and half (CONF-146). Pure.
    """
    section = next(
        (s for s in remote.streams if s.kind is MediaKind.VIDEO and s.content is content and not s.refused), None
    )
    stated = section.bandwidth if section else None
    total = rungs.share(remote.bandwidth, both=both)
    return min((value for value in (stated, total, *more) if value), default=None)
