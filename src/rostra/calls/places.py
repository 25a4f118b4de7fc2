"""Places in a conference that has only so many, also when several nodes let somebody in at once (CONF-150).

Each node decides by the roster it knows. When the rosters meet, the first in the order that all nodes share keep their
places; a node turns those of its own away who were let in a moment ago and come after as many as there are places.
Whoever is in for longer stays, whatever the limit or a mended network says by then (CONF-151).
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain.admission import has_room
from rostra.domain.service import Service
from rostra.domain.vocabulary import ServiceType

logger = structlog.get_logger("rostra.calls")

SETTLES = 5.0
"""Seconds after which a place is kept."""


def occupies(participant: Participant) -> bool:
    """Does it take a place? Not who is still asked for a PIN, or is elsewhere and only follows (CONF-152)."""
    return participant.service_type is not ServiceType.IVR and not participant.attending


def room_in(conference: ConferenceInstance, service: Service, former: Participant | None = None) -> bool:
    """For one more, by what is configured now (CONF-151). `former`: who it was before, and goes for it."""
    if _is_of_another_call(conference, service):
        logger.warning("Gateway call not begun: another has the same name", conference=conference.name)
        return False
    goes = former.uuid if former else ""
    present = sum(occupies(one) and one.uuid != goes for one in conference.participants)
    return has_room(service.description.participant_limit, present)


def _is_of_another_call(conference: ConferenceInstance, service: Service) -> bool:
    """A gateway call is for the two of it, should policy name several alike (POL-032)."""
    if service.onward is None:
        return conference.service.onward is not None
    return conference.service.onward is None or bool(conference.participants)


class Places:
    """Of those signalled here."""

    def __init__(self, clock: Callable[[], float], turn_away: Callable[[str], None]) -> None:
        """`turn_away` one who comes after as many as there are places."""
        self._clock = clock
        self._turn_away = turn_away
        self._fresh: dict[str, tuple[int, float, str]] = {}

    def took(self, participant: str, service: Service, former: Participant | None = None) -> None:
        """It was let in just now, where there was room; `former`, who it was before, goes for it."""
        limit = service.description.participant_limit
        if limit is not None:
            self._fresh[participant] = limit, self._clock() + SETTLES, former.uuid if former else ""

    def follow(self, conference: ConferenceInstance) -> None:
        """Its roster may have changed."""
        now = self._clock()
        self._fresh = {uuid: place for uuid, place in self._fresh.items() if place[1] > now}
        before: set[str] = set()
        for one in conference.participants:  # in the order that all nodes share
            place = self._fresh.get(one.uuid)
            if place is not None and len(before - {place[2]}) >= place[0] and occupies(one):
                del self._fresh[one.uuid]
                self._turn_away(one.uuid)
            if occupies(one):
                before.add(one.uuid)
