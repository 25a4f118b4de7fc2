"""Breakout rooms: opened, filled, emptied and closed by Hosts of the main conference (section 17)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

from rostra.calls.switchboard import Conference
from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import MoveToRoom, OpenRoom
from rostra.clientapi.envelope import DISABLED, INVALID_ROLE, NOT_FOUND, ApiProblem
from rostra.clientapi.handlers.conference import chat_enabled, checked_message
from rostra.clientapi.results import RoomOpened
from rostra.conference.events import RoomReferred
from rostra.conference.roster import Participant
from rostra.domain.rooms import Room
from rostra.domain.vocabulary import CallProtocol, Role

MAIN = "main"
"""Names the main room among rooms."""
MOST = 50
"""Rooms open at once."""


async def create(asked: Asked) -> RoomOpened:
    """Open a room and send people there; every Host gets to know of it by its stream (API-152)."""
    body = asked.carried(OpenRoom)
    main = asked.conference
    if not asked.client.session.service.breakout_rooms or len(main.rooms) >= MOST:
        raise ApiProblem(403, DISABLED)
    sources = {source: _place(asked, source) for source in body.participants}
    room = Room(
        uuid=str(uuid.uuid4()), name=body.name, description=body.description or "",
        end_time=time.time() + body.duration if body.duration else 0.0, end_action=body.end_action,
        guests_may_leave=bool(body.guests_allowed_to_leave), main_alias=asked.values["alias"],
    )  # fmt: skip
    await main.open_room(room)
    for source, people in body.participants.items():
        await _move(asked, sources[source], people, room)
    return RoomOpened(room.uuid)


async def move_from_main(asked: Asked) -> bool:
    body = asked.carried(MoveToRoom)
    await _move(asked, asked.conference, body.participants, _room(asked, body.breakout_uuid))
    return True


async def move(asked: Asked) -> bool:
    """From the room in the path to another one, or back."""
    body = asked.carried(MoveToRoom)
    target = None if body.breakout_uuid in ("", MAIN) else _room(asked, body.breakout_uuid)
    await _move(asked, _place(asked, asked.values["breakout"]), body.participants, target)
    return True


async def close(asked: Asked) -> bool:
    """End one room (API-156). Ending it twice is fine."""
    await asked.conference.close_room(asked.values["breakout"].lower())
    return True


async def close_all(asked: Asked) -> None:
    for room in tuple(asked.conference.rooms):
        await asked.conference.close_room(room.uuid)


async def empty(asked: Asked) -> bool:
    """Everybody goes back; the rooms stay."""
    for visit in tuple(asked.client.visits.values()):
        conference = visit.session.conference
        people = [one.uuid for one in conference.participants if not one.attending or one.has_media]
        await _move(asked, conference, people, None)
    return True


async def message(asked: Asked) -> bool:
    """Chat to everybody in all rooms."""
    body = checked_message(asked)
    if not chat_enabled(asked):
        return False
    for visit in tuple(asked.client.visits.values()):
        await visit.session.conference.message(visit.uuid, body.type, body.payload)
    return True


async def guest_token(asked: Asked) -> str:
    """A one-time token with which a Guest joins the room straight away."""
    room, me = _room(asked, asked.values["breakout"]), asked.me
    return asked.platform.clients.invitations.give(
        room.main_alias, Role.GUEST, display_name=me.display_name, call_tag="", room=room.alias
    )


async def ask_for_help(asked: Asked) -> bool:
    await _inside(asked).want_help(True)
    return True


async def need_no_help(asked: Asked) -> bool:
    await _inside(asked).want_help(False)
    return True


async def leave(asked: Asked) -> bool:
    """A Guest goes back by itself, where it may."""
    conference, room = _inside(asked), asked.client.session.service.breakout
    if room is None or not room.guests_may_leave:
        raise ApiProblem(403, INVALID_ROLE)
    await conference.transfer(asked.me.uuid, room.main_alias, asked.me.role)
    return True


def _inside(asked: Asked) -> Conference:
    """The conference, which has to be a room. Raises ApiProblem 403."""
    if asked.client.session.service.breakout is None:
        raise ApiProblem(403, DISABLED)
    return asked.conference


def _room(asked: Asked, named: str) -> Room:
    """An open room. Raises ApiProblem 404."""
    found = next((room for room in asked.conference.rooms if room.uuid == named.lower()), None)
    if found is None:
        raise ApiProblem(404, NOT_FOUND)
    return found


def _place(asked: Asked, named: str) -> Conference:
    """The conference of a room, or of the main one. Raises ApiProblem 404."""
    if named in ("", MAIN):
        return asked.conference
    visit = asked.client.visits.get(named.lower())
    if visit is None:
        raise ApiProblem(404, NOT_FOUND)
    return visit.session.conference


async def _move(asked: Asked, place: Conference, people: Iterable[str], target: Room | None) -> None:
    """Guests and systems are sent; Hosts with a client of this API are asked to go (API-154, API-155)."""
    for who in people:
        known = place.participant(who.lower())
        if known is None or not known.joined or known.is_transferring:
            continue
        if _goes_itself(known):
            referral = RoomReferred(
                room=target.uuid if target else MAIN, name=target.name if target else MAIN, requester=asked.me.uuid
            )
            await place.refer(known.uuid, referral)
        else:
            await place.transfer(known.uuid, target.alias if target else _home(asked, place), known.role)


def _goes_itself(known: Participant) -> bool:
    return known.protocol is CallProtocol.API and known.role is Role.HOST


def _home(asked: Asked, place: Conference) -> str:
    """Where the people of a room come from."""
    rooms = (visit.session for visit in asked.client.visits.values() if visit.session.conference is place)
    return next((room.main_alias for session in rooms if (room := session.service.breakout)), asked.values["alias"])
