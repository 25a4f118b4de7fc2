"""Direct media between two clients of the API: who gets it, and what happens when it cannot go on (sheet 09, 18).

The media of such participants never comes here; what they agree on goes from client to client through the nodes that
signal them (`PeerSignal`). When somebody else comes, both join anew to be transcoded, and the other way round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import msgspec
import structlog

from rostra.conference.events import PeerSignal
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain import admission, direct
from rostra.domain.direct import Party, Way
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol, ServiceType

logger = structlog.get_logger("rostra.calls")

CALM = 5.0
"""Seconds for which two have to be alone before they are asked to join anew for direct media."""
PATIENCE = 30.0
"""Seconds a client has to join anew; then it is asked once more."""


class Direct(Protocol):
    """A session, as seen from here."""

    @property
    def conference(self) -> ConferenceInstance: ...

    @property
    def participant(self) -> Participant: ...

    def signalled(self, signal: PeerSignal) -> None: ...


def offered(service: ServiceDescription) -> bool:
    """Services that are meeting rooms and allow it; breakout rooms need the platform (POL-044)."""
    return service.direct_media != "never" and service.service_type == "conference" and not service.breakout_rooms


def parties(conference: ConferenceInstance) -> list[Party]:
    """Everybody who is in."""
    return [
        Party(
            capable=one.direct_capable and one.protocol is CallProtocol.API, direct=one.is_direct,
            leaving=one.is_transferring,
        )
        for one in conference.participants
        if one.joined and not one.attending
    ]  # fmt: skip


class DirectMedia:
    """Of the sessions of one node."""

    def __init__(
        self, sessions: Mapping[str, Direct], spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:  # fmt: skip
        self._sessions = sessions
        self._spawn = spawn
        self._calm: dict[str, asyncio.TimerHandle] = {}
        self._peers: dict[str, tuple[str, str]] = {}
        """By participant: the other one, and the call of the other."""

    def prepared(self, participant: Participant, conference: ConferenceInstance) -> Participant:
        """Who is about to come in, as it is with direct media or without; nobody waits with it."""
        service, flags = conference.service, conference.flags
        where = admission.place(participant.role, service.access, locked=flags.locked, started=flags.started)
        if where is not ServiceType.CONFERENCE or participant.protocol is not CallProtocol.API:
            return participant
        capable = participant.direct_capable and offered(service.description) and not participant.attending
        wanted = direct.joins_direct(parties(conference), capable=capable)
        return msgspec.structs.replace(participant, is_direct=wanted)

    def follow(self, conference: ConferenceInstance) -> None:
        """The roster of a conference may have changed."""
        if not offered(conference.service.description):
            return
        own = [one for one in self._sessions.values() if one.conference is conference and one.participant.joined]
        for session in own:
            self._follow_peer(session)
        self._peers = {uuid: peer for uuid, peer in self._peers.items() if uuid in self._sessions}
        way = direct.way(parties(conference))
        calm = self._calm.get(conference.key)
        if way is not Way.DIRECT and calm is not None:
            self._calm.pop(conference.key).cancel()
        if way is Way.TRANSCODED:
            self._switch([one for one in own if one.participant.is_direct], "transcoded")
        elif way is Way.DIRECT and calm is None and own:
            loop = asyncio.get_running_loop()
            self._calm[conference.key] = loop.call_later(CALM, self._calmed, conference)

    def _calmed(self, conference: ConferenceInstance) -> None:
        self._calm.pop(conference.key, None)
        if not conference.ended and direct.way(parties(conference)) is Way.DIRECT:
            own = [one for one in self._sessions.values() if one.conference is conference]
            self._switch([one for one in own if one.participant.joined], "direct")

    def _follow_peer(self, session: Direct) -> None:
        """Tell a client when the other one's media is gone (API-162): it will call again.

        Also when both called at once, so that each waits for the other: one of them is to call again.
        """
        me = session.participant
        before, peer = self._peers.get(me.uuid), _peer(session)
        now = (peer.uuid, peer.direct_call) if peer else None
        left = before is not None and before != now and not me.direct_waiting
        both = peer is not None and before != now and me.direct_waiting and peer.direct_waiting and me.uuid > peer.uuid
        if me.direct_call and (left or both):
            session.signalled(PeerSignal(kind="gone"))
        if now is not None and me.is_direct and (both or me.direct_call):
            self._peers[me.uuid] = now
        else:
            self._peers.pop(me.uuid, None)

    def _switch(self, sessions: list[Direct], target: str) -> None:
        for session in sessions:
            if not session.participant.is_transferring:
                self._spawn(self._send_anew(session, target))

    async def _send_anew(self, session: Direct, target: str) -> None:
        me, conference, loop = session.participant, session.conference, asyncio.get_running_loop()
        await conference.set_client_state(me.uuid, is_transferring=True)
        notice = float(conference.service.description.direct_media_notification_duration)
        if notice:
            screen = "direct_media_escalate" if target == "transcoded" else "direct_media_deescalate"
            session.signalled(PeerSignal(kind="notice", screen=screen, seconds=notice))
        loop.call_later(notice, self._tell, session, me.uuid, target)
        loop.call_later(notice + PATIENCE, self._give_up, session, me.uuid)

    def _tell(self, session: Direct, participant: str, target: str) -> None:
        if participant in self._sessions:
            logger.info("Participant is to join anew", participant_id=participant, media=target)
            session.signalled(PeerSignal(kind="switch", target=target))

    def _give_up(self, session: Direct, participant: str) -> None:
        """It has not gone: it is as if it had not been told, so it will be again."""
        if participant in self._sessions:
            self._spawn(session.conference.set_client_state(participant, is_transferring=False))


def _peer(session: Direct) -> Participant | None:
    """The other one with direct media, while it has a call."""
    me = session.participant
    for other in session.conference.participants:
        if other.uuid != me.uuid and other.joined and other.is_direct and other.direct_call:
            return other
    return None
