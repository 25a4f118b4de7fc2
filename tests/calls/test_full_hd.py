"""Full HD costs what it costs where it may be sent, and nowhere else."""

from __future__ import annotations

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import Guest, service

from rostra.calls.offers import full_hd_in, full_hd_of
from rostra.domain.capacity import CallClass
from rostra.domain.media import CodecParameters, Content, MediaDescription, MediaKind, MediaStream
from rostra.domain.vocabulary import CallProtocol

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
