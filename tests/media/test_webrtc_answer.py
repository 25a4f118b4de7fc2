"""WebRTC answers as text, from offers of real clients and broken ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.media.engine.sections import BadDescription, Description, parse
from rostra.media.engine.webrtc_answer import answer, inner_offer, usable_candidate
from rostra.media.engine.webrtc_plan import NoCommonCodec, plan

OFFERS = Path(__file__).parent / "offers"
CHROMIUM = (OFFERS / "chromium-audio-video-inactive.sdp").read_bytes().decode()
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)


def transport(offer: str) -> str:
    """What the element would answer to the inner offer: the same sections with its own transport."""
    lines = ["v=0", "o=- 7 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    for section in parse(inner_offer(plan(offer))).sections:
        lines += [
            f"m={section.kind} 9 {section.profile} {' '.join(section.formats)}",
            "a=ice-ufrag:ours", "a=ice-pwd:our-password", "a=setup:active", f"a=mid:{section.mid}", "a=ssrc:5 cname:x",
            "a=candidate:1 1 UDP 2015363327 192.0.2.2 40455 typ host",
            "a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active",
            "a=candidate:3 1 UDP 2015363839 fe80::1 40747 typ host",
        ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def answered(offer: str, **options: object) -> Description:
    return parse(answer(plan(offer), transport(offer), FINGERPRINT, **options))


@pytest.mark.spec("API-081", "API-083", "API-085")
def test_every_section_is_answered_in_order_with_mid_and_transport() -> None:
    offered, found = parse(CHROMIUM), answered(CHROMIUM)
    assert [s.kind for s in found.sections] == [s.kind for s in offered.sections]
    assert [s.mid for s in found.sections] == [s.mid for s in offered.sections]
    assert found.session_values("group") == ["BUNDLE 0 1 2"]
    for section in found.sections:
        assert section.port != 0
        assert section.value("ice-ufrag") == "ours"
        assert section.value("fingerprint") == FINGERPRINT
        assert "a=rtcp-mux" in section.lines
    first = found.sections[0]
    assert [line for line in first.values("candidate") if "40455" in line]
    assert not [line for line in first.values("candidate") if "TCP" in line or "fe80" in line]
    assert "a=end-of-candidates" in first.lines


@pytest.mark.spec("API-086", "API-089")
def test_numbers_feedback_and_extensions_are_those_of_the_offer() -> None:
    audio, video, _ = answered(CHROMIUM).sections
    assert audio.formats[:2] == ("63", "111"), "sound goes out twice where that was offered"
    assert "63 111/111" in audio.values("fmtp")
    assert video.formats[:2] == ("96", "97")
    assert "96 nack pli" in video.values("rtcp-fb")
    offered = parse(CHROMIUM).sections[1]
    assert set(video.values("rtcp-fb")) <= set(offered.values("rtcp-fb"))
    assert set(video.values("extmap")) <= set(offered.values("extmap"))


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("a=rtpmap:63 red/48000/2", "a=rtpmap:63 red/8000"),
        ("a=fmtp:63 111/111", "a=fmtp:63 111/9"),
        ("a=fmtp:63 111/111", "a=x"),
    ],
)
def test_packets_with_something_else_twice_are_not_taken(line: str, instead: str) -> None:
    assert answered(CHROMIUM.replace(line, instead)).sections[0].formats[0] == "111"


def test_pictures_have_no_ulpfec() -> None:
    """It would come with packets that nobody sends again, and that all others would wait for."""
    assert "ulpfec" in CHROMIUM
    for text in (inner_offer(plan(CHROMIUM)), answer(plan(CHROMIUM), transport(CHROMIUM), FINGERPRINT)):
        assert "ulpfec" not in text
        assert "red/90000" not in text


@pytest.mark.spec("API-078", "API-081")
def test_unwanted_media_is_inactive_and_not_refused() -> None:
    audio, video, slides = answered_for(CHROMIUM, "audio").sections
    assert (audio.direction, video.direction, slides.direction) == ("sendrecv", "inactive", "inactive")
    assert video.port == 9


def answered_for(offer: str, media_type: str) -> Description:
    planned = plan(offer, media_type)
    sections = len(planned.accepted)
    inner = "v=0\r\n" + "".join(
        f"m={s.offered.kind} 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n"
        for s in planned.accepted[:sections]
    )
    return parse(answer(planned, inner, FINGERPRINT))


@pytest.mark.spec("API-082")
def test_slides_keep_their_content_and_are_not_main_video() -> None:
    offer = CHROMIUM.replace("a=mid:1\r\n", "a=mid:1\r\na=content:slides\r\n")
    found = answered(offer)
    assert found.sections[1].value("content") == "slides"
    assert found.sections[1].direction == "inactive"
    assert plan(offer).of_role("video").mid == "2"  # type: ignore[union-attr]


@pytest.mark.spec("API-080", "API-082")
def test_an_offer_in_the_order_of_the_official_sdk_is_answered_in_that_order() -> None:
    contents = {"0": "main", "1": "main", "2": "slides"}
    offer = CHROMIUM
    for mid, content in contents.items():
        offer = offer.replace(f"a=mid:{mid}\r\n", f"a=mid:{mid}\r\na=content:{content}\r\n")
    found = answered(offer)
    assert [(s.kind, s.mid) for s in found.sections] == [("audio", "0"), ("video", "1"), ("video", "2")]
    assert found.sections[2].value("content") == "slides"
    assert {s.value("content") or "main" for s in found.sections[:2]} == {"main"}
    assert found.sections[2].direction == "inactive"


@pytest.mark.spec("API-087")
def test_h264_is_answered_in_an_offered_baseline_form_with_mode_1() -> None:
    lines = [
        "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE v",
        "m=video 9 UDP/TLS/RTP/SAVPF 100 101 102 103",
        "a=mid:v", "a=ice-ufrag:a", "a=ice-pwd:b", "a=fingerprint:sha-256 00",
        "a=rtpmap:100 H264/90000", "a=fmtp:100 profile-level-id=640c1f;packetization-mode=1",
        "a=rtpmap:101 H264/90000", "a=fmtp:101 profile-level-id=42001f;packetization-mode=0",
        "a=rtpmap:102 H264/90000", "a=fmtp:102 profile-level-id=42e01f;packetization-mode=1",
        "a=rtpmap:103 VP8/90000",
    ]  # fmt: skip
    section = answered("\r\n".join(lines)).sections[0]
    assert section.formats == ("102",)
    [fmtp] = section.values("fmtp")
    assert "profile-level-id=42e01f" in fmtp
    assert "packetization-mode=1" in fmtp


@pytest.mark.spec("API-088", "CONF-147")
def test_bandwidth_limits_go_both_ways() -> None:
    found = answered(CHROMIUM, receive_bandwidth=640_000)
    assert "b=TIAS:640000" in found.sections[1].lines
    offer = CHROMIUM.replace("a=mid:1\r\n", "b=AS:512\r\na=mid:1\r\n")
    assert parse(offer).sections[1].receive_limit == 512_000


@pytest.mark.spec("API-092")
@pytest.mark.parametrize(
    ("offered", "expected"),
    [("sendrecv", "sendrecv"), ("recvonly", "sendonly"), ("sendonly", "recvonly"), ("inactive", "inactive")],
)
def test_directions_mirror_the_offer(offered: str, expected: str) -> None:
    head, first, rest = CHROMIUM.partition("a=mid:1\r\n")
    found = answered(head + first + rest.replace("a=sendrecv", f"a={offered}", 1))
    assert found.sections[1].direction == expected


@pytest.mark.spec("API-084", "API-089")
def test_a_legacy_offer_has_one_transport_for_each_section() -> None:
    section = [
        "a=ice-ufrag:a", "a=ice-pwd:b", "a=fingerprint:sha-256 00", "a=rtcp-fb:* nack pli",
        "a=candidate:1 1 udp 1 192.0.2.9 5000 typ host", "a=candidate:2 1 udp 1 x.local 5000 typ host",
    ]  # fmt: skip
    offer = "\r\n".join([
        "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0",
        "m=audio 5000 RTP/SAVPF 0", *section, "m=video 5000 RTP/SAVPF 103", "a=rtpmap:103 VP8/90000", *section,
    ])  # fmt: skip
    inner = parse(inner_offer(plan(offer)))
    assert [len(s.values("candidate")) for s in inner.sections] == [1, 1]
    found = answered(offer)
    assert found.session_values("group") == []
    assert [s.mid for s in found.sections] == ["0", "1"]
    assert all(s.profile == "RTP/SAVPF" and s.values("candidate") for s in found.sections)
    assert "103 nack pli" in found.sections[1].values("rtcp-fb")


@pytest.mark.parametrize(
    ("candidate", "usable"),
    [
        ("1 1 udp 2113937151 192.0.2.1 50000 typ host", True),
        ("1 1 UDP 2113937151 fd00::2 50000 typ host", True),
        ("1 1 udp 2113937151 3f0c.local 50000 typ host", False),
        ("1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active", False),
        ("", False),
    ],
)
@pytest.mark.spec("API-069")
def test_candidates_that_cannot_be_used_are_known(candidate: str, usable: bool) -> None:
    assert usable_candidate(candidate) is usable


@pytest.mark.spec("API-090")
def test_simulcast_is_answered_without() -> None:
    layers = "a=rid:h send\r\na=rid:l send max-width=320\r\na=simulcast:send h;l\r\n"
    head, first, rest = CHROMIUM.partition("a=mid:1\r\n")
    found = answered(head + first + layers + rest)
    assert [(s.values("rid"), s.values("simulcast")) for s in found.sections] == [([], [])] * len(found.sections)
    assert found.sections[1].direction == answered(CHROMIUM).sections[1].direction


def test_an_ice_restart_is_told_by_the_credentials() -> None:
    ufrag = parse(CHROMIUM).sections[0].value("ice-ufrag")
    assert plan(CHROMIUM).credentials() != plan(CHROMIUM.replace(ufrag, "other")).credentials()


@pytest.mark.parametrize(
    "offer",
    [
        "", "v=0\r\n", "nonsense", "v=0\r\nm=audio x y z\r\n", "v=0\r\nm=video 9 P 96\r\nbad\r\n",
        f"v=0\r\nm=audio {'9' * 5000} P 96\r\n", CHROMIUM.replace("opus/48000", f"opus/{'9' * 5000}"),
    ],
)  # fmt: skip
def test_malformed_offers_are_refused(offer: str) -> None:
    with pytest.raises(BadDescription):
        plan(offer)


def test_an_offer_without_a_codec_of_ours_is_told_apart() -> None:
    with pytest.raises(NoCommonCodec):
        plan(CHROMIUM.replace("opus/48000", "speex/32000").replace("VP8/", "XX/").replace("H264/", "YY/")
             .replace("G722/", "Z1/").replace("PCMU/", "Z2/").replace("PCMA/", "Z3/"))  # fmt: skip


@given(st.integers(0, len(CHROMIUM) - 1), st.text(max_size=8))
def test_mutations_never_break_the_planner(position: int, insertion: str) -> None:
    mutated = CHROMIUM[:position] + insertion + CHROMIUM[position + len(insertion) :]
    with contextlib.suppress(BadDescription, NoCommonCodec):
        inner_offer(plan(mutated))
