"""Calls the platform places from its conferences, for a Host, an administrator or because a conference starts.

A called party is in the roster from the moment it is called (`connecting`), signalled by the node that calls it. Which
node that is follows from the location asked for, or else it is the one that was asked.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
import structlog

from rostra.background import Background
from rostra.calls.forking import Forking, call_all, roster
from rostra.calls.gateway import is_abandoned
from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallOrder, Dialler, NotDialled, OutgoingLeg, SessionListener
from rostra.conference import messages as w
from rostra.conference.here import Here
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.conference.state import CALLED
from rostra.dialplan.outward import NoRule, NotRegistered, Plan, Route, TransformFailed, identity, ways
from rostra.domain import dialling
from rostra.domain.admission import has_room
from rostra.domain.dialling import Wanted
from rostra.domain.history import CallPlaced
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallDirection, CallProtocol, ServiceType
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import Peers
from rostra.policy.questions import CallFacts, Direction

logger = structlog.get_logger("rostra.calls")

CALLING = frozenset({"conference", "lecture"})
"""Kinds of services that call somebody."""
NOT_REGISTERED = "Called party not available"
"""Only registered devices may be called, and none has the alias."""
PASSED_ON = 10.0
"""Seconds another node has to begin a call."""


class Enrolment(Protocol):
    """What the exchange does for it."""

    async def conference(self, service: Service) -> ConferenceInstance:
        """The running conference of a service, begun when there is none."""
        ...

    def enrol(
        self, instance: ConferenceInstance, participant: Participant, listener: SessionListener, *,
        call_type: str, tones: str, rate_out: int | None,
    ) -> CallSession: ...  # fmt: skip

    @property
    def open(self) -> bool:
        """New calls are placed here."""
        ...

    @property
    def licensed(self) -> bool: ...


class Outgoing:
    """Owned by the exchange; adapters sign on in `diallers`."""

    def __init__(
        self, here: Here, peers: Peers, plan: Plan | None, enrolment: Enrolment,
        may_call: Callable[[Service, CallFacts], Awaitable[bool]],
    ) -> None:  # fmt: skip
        """`may_call`: does policy let a conference call somebody?"""
        self._may_call = may_call
        self._here = here
        self._peers = peers
        self._plan = plan
        self._enrolment = enrolment
        self.diallers: dict[CallProtocol, Dialler] = {}
        self._background = Background()
        self._forking = Forking(here.node, self._background)
        self._looking: set[str] = set()

    # ---- by request

    async def dial(self, service: Service, wanted: Wanted) -> tuple[str, ...]:
        """Call somebody from the conference of `service`, which begins with the answer. Raises NotDialled.

        Returns the uuids of the participants that are being called.
        """
        plan = self._plan
        if plan is None or not plan.allowed():
            raise NotDialled(403, "Disabled")
        if service.description.service_type not in CALLING:
            raise NotDialled(403, "Disabled")
        if problem := dialling.problem(wanted):
            raise NotDialled(400, problem)
        aliases = {alias.casefold() for alias in shown_aliases(service, plan)}
        if wanted.source_alias and not service.policy and wanted.source_alias.casefold() not in aliases:
            raise NotDialled(400, "Invalid source")
        return await self.call(service, wanted, await self._ways(wanted, plan))

    async def call(self, service: Service, wanted: Wanted, found: Sequence[Route]) -> tuple[str, ...]:
        """Place these calls, each from the node it belongs to; the first that is answered ends the others.

        Raises NotDialled when none can be placed.
        """
        return await call_all(found, lambda way: self._place_somewhere(service, wanted, way))

    async def _ways(self, wanted: Wanted, plan: Plan) -> tuple[Route, ...]:
        try:
            return await ways(wanted, plan, self._here.location())
        except NoRule:
            raise NotDialled(404, "Neither conference nor gateway found") from None
        except NotRegistered:
            raise NotDialled(404, NOT_REGISTERED) from None
        except TransformFailed:
            raise NotDialled(404, "invalid gateway routing rule transform") from None

    async def _place_somewhere(self, service: Service, wanted: Wanted, way: Route) -> tuple[str, ...]:
        node = way.node or self._node_in(way.location)
        if node is None:
            raise NotDialled(503, "No Conferencing Node of the location is available")
        if node == self._here.node:
            return await self.place(service, wanted, way)
        request = w.DialOut(service=service, wanted=wanted, route=way)
        try:
            payload = await self._here.bus.request(w.node_subject(node), w.encode(request), timeout=PASSED_ON)
            reply = w.reply_decoder.decode(payload)
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.warning("Call not placed elsewhere", peer=node, problem=str(problem))
            raise NotDialled(503, "The Conferencing Node that calls cannot be reached") from None
        if isinstance(reply, w.Dialling):
            return reply.participants
        raise NotDialled(
            *((reply.status, reply.reason) if isinstance(reply, w.NotDialling) else (503, "Not understood"))
        )

    def _node_in(self, location: int) -> str | None:
        """This node where it will do, else the one there with most room (CONF-101, CONF-112)."""
        if not location or location == self._here.location():
            return self._here.node
        there = [report for report in self._peers.alive.values() if report.location == location and report.takes_media]
        best = min(there, key=lambda report: (report.used / max(1, report.capacity), report.node), default=None)
        return best.node if best else None

    async def answer(self, request: w.DialOut) -> w.Reply:
        """Another node wants a call to be placed here."""
        try:
            return w.Dialling(participants=await self.place(request.service, request.wanted, request.route))
        except NotDialled as problem:
            return w.NotDialling(status=problem.status, reason=problem.reason)

    async def place(self, service: Service, wanted: Wanted, way: Route) -> tuple[str, ...]:
        """Call from this node. Raises NotDialled."""
        dialler = self.diallers.get(way.protocol)
        if self._plan is None or dialler is None or not self._plan.permits(way.protocol):
            raise NotDialled(403, "Disabled")
        if not self._enrolment.open:
            raise NotDialled(503, "System in maintenance mode")
        if not self._enrolment.licensed:
            raise NotDialled(403, "Insufficient licenses")
        source = wanted.source_alias or identity(shown_aliases(service, self._plan), way.protocol)
        order = CallOrder(
            destination=way.destination, hop=way.hop, source=source, source_name=wanted.source_name,
            credentials=_none if way.registration else self._plan.credentials,
            presentation_url=wanted.presentation_url, headers=wanted.headers,
            registration=way.registration, hops=wanted.hops, conference=source,
            conference_name=service.description.name, service_type=service.description.service_type,
        )  # fmt: skip
        if service.onward is None and not await self._may_call(service, facts_of_calling(source, wanted, way)):
            raise NotDialled(404, "Neither conference nor gateway found")
        leg = dialler.leg(order)
        conference = await self._enrolment.conference(service)
        if is_abandoned(conference):
            conference.end_if_unused()
            raise NotDialled(487, "Call cancelled")
        present = _places(conference, way.fork)
        if not has_room(service.description.participant_limit, present):
            conference.end_if_unused()
            raise NotDialled(403, "Participant limit reached")
        return (self._begin(conference, wanted, way, source, leg),)

    def _begin(self, conference: ConferenceInstance, wanted: Wanted, way: Route, source: str, leg: OutgoingLeg) -> str:
        name = dialling.shown_name(wanted)
        streaming = wanted.streaming or way.protocol is CallProtocol.RTMP
        participant = Participant(
            uuid=str(uuid.uuid4()), node=self._here.node, display_name=name, overlay_text=wanted.overlay_text or name,
            local_alias=source, uri=dialling.plain_alias(wanted.destination), protocol=way.protocol,
            call_direction=CallDirection.OUT, role=wanted.role, service_type=ServiceType.CONNECTING,
            start_time=self._here.now(), keep_alive=wanted.keep_alive, is_streaming=streaming,
            automatic=wanted.automatic, fork=way.fork,
        )  # fmt: skip
        session = self._enrolment.enrol(
            conference, participant, leg, call_type=way.call_type, tones=wanted.dtmf_sequence, rate_out=way.rate_out
        )  # fmt: skip
        logger.info(
            "Participant is being called.", conference=conference.name, participant=name,
            participant_id=participant.uuid, destination=dialling.loggable(way.destination),
            protocol=way.protocol.value,
        )  # fmt: skip
        self._here.record(
            CallPlaced(
                time=self._here.now(), conference=conference.name, alias=source, display_name=wanted.source_name,
                destination=dialling.loggable(way.destination), protocol=way.protocol.value,
            )
        )  # fmt: skip
        leg.begin(session)
        return participant.uuid

    # ---- when a conference starts

    def follow(self, conference: ConferenceInstance) -> None:
        """Its roster may have changed: looked at as soon as the change is through."""
        self._forking.follow(conference)
        if self._plan is None or conference.key in self._looking or not _calls_its_own(conference):
            return
        if conference.register(CALLED) and not any(one.automatic for one in conference.own):
            return
        self._looking.add(conference.key)
        asyncio.get_running_loop().call_soon(self._look, conference)

    def _look(self, conference: ConferenceInstance) -> None:
        self._looking.discard(conference.key)
        if conference.ended or self._plan is None:
            return
        those = roster(conference)
        for one in dialling.superfluous(those, self._here.node):
            logger.info("Called twice", conference=conference.name, participant_id=one)
            self._background.spawn(conference.remove(one, "Call disconnected"))
        if conference.register(CALLED):
            return
        first = dialling.starts(those)
        if first is None or first.node != self._here.node:
            return
        conference.remember_called()
        service = conference.service
        called = self._plan.automatic(service.description.id) if service.automatic is None else service.automatic
        for wanted in dialling.to_call(called, those):
            self._background.spawn(self._call_automatically(conference.service, wanted))

    async def _call_automatically(self, service: Service, wanted: Wanted) -> None:
        plan = self._plan
        if plan is None:
            return
        try:
            if problem := dialling.problem(wanted):
                raise NotDialled(400, problem)
            await self.call(service, wanted, await self._ways(wanted, plan))
        except NotDialled as problem:
            logger.warning(
                "Participant could not be called.", conference=service.description.name,
                destination=dialling.loggable(wanted.destination), reason=problem.reason,
            )  # fmt: skip

    async def finish(self, seconds: float) -> None:
        await self._background.finish(seconds)


def facts_of_calling(source: str, wanted: Wanted, way: Route) -> CallFacts:
    """A call that is about to be placed, as policy is told of it."""
    return CallFacts(
        local_alias=source, protocol=way.protocol, direction=Direction.DIAL_OUT, remote_alias=way.destination,
        remote_display_name=wanted.display_name,
    )  # fmt: skip


def shown_aliases(service: Service, plan: Plan) -> Sequence[str]:
    """Those a called party can be shown; of a service that only policy knows, the one it was dialled by."""
    return plan.aliases(service.description.id) or [service.alias]


def _calls_its_own(conference: ConferenceInstance) -> bool:
    """Meeting rooms and auditoriums do; their breakout rooms do not once more."""
    description = conference.service.description
    return description.service_type in CALLING and description.breakout is None


def _places(conference: ConferenceInstance, fork: str) -> int:
    """Places that others have taken; devices that are called at once will take one."""
    taken = (one for one in conference.participants if one.service_type is not ServiceType.IVR)
    return len({one.fork or one.uuid for one in taken} - {fork})


def _none(_realm: str) -> None:
    """A registered device asks us for no password: ours are for systems that are configured."""
