"""Full HD costs what it costs where it may be sent, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import Guest, service

from rostra.calls.offers import full_hd_in, full_hd_of
from rostra.domain.capacity import CallClass
from rostra.domain.media import CodecParameters, Content, MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol
from rostra.media.engine import rungs
from rostra.media.engine.webrtc_plan import plan

OFFERS = Path(__file__).parents[1] / "media" / "offers"

BEST = "profile-level-id=42e01f;packetization-mode=1;max-fs=8160;max-mbps=244800"
SERVICES = {
    "full": service("Full", quality="fullhd"),
    "plain": service("Plain"),
    "thin": service("Thin", quality="fullhd", max_callrate_out=2_000_000),
    "voices": service("Voices", quality="fullhd", call_type="audio"),
}


def offer(*formats: str, limit: int = 4000, content: str = "main") -> str:
    lines = ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=fmtp:111 minptime=10", "m=video 9 UDP/TLS/RTP/SAVPF 102"]
    lines += [f"b=AS:{limit}", f"a=content:{content}", *(f"a=fmtp:102 {one}" for one in formats), ""]
    return "\r\n".join(lines)


@pytest.mark.parametrize(
    ("sdp", "expected"),
    [
        (offer(BEST), True),
        (offer("profile-level-id=42e01f;packetization-mode=1"), False),
        (offer("profile-level-id=42e01f;max-fs=8160"), False),
        (offer("profile-level-id=42e028"), True),
        (offer("max-fs=8160;max-fr=30"), True),
        (offer("apt=102", "MAX-FS=8192"), True),
        (offer(BEST, limit=2000), False),
        (offer(BEST, content="slides"), False),
        ("offer", False),
    ],
)
@pytest.mark.spec("API-091")
def test_what_a_browser_offers(sdp: str, expected: bool) -> None:
    assert full_hd_in(sdp) is expected


@pytest.mark.parametrize(
    ("level", "content", "limit", "expected"),
    [
        ("42e028", Content.MAIN, None, True),
        ("42e01f", Content.MAIN, None, False),
        ("42e028", Content.SLIDES, None, False),
        ("42e028", Content.MAIN, 1_920_000, False),
    ],
)
def test_what_a_room_system_offers(level: str, content: Content, limit: int | None, expected: bool) -> None:
    codec = CodecParameters(name="H264", payload_type=97, clock_rate=90000, parameters={"profile-level-id": level})
    stream = MediaStream(kind=MediaKind.VIDEO, port=4000, content=content, codecs=(codec,))
    assert full_hd_of(MediaDescription(streams=(stream,), bandwidth=limit)) is expected


@pytest.mark.spec("POL-113", "PLAT-078")
@pytest.mark.parametrize(
    ("alias", "sdp", "expected"),
    [
        ("full", offer(BEST), CallClass.FULL_HD),
        ("full", offer("profile-level-id=42e01f"), CallClass.HD),
        ("plain", offer(BEST), CallClass.HD),
        ("thin", offer(BEST), CallClass.HD),
        ("voices", offer(BEST), CallClass.AUDIO),
    ],
)
async def test_the_price_is_booked_with_the_call(alias: str, sdp: str, expected: CallClass) -> None:
    node = await Node(Network(), "n1", SERVICES.get).start()
    caller = await Guest(node.exchange).join(alias)
    before = node.ledger.used
    await caller.session.open_webrtc("c", sdp)
    assert node.ledger.used - before == expected
    phone = await Guest(node.exchange).join(alias, protocol=CallProtocol.SIP)
    before = node.ledger.used
    await phone.session.reserve_rtp("p", (MediaKind.AUDIO, MediaKind.VIDEO), full_hd=full_hd_in(sdp))
    assert node.ledger.used - before == expected
    await node.exchange.close()


@pytest.mark.parametrize("codec", ["H264", "VP8"])
@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.spec("API-091", "SYS-121")
def test_a_browser_is_sent_what_it_asked_for_and_that_is_what_it_pays_for(codec: str, asks: bool) -> None:
    """Chromium's offer, with what the web app adds to it."""
    more = {"H264": ";max-fs=8160;max-mbps=244800", "VP8": "max-fs=8160;max-fr=30"}[codec]
    chromium = (OFFERS / "chromium-audio-video-inactive.sdp").read_text().replace("\r\n", "\n")
    chromium = chromium.replace({"H264": "VP8/90000", "VP8": "H264/90000"}[codec], "NONE/90000")
    if asks and codec == "H264":
        chromium = chromium.replace("42e01f\n", f"42e01f{more}\n").replace("42001f\n", f"42001f{more}\n")
    elif asks:
        chromium = chromium.replace("a=rtpmap:96 VP8/90000\n", f"a=rtpmap:96 VP8/90000\na=fmtp:96 {more}\n")
    offered = chromium.replace("\n", "\r\n")
    section = plan(offered).of_role("video")
    assert section
    assert section.chosen
    assert section.chosen.row.name == codec
    sent = rungs.pick(section.chosen.payload.parameters, section.offered.receive_limit, "fullhd")
    assert (sent.width, sent.height) == ((1920, 1080) if asks else (1280, 720))
    assert full_hd_in(offered) is asks
