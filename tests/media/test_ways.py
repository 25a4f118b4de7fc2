"""Ways of RTP legs' media: found by ICE, by IPv6, and to nobody who has not shown that it is wanted."""

from __future__ import annotations

import asyncio
import socket

import msgspec
import pytest

from rostra.domain.ice import IceSide, default_of
from rostra.domain.media import MediaDescription, MediaKind
from rostra.environment import Environment
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import stage
from rostra.media.engine.consent import STALE, TRIAL, TRIALS, Consent
from rostra.media.engine.leg import LegContext
from rostra.media.engine.renditions import Renditions
from rostra.media.engine.rtp_leg import RtpLeg
from rostra.media.engine.rtp_streams import plain, usable
from tests.media.test_rtp_legs import PCMU, SUITES, VP8, side

from .conftest import Driven

KINDS = (MediaKind.AUDIO, MediaKind.VIDEO)
CODECS = ((PCMU,), (VP8,))
STRANGER = "198.51.100.7"
REPORT = bytes.fromhex("80c900010000000781ca0003000000070101610000000000")
"""Of RTCP: an empty receiver report, and a name."""
PICTURE = {"width": 1280, "height": 720}


def with_ice(description: MediaDescription, sides: tuple[IceSide, ...]) -> MediaDescription:
    streams = [
        msgspec.structs.replace(one, ice=ice, port=(default_of(ice.candidates) or ("", 9))[1])
        for one, ice in zip(description.streams, sides, strict=True)
    ]
    return msgspec.structs.replace(description, streams=tuple(streams))


async def received(worker: Worker) -> dict[tuple[str, str], int]:
    return {(one.leg, str(one.kind)): one.packets for one in (await worker.statistics()).streams if not one.sending}


@pytest.mark.spec("REF-123")
async def test_ice_with_two_components_and_a_restart_with_keys_of_sdes_or_none(driven: Driven) -> None:
    worker = driven.worker
    ports = {leg: (await worker.reserve_rtp(leg, KINDS))[1] for leg in ("one", "two")}
    for generation, suite in (("0", SUITES[0]), ("1", SUITES[0]), ("1", "")):
        made: dict[str, MediaDescription] = {}
        for seed, leg in enumerate(("one", "two"), 1):
            request = m.ReserveIce(leg=leg, components=(2, 2), generation=generation, controlling=leg == "one")
            sides = await worker.reserve_ice(request)
            made[leg] = with_ice(side(ports[leg], CODECS, suite=suite, seed=seed), sides)
        await worker.connect_rtp("one", made["one"], made["two"], STRANGER)
        await worker.connect_rtp("two", made["two"], made["one"], STRANGER)
        for leg in ("one", "two"):
            await worker.start(leg)
        for leg in ("one", "two"):
            await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, **PICTURE)), 15)
        before = await received(worker)
        async with asyncio.timeout(10):
            while not all(count > before.get(one, 0) for one, count in (await received(worker)).items()):  # noqa: ASYNC110 - counters tell nobody
                await asyncio.sleep(0.05)


@pytest.mark.spec("PLAT-010")
async def test_two_that_are_not_proved_meet_by_ipv6(driven: Driven) -> None:
    """Each hears the other first, and sends pictures then."""
    worker = driven.worker
    places = {leg: await worker.reserve_rtp(leg, KINDS, ipv6=True) for leg in ("one", "two")}
    assert all(":" in address for address, _ in places.values())
    one, two = (side(places[leg][1], CODECS, address="::1") for leg in ("one", "two"))
    await worker.connect_rtp("one", one, two, STRANGER)
    await worker.connect_rtp("two", two, one, STRANGER)
    for leg in ("one", "two"):
        await worker.start(leg)
    for leg in ("one", "two"):
        await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, **PICTURE)), 15)


async def test_an_address_that_has_sent_nothing_gets_no_picture(driven: Driven) -> None:
    worker = driven.worker
    _, ports = await worker.reserve_rtp("one", KINDS)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in KINDS]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
    sound, picture = sockets
    loop = asyncio.get_running_loop()
    remote = side(tuple(one.getsockname()[1] for one in sockets), CODECS)
    try:
        await worker.connect_rtp("one", side(ports, CODECS), remote, STRANGER)
        await worker.start("one")
        for _ in range(25):  # half a second
            packet = await asyncio.wait_for(loop.sock_recv(sound, 2000), 5)
        with pytest.raises(BlockingIOError):
            picture.recv(2000)
        sound.sendto(packet[:8] + b"\0\0\0\7" + packet[12:], ("127.0.0.1", ports[0]))  # of another source
        sequence = int.from_bytes(packet[2:4]) + 1 & 0xFFFF
        again = packet[:2] + sequence.to_bytes(2) + packet[4:8] + b"\0\0\0\7" + packet[12:]
        sound.sendto(again, ("127.0.0.1", ports[0]))
        assert await asyncio.wait_for(loop.sock_recv(picture, 2000), 5)
    finally:
        for one in sockets:
            one.close()


def test_what_is_proved_gets_everything() -> None:
    consent = Consent()
    assert consent.allows("192.0.2.1", 0, picture=True), "of older nodes nothing is known"
    consent.told("192.0.2.1")
    assert consent.allows("192.0.2.1", 0, picture=True)
    assert not consent.allows("192.0.2.2", 0, picture=True)
    consent.heard("192.0.2.2", 1)
    assert consent.allows("192.0.2.2", 1 + STALE, picture=True)
    assert not consent.allows("192.0.2.2", 2 + STALE, picture=True), "who has fallen silent is not sent pictures"


def test_before_a_call_is_confirmed_its_signalling_proves_nothing() -> None:
    consent = Consent()
    consent.told("192.0.2.1")
    consent.early = True
    assert not consent.allows("192.0.2.1", 0, picture=True)
    assert consent.allows("192.0.2.1", 0, picture=False)
    assert not consent.allows("192.0.2.1", TRIAL + 1, picture=False)
    consent.heard("192.0.2.1", TRIAL + 2)
    assert consent.allows("192.0.2.1", TRIAL + 2, picture=True)
    consent.early = False
    assert consent.allows("192.0.2.1", 1000, picture=True)


def test_sound_goes_to_others_for_a_while() -> None:
    consent = Consent()
    consent.told("192.0.2.1")
    assert consent.allows("192.0.2.2", 5, picture=False)
    assert consent.allows("192.0.2.2", 5 + TRIAL, picture=False)
    assert not consent.allows("192.0.2.2", 6 + TRIAL, picture=False)
    assert not consent.allows("192.0.2.2", 500, picture=False), "no second trial"
    allowed = [consent.allows(f"198.51.100.{n}", 600, picture=False) for n in range(10)]
    assert sum(allowed) == TRIALS - 1
    consent.heard("192.0.2.2", 700)
    assert consent.allows("192.0.2.2", 700, picture=False)


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("192.0.2.1", True), ("2001:db8::1", True), ("::1", True), ("0.0.0.0", False), ("::", False),
        ("224.0.0.1", False), ("ff02::1", False), ("host.test", False), ("", False),
    ],
)  # fmt: skip
def test_addresses_that_can_be_sent_to(address: str, taken: bool) -> None:
    assert usable(address) is taken


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("2001:DB8:0:0::1", "2001:db8::1"), ("192.0.2.1", "192.0.2.1"), ("host.test", "host.test"), ("", ""),
    ],
)  # fmt: skip
def test_addresses_are_compared_as_sockets_write_them(address: str, written: str) -> None:
    assert plain(address) == written


async def test_who_writes_its_address_in_another_way_is_who_signals() -> None:
    leg = RtpLeg(LegContext(Renditions(), lambda _: None, lambda *_: None, lambda *_: None), "one", Environment())
    try:
        _, ports = await leg.reserve(KINDS, ipv6=True)
        there = side((40000, 40002), CODECS, address="0:0:0::1")
        streams, _ = leg._agreed(side(ports, CODECS, address="::1"), there)
        assert {stream.address for stream in streams.values()} == {"::1"}
    finally:
        await leg.close()


async def test_a_call_lives_by_reports_and_ends_when_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    stage.load()
    failed: list[str] = []
    context = LegContext(Renditions(), lambda _: None, lambda _, why: failed.append(why), lambda *_: None, patience=30)
    leg = RtpLeg(context, "one", Environment())
    loop, ahead = asyncio.get_running_loop(), [0.0]
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + ahead[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        try:
            _, ports = await leg.reserve((MediaKind.AUDIO,))
            await leg.connect(side(ports, ((PCMU,),)), side((far.getsockname()[1],), ((PCMU,),)))
            leg.start()
            transport = leg._transport
            assert transport is not None
            for _ in range(3):
                known = transport.reports
                async with asyncio.timeout(5):
                    while transport.reports == known:
                        far.sendto(REPORT, ("127.0.0.1", ports[0] + 1))
                        await asyncio.sleep(0.02)
                leg.poll()
                ahead[0] += 25
                leg.poll()
                assert not failed, "reports are life"
            ahead[0] += 25
            leg.poll()
            assert failed == ["no media for 30 s"]
        finally:
            await leg.close()
