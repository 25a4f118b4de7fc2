"""The switchboard of one node: from a call request to a participant of a running conference."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from rostra.background import Background
from rostra.calls import arrivals, identity, rejoining
from rostra.calls.anchors import Anchors, Atlas
from rostra.calls.arrivals import Entrance
from rostra.calls.attendant import KEYPADS
from rostra.calls.connecting import Connecting
from rostra.calls.direct import DirectMedia, offered
from rostra.calls.edge import Edge
from rostra.calls.gateway import Gateways
from rostra.calls.licences import Licences
from rostra.calls.media_places import MediaPlaces
from rostra.calls.outgoing import Outgoing
from rostra.calls.places import Places, room_in
from rostra.calls.policies import Policies, Unasked
from rostra.calls.portraits import Portraits
from rostra.calls.reaching import Reaching, changed, facts_of, facts_of_participant, log_failed
from rostra.calls.records import record_of
from rostra.calls.requests import NodeRequests
from rostra.calls.rooms import Rooms
from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallRefused, CallRequest, NotDialled, Refusal, SessionListener
from rostra.calls.transfers import Transfers
from rostra.conference.here import Here
from rostra.conference.instance import ConferenceInstance
from rostra.conference.messages import node_subject
from rostra.conference.roster import Participant
from rostra.dialplan.outward import Plan
from rostra.dialplan.resolve import FindAlias, resolve
from rostra.domain.admission import AccessRules
from rostra.domain.dialling import Wanted
from rostra.domain.history import ConferenceEnded, ConferenceStarted, ParticipantEnded, ParticipantJoined
from rostra.domain.rooms import Room
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.environment import Environment
from rostra.fabric.peers import Peers
from rostra.policy.participants import UNCHANGED, Properties
from rostra.policy.questions import CallFacts

logger = structlog.get_logger("rostra.calls")

LOOK = 2.0
"""Seconds between two looks for calls whose media nobody carries any more, and for conferences of nobody."""
UNCLAIMED = 5.0
"""Seconds that a conference has to be joined by the one it was begun for."""
DRAINING = 30.0
"""Seconds for which a node that is being emptied takes no new media."""
DRAINED = 0.2
"""Seconds between two looks whether it is empty."""


class Exchange:
    """Implements `calls.switchboard.Switchboard`."""

    def __init__(
        self, here: Here, peers: Peers, atlas: Atlas, find_alias: FindAlias, *,
        environment: Environment | None = None, configured: Callable[[], bool] = lambda: True,
        takes_calls: Callable[[], bool] = lambda: True, licensed: Callable[[], bool] = lambda: True,
        licences: Licences | None = None, plan: Plan | None = None, policies: Policies | None = None,
    ) -> None:  # fmt: skip
        """`configured`: has this node its configuration, so that an unknown alias really is unknown?
        `takes_calls`: False in maintenance mode. `licensed`: may another call be placed?
        `licences`: where calls with media get theirs; None: they need none.
        `plan`: what is configured for calls that are placed; None: none can be. `policies`: who may decide otherwise
        than configured."""
        self._here = here
        self._peers = peers
        self._find_alias = find_alias
        self._policies = policies or Unasked()
        self._running: dict[str, ConferenceInstance] = {}
        self._rooms = Rooms(self._running, self._room_closed)
        self._reaching = Reaching(self._policies, find_alias, self._rooms.find, plan, here)
        self._reaching.shield = here.shield
        self.leads_on = self._reaching.leads_on
        self._portraits = Portraits(self._policies, here.clock)
        self._configured = configured
        self._takes_calls = takes_calls
        self._licensed = licensed
        self._licences = licences
        self._reservation = atlas.reservation
        self._opening: dict[str, asyncio.Task[ConferenceInstance]] = {}
        self._sessions: dict[str, CallSession] = {}
        self._anchors = Anchors(here, peers, atlas)
        self.edge = Edge(here, environment or Environment(), self._is_present)
        self._requests = NodeRequests(
            here, self._running, self._instance, self.edge, takes_media=lambda: self.takes_media,
            reservation=lambda audio_only: atlas.reservation(audio_only=audio_only),
            uses_relay=self._anchors.relays, dial_out=lambda request: self.outgoing.answer(request),
        )  # fmt: skip
        self.outgoing = Outgoing(here, peers, plan, self, self._reaching.may_call)
        self._gateways = Gateways(self.outgoing, self._sessions.get)
        self._places = Places(here.clock, self._turn_out)
        self._connecting = Connecting(self._gateways, self._sessions.get, self._admit)
        self.connect = self._connecting.connect
        self.transfers = Transfers(here, self._reaching, self._instance, self, self._places)
        self._background = Background()
        self.direct = DirectMedia(self._sessions, self._background.spawn)
        self._stop: Callable[[], Any] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._draining = 0
        self._closed = False

    async def start(self) -> None:
        """Answer other nodes, and follow who of them is there."""
        subject = node_subject(self._here.node)
        self._stop = await self._here.bus.subscribe(subject, self._requests.answer, concurrent=True)
        self._peers.on_change(self._peer_changed)
        self._looking = asyncio.get_running_loop().create_task(self._look(), name="calls carried nowhere")

    @property
    def ready(self) -> bool:
        return not self._closed and self._here.pool.ready and self._configured()

    @property
    def takes_media(self) -> bool:
        """New media may be placed on this node."""
        return not self._closed and not self._draining and self._takes_calls()

    @property
    def conferences(self) -> list[ConferenceInstance]:
        return list(self._running.values())

    @property
    def participants(self) -> int:
        """Signalled here."""
        return len(self._sessions)

    def session(self, participant: str) -> CallSession | None:
        return self._sessions.get(participant)

    def licence(self, participant: str) -> str:
        """Kind of the licence that a participant signalled here has, or had last."""
        session = self._sessions.get(participant)
        return str(session.licence.last) if session else "port"

    def lookup(self, alias: str) -> ServiceDescription | None:
        found = resolve(alias, self._find_alias)
        return found.service.description if found else None

    async def join(self, request: CallRequest, listener: SessionListener) -> CallSession:
        if self._closed or not self._takes_calls():
            log_failed(request, Refusal.MAINTENANCE.text)
            raise CallRefused(Refusal.MAINTENANCE)
        if (taken := self._connecting.replace(request, listener)) is not None:
            return taken
        find = self._find_alias if request.role is None else self._find
        found = await self._reaching.service(request, find)
        former = await rejoining.recall(request, found.service, self._running.get, self._here.bus)
        request = rejoining.judged(request, former)
        pin = request.pin if found.pin is None else found.pin
        entrance, properties = await self._reaching.enter(request, found.service, pin)
        identity.check(request, entrance)
        if not self._licensed():
            log_failed(request, Refusal.INSUFFICIENT_LICENSES.text)
            return await self._turn_away(request, found.service, Refusal.INSUFFICIENT_LICENSES, listener)
        instance = await self._instance(arrivals.conference_key(found.service, entrance.where), found.service)
        if entrance.where is not ServiceType.IVR and not room_in(instance, found.service, former):
            instance.end_if_unused()
            return await self._turn_away(request, found.service, Refusal.PARTICIPANT_LIMIT, listener)
        session = self._admit(request, entrance, instance, listener, properties, former)
        await rejoining.succeed(instance, session.participant, former)
        if entrance.where is not ServiceType.IVR:
            self._places.took(session.participant.uuid, found.service, former)
        if request.readmitted:
            await instance.admit(session.participant.uuid)
        return session

    async def dial(self, service: str, wanted: Wanted) -> tuple[str, ...]:
        """Call somebody from the conference of a service (CONF-107, CONF-111). Raises NotDialled."""
        found = await self._reaching.calling(service, self.conferences)
        if found is None:
            raise NotDialled(404, Refusal.NOT_FOUND.text)
        return await self.outgoing.dial(found, wanted)

    async def avatar(self, viewer: str, participant: str, width: int, height: int) -> bytes | None:
        session = self._sessions.get(viewer)
        return await self._portraits.of(session.conference, participant, width, height) if session else None

    async def admits(self, alias: str, role: Role | None, pin: str | None) -> Role | bool | None:
        return await self._reaching.admits(alias, role, pin)

    def room(self, alias: str) -> Room | None:
        return self._rooms.room(alias)

    def _room_closed(self, alias: str) -> None:
        """Who was sent to a breakout room that has closed, and has not gone yet, stays (API-132)."""
        for session in list(self._sessions.values()):
            if session.withdraw(alias):
                self._background.spawn(
                    session.conference.set_client_state(session.participant.uuid, is_transferring=False)
                )

    def _find(self, alias: str) -> Service | None:
        """Also breakout rooms, for those whom the platform itself sends there."""
        return self._rooms.find(alias) or self._find_alias(alias)

    async def _turn_away(
        self, request: CallRequest, service: Service, refusal: Refusal, listener: SessionListener
    ) -> CallSession:
        """Those who would see and hear no more than that the call failed are told why. Raises CallRefused."""
        entrance = arrivals.refused(service, refusal)
        if entrance is None or request.protocol not in KEYPADS:
            raise CallRefused(refusal)
        instance = await self._instance(arrivals.conference_key(service, entrance.where), service)
        return self._admit(request, entrance, instance, listener, licensed=False)

    def _admit(
        self, request: CallRequest, entrance: Entrance, instance: ConferenceInstance, listener: SessionListener,
        properties: Properties = UNCHANGED, former: Participant | None = None, *, licensed: bool = True,
    ) -> CallSession:  # fmt: skip
        participant = arrivals.participant_of(request, entrance, self._here.node, self._here.now())
        participant = self.direct.prepared(rejoining.resumed(changed(participant, properties), former), instance)
        return self.enrol(
            instance, participant, listener, licensed=licensed, wrong_pins=entrance.wrong_pins,
            facts=facts_of(request), rules=entrance.service.access,
        )  # fmt: skip

    def enrol(
        self, instance: ConferenceInstance, participant: Participant, listener: SessionListener, *,
        licensed: bool = True, wrong_pins: int = 0, call_type: str = "video", tones: str = "",
        rate_out: int | None = None, facts: CallFacts | None = None, rules: AccessRules | None = None,
    ) -> CallSession:  # fmt: skip
        """Somebody is in the roster from now on, whoever called whom."""
        session = CallSession(
            instance, participant, listener, self._anchors, self.left, self._licences if licensed else None,
            office=self.transfers, wrong_pins=wrong_pins, call_type=call_type, tones=tones, rate_out=rate_out,
            rules=rules,
        )  # fmt: skip
        session.places = MediaPlaces(self._policies, facts or facts_of_participant(participant), session)
        self._sessions[participant.uuid] = session
        seated = instance.add(participant, session)
        self._reserve(instance, seated)
        self._here.record(ParticipantJoined(time=seated.start_time, participant=record_of(instance, seated)))
        return session

    async def conference(self, service: Service) -> ConferenceInstance:
        return await self._instance(arrivals.conference_key(service, ServiceType.CONFERENCE), service)

    @property
    def open(self) -> bool:
        return not self._closed and self._takes_calls()

    @property
    def licensed(self) -> bool:
        return self._licensed()

    async def _instance(self, key: str, service: Service) -> ConferenceInstance:
        """The running conference of a service; begun here when this node has no part in it yet."""
        while True:
            running = self._running.get(key)
            if running is not None and not running.ended:
                return running
            opening = self._opening.get(key)
            if opening is None:
                opening = self._opening[key] = asyncio.get_running_loop().create_task(self._open(key, service))
                opening.add_done_callback(lambda _: self._opening.pop(key, None))
            instance = await asyncio.shield(opening)
            if not instance.ended:
                return instance

    async def _open(self, key: str, service: Service) -> ConferenceInstance:
        instance = ConferenceInstance(
            self._here, key, service, self._ended, self._changed, on_rooms=self._rooms.follow,
            needed=self._rooms.needed,
        )  # fmt: skip
        first = await instance.open(self._present())
        self._running[key] = instance
        self._portraits.serve(instance)
        instance.see(self._present())
        if first and service.description.locked:
            await instance.lock(True)
        logger.info(
            "Conference has been created." if first else "Conference has been joined.", conference=instance.name,
            conference_id=instance.id,
        )  # fmt: skip
        self._here.record(ConferenceStarted(
            time=instance.began, id=instance.id, name=instance.name, tag=service.description.tag,
            service_type=service.description.service_type, direct_media_available=offered(service.description),
        ))  # fmt: skip
        return instance

    def _changed(self, instance: ConferenceInstance) -> None:
        self.outgoing.follow(instance)
        self._gateways.follow(instance)
        self._places.follow(instance)
        self.direct.follow(instance)

    def _turn_out(self, participant: str) -> None:
        """Others were first."""
        session = self._sessions.get(participant)
        if session is not None:
            session.refuse(Refusal.PARTICIPANT_LIMIT)

    def _ended(self, instance: ConferenceInstance) -> None:
        if self._running.get(instance.key) is instance:
            del self._running[instance.key]
        self._rooms.ended(instance)
        self._gateways.ended(instance)
        logger.info("Conference has been stopped.", conference=instance.name, conference_id=instance.id)
        description = instance.service.description
        self._here.record(ConferenceEnded(
            time=self._here.now(), id=instance.id, name=instance.name, service_type=description.service_type,
            tag=description.tag,
        ))  # fmt: skip
        self._background.spawn(instance.close())

    def _reserve(self, instance: ConferenceInstance, participant: Participant) -> None:
        """The first who only controls a conference reserves its backplane here, if there is room (PLAT-083)."""
        controls = participant.protocol is CallProtocol.API and not participant.attending
        if controls and not instance.media.hosts and instance.service.onward is None:
            audio_only = instance.service.description.call_type == "audio"
            self._here.ledger.book(instance.key, participant.uuid, 0, self._reservation(audio_only=audio_only))

    # ---- transfers.Switching

    def left(self, session: CallSession, participant: Participant, reason: str) -> None:
        if self._sessions.pop(participant.uuid, None) is None:
            return
        self._gateways.said(session.conference, participant, reason)
        self._here.ledger.release(session.conference.key, participant.uuid)
        now = self._here.now()
        self._here.record(ParticipantEnded(
            time=now, participant=record_of(session.conference, participant, session.licence.last),
            disconnect_reason=reason, duration=max(0.0, now - participant.start_time),
        ))  # fmt: skip

    def arrived(self, session: CallSession, participant: Participant) -> None:
        self._sessions[participant.uuid] = session
        self._here.record(
            ParticipantJoined(time=participant.start_time, participant=record_of(session.conference, participant))
        )

    # ---- other nodes

    def _present(self) -> dict[str, str]:
        return {node: report.boot for node, report in self._peers.alive.items()}

    def _is_present(self, owner: tuple[str, str]) -> bool:
        node, boot = owner
        return self._present().get(node) == boot

    def _peer_changed(self, node: str, alive: bool) -> None:
        present = self._present()
        for instance in self.conferences:
            instance.see(present, "" if alive else node)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            for instance in self.conferences:
                instance.media.look()
                if self._here.now() - instance.began > UNCLAIMED:
                    instance.end_if_unused()  # who it was begun for has gone before it was there

    async def move_calls_away(self) -> int:
        """Ask for all media carried here to be set up elsewhere, and take none until it is; how many legs."""
        self._draining += 1
        await self._peers.announce()
        moved = sum(instance.media.hosting.move_away() for instance in self.conferences if instance.media.hosting)
        self._background.spawn(self._drained())
        return moved

    async def _drained(self) -> None:
        for _ in range(int(DRAINING / DRAINED)):
            if not self._here.ledger.calls:
                break
            await asyncio.sleep(DRAINED)
        self._draining -= 1

    async def close(self, reason: str = "Conference terminated by an administrator") -> None:
        """End every call; nothing new is accepted."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        for instance in self.conferences:
            instance.remove_own(reason)
        for instance in self.conferences:  # of others' participants only
            instance.end()
        await self._background.finish(3)
        for part in (self._gateways, self.outgoing, self._anchors):
            await part.finish(1)
        await self.edge.close()
        if self._stop is not None:
            await self._stop()

    def debug_state(self) -> dict[str, object]:
        return {
            "sessions": len(self._sessions),
            "conferences": [instance.debug_state() for instance in self._running.values()],
        }
