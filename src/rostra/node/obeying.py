"""What this node does because an administrator says so: the same as Hosts can have done (sheet 10, 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from rostra.calls.exchange import Exchange
from rostra.calls.records import call_streams, media_graph
from rostra.calls.registrations import Registry
from rostra.calls.switchboard import NotDialled
from rostra.conference.instance import ConferenceInstance
from rostra.domain.look import IllegalValue
from rostra.domain.referral import goes_itself
from rostra.domain.vocabulary import Role
from rostra.fabric import status

CONFERENCE_ENDED = "Conference terminated by an administrator"
"""Reason for everybody of a conference (API-017)."""
DISCONNECTED = "Disconnected by an administrator"


async def obey(exchange: Exchange, registry: Registry, command: status.OfCalls) -> status.CommandReply:
    """Carry out one command."""
    match command:
        case status.MoveCallsAway():
            return status.Moved(legs=await exchange.move_calls_away())
        case status.OnConference():
            return await _on_conference(exchange, command)
        case status.OnParticipant():
            return await _on_participant(exchange, command)
        case status.DialOut():
            return await _dial_out(exchange, command)
        case status.TellRegistrations(after=after):
            return registry.page(after)
        case status.TellStreams(call=call):
            for conference in exchange.conferences:
                streams = await call_streams(conference, call)
                if streams is not None:
                    return status.LegStreams(streams=streams)
            return status.NotHere()
        case status.TellMedia(conference=identity):
            here = next((one for one in exchange.conferences if one.id == identity), None)
            return (await media_graph(here) if here is not None else None) or status.NotHere()


async def _on_conference(exchange: Exchange, command: status.OnConference) -> status.CommandReply:
    act = _CONFERENCE.get(command.action)
    if act is None and command.action != "transform_layout":
        return _unknown(command.action)
    conference = next((one for one in exchange.conferences if one.id == command.conference), None)
    if conference is None:
        return status.NotHere()
    if act is not None:
        await act(conference)
        return status.Obeyed()
    try:
        await conference.transform_layout(dict(command.transforms))
    except IllegalValue:
        return status.Refused(reason="Illegal value")
    return status.Obeyed()


async def _on_participant(exchange: Exchange, command: status.OnParticipant) -> status.CommandReply:
    known = command.action in _PARTICIPANT or command.action == "transfer"
    if not known or (command.action == "role" and command.role not in _ROLES):
        return _unknown(command.action)
    session = exchange.session(command.participant)
    if session is None:
        return status.NotHere()
    if command.action == "transfer":
        return await _transfer(exchange, session.conference, command)
    await _PARTICIPANT[command.action](session.conference, command)
    return status.Obeyed()


async def _transfer(
    exchange: Exchange, conference: ConferenceInstance, command: status.OnParticipant
) -> status.CommandReply:
    role = Role(command.role) if command.role in _ROLES else None
    admitted = await exchange.admits(command.alias, role, None)
    who = conference.participant(command.participant)
    if isinstance(admitted, bool) and who is not None:
        on = goes_itself(command.alias, who.protocol) or exchange.leads_on(command.alias, who, None)
        admitted = None if on else False
    if isinstance(admitted, bool):
        return status.Refused(reason="Failed to find the conference to transfer to.")
    await conference.transfer(command.participant, command.alias, admitted)
    return status.Obeyed()


async def _dial_out(exchange: Exchange, command: status.DialOut) -> status.CommandReply:
    try:
        return status.Dialling(participants=await exchange.dial(command.alias, command.wanted))
    except NotDialled as problem:
        return status.Refused(reason=problem.reason)


def _unknown(action: str) -> status.Refused:
    """A newer Management Node wants something of us."""
    return status.Refused(reason=f"not understood: {action}")


async def _end(conference: ConferenceInstance) -> None:
    """Our own at once, and those of others who have not been told."""
    conference.remove_own(CONFERENCE_ENDED)
    await conference.remove_all(CONFERENCE_ENDED)


_ROLES = (Role.HOST, Role.GUEST)
_CONFERENCE: Mapping[str, Callable[[ConferenceInstance], Awaitable[None]]] = {
    "disconnect": _end,
    "lock": lambda conference: conference.lock(True),
    "unlock": lambda conference: conference.lock(False),
    "mute_guests": lambda conference: conference.mute_guests(True),
    "unmute_guests": lambda conference: conference.mute_guests(False),
}
_PARTICIPANT: Mapping[str, Callable[[ConferenceInstance, status.OnParticipant], Awaitable[None]]] = {
    "disconnect": lambda conference, told: conference.remove(told.participant, DISCONNECTED),
    "mute": lambda conference, told: conference.mute(told.participant, True),
    "unmute": lambda conference, told: conference.mute(told.participant, False),
    "unlock": lambda conference, told: conference.admit(told.participant),
    "role": lambda conference, told: conference.set_role(told.participant, Role(told.role)),
}
