"""What a presentation in a main call costs: a unit more on the node that carries the call, while it lasts (POL-129).

Each node follows the conference and books for the calls it carries itself, so it holds wherever a call is signalled
and wherever its media moves. Where there is no room left nobody presents; the call goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec
import structlog

from rostra.conference import messages as w
from rostra.conference.here import Here
from rostra.conference.presenting import presenter_of
from rostra.conference.roster import Participant
from rostra.conference.state import ConferenceState
from rostra.domain import capacity
from rostra.domain.presenting import presented_by, slides_of
from rostra.fabric.bus import Unreachable

logger = structlog.get_logger("rostra.conference")

ANSWER = 2.0
"""Seconds another node has to say whether it has room."""


def price_of(presenter: Participant | None) -> tuple[str, int] | None:
    """The main call that somebody would present in, and the tokens that costs; calls of their own have their price."""
    found = presented_by((leg.call, leg.content) for leg in presenter.legs) if presenter else None
    if presenter is None or found is None or not found[1].is_main:
        return None
    price = capacity.presentation(presenter.protocol, sends=True)
    slides = any(leg.call == found[0] and leg.slides for leg in presenter.legs)
    return (found[0], price) if slides and price else None


class Surcharge:
    """Books what presentations cost in the calls of one conference carried here."""

    def __init__(
        self, state: ConferenceState, here: Here, key: str, refuse: Callable[[str], None], *, ahead: bool = False
    ) -> None:
        """`refuse`: the presentation of this call has no room. `ahead`: of a gateway call, in which a presentation by
        a browser has its room from the start (PLAT-087)."""
        self._ahead = ahead
        self._state = state
        self._here = here
        self._key = key
        self._refuse = refuse
        self._booked = ("", 0)

    async def room(self, participant: Participant | None) -> bool:
        """May somebody present, as far as the node that carries its call has room? It books when it hears of it.

        A node that does not answer refuses later, if need be.
        """
        due = price_of(participant)
        node = next((leg.node for leg in participant.legs if due and leg.call == due[0]), "") if participant else ""
        if due is None or not node:
            return True
        if node == self._here.node:
            return self.fits(*due)
        request = w.PresentationRoom(key=self._key, call=due[0], tokens=due[1])
        try:
            payload = await self._here.bus.request(w.node_subject(node), w.encode(request), timeout=ANSWER)
            return not isinstance(w.reply_decoder.decode(payload), w.NoRoom)
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.info("Room for a presentation not known", peer=node, problem=str(problem))
            return True

    def _kept(self, carried: Collection[str]) -> tuple[str, int] | None:
        """For whoever may present later."""
        for one in self._state:
            price = capacity.presentation(one.protocol, sends=True)
            main = next((leg.call for leg in one.legs if leg.content.is_main), "")
            if price and main in carried and one.is_video_call:
                return main, price
        return None

    def fits(self, call: str, tokens: int) -> bool:
        """Is there room here? What the presentation before costs is given back when another takes its place."""
        ledger = self._here.ledger
        fits = ledger.used - self._booked[1] + tokens <= ledger.capacity
        if not fits:
            logger.warning("Presentation refused: insufficient capacity", call=call)
        return fits

    def follow(self, carried: Collection[str]) -> None:
        """Book what is owed now. `carried`: calls that are here."""
        due = price_of(presenter_of(self._state)) or (self._kept(carried) if self._ahead else None)
        call, tokens = due if due is not None and due[0] in carried else ("", 0)
        if call == self._booked[0]:
            return
        ledger = self._here.ledger
        if self._booked[0]:
            ledger.release(self._key, slides_of(self._booked[0]))
        self._booked = call, tokens
        if call and not ledger.book(self._key, slides_of(call), tokens, 0):
            self._booked = "", 0
            logger.warning("Presentation refused: insufficient capacity", call=call)
            self._refuse(call)
