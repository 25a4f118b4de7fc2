"""ICE of one call on ordinary legs: taken where the far end offers it, kept in our own offers, restarted with media."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rostra.calls.switchboard import Session
from rostra.domain.media import MediaDescription
from rostra.media import checks
from rostra.media.negotiation import Agreement

Announce = Callable[[str], str]


class CheckedMedia:
    """Does nothing for calls without ICE."""

    def __init__(self, session: Session, call: str) -> None:
        self._session = session
        self._call = call
        self._taken = False
        self._theirs: tuple[str, ...] = ()
        """Credentials of the far end, as last heard."""
        self._generation = 0

    async def answer(
        self, offer: MediaDescription, agreement: Agreement, used: Sequence[int], announce: Announce
    ) -> Agreement:
        """The agreement with ICE where that is offered for all that is used, and the media worker has it."""
        if not checks.offered(offer, used):
            if self._taken:  # somebody else answers in place of the far end now (RFC 8839 4.4.2)
                self._taken, self._generation = False, self._generation + 1
            return checks.without(agreement)
        theirs = checks.credentials(agreement.remote)
        if self._taken and not set(theirs) & set(self._theirs):
            self._generation += 1
        lite = any(one.ice is not None and one.ice.lite for one in offer.streams)
        sides = await self._session.reserve_ice(
            self._call, checks.components(agreement.local, used), str(self._generation), controlling=lite
        )
        if len(sides) < len(used):
            return checks.without(agreement)
        self._taken, self._theirs = True, theirs
        return Agreement(checks.stated(agreement.local, used, sides, announce), agreement.remote)

    async def offer(self, offer: MediaDescription, announce: Announce, *, restart: bool) -> MediaDescription:
        """Our offer in a call with ICE; `restart`: its media is elsewhere now."""
        if not self._taken:
            return offer
        used = [index for index, one in enumerate(offer.streams) if not one.refused and one.codecs]
        if restart:
            self._generation += 1
        sides = await self._session.reserve_ice(
            self._call, checks.components(offer, used), str(self._generation), controlling=restart
        )
        return checks.stated(offer, used, sides, announce)

    def answered(self, agreement: Agreement) -> Agreement:
        """Of our offer."""
        if self._taken:
            self._theirs = checks.credentials(agreement.remote) or self._theirs
        return agreement
