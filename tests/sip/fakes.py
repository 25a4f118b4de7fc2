"""A switchboard without a platform behind it: media is negotiated for real and then only written down."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, cast

from rostra.calls.switchboard import (
    CallRefused,
    CallRequest,
    FarEnd,
    NotDialled,
    Refusal,
    ServiceDescription,
    SessionListener,
)
from rostra.domain.dialling import Wanted
from rostra.domain.ice import IceSide
from rostra.domain.media import MediaDescription, MediaKind
from rostra.domain.vocabulary import Role, ServiceType


@dataclasses.dataclass
class Somebody:
    """A participant."""

    uuid: str = "somebody"
    display_name: str = ""
    uri: str = ""
    is_trusted: bool = False
    role: Role = Role.HOST
    service_type: ServiceType = ServiceType.CONFERENCE
    local_alias: str = "meet.demo"
    joined: bool = True
    no_video: bool = False


@dataclasses.dataclass
class FakeConference:
    """Whom it was asked to send where, and who is in."""

    sent: list[tuple[str, str, Role | None]] = dataclasses.field(default_factory=list)
    called: dict[str, Somebody] = dataclasses.field(default_factory=dict)
    members: list[tuple[str, dict[str, object]]] = dataclasses.field(default_factory=list)

    trusted: list[bool] = dataclasses.field(default_factory=list)

    async def transfer(self, participant: str, alias: str, role: Role | None, *, trusted: bool = True) -> None:
        self.sent.append((participant, alias, role))
        self.trusted.append(trusted)

    @property
    def participants(self) -> list[Somebody]:
        return [Somebody(), *self.called.values()]

    async def set_client_state(self, participant: str, **members: object) -> None:
        self.members.append((participant, members))

    def participant(self, participant: str) -> Somebody | None:
        return self.called.get(participant)


@dataclasses.dataclass
class FakeSession:
    """Records what the adapter does; `log` has one tuple per call of a method."""

    listener: SessionListener
    request: CallRequest
    service: ServiceDescription
    next_port: int = 45000
    log: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)
    left: bool = False
    calls: set[str] = dataclasses.field(default_factory=set)
    """Ids of media calls used."""
    fail_with: Exception | None = None
    local: MediaDescription | None = None
    remote: MediaDescription | None = None
    reason: str = ""
    """Why it left."""
    sides: Callable[[str, Sequence[int]], tuple[IceSide, ...]] | None = None
    """Its media worker has ICE."""
    on_hold: Callable[[bool], None] | None = None
    on_tones: Callable[[str], bool] | None = None
    on_far_end: Callable[[FarEnd], None] | None = None
    participant: Any = dataclasses.field(default_factory=Somebody)
    conference: FakeConference = dataclasses.field(default_factory=FakeConference)

    async def reserve_rtp(
        self, call: str, kinds: Sequence[MediaKind], *, full_hd: bool = False, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        self.calls.add(call)
        self.log.append(("reserve", tuple(kinds)))
        ports = tuple(range(self.next_port, self.next_port + 2 * len(kinds), 2))
        self.next_port += 100
        return "::1" if ipv6 else "127.0.0.1", ports

    async def reserve_ice(
        self, call: str, components: Sequence[int], generation: str, *, controlling: bool = False
    ) -> tuple[IceSide, ...]:
        self.log.append(("reserve ice", tuple(components), generation, controlling))
        return self.sides(generation, components) if self.sides else ()

    async def connect_rtp(self, call: str, local: MediaDescription, remote: MediaDescription) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        assert len(local.streams) == len(remote.streams)
        self.local, self.remote = local, remote
        self.log.append(("connect", local, remote))

    async def confirm(self, call: str) -> None:
        self.calls.add(call)
        self.log.append(("confirm",))

    async def hold(self, call: str, held: bool) -> None:
        self.log.append(("hold", held))

    async def release_floor(self) -> None:
        self.log.append(("release floor",))

    async def request_keyframe(self, call: str) -> None:
        self.log.append(("keyframe",))

    def dtmf(self, call: str, digits: str) -> None:
        self.log.append(("dtmf", digits))

    async def ringing(self, *, early: bool = False) -> None:
        self.log.append(("early" if early else "ringing",))

    async def answered(self, vendor: str = "") -> None:
        self.log.append(("answered", vendor))

    async def leave(self, reason: str = "Call disconnected") -> None:
        self.log.append(("leave",))
        self.reason = reason
        self.left = True

    def did(self, what: str) -> bool:
        return any(entry[0] == what for entry in self.log)

    def count(self, what: str) -> int:
        return sum(entry[0] == what for entry in self.log)


@dataclasses.dataclass
class FakeSwitchboard:
    """Knows the aliases it is given."""

    aliases: set[str] = dataclasses.field(default_factory=lambda: {"meet.demo"})
    sessions: list[FakeSession] = dataclasses.field(default_factory=list)
    call_type: str = "video"
    kind: str = "conference"
    fail_with: Exception | None = None
    fail_media_with: Exception | None = None
    ready: bool = True
    slow: asyncio.Event | None = None
    """Joining waits for it."""
    dialled: list[Wanted] = dataclasses.field(default_factory=list)
    answering: bool = True
    """Who is called is there at once."""
    connected: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    connects: bool = True

    async def connect(self, first: str, second: str) -> bool:
        self.connected.append((first, second))
        return self.connects

    async def join(self, request: CallRequest, listener: SessionListener) -> Any:
        if self.slow is not None:
            await self.slow.wait()
        if self.fail_with is not None:
            raise self.fail_with
        service = self.lookup(request.alias)
        if service is None:
            raise CallRefused(Refusal.NOT_FOUND)
        session = FakeSession(listener, request, service, fail_with=self.fail_media_with)
        self.sessions.append(session)
        return cast("Any", session)

    def lookup(self, alias: str) -> ServiceDescription | None:
        if alias.lower() not in self.aliases:
            return None
        return ServiceDescription(id=1, name="Demo", service_type=self.kind, call_type=self.call_type)

    async def admits(self, alias: str, role: Role | None, pin: str | None) -> Role | bool | None:
        return role if alias.lower() in self.aliases else False

    async def dial(self, service: str, wanted: Wanted) -> tuple[str, ...]:
        if service not in self.aliases:
            raise NotDialled(404, "")
        self.dialled.append(wanted)
        where = ServiceType.CONFERENCE if self.answering else ServiceType.CONNECTING
        for session in self.sessions:
            session.conference.called["called"] = Somebody("called", service_type=where)
        return ("called",)

    def session(self, participant: str) -> Any:
        return None
