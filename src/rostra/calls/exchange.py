"""The switchboard of one node: from a call request to a participant of a running conference."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog

from rostra.calls.background import Background
from rostra.calls.session import CallSession, pin_prompt
from rostra.calls.switchboard import CallRefused, CallRequest, PinRequired, Refusal, SessionListener
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.dialplan.resolve import FindAlias, resolve
from rostra.domain.admission import PinOutcome, check_pin
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.media.pool import WorkerPool

logger = structlog.get_logger("rostra.calls")

_ANSWERED_BY_KEYPAD = frozenset({CallProtocol.SIP, CallProtocol.H323, CallProtocol.MSSIP})
_JOINABLE = frozenset({"conference", "lecture", "test_call"})


class Exchange:
    """Implements `calls.switchboard.Switchboard`."""

    def __init__(
        self, node: str, pool: WorkerPool, find_alias: FindAlias, configured: Callable[[], bool] = lambda: True
    ) -> None:
        """`configured`: has this node its configuration, so that an unknown alias really is unknown?"""
        self._node = node
        self._pool = pool
        self._find_alias = find_alias
        self._configured = configured
        self._running: dict[str, ConferenceInstance] = {}
        self._sessions: dict[str, CallSession] = {}
        self._background = Background()
        self._closed = False

    @property
    def ready(self) -> bool:
        return not self._closed and self._pool.ready and self._configured()

    @property
    def conferences(self) -> list[ConferenceInstance]:
        return list(self._running.values())

    def session(self, participant: str) -> CallSession | None:
        return self._sessions.get(participant)

    def lookup(self, alias: str) -> ServiceDescription | None:
        found = resolve(alias, self._find_alias)
        return found.service.description if found else None

    async def join(self, request: CallRequest, listener: SessionListener) -> CallSession:
        if self._closed:
            raise CallRefused(Refusal.MAINTENANCE)
        found = resolve(request.alias, self._find_alias)
        if found is None or found.service.description.service_type not in _JOINABLE:
            raise CallRefused(Refusal.NOT_FOUND)
        role, prompt = self._judge_pin(request, found.service, request.pin if found.pin is None else found.pin)
        self._check_limit(found.service)
        instance = self._instance(found.service)
        participant = self._participant(request, found.service, role)
        session = CallSession(instance, participant, listener, self._left)
        self._sessions[participant.uuid] = session
        instance.add(participant, session, prompt=prompt)
        return session

    def _judge_pin(self, request: CallRequest, service: Service, pin: str | None) -> tuple[Role, str]:
        """Role of the caller and, for one that has yet to enter its PIN by keypad, the prompt."""
        outcome = check_pin(service.access, pin)
        if service.access.pin_asked and pin is not None:
            logger.info(
                "PIN entry: PIN rejected." if outcome is PinOutcome.WRONG else "PIN entry: PIN accepted.",
                conference=service.description.name, participant=request.display_name,
            )  # fmt: skip
        by_keypad = request.protocol in _ANSWERED_BY_KEYPAD
        match outcome:
            case PinOutcome.HOST:
                return Role.HOST, ""
            case PinOutcome.GUEST:
                return Role.GUEST, ""
            case PinOutcome.WRONG if not by_keypad:
                raise CallRefused(Refusal.INVALID_PIN)
            case PinOutcome.ASK if not by_keypad:
                raise PinRequired(host_pin=True, guest_pin=service.access.guest_pin_needed)
            case _:
                return Role.UNKNOWN, pin_prompt(service.access)

    def _instance(self, service: Service) -> ConferenceInstance:
        """The running conference of a service, started when this is its first participant."""
        description = service.description
        key = description.name if description.service_type != "test_call" else f"{description.name}:{uuid.uuid4()}"
        running = self._running.get(key)
        if running is None:

            def ended(instance: ConferenceInstance) -> None:
                if self._running.get(key) is instance:
                    del self._running[key]
                logger.info("Conference has been stopped.", conference=instance.name, conference_id=instance.id)
                self._background.spawn(instance.director.close())

            running = ConferenceInstance(str(uuid.uuid4()), service, self._node, self._pool, time.time, ended)
            self._running[key] = running
            logger.info("Conference has been created.", conference=running.name, conference_id=running.id)
        return running

    def _check_limit(self, service: Service) -> None:
        limit = service.description.participant_limit
        running = self._running.get(service.description.name)
        if limit is not None and (len(running.participants) if running else 0) >= limit:
            raise CallRefused(Refusal.PARTICIPANT_LIMIT)

    def _participant(self, request: CallRequest, service: Service, role: Role) -> Participant:
        where = ServiceType.CONFERENCE
        if role is Role.UNKNOWN:
            where = ServiceType.IVR
        elif service.description.service_type == "test_call":
            where = ServiceType.TEST_CALL
        return Participant(
            uuid=str(uuid.uuid4()),
            node=self._node,
            display_name=request.display_name or request.remote_alias,
            overlay_text=request.display_name or request.remote_alias,
            local_alias=request.alias,
            uri=request.remote_alias or request.display_name,
            vendor=request.vendor,
            protocol=request.protocol,
            call_direction=request.direction,
            role=role,
            service_type=where,
            start_time=time.time(),
            encrypted=request.encrypted,
            call_tag=request.call_tag,
        )

    def _left(self, participant: str) -> None:
        self._sessions.pop(participant, None)

    async def close(self, reason: str = "Conference terminated by an administrator") -> None:
        """End every call; nothing new is accepted."""
        self._closed = True
        for instance in self.conferences:
            await instance.remove_all(reason)
        await self._background.finish(3)

    def debug_state(self) -> dict[str, object]:
        return {
            "sessions": len(self._sessions),
            "conferences": [instance.debug_state() for instance in self._running.values()],
        }
