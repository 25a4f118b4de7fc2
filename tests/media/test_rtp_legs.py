"""RTP legs against each other: two legs of one worker, each the other's far end, over real sockets."""

from __future__ import annotations

import base64

import msgspec
import pytest

from rostra.domain.media import (
    CodecParameters,
    Content,
    CryptoAttribute,
    Direction,
    MediaDescription,
    MediaKind,
    MediaStream,
)
from rostra.domain.scene import Scene
from rostra.media import messages as m
from rostra.media.client import MediaFailure
from rostra.media.encryption import KEY_OCTETS
from rostra.media.engine import rtp_streams

from .conftest import Driven

PCMU = CodecParameters(name="PCMU", payload_type=0, clock_rate=8000)
PCMA = CodecParameters(name="PCMA", payload_type=8, clock_rate=8000)
G722 = CodecParameters(name="G722", payload_type=9, clock_rate=8000)
OPUS = CodecParameters(name="OPUS", payload_type=111, clock_rate=48000, channels=2)
EVENTS = CodecParameters(name="TELEPHONE-EVENT", payload_type=101, clock_rate=8000)
FEEDBACK = ("nack pli", "ccm fir")
VP8 = CodecParameters(name="VP8", payload_type=98, clock_rate=90000, feedback=FEEDBACK)
H264 = CodecParameters(
    name="H264",
    payload_type=97,
    clock_rate=90000,
    feedback=FEEDBACK,
    parameters={"profile-level-id": "42e01f", "packetization-mode": "1"},
)
H264_SINGLE = CodecParameters(
    name="H264", payload_type=97, clock_rate=90000, parameters={"profile-level-id": "42e00c", "packetization-mode": "0"}
)
SUITES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")


def crypto(suite: str, seed: int) -> tuple[CryptoAttribute, ...]:
    return (
        CryptoAttribute(
            tag=1, suite=suite, key_salt=base64.b64encode(bytes([seed]) * KEY_OCTETS.get(suite, 30)).decode()
        ),
    )


def side(
    ports: tuple[int, ...],
    codecs: tuple[tuple[CodecParameters, ...], ...],
    *,
    suite: str = "",
    seed: int = 1,
    profile: str = "RTP/AVPF",
    mux: bool = False,
    direction: Direction = Direction.SENDRECV,
    address: str = "127.0.0.1",
) -> MediaDescription:
    kinds = [MediaKind.VIDEO if one[0].clock_rate == 90000 else MediaKind.AUDIO for one in codecs]
    return MediaDescription(
        address=address,
        streams=tuple(
            MediaStream(
                kind=kind,
                address=address,
                port=port,
                codecs=one,
                profile=profile,
                rtcp_mux=mux,
                direction=direction,
                crypto=crypto(suite, seed) if suite else (),
            )
            for kind, port, one in zip(kinds, ports, codecs, strict=True)
        ),
    )


class Pair:
    """Legs `one` and `two`, each the far end of the other."""

    def __init__(self, driven: Driven) -> None:
        self.driven = driven
        self.ports: dict[str, tuple[int, ...]] = {}

    async def connect(self, *codecs: tuple[CodecParameters, ...], start: bool = True, **options: object) -> None:
        worker = self.driven.worker
        kinds = tuple(MediaKind.VIDEO if one[0].clock_rate == 90000 else MediaKind.AUDIO for one in codecs)
        for leg in ("one", "two"):
            self.ports[leg] = (await worker.reserve_rtp(leg, kinds))[1]
        one = side(self.ports["one"], codecs, seed=1, **options)
        two = side(self.ports["two"], codecs, seed=2, **options)
        await worker.connect_rtp("one", one, two)
        await worker.connect_rtp("two", two, one)
        if start:
            await worker.start("one")
            await worker.start("two")

    async def tone(self, leg: str) -> None:
        """Let a leg hear itself after a while: what the other sends comes back, so any sound proves both ways."""


def loud(driven: Driven, leg: str) -> bool:
    return driven.level(leg) > -127.0


@pytest.mark.parametrize("video", [VP8, H264, H264_SINGLE], ids=["vp8", "h264", "h264-mode-0"])
async def test_video_goes_both_ways(driven: Driven, video: CodecParameters) -> None:
    pair = Pair(driven)
    await pair.connect((OPUS,), (video,))
    size = (1280, 720) if video is not H264_SINGLE else (320, 180)
    for leg in ("one", "two"):
        await driven.until(lambda leg=leg: driven.told(m.LegConnected(leg=leg)))
        await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, width=size[0], height=size[1])), 15)
    await driven.worker.close_leg("one")
    await driven.until(lambda: driven.told(m.FirstPicture(leg="two", width=0, height=0)))


def with_slides(description: MediaDescription) -> MediaDescription:
    *others, last = description.streams
    return msgspec.structs.replace(
        description, streams=(*others, msgspec.structs.replace(last, content=Content.SLIDES))
    )


@pytest.mark.spec("DIAG-046")
async def test_slides_are_counted_by_themselves(driven: Driven) -> None:
    codecs, worker = ((OPUS,), (VP8,), (VP8,)), driven.worker
    kinds = (MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.VIDEO)
    ports = {leg: (await worker.reserve_rtp(leg, kinds))[1] for leg in ("one", "two")}
    one, two = (with_slides(side(ports[leg], codecs)) for leg in ("one", "two"))
    await worker.connect_rtp("one", one, two)
    await worker.connect_rtp("two", two, one)
    await worker.start("one")
    await worker.start("two")
    await driven.until(lambda: driven.told(m.FirstPicture(leg="one", width=1280, height=720)))
    await worker.compose(m.Compose(views={}, watching={}, slides={"two": "one"}))
    await driven.until(lambda: driven.told(m.FirstPicture(leg="one:slides", width=1280, height=720)), 15)
    found = {(s.leg, str(s.kind), s.sending): s for s in (await worker.statistics()).streams if s.packets}
    assert ("one", "presentation", False) in found
    assert ("two", "presentation", True) in found
    assert ("one", "presentation", True) not in found
    for leg, sending in (("one", False), ("two", True)):
        slides = found[leg, "presentation", sending]
        assert (slides.codec, slides.width, slides.height) == ("VP8", 1280, 720)
        assert slides.packets < found[leg, "video", sending].packets, "slides began later"
    report = await worker.close_leg("one")
    assert report is not None
    assert {(str(s.kind), s.sending) for s in report.streams} == {
        ("audio", False), ("audio", True), ("video", False), ("video", True), ("presentation", False),
    }  # fmt: skip


@pytest.mark.parametrize("audio", [PCMU, PCMA, G722, OPUS], ids=lambda codec: codec.name)
async def test_audio_goes_both_ways(driven: Driven, audio: CodecParameters) -> None:
    await Pair(driven).connect((audio,))
    for leg in ("one", "two"):
        await driven.until(lambda leg=leg: driven.told(m.LegConnected(leg=leg)))
    await driven.until(
        lambda: any(isinstance(e, m.Levels) and {"one", "two"} <= e.levels.keys() for e in driven.events)
    )


@pytest.mark.spec("REF-109")
@pytest.mark.parametrize(
    ("suite", "mux"),
    [
        ("", False),
        ("", True),
        (SUITES[0], False),
        (SUITES[1], True),
        ("AES_256_CM_HMAC_SHA1_80", False),
        ("AEAD_AES_256_GCM", True),
    ],
)
async def test_encryption_and_shared_ports(driven: Driven, suite: str, mux: bool) -> None:
    await Pair(driven).connect((PCMA,), (VP8,), suite=suite, mux=mux)
    for leg in ("one", "two"):
        await driven.until(lambda leg=leg: driven.told(m.FirstPicture(leg=leg, width=1280, height=720)))


@pytest.mark.spec("REF-109")
async def test_a_wrong_key_lets_nothing_through(driven: Driven) -> None:
    worker = driven.worker
    ports = {leg: (await worker.reserve_rtp(leg, (MediaKind.AUDIO,)))[1] for leg in ("one", "two")}
    for leg, other in (("one", "two"), ("two", "one")):
        ours = side(ports[leg], ((PCMA,),), suite=SUITES[0], seed=1)
        theirs = side(ports[other], ((PCMA,),), suite=SUITES[0], seed=9 if leg == "one" else 1)
        await worker.connect_rtp(leg, ours, theirs)
        await worker.start(leg)
    await driven.until(lambda: driven.told(m.LegConnected(leg="two")))
    assert not driven.told(m.LegConnected(leg="one"))


async def test_nothing_is_sent_before_start(driven: Driven) -> None:
    pair = Pair(driven)
    await pair.connect((PCMU,), start=False)
    await driven.worker.start("one")
    await driven.until(lambda: driven.told(m.LegConnected(leg="two")))
    assert not driven.told(m.LegConnected(leg="one"))
    await driven.worker.start("two")
    await driven.until(lambda: driven.told(m.LegConnected(leg="one")))


@pytest.mark.spec("REF-121")
@pytest.mark.parametrize("audio", [PCMU, G722], ids=lambda codec: codec.name)
async def test_each_digit_is_told_once(driven: Driven, audio: CodecParameters) -> None:
    await Pair(driven).connect((audio, EVENTS))
    await driven.until(lambda: driven.told(m.LegConnected(leg="two")))
    await driven.worker.send_dtmf("one", "12")
    await driven.worker.send_dtmf("one", "2#")

    def digits() -> list[str]:
        return [event.digit for event in driven.events if isinstance(event, m.DtmfReceived) and event.leg == "two"]

    await driven.until(lambda: len(digits()) >= 4)
    assert digits() == ["1", "2", "2", "#"]


async def test_media_from_another_address_is_followed(driven: Driven) -> None:
    """The far end announces an address behind NAT; once its packets come, ours go where they come from."""
    worker = driven.worker
    ports = {leg: (await worker.reserve_rtp(leg, (MediaKind.AUDIO,)))[1] for leg in ("one", "two")}
    one, two = (side(ports[leg], ((PCMU,),)) for leg in ("one", "two"))
    hidden = side((9,), ((PCMU,),), address="192.0.2.77")
    await worker.connect_rtp("one", one, hidden)
    await worker.connect_rtp("two", two, one)
    await worker.start("one")
    await worker.start("two")
    await driven.until(lambda: driven.told(m.LegConnected(leg="two")))


async def test_a_renegotiation_changes_codec_and_resumes_after_hold(driven: Driven) -> None:
    pair = Pair(driven)
    await pair.connect((PCMU,), (VP8,))
    await driven.until(lambda: driven.told(m.FirstPicture(leg="two", width=1280, height=720)))
    before = pair.ports["two"]
    await pair.connect((PCMU,), (VP8,), direction=Direction.INACTIVE)
    await driven.until(lambda: driven.told(m.FirstPicture(leg="two", width=0, height=0)))
    driven.events.clear()
    await pair.connect((OPUS,), (H264,))
    assert pair.ports["two"] == before
    await driven.until(lambda: driven.told(m.FirstPicture(leg="two", width=1280, height=720)))


async def test_a_leg_moves_to_another_view(driven: Driven) -> None:
    await Pair(driven).connect((PCMU,), (VP8,))
    views = {"red": Scene(background=0xFF0000), "blue": Scene(background=0x0000FF)}
    await driven.worker.compose(m.Compose(views=views, watching={"one": "red", "two": "red"}))
    debug = (await driven.worker.statistics()).debug
    assert [encoder["users"] for encoder in debug["encoders"]] == [2]
    await driven.worker.compose(m.Compose(views=views, watching={"one": "red", "two": "blue"}))
    debug = (await driven.worker.statistics()).debug
    assert {encoder["view"]: encoder["users"] for encoder in debug["encoders"]} == {"red": 1, "blue": 1}


async def test_bad_agreements_are_refused_and_harm_nothing(driven: Driven) -> None:
    pair = Pair(driven)
    await pair.connect((PCMU,))
    good = side(pair.ports["one"], ((PCMU,),))
    broken = [
        (good, MediaDescription()),
        (good, side((5000,), ((CodecParameters(name="ILBC", payload_type=99, clock_rate=8000),),))),
        (good, side((5000,), ((PCMU,),), suite=SUITES[0])),
        (side((1,), ((PCMU,),), suite="NULL"), side((5000,), ((PCMU,),), suite="NULL")),
    ]
    for local, remote in broken:
        with pytest.raises(MediaFailure) as refused:
            await driven.worker.connect_rtp("one", local, remote)
        assert refused.value.kind is m.Failure.Kind.BAD_DESCRIPTION
    with pytest.raises(MediaFailure) as unknown:
        await driven.worker.connect_rtp("nobody", good, good)
    assert unknown.value.kind is m.Failure.Kind.UNKNOWN_LEG


@pytest.mark.parametrize(
    ("address", "expected"),
    [("192.0.2.1", True), ("127.0.0.1", True), ("0.0.0.0", False), ("239.1.2.3", False), ("a.example", False)],
)
def test_addresses_that_media_is_sent_to(address: str, expected: bool) -> None:
    assert rtp_streams.usable(address) is expected
