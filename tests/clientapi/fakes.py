"""A switchboard in memory, faithful to `rostra.calls.switchboard`: PINs, roles, waiting, roster, events; no media."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import msgspec

from rostra import themefiles
from rostra.calls.switchboard import (
    CallRefused,
    CallRequest,
    ExtensionRequired,
    IdentityRequired,
    MediaRefused,
    PinRequired,
    Refusal,
    ServiceDescription,
    SessionListener,
)
from rostra.conference import themes
from rostra.conference.events import (
    CameraMoved,
    ConferenceEvent,
    ConferenceUpdated,
    HoldChanged,
    LayoutChanged,
    MessageReceived,
    ParticipantCreated,
    ParticipantDeleted,
    ParticipantUpdated,
    PresentationStopped,
    Removed,
    RoleChanged,
    StageChanged,
    SyncBegan,
    SyncEnded,
)
from rostra.conference.roster import ConferenceFlags, Participant
from rostra.domain import look
from rostra.domain.media import MediaDescription, MediaKind
from rostra.domain.signon import SignOnRules
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

ANSWER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"


class FakeService(msgspec.Struct):
    description: ServiceDescription
    host_pin: str = ""
    guest_pin: str = ""
    aliases: tuple[str, ...] = ()
    sign_on: SignOnRules = SignOnRules()


def service(
    number: int, name: str, *aliases: str, host_pin: str = "", guest_pin: str = "", guests: bool = False, **more: object
) -> FakeService:
    description = ServiceDescription(
        id=number,
        name=name,
        service_type=more.pop("service_type", "conference"),
        allow_guests=guests,
        has_host_pin=bool(host_pin),
        has_guest_pin=bool(guest_pin),
        **more,
    )
    return FakeService(description, host_pin, guest_pin, tuple(alias.casefold() for alias in aliases))


class FakeSession:
    def __init__(self, conference: FakeConference, participant: Participant, listener: SessionListener) -> None:
        self.conference = conference
        self.listener = listener
        self.opened: list[tuple[str, str, str]] = []
        self.candidates: list[tuple[str, str, str, str]] = []
        self.confirmed: list[str] = []
        self.closed: list[str] = []
        self.digits: list[tuple[str, str]] = []
        self.left: str | None = None
        self.answer = ANSWER
        self.failure: Exception | None = None
        self.delay: asyncio.Event | None = None
        self.answerer: Callable[[str, str], Awaitable[str]] | None = None
        self._participant = participant

    @property
    def participant(self) -> Participant:
        return self.conference.participant(self._participant.uuid) or self._participant

    @property
    def service(self) -> ServiceDescription:
        return self.conference.service.description

    async def open_webrtc(
        self, call: str, offer: str, *, media_type: str = "video", present: str = "", answered: bool = False
    ) -> str:
        if self.delay:
            await self.delay.wait()
        if self.failure:
            raise self.failure
        if not offer.startswith("v=0"):
            raise MediaRefused("Malformed SDP")
        self.opened.append((call, offer, media_type))
        return await self.answerer(call, offer) if self.answerer else self.answer

    async def add_candidate(self, call: str, mid: str, candidate: str, ufrag: str = "") -> None:
        self.candidates.append((call, mid, candidate, ufrag))

    async def reserve_rtp(
        self, call: str, kinds: Sequence[MediaKind], *, full_hd: bool = False, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        raise NotImplementedError

    async def connect_rtp(self, call: str, local: MediaDescription, remote: MediaDescription) -> None:
        raise NotImplementedError

    async def confirm(self, call: str) -> None:
        self.confirmed.append(call)
        self.conference.media(self._participant.uuid, True)

    async def hold(self, call: str, held: bool) -> None:
        raise NotImplementedError

    async def request_keyframe(self, call: str) -> None:
        raise NotImplementedError

    def dtmf(self, call: str, digits: str) -> None:
        self.digits.append((call, digits))

    async def close_call(self, call: str) -> None:
        self.closed.append(call)
        running = {opened for opened, _, _ in self.opened} - set(self.closed)
        if not running:
            self.conference.media(self._participant.uuid, False)

    async def take_floor(self) -> bool:
        if not self.conference.flags.presentation_allowed:
            return False
        self.conference.present(self._participant.uuid)
        return True

    async def release_floor(self) -> None:
        if self.participant.is_presenting:
            self.conference.present("")

    async def present_stills(self, call: str) -> None:
        if not await self.take_floor():
            raise CallRefused(Refusal.DISABLED)

    async def show_still(self, jpeg: bytes) -> None:
        self.conference.pictures.append(jpeg)

    async def leave(self, reason: str = "Call disconnected") -> None:
        if self.left is None:
            self.left = reason
            self.conference.discard(self._participant.uuid, reason)


class FakeConference:
    def __init__(self, service: FakeService) -> None:
        self.id = str(uuid.uuid4())
        self.service = service
        self.name = service.description.name
        self.flags = ConferenceFlags(chat_enabled=service.description.enable_chat, started=not service.host_pin)
        self.roster: dict[str, Participant] = {}
        self.sessions: dict[str, FakeSession] = {}
        self.queues: dict[str, asyncio.Queue[ConferenceEvent | None]] = {}
        self.tones: list[tuple[str, str]] = []
        self.rooms: list[object] = []
        self.silence: object = None
        self.registers: dict[str, look.Value] = {}
        self.pictures: list[bytes] = []

    @property
    def participants(self) -> Sequence[Participant]:
        return list(self.roster.values())

    def participant(self, participant: str) -> Participant | None:
        return self.roster.get(participant)

    async def theme_file(self, name: str) -> bytes | None:
        return await themes.read([str(themefiles.BASE)], name)

    def subscribe(self, participant: str) -> AsyncIterator[ConferenceEvent]:
        self._end(participant)
        queue = self.queues[participant] = asyncio.Queue()
        for event in (ConferenceUpdated(flags=self.flags), *self._snapshot(participant)):
            queue.put_nowait(event)
        queue.put_nowait(StageChanged(entries=()))
        queue.put_nowait(LayoutChanged(view="1:7", participants=()))
        queue.put_nowait(PresentationStopped(initial=True))
        return self._events(queue)

    async def _events(self, queue: asyncio.Queue[ConferenceEvent | None]) -> AsyncIterator[ConferenceEvent]:
        while (event := await queue.get()) is not None:
            yield event

    def _snapshot(self, watcher: str) -> list[ConferenceEvent]:
        inside = self.roster[watcher].joined
        seen = [p for p in self.roster.values() if inside or p.uuid == watcher]
        return [SyncBegan(), *(ParticipantCreated(participant=p) for p in seen), SyncEnded()]

    def _end(self, watcher: str) -> None:
        if queue := self.queues.pop(watcher, None):
            queue.put_nowait(None)

    def present(self, presenter: str) -> None:
        for known in list(self.roster.values()):
            self.roster[known.uuid] = msgspec.structs.replace(known, is_presenting=known.uuid == presenter)

    async def still(self, *, large: bool = False, number: int = 0) -> bytes | None:
        return self.pictures[-1] if self.pictures else None

    def tell(self, event: ConferenceEvent, *participants: str) -> None:
        for participant in participants or [p.uuid for p in self.roster.values() if p.joined]:
            if queue := self.queues.get(participant):
                queue.put_nowait(event)

    def add(self, participant: Participant, session: FakeSession) -> None:
        self.sessions[participant.uuid] = session
        self.roster[participant.uuid] = participant
        self.tell(ParticipantCreated(participant=participant))

    def discard(self, participant: str, reason: str) -> None:
        if self.roster.pop(participant, None):
            self.tell(Removed(reason=reason), participant)
            self._end(participant)
            self.tell(ParticipantDeleted(uuid=participant))

    def media(self, participant: str, has: bool) -> None:
        self.change(participant, has_media=has, is_video_call=has)
        known = self.roster.get(participant)
        if known and has and known.role is Role.HOST and not self.flags.started:
            self._start()

    def change(self, participant: str, **members: object) -> None:
        known = self.roster.get(participant)
        if known is None:
            return
        changed = self.roster[participant] = msgspec.structs.replace(known, **members)
        watchers = {p.uuid for p in self.roster.values() if p.joined} | {participant}
        if changed != known:
            self.tell(ParticipantUpdated(participant=changed), *watchers)

    def set_flags(self, **members: bool) -> None:
        self.flags = msgspec.structs.replace(self.flags, **members)
        self.tell(ConferenceUpdated(flags=self.flags), *self.roster)

    def waits(self, role: Role) -> bool:
        if self.flags.locked and (role is Role.GUEST or not self.service.host_pin):
            return True
        return role is Role.GUEST and not self.flags.started

    def _seat(self, participant: Participant) -> None:
        self.change(participant.uuid, service_type=ServiceType.CONFERENCE)
        for event in self._snapshot(participant.uuid):
            self.tell(event, participant.uuid)

    def _start(self) -> None:
        self.set_flags(started=True)
        for waiting in [p for p in self.roster.values() if not p.joined and not self.waits(p.role)]:
            self._seat(waiting)

    async def lock(self, locked: bool) -> None:
        self.set_flags(locked=locked)
        for waiting in [p for p in self.roster.values() if not p.joined and not self.waits(p.role)]:
            self._seat(waiting)

    async def start(self, by: str = "") -> None:
        self._start()

    async def transform_layout(self, transforms: Mapping[str, object]) -> None:
        self._look(look.transform(transforms, lecture=self.service.description.service_type == "lecture"))

    async def override_layout(self, layouts: Sequence[object]) -> None:
        self._look(look.override(layouts, lecture=self.service.description.service_type == "lecture"))

    def _look(self, registers: Mapping[str, look.Value]) -> None:
        self.registers.update(registers)
        now = look.look(self.service.description, self.registers.get)
        hosts, guests = now.requested
        for known in self.roster.values():
            changed = LayoutChanged(
                view=now.of(known.role).layout.name, participants=(), requested_for_hosts=hosts,
                requested_for_guests=guests, overlay_text=now.hosts.names,
            )  # fmt: skip
            self.tell(changed, known.uuid)

    async def mute_guests(self, muted: bool) -> None:
        self.set_flags(guests_muted=muted)
        for guest in [p for p in self.roster.values() if p.role is Role.GUEST]:
            self.change(guest.uuid, is_muted=muted)

    async def hold(self, participant: str, held: bool) -> None:
        self.change(participant, is_on_hold=held)
        self.tell(HoldChanged(held=held), participant)

    async def move_camera(self, participant: str, move: CameraMoved) -> None:
        self.tell(move, participant)

    async def detect_silence(self, rules: object) -> None:
        self.silence = rules

    async def set_rules(self, **rules: bool) -> None:
        self.set_flags(**rules)

    async def mute(self, participant: str, muted: bool) -> None:
        self.change(participant, is_muted=muted)

    async def set_role(self, participant: str, role: Role) -> None:
        self.change(participant, role=role)
        self.tell(RoleChanged(), participant)

    async def set_client_state(self, participant: str, **members: bool | str | float) -> None:
        self.change(participant, **members)

    async def spotlight(self, participant: str, on: bool) -> None:
        self.change(participant, spotlight=time.time() if on else 0.0)

    async def admit(self, participant: str) -> None:
        self._seat(self.roster[participant])

    async def remove(self, participant: str, reason: str) -> None:
        self.discard(participant, reason)
        self.sessions[participant].listener.disconnected(reason)

    async def remove_all(self, reason: str) -> None:
        for participant in list(self.roster):
            await self.remove(participant, reason)

    async def message(self, sender: str, type: str, payload: str, to: str | None = None) -> None:
        event = MessageReceived(
            origin=self.roster[sender].display_name, uuid=sender, type=type, payload=payload, direct=to is not None
        )
        others = [p.uuid for p in self.roster.values() if p.joined and p.uuid != sender]
        for receiver in [to] if to else others:
            self.tell(event, receiver)

    async def send_dtmf(self, participant: str, digits: str) -> None:
        self.tones.append((participant, digits))


class FakeSwitchboard:
    """Knows `services`; conferences start with their first participant and stay."""

    def __init__(self, *services: FakeService) -> None:
        self.services = services
        self.running: dict[str, FakeConference] = {}
        self.requests: list[CallRequest] = []
        self.ready = True
        self.refusal: Refusal | None = None
        self.failure: Exception | None = None
        self.answerer: Callable[[str, str], Awaitable[str]] | None = None

    def _find(self, alias: str) -> FakeService | None:
        return next((s for s in self.services if alias.casefold() in s.aliases), None)

    def lookup(self, alias: str) -> ServiceDescription | None:
        found = self._find(alias)
        return found.description if found else None

    def session(self, participant: str) -> FakeSession | None:
        for conference in self.running.values():
            if participant in conference.sessions:
                return conference.sessions[participant]
        return None

    def conference(self, name: str) -> FakeConference:
        return self.running[name]

    async def avatar(self, viewer: str, participant: str, width: int, height: int) -> bytes | None:
        """Nobody has a picture."""
        return None

    def room(self, alias: str) -> None:
        """Breakout rooms are tested on the real switchboard."""

    async def join(self, request: CallRequest, listener: SessionListener) -> FakeSession:
        self.requests.append(request)
        if self.failure:
            raise self.failure
        found = self._find(request.alias)
        if found is None:
            raise CallRefused(Refusal.NOT_FOUND)
        if self.refusal:
            raise CallRefused(self.refusal)
        if found.description.service_type == "two_stage_dialing":
            if request.extension is None:
                raise ExtensionRequired(found.description.reception.challenge)
            found = self._find(request.extension)
            if found is None:
                raise CallRefused(Refusal.NOT_FOUND)
        role = request.role or _role(found, request.pin)
        wanted = found.sign_on.providers(role)
        vouched = request.identity.provider if request.identity else ""
        if wanted is not None and request.role is None and vouched not in wanted:
            raise IdentityRequired(wanted)
        name = found.description.name
        conference = self.running.setdefault(name, FakeConference(found))
        waits = conference.waits(role)
        participant = Participant(
            uuid=str(uuid.uuid4()),
            node="node",
            display_name=request.display_name,
            overlay_text=request.display_name,
            local_alias=request.alias,
            uri=request.remote_alias,
            vendor=request.vendor,
            protocol=CallProtocol.API,
            role=role,
            service_type=ServiceType.WAITING_ROOM if waits else ServiceType.CONFERENCE,
            start_time=time.time(),
            encrypted=request.encrypted,
            call_tag=request.call_tag,
            direct_chat=request.direct_chat,
            idp=vouched,
        )
        session = FakeSession(conference, participant, listener)
        session.answerer = self.answerer
        conference.add(participant, session)
        return session


def _role(found: FakeService, pin: str | None) -> Role:
    if not found.host_pin:
        return Role.HOST
    guests = found.description.allow_guests
    if pin is None:
        raise PinRequired(host_pin=True, guest_pin=not guests or bool(found.guest_pin))
    if pin.rstrip("#") == found.host_pin:
        return Role.HOST
    if guests and pin.rstrip("#") == found.guest_pin:
        return Role.GUEST
    raise CallRefused(Refusal.INVALID_PIN)
