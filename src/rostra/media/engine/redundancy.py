"""When sound goes out twice (RFC 2198): each packet with the one before it, while packets get lost on the way. Pure."""

from __future__ import annotations

from typing import Final

from rostra.media.engine.rtp_statistics import passed


class Redundancy:
    """Of one stream of sound."""

    SHARE: Final = 0.01
    """So many of the packets lost are more than chance."""
    CALM: Final = 10.0
    """Seconds with fewer until packets go out alone again."""

    def __init__(self) -> None:
        self.active = False
        self._lossy = float("-inf")
        self._reported: tuple[int, int] | None = None

    def look(self, now: float, share: float) -> bool:
        """The share of the packets that were lost lately. The `active`."""
        if share > self.SHARE:
            self._lossy = now
        self.active = now - self._lossy < self.CALM
        return self.active

    def share(self, highest: int, lost: int) -> float:
        """What to look at where there are but reports: how many packets each is about and how many it says are lost,
        since the beginning; 0: none has come. Of those between the last two reports."""
        before, self._reported = self._reported, (highest, lost)
        sent, missed = (passed(highest, before[0]), lost - before[1]) if before and before[0] else (0, 0)
        return missed / sent if sent > 0 else 0.0
