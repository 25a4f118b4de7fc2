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
        self._fresh: dict[str, tuple[int, float]] = {}
        self._succeeded: dict[str, float] = {}
        """Those for whom somebody has come back, and until when they may still be in the roster."""

    def room_in(self, conference: ConferenceInstance, service: Service, former: Participant | None = None) -> bool:
        """As the function, where only one may come in for `former`: who comes back twice at once needs a place."""
        now = self._clock()
        self._succeeded = {uuid: until for uuid, until in self._succeeded.items() if until > now}
        goes = former if former is not None and former.uuid not in self._succeeded else None
        room = room_in(conference, service, goes)
        if room and goes is not None:
            self._succeeded[goes.uuid] = now + SETTLES
        return room

    def took(self, participant: str, service: Service) -> None:
        """It was let in just now, where there was room."""
        limit = service.description.participant_limit
        if limit is not None:
            self._fresh[participant] = limit, self._clock() + SETTLES

    def follow(self, conference: ConferenceInstance) -> None:
        """Its roster may have changed."""
        now = self._clock()
        self._fresh = {uuid: place for uuid, place in self._fresh.items() if place[1] > now}
        before = 0
        for one in conference.participants:  # in the order that all nodes share
            place = self._fresh.get(one.uuid)
            if place is not None and before >= place[0] and occupies(one):
                del self._fresh[one.uuid]
                self._turn_away(one.uuid)
            before += occupies(one)
