"""What callers are shown, told and asked on their way, in time that passes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from tests.calls.fakes import FakePool, Listener
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES
from tests.calls.virtual import clock, run, unix

from rostra.calls.exchange import Exchange
from rostra.calls.licences import Licences
from rostra.calls.switchboard import CallRefused, CallRequest, ExtensionRequired, PinRequired, Refusal
from rostra.conference.events import LayoutChanged
from rostra.domain import theme
from rostra.domain.history import ParticipantEnded
from rostra.domain.ledger import NOTICES
from rostra.domain.licensing import LicenceKind, Shortage
from rostra.domain.media import MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

VIDEO = MediaDescription(
    streams=(MediaStream(kind=MediaKind.AUDIO, port=4000), MediaStream(kind=MediaKind.VIDEO, port=4002))
)


class Phone(Listener):
    """A SIP system that follows when its media moves."""

    def __init__(self, exchange: Exchange, name: str = "Room") -> None:
        super().__init__()
        self.exchange = exchange
        self.name = name
        self.tasks: list[asyncio.Task[None]] = []

    async def dial(self, alias: str, protocol: CallProtocol = CallProtocol.SIP, **more: Any) -> Phone:
        request = CallRequest(alias=alias, protocol=protocol, display_name=self.name, **more)
        self.session = await self.exchange.join(request, self)
        self.call = f"sip-{self.session.participant.uuid}"
        await self._media()
        await self.session.confirm(self.call)
        await passes(0.1)
        return self

    async def _media(self) -> None:
        await self.session.reserve_rtp(self.call, [MediaKind.AUDIO, MediaKind.VIDEO])
        await self.session.connect_rtp(self.call, VIDEO, VIDEO)

    def media_lost(self, call: str) -> None:
        super().media_lost(call)
        self.tasks.append(asyncio.ensure_future(self._media()))

    async def press(self, digits: str) -> None:
        self.session.dtmf(self.call, digits)
        await passes(0.1)

    @property
    def where(self) -> tuple[ServiceType, Role]:
        return self.session.participant.service_type, self.session.participant.role

    @property
    def sees(self) -> str:
        return self.session.participant.splash

    def heard(self, pool: FakePool) -> list[str]:
        """All sounds so far, from whatever worker."""
        return [
            sound for worker in pool.workers for leg, sounds in worker.played if leg == self.call for sound in sounds
        ]


async def passes(seconds: float) -> None:
    await asyncio.sleep(seconds)


Story = Callable[[Exchange, FakePool], Awaitable[None]]


def told(story: Story, **more: Any) -> None:
    """Tell it on a node of its own."""

    async def begin() -> None:
        pool = FakePool()
        find = lambda alias: SERVICES.get(alias.lower())  # noqa: E731
        node = await Node(Network(), "n1", find, pool=pool, now=unix, clock=clock, **more).start()
        await story(node.exchange, pool)
        await node.exchange.close()

    run(begin())


@pytest.mark.spec("REF-028", "REF-029", "REF-030", "CONF-049", "CONF-050", "CONF-051", "CONF-053")
def test_a_pin_is_asked_for_shown_as_dots_and_refused_three_times() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("hosts")
        assert (phone.where, phone.sees) == ((ServiceType.IVR, Role.UNKNOWN), theme.pin_entry(0))
        assert phone.heard(pool) == [theme.ASK_PIN]
        for count, key in enumerate("123", 1):
            await phone.press(key)
            assert phone.sees == theme.pin_entry(count)
        await phone.press("9")
        assert phone.sees == theme.PIN_INCORRECT
        assert phone.heard(pool)[1:] == [theme.INVALID_PIN, theme.ASK_PIN]
        await passes(4)
        assert phone.sees == theme.pin_entry(0)
        await phone.press("9999")
        await phone.press("9999")
        assert phone.heard(pool)[-2:] == [theme.INVALID_PIN, theme.WILL_DISCONNECT]
        assert phone.sees == theme.PIN_INCORRECT
        await phone.press("1234")
        assert phone.where[0] is ServiceType.IVR, "a fourth attempt was taken"
        await passes(5)
        assert phone.reasons == ["Participant exceeded PIN entry retries"]

    told(story)


@pytest.mark.spec("REF-028", "REF-033", "CONF-049")
def test_a_right_pin_is_confirmed_and_the_caller_welcomed() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("pound")
        assert phone.heard(pool) == [theme.ASK_PIN_POUND]
        await phone.press("12345#")
        assert (phone.where, phone.sees) == ((ServiceType.CONFERENCE, Role.HOST), theme.PIN_CORRECT)
        assert phone.heard(pool)[-2:] == [theme.WELCOME, theme.ALONE]
        await passes(3)
        assert phone.sees == ""
        guest = await Phone(exchange, "Guest").dial("pound")
        await guest.press("678#")
        assert guest.where == (ServiceType.CONFERENCE, Role.GUEST)
        assert theme.ALONE not in guest.heard(pool)

    told(story)


@pytest.mark.spec("CONF-055")
def test_a_wrong_pin_dialled_along_is_the_first_attempt() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("hosts**9999")
        assert phone.where[0] is ServiceType.IVR
        await phone.press("9999")
        await phone.press("9999")
        await passes(5)
        assert phone.reasons == ["Participant exceeded PIN entry retries"]

    told(story)


@pytest.mark.spec("REF-031", "REF-032", "CONF-048", "CONF-059", "SVC-021", "SVC-023")
def test_a_guest_without_pin_waits_or_turns_out_to_be_the_host() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        guest, host = await Phone(exchange).dial("hosted"), await Phone(exchange, "Boss").dial("hosted")
        assert guest.where == host.where == (ServiceType.WAITING_ROOM, Role.GUEST)
        assert guest.heard(pool) == [theme.WAIT_OR_PIN]
        await host.press("12")
        assert host.sees == theme.pin_entry(2)
        await host.press("99")
        assert host.sees == theme.PIN_INCORRECT
        await host.press("1234")
        assert host.where == (ServiceType.CONFERENCE, Role.HOST)
        assert guest.where == (ServiceType.CONFERENCE, Role.GUEST)
        assert guest.heard(pool)[-1] == theme.WELCOME

    told(story)


@pytest.mark.spec("REF-031", "SVC-022")
def test_a_guest_with_a_pin_of_its_own_only_waits() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        guest = await Phone(exchange).dial("pinned")
        await guest.press("5678")
        assert guest.where == (ServiceType.WAITING_ROOM, Role.GUEST)
        assert guest.heard(pool)[-1] == theme.WAIT_FOR_HOST
        await guest.press("1234")
        assert guest.where == (ServiceType.WAITING_ROOM, Role.GUEST)

    told(story)


@pytest.mark.spec("SVC-048", "SVC-051", "REF-038", "REF-041", "REF-042")
def test_through_a_reception_into_a_room_with_a_pin() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("ivr")
        assert (phone.where, phone.sees) == ((ServiceType.IVR, Role.UNKNOWN), theme.RECEPTION)
        assert phone.heard(pool) == [theme.ASK_NUMBER]
        reception = phone.session.participant.uuid
        await phone.press("12")
        assert phone.session.participant.prompt == "12"
        await phone.press("34#")
        assert (phone.sees, phone.session.participant.prompt) == (theme.TRANSFER, "1234")
        assert phone.heard(pool)[-1] == theme.PLEASE_HOLD
        await passes(3)
        assert phone.session.conference.name == "Numbered"
        assert (phone.where, phone.sees) == ((ServiceType.IVR, Role.UNKNOWN), theme.pin_entry(0))
        assert phone.heard(pool)[-1] == theme.ASK_PIN
        assert phone.session.participant.has_media
        await phone.press("2468")
        assert phone.where == (ServiceType.CONFERENCE, Role.HOST)
        await passes(10)
        assert [conference.name for conference in exchange.conferences] == ["Numbered"]
        assert exchange.session(reception) is None
        assert exchange.session(phone.session.participant.uuid) is phone.session
        assert [len(worker.legs) for worker in pool.workers if worker.alive] in ([0, 1], [1, 0])
        assert not phone.reasons

    told(story)


@pytest.mark.spec("REF-039", "SVC-051")
def test_three_invalid_numbers_end_the_call() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("ivr")
        for number in ("9", "0000"):  # not permitted, unknown
            await phone.press(f"{number}#")
            assert phone.sees == theme.RECEPTION_INVALID
            assert phone.heard(pool)[-2:] == [theme.NUMBER_NOT_VALID, theme.ASK_NUMBER]
            await passes(4)
            assert phone.sees == theme.RECEPTION
        await phone.press("9#")
        assert phone.heard(pool)[-1] == theme.NUMBER_NEVER_VALID
        await passes(5)
        assert phone.reasons == ["Neither conference nor gateway found"]
        assert not exchange.conferences or await settled(exchange)

    told(story)


async def settled(exchange: Exchange) -> bool:
    await passes(20)
    return not exchange.conferences


@pytest.mark.spec("REF-040")
def test_no_number_in_time() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("ivr")
        await passes(59)
        assert not phone.reasons
        await passes(2.5)
        assert (phone.sees, phone.heard(pool)[-1]) == (theme.TIMED_OUT, theme.NO_NUMBER)
        await passes(5)
        assert phone.reasons == ["Timeout waiting for a conference number"]

    told(story)


@pytest.mark.spec("SVC-056", "SVC-057")
@pytest.mark.parametrize(
    ("dialled", "protocol", "where"),
    [
        ("ivr**1234", CallProtocol.SIP, ServiceType.IVR),
        ("ivr**1234**2468", CallProtocol.SIP, ServiceType.CONFERENCE),
        ("ivr#1234", CallProtocol.H323, ServiceType.IVR),
    ],
)
def test_past_the_reception(dialled: str, protocol: CallProtocol, where: ServiceType) -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        phone = await Phone(exchange).dial(dialled, protocol)
        assert (phone.session.conference.name, phone.where[0]) == ("Numbered", where)

    told(story)


@pytest.mark.spec("API-034", "API-035", "SVC-055")
def test_clients_of_the_api_say_the_number_with_their_request() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        for extension, problem in ((None, ExtensionRequired), ("9", CallRefused), ("nobody", CallRefused)):
            with pytest.raises(problem):
                await exchange.join(
                    CallRequest(alias="ivr", protocol=CallProtocol.API, display_name="Ada", extension=extension),
                    Listener(),
                )
        joined = await exchange.join(
            CallRequest(alias="ivr", protocol=CallProtocol.API, display_name="Ada", extension="1234", pin="2468"),
            Listener(),
        )
        assert joined.conference.name == "Numbered"
        await joined.leave()

    told(story)


@pytest.mark.spec("REF-043", "REF-047", "CONF-150")
def test_a_full_conference_is_shown_and_told() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        first = await Phone(exchange).dial("small")
        second = await Phone(exchange, "Late").dial("small")
        assert second.where[0] is ServiceType.INSUFFICIENT_CAPACITY
        assert second.session.conference is not first.session.conference
        assert second.sees == theme.CAPACITY_EXCEEDED_IMAGE
        assert second.heard(pool) == [theme.CAPACITY_EXCEEDED, theme.WILL_DISCONNECT]
        await passes(5)
        assert second.reasons == ["Participant limit reached"]
        with pytest.raises(CallRefused) as refused:
            await exchange.join(CallRequest(alias="small", protocol=CallProtocol.API, display_name="A"), Listener())
        assert refused.value.refusal is Refusal.PARTICIPANT_LIMIT

    told(story)


@pytest.mark.spec("REF-043", "REF-047", "POL-125")
def test_who_finds_no_capacity_is_shown_and_told_so() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        first, late = await Phone(exchange).dial("open"), Phone(exchange, "Late")
        await late.dial("open")
        assert late.where[0] is ServiceType.INSUFFICIENT_CAPACITY
        assert late.sees == theme.CAPACITY_EXCEEDED_IMAGE
        assert late.session.conference is not first.session.conference
        assert late.session.conference.service.description.quality == "sd"
        assert late.heard(pool) == [theme.CAPACITY_EXCEEDED, theme.WILL_DISCONNECT]
        await passes(5)
        assert late.reasons == [Refusal.OUT_OF_RESOURCE.text]
        assert not first.reasons

    told(story, capacity=12)


@pytest.mark.spec("POL-125")
def test_only_so_many_are_told_at_a_time_that_there_is_no_capacity() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        first = await Phone(exchange).dial("open")
        for _ in range(2):
            late = [await Phone(exchange, f"Late {number}").dial("open") for number in range(NOTICES)]
            with pytest.raises(CallRefused) as refused:
                await Phone(exchange, "One more").dial("open")
            assert refused.value.refusal is Refusal.OUT_OF_RESOURCE
            await passes(5)
            assert [one.reasons for one in late] == [[Refusal.OUT_OF_RESOURCE.text]] * NOTICES
        assert not first.reasons

    told(story, capacity=12)


@pytest.mark.spec("CONF-107")
def test_whom_we_call_is_not_called_to_hear_that_it_cannot_be() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        await Phone(exchange).dial("open")
        called = Phone(exchange, "Called")
        called.session = await exchange.join(
            CallRequest(alias="open", protocol=CallProtocol.SIP, display_name="Called"), called
        )
        uuid = called.session.participant.uuid
        await called.session.conference.set_client_state(uuid, service_type=ServiceType.CONNECTING)
        with pytest.raises(CallRefused):
            await called.session.reserve_rtp("sip-called", [MediaKind.AUDIO, MediaKind.VIDEO])

    told(story, capacity=13)


@pytest.mark.spec("REF-043", "CONF-150")
@pytest.mark.parametrize("way", ["reception", "PIN"])
def test_a_conference_that_filled_up_meanwhile(way: str) -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        late = await Phone(exchange, "Late").dial("ivr" if way == "reception" else "tiny")
        await Phone(exchange).dial("4321" if way == "reception" else "tiny**2468")
        await late.press("4321#" if way == "reception" else "2468")
        await passes(1.5)
        assert late.where[0] is ServiceType.INSUFFICIENT_CAPACITY
        assert late.heard(pool)[-1] == theme.WILL_DISCONNECT
        await passes(6)
        assert late.reasons == ["Participant limit reached"]

    told(story)


class NoLicences(Licences):
    def __init__(self, shortage: Shortage) -> None:
        self.shortage = shortage

    async def take(self, holder: str, wanted: LicenceKind) -> LicenceKind | Shortage:
        return self.shortage

    def give_back(self, holder: str) -> None: ...


@pytest.mark.spec("REF-044", "REF-045", "REF-047")
@pytest.mark.parametrize(
    ("shortage", "image", "sound", "reason"),
    [
        (
            Shortage.INSUFFICIENT, theme.INSUFFICIENT_LICENSE_IMAGE, theme.INSUFFICIENT_LICENSES,
            "Insufficient licenses",
        ),
        (Shortage.INVALID, theme.INVALID_LICENSE_IMAGE, theme.INVALID_LICENSE, "Invalid license"),
    ],
)  # fmt: skip
def test_without_a_licence_a_caller_is_told_so(shortage: Shortage, image: str, sound: str, reason: str) -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("open")
        assert (phone.sees, phone.heard(pool)) == (image, [sound, theme.WILL_DISCONNECT])
        assert not [c for c in exchange.conferences if c.key == "open"]
        await passes(5)
        assert phone.reasons == [reason]

    told(story, licences=NoLicences(shortage))


@pytest.mark.spec("SVC-116", "SVC-117", "SVC-118", "SVC-119", "REF-048", "REF-049")
@pytest.mark.parametrize("protocol", [CallProtocol.SIP, CallProtocol.API])
def test_the_test_call(protocol: CallProtocol) -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("test", protocol)
        worker = pool.workers[0]
        assert (phone.sees, phone.heard(pool)) == (theme.TEST_CALL_IMAGE, [theme.TEST_CALL])
        assert worker.composed[-1].audio[phone.call].loopback == 0
        await passes(1)
        assert phone.sees == ""
        assert worker.composed[-1].audio[phone.call].loopback == 2.0
        await passes(10)
        assert phone.sees == theme.TEST_CALL_DISCONNECT_IMAGE
        assert phone.heard(pool)[-1] == theme.TEST_CALL_DISCONNECT
        assert worker.composed[-1].audio[phone.call].loopback == 0
        assert not phone.reasons
        await passes(5)
        assert phone.reasons == ["Test call finished"]

    told(story)


@pytest.mark.spec("CONF-131", "CONF-133", "CONF-134", "REF-036", "API-151")
def test_a_lock_by_keypad_a_knock_and_unlock() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        host, friend = await Phone(exchange, "Host").dial("open"), await Phone(exchange, "Friend").dial("open")
        await host.press("*7")
        assert host.session.conference.flags.locked
        late = await Phone(exchange, "Late").dial("open")
        assert late.where[0] is ServiceType.WAITING_ROOM
        assert late.heard(pool) == [theme.WAIT_FOR_HOST]
        for inside in (host, friend):
            assert inside.heard(pool).count(theme.KNOCK) == 1
        await host.session.conference.mute(late.session.participant.uuid, True)
        assert host.heard(pool).count(theme.KNOCK) == 1, "one knock for each who waits"
        await late.press("*7")
        assert host.session.conference.flags.locked, "who waits controls nothing"
        await host.press("*7")
        assert late.where[0] is ServiceType.CONFERENCE
        assert late.heard(pool)[-1] == theme.WELCOME

    told(story)


@pytest.mark.spec("CONF-136", "CONF-137", "CONF-166", "CONF-167", "CONF-169", "API-119")
def test_hosts_control_by_keypad_and_guests_do_not() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        host, guest = await Phone(exchange, "Host").dial("hosted**1234"), await Phone(exchange).dial("hosted")
        conference = host.session.conference
        for keys in ("*7", "*5", "##"):
            await guest.press(keys)
        assert (conference.flags.locked, conference.flags.guests_muted) == (False, False)
        await host.press("*5")
        assert guest.session.participant.is_muted
        assert not host.session.participant.is_muted
        later = await Phone(exchange, "Later").dial("hosted")
        assert later.session.participant.is_muted
        await conference.set_role(later.session.participant.uuid, Role.HOST)
        assert not later.session.participant.is_muted
        await host.press("*5")
        assert not guest.session.participant.is_muted
        await host.press("##")
        assert {phone.reasons[0] for phone in (host, guest, later)} == {
            "Conference host ended the conference with a DTMF command"
        }

    told(story)


@pytest.mark.spec("CONF-052", "CONF-137")
@pytest.mark.parametrize("alias", ["hosted", "hosts"])
def test_a_pound_key_behind_a_pin_that_has_none_is_no_half_of_a_command(alias: str) -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        host = await Phone(exchange, "Host").dial(alias)
        await host.press("1234#")
        assert host.where == (ServiceType.CONFERENCE, Role.HOST)
        await host.press("#")
        assert not host.reasons
        await host.press("#")
        assert host.reasons == ["Conference host ended the conference with a DTMF command"]

    told(story)


@pytest.mark.spec("CONF-062", "CONF-159", "CONF-161", "REF-034")
def test_guests_are_told_that_the_host_has_left_and_the_last_goes_first() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        host = await Phone(exchange, "Host").dial("lone**1234")
        one, two = await Phone(exchange, "One").dial("lone"), await Phone(exchange, "Two").dial("lone")
        await host.session.leave()
        await passes(0.1)
        assert one.heard(pool)[-1] == two.heard(pool)[-1] == theme.HOST_HAS_LEFT
        await passes(30)
        await one.session.leave()
        await passes(59)
        assert not two.reasons
        await passes(2)
        assert two.reasons == ["Last remaining participant removed from conference after timeout"]

    told(story)


@pytest.mark.spec("CONF-135", "API-150")
def test_who_waits_goes_with_the_conference() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        inside = await Phone(exchange, "Inside").dial("open")
        await inside.press("*7")
        held = await Phone(exchange, "Held").dial("open")
        await passes(100)
        assert not held.reasons
        await inside.session.leave()
        await passes(0.5)  # nobody is left who could let it in
        assert held.reasons == ["All conference hosts departed hosted conference"]

    told(story)


def test_who_was_at_the_pin_prompt_when_it_ended_begins_anew() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        host, guest = await Phone(exchange, "Host").dial("pinned**1234"), await Phone(exchange).dial("pinned**5678")
        await host.press("*7")
        late = await Phone(exchange, "Late").dial("pinned")
        await host.session.leave()
        await passes(61)
        assert guest.reasons
        assert late.where[0] is ServiceType.IVR
        flags = late.session.conference.flags
        assert (flags.started, flags.locked) == (False, False)
        await late.press("5678")
        assert late.where == (ServiceType.WAITING_ROOM, Role.GUEST)

    told(story)


def test_history_tells_both_parts_of_a_call_through_a_reception() -> None:
    async def begin() -> None:
        node = await Node(Network(), "n1", lambda alias: SERVICES.get(alias), now=unix, clock=clock).start()
        phone = await Phone(node.exchange).dial("ivr")
        await phone.press("1234#")
        await passes(3)
        await phone.session.leave()
        ended = [event for event in node.events if isinstance(event, ParticipantEnded)]
        assert [event.disconnect_reason for event in ended] == ["Call transferred", "Call disconnected"]
        assert len({event.participant.uuid for event in ended}) == 2
        await node.exchange.close()

    run(begin())


@pytest.mark.spec("CONF-145", "CONF-154", "CONF-155", "SVC-064")
def test_behind_the_reception_the_limits_of_the_destination_hold() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("ivr")
        assert phone.session.participant.is_video_call
        await phone.press("5555#")
        await passes(3)
        assert phone.session.service.call_type == "audio"
        _, ports = await phone.session.reserve_rtp(phone.call, [MediaKind.AUDIO, MediaKind.VIDEO])
        assert len(ports) == 1

    told(story)


@pytest.mark.spec("CONF-151", "CONF-152")
def test_a_limit_changed_meanwhile_holds_for_who_comes_and_sends_nobody_away() -> None:
    async def begin() -> None:
        configured = dict(SERVICES)
        node = await Node(Network(), "n1", configured.get, now=unix, clock=clock).start()
        watching = await node.exchange.join(
            CallRequest(alias="4321", protocol=CallProtocol.API, display_name="Only looks"), Listener()
        )
        late = await Phone(node.exchange).dial("4321")
        assert late.where[0] is ServiceType.INSUFFICIENT_CAPACITY, "who only controls counts, too"
        for limit, room in ((3, True), (None, True), (1, False)):
            description = msgspec.structs.replace(SERVICES["4321"].description, participant_limit=limit)
            configured["4321"] = msgspec.structs.replace(SERVICES["4321"], description=description)
            phone = await Phone(node.exchange).dial("4321")
            assert (phone.where[0] is ServiceType.CONFERENCE) is room
        assert len(watching.conference.participants) == 3
        await node.exchange.close()

    run(begin())


@pytest.mark.spec("CONF-058", "CONF-064", "CONF-065", "CONF-168", "CONF-170", "CONF-171")
def test_what_a_host_does_to_others() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        host, guest = await Phone(exchange, "Host").dial("pinned**1234"), await Phone(exchange).dial("pinned**5678")
        conference, uuid = host.session.conference, guest.session.participant.uuid
        await conference.mute(uuid, True)
        assert guest.session.participant.is_muted
        await passes(0.1)
        assert not pool.workers[0].composed[-1].audio[guest.call].speaks, "muted and still in the mix"
        assert pool.workers[0].composed[-1].audio[guest.call].hears
        await conference.set_role(uuid, Role.HOST)
        await host.session.leave()
        await passes(120)
        assert not guest.reasons, "a Guest made Host keeps the conference going (CONF-064)"
        asked = await Phone(exchange, "Asked").dial("pinned")
        assert asked.where == (ServiceType.IVR, Role.UNKNOWN)
        await conference.set_role(asked.session.participant.uuid, Role.GUEST)
        assert asked.where == (ServiceType.CONFERENCE, Role.GUEST)
        await conference.remove(asked.session.participant.uuid, "Disconnected by another participant")
        assert asked.reasons == ["Disconnected by another participant"]
        await conference.remove_all("API initiated conference termination")
        assert guest.reasons == ["API initiated conference termination"]
        await passes(10)
        assert not exchange.conferences, "the conference is still active"

    told(story)


@pytest.mark.spec("SVC-120")
def test_the_theme_says_how_long_a_test_takes() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        phone = await Phone(exchange).dial("tryout")
        await passes(1)
        assert pool.workers[0].composed[-1].audio[phone.call].loopback == 1.0
        await passes(3)
        assert phone.sees == theme.TEST_CALL_DISCONNECT_IMAGE
        await passes(5)
        assert phone.reasons == ["Test call finished"]

    told(story)


@pytest.mark.spec("SVC-044", "SVC-045", "SVC-046")
def test_guests_of_an_auditorium_come_in_muted_until_a_host_unmutes_them() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        host = await Phone(exchange, "Host").dial("stage**1234")
        one, two = await Phone(exchange).dial("stage"), await Phone(exchange).dial("stage")
        assert host.where == (ServiceType.LECTURE, Role.HOST)
        assert one.where == (ServiceType.LECTURE, Role.GUEST)
        assert [who.session.participant.is_muted for who in (host, one, two)] == [False, True, True]
        await host.session.conference.mute(one.session.participant.uuid, False)
        assert [who.session.participant.is_muted for who in (one, two)] == [False, True]
        await host.session.conference.mute_guests(False)
        assert not two.session.participant.is_muted

    told(story)


@pytest.mark.spec("API-149", "CONF-134")
def test_unlocking_lets_no_guest_in_before_the_start() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        watching = await exchange.join(
            CallRequest(alias="hosted", protocol=CallProtocol.API, display_name="Host", pin="1234"), Listener()
        )
        await watching.conference.lock(True)
        guest = await Phone(exchange).dial("hosted")
        await watching.conference.lock(False)
        assert guest.where[0] is ServiceType.WAITING_ROOM
        await watching.conference.lock(True)
        await watching.conference.start(watching.participant.uuid)
        assert guest.where[0] is ServiceType.WAITING_ROOM, "held by the lock"
        await watching.conference.lock(False)
        assert guest.where[0] is ServiceType.CONFERENCE

    told(story)


@pytest.mark.spec("CONF-138")
def test_the_layout_goes_on_by_keypad() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        host, guest = await Phone(exchange, "Host").dial("hosted**1234"), await Phone(exchange).dial("hosted")
        events = aiter(host.session.conference.subscribe(host.session.participant.uuid))
        views: list[str] = []

        async def watch() -> None:
            async for event in events:
                views.extend([event.view] if isinstance(event, LayoutChanged) else [])

        watching = asyncio.ensure_future(watch())
        await passes(3)
        await guest.press("*8")
        assert set(views) == {"1:7"}
        await host.press("*8")
        assert views[-1] == "ac"
        await host.press("*8")
        assert views[-1] == "1:21"
        watching.cancel()

    told(story)


def test_callers_at_a_reception_share_a_worker_and_do_not_meet() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        one, two = await Phone(exchange, "One").dial("ivr"), await Phone(exchange, "Two").dial("ivr")
        assert one.session.conference is two.session.conference
        await passes(0.1)
        compose = pool.workers[0].composed[-1]
        assert not any(route.speaks or route.hears for route in compose.audio.values())
        assert compose.watching[one.call] != compose.watching[two.call]
        await one.press("1234#")
        await passes(3)
        assert one.session.conference.name == "Numbered"
        await two.press("9#")
        assert two.sees == theme.RECEPTION_INVALID
        await two.session.leave()
        await passes(20)
        assert [conference.name for conference in exchange.conferences] == ["Numbered"]

    told(story)


@pytest.mark.spec("REF-009")
def test_pictures_of_the_theme_are_for_everybody_but_those_for_telephones() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        assert (await Phone(exchange).dial("hosts")).sees == theme.pin_entry(0)
        with pytest.raises(PinRequired):
            await exchange.join(CallRequest(alias="hosts", protocol=CallProtocol.API, display_name="A"), Listener())
        phone = await Phone(exchange, "Bob").dial("hosted")
        asked = CallRequest(alias="hosted", protocol=CallProtocol.API, display_name="A", pin="none")
        web = await exchange.join(asked, Listener())
        await web.open_webrtc("web", "offer")
        await web.confirm("web")
        await passes(1)
        (worker,) = [one for one in pool.workers if "web" in one.legs]
        compose = worker.composed[-1]
        for call in (phone.call, "web"):
            shown = {tile.image for tile in compose.views[compose.watching[call]].tiles}
            assert theme.WAITING_FOR_HOST in shown, call

    told(story)
