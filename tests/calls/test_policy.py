"""Calls where policy has a say: what it is asked, and that it is followed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import PINS, SERVICES, Guest, service, settle, until
from tests.calls.test_outgoing import Adapter, Plan

from rostra.calls import portraits
from rostra.calls.exchange import Exchange
from rostra.calls.policies import Found, MediaPlace, Unasked
from rostra.calls.switchboard import CallRefused, CallRequest, NotDialled, Refusal
from rostra.conference.messages import Transfer
from rostra.domain.dialling import Wanted
from rostra.domain.media import MediaKind
from rostra.domain.placement import LocationView
from rostra.domain.reception import ReceptionRules
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.policy.participants import Properties, Verdict
from rostra.policy.questions import CallFacts, Direction, PersonFacts, Trigger

ADA = Wanted(destination="sip:ada@example.com", automatic=-1, source_alias="town@example.com")
TOWN = msgspec.structs.replace(service("Town"), policy="{}", alias="town", automatic=(ADA,))
DESK = msgspec.structs.replace(
    service("Desk", service_type="two_stage_dialing", reception=ReceptionRules(match=r"(\d+)", replace=r"room\1")),
    policy="{}",
)


@dataclasses.dataclass
class Deciding(Unasked):
    """A policy that says what it is told to, and remembers what it was asked."""

    services: Mapping[str, Found] = dataclasses.field(default_factory=dict[str, Found])
    verdict: Verdict = Verdict()
    verdicts: Mapping[str, Verdict] = dataclasses.field(default_factory=dict[str, Verdict])
    """By type of the participant."""
    place: MediaPlace | None = None
    picture: bytes | None = None
    asked: list[CallFacts] = dataclasses.field(default_factory=list[CallFacts])
    people: list[PersonFacts] = dataclasses.field(default_factory=list[PersonFacts])
    about: list[CallFacts] = dataclasses.field(default_factory=list[CallFacts])
    placed: list[tuple[CallFacts, str]] = dataclasses.field(default_factory=list[Any])
    pictures: int = 0
    decides_services = True

    async def service(
        self, call: CallFacts, configured: Callable[[], Service | None], calling: Service | None = None
    ) -> Found:
        self.asked.append(call)
        found = self.services.get(call.remote_alias if calling else call.local_alias)
        return Found(service=configured()) if found is None else found

    async def participant(self, call: CallFacts, service: Service, person: PersonFacts) -> Verdict:
        self.people.append(person)
        self.about.append(call)
        return self.verdicts.get(person.type, self.verdict)

    async def media_place(self, call: CallFacts, service: Service) -> MediaPlace | None:
        self.placed.append((call, service.description.name))
        return self.place

    async def avatar(
        self, alias: str, width: int, height: int, call: CallFacts, service: Service, role: Role
    ) -> bytes | None:
        self.pictures += 1
        return self.picture


async def node(policies: Deciding, **more: Any) -> Exchange:
    started = await Node(
        Network(), "n1", lambda alias: SERVICES.get(alias.lower()), policies=policies, plan=Plan(), **more
    ).start()
    return started.exchange


@pytest.mark.spec("POL-024", "POL-032", "SVC-075", "PLAT-129")
async def test_a_conference_that_only_policy_knows() -> None:
    policies = Deciding(services={"town": Found(service=TOWN), "hall": Found(service=TOWN), "open": Found()})
    exchange = await node(policies)
    one, two = await Guest(exchange).join("town"), await Guest(exchange).join("hall")
    assert one.session.conference is two.session.conference
    assert one.session.conference.name == "Town"
    with pytest.raises(CallRefused) as refused:
        await Guest(exchange).join("open")
    assert refused.value.refusal is Refusal.NOT_FOUND
    assert (await Guest(exchange).join("small")).session.conference.name == "Small", "the configuration is next"
    await exchange.close()


@pytest.mark.spec("POL-034", "POL-035", "POL-037")
async def test_what_is_told_of_a_caller() -> None:
    policies = Deciding()
    exchange = await node(policies)
    caller = await Guest(exchange).join("hosts", pin="1234")
    sip = CallRequest(
        alias="hosts", dialled="sip:hosts@10.0.0.1", caller="sip:bob@example.com", protocol=CallProtocol.SIP,
        display_name="Bob", remote_alias="bob@example.com", asserted_identity="<sip:b@c>", registered="bob",
    )  # fmt: skip
    await exchange.join(sip, caller.listener)
    web, phone = policies.asked
    assert (web.protocol, web.trigger, web.local_alias) == (CallProtocol.API, Trigger.WEB, "hosts")
    assert (phone.trigger, phone.local_alias, phone.remote_alias) == (
        Trigger.INVITE, "sip:hosts@10.0.0.1", "sip:bob@example.com",
    )  # fmt: skip
    assert (phone.registered, phone.asserted_identity) == (True, "<sip:b@c>")
    await exchange.close()


@pytest.mark.spec("POL-031")
async def test_what_was_dialled_along_stays() -> None:
    variant = msgspec.structs.replace(SERVICES["hosts"], policy="{}")

    class Scripted(Deciding):
        async def service(
            self, call: CallFacts, configured: Callable[[], Service | None], calling: Service | None = None
        ) -> Found:
            return Found(service=variant if configured() else None)

    exchange = await node(Scripted())
    caller = await Guest(exchange).join("hosts**1234", protocol=CallProtocol.SIP)
    assert caller.session.participant.role is Role.HOST
    await exchange.close()


@pytest.mark.spec("POL-052", "POL-053")
async def test_a_participant_is_refused_or_changed() -> None:
    policies = Deciding(verdict=Verdict(refused=True, reason="Not today"))
    exchange = await node(policies)
    with pytest.raises(CallRefused) as refused:
        await Guest(exchange).join("open")
    assert refused.value.text == "Not today"
    assert not exchange.conferences
    policies.verdict = Verdict(
        properties=Properties(
            remote_display_name="Someone", remote_alias="x@y", call_tag="t", disable_overlay_text=True,
            rx_presentation_policy="DENY", spotlight=2, preauthenticated_role="guest",
        )
    )  # fmt: skip
    me = (await Guest(exchange).join("hosts", pin="1234")).session.participant
    assert (me.display_name, me.uri, me.call_tag, me.overlay_text) == ("Someone", "x@y", "t", "")
    assert (me.rx_presentation_allowed, me.spotlight, me.role) == (False, 2.0, Role.GUEST)
    assert [(one.type, one.role) for one in policies.people] == [("api_host", Role.HOST), ("api_host", Role.HOST)]
    policies.verdict = Verdict(properties=Properties(preauthenticated_role="chair"))
    caller = await Guest(exchange).join("hosts", protocol=CallProtocol.SIP)
    assert caller.session.participant.role is Role.HOST, "as if its PIN had been keyed"
    assert policies.people[-1].role is Role.UNKNOWN
    policies.verdict = Verdict()
    asked = await Guest(exchange).join("hosts", protocol=CallProtocol.SIP)
    assert asked.where is ServiceType.IVR
    await exchange.close()


@pytest.mark.spec("POL-041")
async def test_a_browser_is_asked_about_again_with_its_media() -> None:
    policies = Deciding()
    exchange = await node(policies)
    one = await Guest(exchange).join("hosts", pin="1234")
    await one.session.open_webrtc("c1", "v=0\r\nb=AS:768\r\nm=audio 9 RTP/AVP 0\r\n")
    await one.session.open_webrtc("c1", "v=0\r\n")  # again, for the same call
    await one.session.open_webrtc("c2", "v=0\r\n", present="receive")
    me = one.session.participant
    assert [(who.type, who.role, who.uuid, who.call) for who in policies.people] == [
        ("api_host", Role.HOST, "", ""), ("standard", Role.HOST, me.uuid, "c1"),
    ]  # fmt: skip
    assert [(call.protocol, call.bandwidth) for call in policies.about] == [
        (CallProtocol.API, 0), (CallProtocol.WEBRTC, 768),
    ]  # fmt: skip
    assert [call.bandwidth for call, _ in policies.placed] == [768, 0]
    policies.verdicts = {
        "standard": Verdict(properties=Properties(remote_display_name="Late", preauthenticated_role="guest"))
    }
    await one.call("c3")
    assert one.session.participant.display_name == "Ada", "nothing changes for who has media already"
    two = await (await Guest(exchange).join("hosts", pin="1234")).call("c4")
    assert (two.session.participant.display_name, two.session.participant.role) == ("Late", Role.GUEST)
    policies.verdicts = {"standard": Verdict(refused=True, reason="No media for you")}
    three = await Guest(exchange).join("open")
    with pytest.raises(CallRefused) as refused:
        await three.call("c5")
    assert refused.value.text == "No media for you"
    await until(lambda: three.listener.reasons == ["No media for you"])
    assert exchange.session(three.session.participant.uuid) is None
    policies.verdicts, asked = {}, len(policies.people)
    phone = await Guest(exchange).join("open", protocol=CallProtocol.SIP)
    await phone.session.reserve_rtp("c6", [MediaKind.AUDIO])
    assert len(policies.people) == asked + 1, "a telephone is one call"
    await exchange.close()


async def test_what_a_caller_asked_for_goes_along() -> None:
    policies = Deciding(picture=b"jpeg")
    exchange = await node(policies)
    listener = (await Guest(exchange).join("open")).listener
    request = CallRequest(alias="open", protocol=CallProtocol.SIP, display_name="Bob", bandwidth=1920)
    phone = await exchange.join(request, listener)
    assert policies.asked[-1].bandwidth == 1920
    await phone.reserve_rtp("c1", [MediaKind.AUDIO])
    assert policies.placed[-1][0].bandwidth == 1920
    await exchange.transfers.transfer_to(phone, Transfer(alias="hosts"))
    assert (policies.asked[-1].local_alias, policies.asked[-1].bandwidth) == ("hosts", 1920)
    await exchange.close()


async def test_a_lock_and_who_passes_it() -> None:
    locked = service("Locked", PINS, locked=True)
    policies = Deciding(services={"locked": Found(service=msgspec.structs.replace(locked, policy="{}"))})
    exchange = await node(policies)
    host = await (await Guest(exchange).join("locked", pin="1234")).call("c1")
    assert host.session.conference.flags.locked
    assert (await Guest(exchange).join("locked", pin="none")).where is ServiceType.WAITING_ROOM
    policies.verdict = Verdict(properties=Properties(bypass_lock=True))
    assert (await Guest(exchange).join("locked", pin="none")).where is ServiceType.CONFERENCE
    phone = await Guest(exchange).join("open", protocol=CallProtocol.SIP)
    assert await exchange.transfers.transfer_to(phone.session, Transfer(alias="locked", role=Role.GUEST))
    assert phone.where is ServiceType.WAITING_ROOM, "that was said of another conference"
    await exchange.close()


ATLAS = MapAtlas(
    places={1: LocationView(id=1, name="One"), 2: LocationView(id=2, name="Two"), 3: LocationView(id=3, name="Three")}
)


@pytest.mark.spec("POL-007", "POL-016", "POL-059", "POL-060", "POL-061", "POL-062")
async def test_media_goes_where_policy_says() -> None:
    network, policies = Network(), Deciding(place=MediaPlace(principal=2, overflow=(3,)))
    nodes = [
        await Node(
            network, f"n{where}", lambda alias: SERVICES.get(alias), location=where, atlas=ATLAS, policies=policies,
            capacity=10 if where == 2 else 1200,
        ).start()
        for where in (1, 2, 3)
    ]  # fmt: skip
    here = nodes[0].exchange
    first = await (await Guest(here).join("open")).call("c1")
    second = await (await Guest(here).join("open")).call("c2")
    assert set(first.session.conference.media.hosts) == {"n3"}, "location 2 is full from the start"
    facts, name = policies.placed[0]
    assert (facts.protocol, name) == (CallProtocol.WEBRTC, "Open")
    policies.place = MediaPlace(principal=2)
    with pytest.raises(CallRefused) as refused:
        await (await Guest(here).join("open")).call("c3")
    assert refused.value.refusal is Refusal.OUT_OF_RESOURCE, "its own overflow locations play no part"
    policies.place = None
    await (await Guest(here).join("open")).call("c4")
    assert set(second.session.conference.media.hosts) == {"n1", "n3"}
    asked = len(policies.placed)
    await first.session.open_webrtc("c1", "offer")
    assert len(policies.placed) == asked, "nothing is asked anew for a call that is there"
    for one in nodes:
        await one.exchange.close()


@pytest.mark.spec("POL-030", "CONF-103")
async def test_conferences_of_policy_call_whom_it_says() -> None:
    policies = Deciding(services={"town": Found(service=TOWN), "sip:eve@example.com": Found()})
    exchange = await node(policies)
    adapter = Adapter()
    exchange.outgoing.diallers[CallProtocol.SIP] = adapter
    await (await Guest(exchange).join("town")).call("c1")
    await until(lambda: len(adapter.calls) == 1)
    assert (adapter.calls[0].order.destination, adapter.calls[0].order.source) == (
        "sip:ada@example.com", "town@example.com",
    )  # fmt: skip
    told = policies.asked[-1]
    assert (told.direction, told.remote_alias, told.local_alias) == (
        Direction.DIAL_OUT, "sip:ada@example.com", "town@example.com",
    )  # fmt: skip
    await exchange.dial("town", Wanted(destination="sip:bob@example.com", source_alias="town"))
    assert adapter.calls[1].order.source == "town"
    with pytest.raises(NotDialled) as refused:
        await exchange.dial("town", Wanted(destination="sip:eve@example.com"))
    assert refused.value.status == 404
    await exchange.close()


@pytest.mark.spec("POL-035", "SVC-051")
async def test_what_is_keyed_at_a_reception_is_asked_for() -> None:
    policies = Deciding(services={"desk": Found(service=DESK), "room7": Found(service=TOWN), "room8": Found()})
    exchange = await node(policies)
    caller = await Guest(exchange).join("desk", protocol=CallProtocol.SIP)
    caller.session.dtmf("c1", "8#")
    await until(lambda: policies.asked[-1].local_alias == "room8")
    assert policies.asked[-1].trigger is Trigger.TWO_STAGE_DIALING
    await settle()
    assert caller.session.conference.name == "Desk", "another number may be keyed"
    caller.session.dtmf("c1", "7#")
    await until(lambda: caller.session.conference.name == "Town")
    web = CallRequest(alias="desk", protocol=CallProtocol.API, display_name="Ada", extension="7")
    assert (await exchange.join(web, caller.listener)).conference.name == "Town"
    await exchange.close()


async def test_who_is_sent_on_arrives_by_policy() -> None:
    policies = Deciding(services={"town": Found(service=TOWN), "open": Found()})
    exchange = await node(policies)
    caller = await Guest(exchange).join("small", protocol=CallProtocol.SIP)
    caller.listener.goes = False
    await caller.session.conference.transfer(caller.session.participant.uuid, "town", None)
    await until(lambda: caller.session.conference.name == "Town")
    assert policies.asked[-1].previous_service == "Small"
    assert await exchange.admits("town", None, None) is None
    assert await exchange.admits("open", None, None) is False
    await exchange.close()


@pytest.mark.spec("POL-066", "POL-067", "POL-069")
async def test_pictures_are_asked_for_once() -> None:
    policies = Deciding(picture=b"jpeg")
    exchange = await node(policies)
    one, two = await Guest(exchange).join("open"), await Guest(exchange).join("open")
    me, other = one.session.participant.uuid, two.session.participant.uuid
    for _ in range(3):
        assert await exchange.avatar(me, other, 100, 100) == b"jpeg"
    assert policies.pictures == 1
    assert await exchange.avatar(me, other, 50, 50) == b"jpeg"
    assert await exchange.avatar(me, "nobody", 50, 50) is None
    assert await exchange.avatar("nobody", other, 50, 50) is None
    assert policies.pictures == 2
    await exchange.close()


async def test_large_pictures_are_not_kept_without_end() -> None:
    policies = Deciding(picture=bytes(1024 * 1024))
    exchange = await node(policies)
    one, two = await Guest(exchange).join("open"), await Guest(exchange).join("open")
    me, other = one.session.participant.uuid, two.session.participant.uuid
    for side in range(1, 41):
        assert await exchange.avatar(me, other, side, side)
    kept = exchange._portraits._kept
    await until(lambda: len(kept) == portraits.MOST_BYTES // 1024 // 1024)
    assert await exchange.avatar(me, other, 40, 40)
    assert policies.pictures == 40
    assert await exchange.avatar(me, other, 1, 1)
    assert policies.pictures == 41
    await exchange.close()
