"""To whom media goes that nobody has proved to want it (RTP legs without ICE, which asks for consent itself).

Descriptions name any address, also that of somebody who has no part in the call. Where signalling comes from is proved,
and so is where media or reports have come from in the last while. Anywhere else goes sound for some seconds only: media
gateways with addresses of their own may wait for ours before they send, and one packet shows them where to. Pictures,
which are what would do harm, wait until something has come. Before a call is confirmed its signalling proves nothing:
whoever forges the source of an INVITE never hears our answer, but could have early media sent there.
"""

from __future__ import annotations

TRIAL = 10.0
"""Seconds for which an address that is not proved gets sound."""
STALE = 30.0
"""Seconds for which what came from an address proves it."""
TRIALS = 4
"""Addresses that may be tried in the life of a leg: each re-INVITE may name another."""


class Consent:
    """Of one leg. Times are those of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._proved: str | None = None
        self._heard: dict[str, float] = {}
        self._tried: dict[str, float] = {}
        self.early = False
        """The far end has not confirmed the call."""

    def told(self, proved: str | None) -> None:
        """Where its signalling comes from; None: that is not known, and nothing is withheld."""
        self._proved = proved

    def heard(self, host: str, now: float) -> None:
        """Something came from there."""
        self._heard = {known: at for known, at in self._heard.items() if now - at <= STALE} | {host: now}

    def allows(self, host: str, now: float, *, picture: bool) -> bool:
        """May a stream that is ready to go there be sent there?"""
        if self._proved is None or (host == self._proved and not self.early):
            return True
        heard = self._heard.get(host)
        if heard is not None and now - heard <= STALE:
            return True
        if picture:
            return False
        if host not in self._tried:
            if len(self._tried) >= TRIALS:
                return False
            self._tried[host] = now
        return now - self._tried[host] <= TRIAL
