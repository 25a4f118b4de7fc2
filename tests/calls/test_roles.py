"""Becoming what one is: Hosts by a PIN keyed late, callers let in by a Host, roles that outlive a lost connection."""

from __future__ import annotations

import msgspec
import pytest
from tests.calls.fakes import FakePool
from tests.calls.people import SERVICES, Guest, service
from tests.calls.test_attendance import Phone, passes, told

from rostra.calls.exchange import Exchange
from rostra.domain import theme
from rostra.domain.admission import AccessRules
from rostra.domain.signon import SignOnRules
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

INSIDE, ASKED = ServiceType.CONFERENCE, ServiceType.IVR


@pytest.mark.spec("CONF-048", "CONF-058", "SVC-021")
def test_a_host_who_comes_after_the_start_keys_its_pin_inside() -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        first = await Phone(exchange).dial("hosted**1234")
        late, guest = await Phone(exchange, "Late").dial("hosted"), await Phone(exchange, "Guest").dial("hosted")
        assert late.where == guest.where == (INSIDE, Role.GUEST)
        await late.press("*7")
        assert not late.session.conference.flags.locked
        await late.press("*999")
        assert late.where == (INSIDE, Role.GUEST)
        await late.press("9")
        assert late.heard(pool)[-1] == theme.INVALID_PIN
        assert late.sees == "", "the conference is not in the picture any more"
        await late.press("1234#")
        assert late.where == (INSIDE, Role.HOST)
        await late.press("*7")
        assert late.session.conference.flags.locked
        await first.session.leave()
        await passes(100)
        assert not guest.reasons, "ended although there is a Host"
        for _ in range(3):
            await guest.press("9999")
        await guest.press("1234")
        assert guest.where == (INSIDE, Role.GUEST), "a fourth attempt was taken"

    told(story)


@pytest.mark.spec("CONF-048", "SVC-022")
@pytest.mark.parametrize("protocol", [CallProtocol.API, CallProtocol.SIP])
def test_who_was_asked_for_a_pin_is_what_its_pin_says(protocol: CallProtocol) -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        await Phone(exchange).dial("pinned**1234")
        guest = await Guest(exchange).join("pinned", "5678", protocol)
        guest.session.dtmf("", "1234")
        await passes(0.1)
        assert guest.session.participant.role is Role.GUEST

    told(story)


@pytest.mark.spec("CONF-168", "CONF-169")
def test_a_host_by_keypad_stays_muted_when_it_was_muted_alone() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        first = await Phone(exchange).dial("hosted**1234")
        late = await Phone(exchange, "Late").dial("hosted")
        await first.session.conference.mute(late.session.participant.uuid, True)
        await late.press("1234")
        assert late.session.participant.is_muted
        await first.session.conference.mute(late.session.participant.uuid, False)
        other = await Phone(exchange, "Other").dial("hosted")
        await first.session.conference.mute_guests(True)
        await other.press("1234")
        assert not other.session.participant.is_muted

    told(story)


@pytest.mark.spec("CONF-065", "CONF-150")
@pytest.mark.parametrize("role", [Role.HOST, Role.GUEST])
def test_who_is_let_in_by_a_host_needs_a_place_as_well(role: Role) -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        waits = await Phone(exchange, "Waits").dial("tiny")
        host = await Phone(exchange).dial("tiny**2468")
        assert waits.where == (ASKED, Role.UNKNOWN)
        await host.session.conference.set_role(waits.session.participant.uuid, role)
        await passes(0.2)
        assert waits.where[0] is ServiceType.INSUFFICIENT_CAPACITY
        assert waits.heard(pool)[-2:] == [theme.CAPACITY_EXCEEDED, theme.WILL_DISCONNECT]
        await passes(10)
        assert waits.reasons == ["Participant limit reached"]
        assert not host.reasons

    told(story)


@pytest.mark.spec("CONF-065")
def test_who_is_let_in_after_too_many_wrong_pins_stays_and_is_heard() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        host, waits = await Phone(exchange).dial("hosts**1234"), await Phone(exchange, "Waits").dial("hosts")
        await waits.press("999999999999")
        await passes(1)
        await host.session.conference.set_role(waits.session.participant.uuid, Role.HOST)
        await passes(30)
        assert not waits.reasons
        assert (waits.where, waits.sees) == ((INSIDE, Role.HOST), "")
        await waits.press("*7")
        assert host.session.conference.flags.locked, "its keys do nothing"

    told(story)


@pytest.mark.spec("SVC-008", "SVC-007")
@pytest.mark.parametrize("reception", [False, True])
def test_a_pin_that_was_changed_counts_for_who_comes_then(monkeypatch: pytest.MonkeyPatch, reception: bool) -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        async def dialled(name: str) -> Phone:
            return await Phone(exchange, name).dial("ivr**1234" if reception else "1234")

        inside = await dialled("Inside")
        await inside.press("2468")
        early = await dialled("Early")
        monkeypatch.setitem(SERVICES, "1234", service("Numbered", AccessRules(host_pin="13579#")))
        late = await dialled("Late")
        assert late.heard(pool) == [theme.ASK_PIN_POUND]
        await late.press("13579#")
        await early.press("2468")
        for one in (inside, early, late):
            assert one.where == (INSIDE, Role.HOST)
            assert one.session.conference is inside.session.conference

    told(story)


@pytest.mark.parametrize("started", [False, True])
def test_a_guest_who_would_have_to_sign_on_to_be_host_stays_one(monkeypatch: pytest.MonkeyPatch, started: bool) -> None:
    async def story(exchange: Exchange, pool: FakePool) -> None:
        rules = SignOnRules(hosts=("their-provider",))
        monkeypatch.setitem(SERVICES, "vouched", msgspec.structs.replace(SERVICES["hosted"], sign_on=rules))
        guest = await Phone(exchange).dial("vouched")
        if started:
            await guest.session.conference.start("somebody")
        before = guest.where
        await guest.press("1234")
        await passes(10)
        assert guest.where == before == (INSIDE if started else ServiceType.WAITING_ROOM, Role.GUEST)
        assert (guest.heard(pool)[-1], guest.sees, guest.reasons) == (theme.INVALID_PIN, "", [])

    told(story)


def test_at_a_reception_nobody_is_let_in() -> None:
    async def story(exchange: Exchange, _pool: FakePool) -> None:
        phone = await Phone(exchange).dial("ivr")
        await phone.session.conference.set_role(phone.session.participant.uuid, Role.HOST)
        assert phone.where == (ASKED, Role.UNKNOWN)
        await phone.press("1234#")
        await passes(3)
        assert phone.session.conference.name == "Numbered"

    told(story)
