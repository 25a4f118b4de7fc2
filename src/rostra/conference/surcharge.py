"""What a presentation in a main call costs: a unit more on the node that carries the call, while it lasts (POL-129).

Each node follows the conference and books for the calls it carries itself, so it holds wherever a call is signalled
and wherever its media moves. Where there is no room left nobody presents; the call goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import structlog

from rostra.conference.presenting import presenter_of
from rostra.conference.state import ConferenceState
from rostra.domain import capacity
from rostra.domain.ledger import Ledger
from rostra.domain.presenting import presented_by, slides_of

logger = structlog.get_logger("rostra.conference")


def owed(state: ConferenceState) -> tuple[str, int] | None:
    """The main call that somebody presents in, and the tokens that costs; calls of their own have their own price."""
    presenter = presenter_of(state)
    found = presented_by((leg.call, leg.content) for leg in presenter.legs) if presenter else None
    if presenter is None or found is None or not found[1].is_main:
        return None
    price = capacity.presentation(presenter.protocol, sends=True)
    slides = any(leg.call == found[0] and leg.slides for leg in presenter.legs)
    return (found[0], price) if slides and price else None


class Surcharge:
    """Books what presentations cost in the calls of one conference carried here."""

    def __init__(self, state: ConferenceState, ledger: Ledger, key: str, refuse: Callable[[str], None]) -> None:
        """`refuse`: the presentation of this call has no room."""
        self._state = state
        self._ledger = ledger
        self._key = key
        self._refuse = refuse
        self._booked = ""

    def follow(self, carried: Collection[str]) -> None:
        """Book what is owed now. `carried`: calls that are here."""
        due = owed(self._state)
        call, tokens = due if due is not None and due[0] in carried else ("", 0)
        if call == self._booked:
            return
        if self._booked:
            self._ledger.release(self._key, slides_of(self._booked))
        self._booked = call
        if call and not self._ledger.book(self._key, slides_of(call), tokens, 0):
            self._booked = ""
            logger.warning("Presentation refused: insufficient capacity", call=call)
            self._refuse(call)
