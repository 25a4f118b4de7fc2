"""Addresses in descriptions when an edge node relays: tables of answers and agreements."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.media import Direction, MediaDescription, MediaKind, MediaStream
from rostra.media.engine.sections import Description, parse
from rostra.media.engine.webrtc_answer import answer, inner_offer
from rostra.media.engine.webrtc_plan import plan
from rostra.media.relay_sdp import (
    NoCandidate,
    Place,
    RtpSides,
    Transport,
    answer_through,
    for_worker,
    offer_through,
    transports,
)

OFFERS = [
    path for path in sorted((Path(__file__).parent / "offers").glob("*.sdp")) if b"a=group:BUNDLE" in path.read_bytes()
]
CHROMIUM = (Path(__file__).parent / "offers" / "chromium-audio-video-inactive.sdp").read_bytes().decode()
UNBUNDLED = "".join(line for line in CHROMIUM.splitlines(keepends=True) if not line.startswith("a=group:BUNDLE"))
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
EDGE = "198.51.100.7"
HOST = "a=candidate:1 1 UDP 2015363327 192.0.2.2 40455 typ host"
CANDIDATES = (
    "a=candidate:4 1 UDP 2015363000 10.9.0.2 40999 typ host",
    HOST,
    "a=candidate:2 1 TCP 1015021823 192.0.2.2 9 typ host tcptype active",
    "a=candidate:3 1 UDP 2015363839 2001:db8::1 40747 typ host",
    "a=candidate:5 1 UDP 2015363839 0b1d.local 40747 typ host",
    "a=candidate:6 1 UDP 1015021823 203.0.113.9 40455 typ srflx raddr 192.0.2.2 rport 40455",
)


def worker_answer(offer: str, candidates: tuple[str, ...] = CANDIDATES) -> str:
    """What a worker answers, with ports that tell its sections apart."""
    lines = ["v=0", "o=- 7 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    for index, section in enumerate(parse(inner_offer(plan(offer))).sections):
        lines += [
            f"m={section.kind} 9 {section.profile} {' '.join(section.formats)}",
            "a=ice-ufrag:ours", "a=ice-pwd:our-password", "a=setup:active", f"a=mid:{section.mid}", "a=ssrc:5 cname:x",
            *(line.replace(" 40455 ", f" {40455 + 2 * index} ") for line in candidates),
        ]  # fmt: skip
    return answer(plan(offer), "\r\n".join(lines) + "\r\n", FINGERPRINT)


def through(given_answer: str) -> tuple[Description, dict[Transport, Place]]:
    needed = transports(given_answer)
    relays = {transport: Place(EDGE, 50000 + 2 * number) for number, transport in enumerate(needed)}
    return parse(answer_through(given_answer, relays)), relays


@pytest.mark.spec("POL-139")
@pytest.mark.parametrize("offer", [path.read_bytes().decode() for path in OFFERS], ids=[path.stem for path in OFFERS])
def test_a_bundled_answer_needs_one_relay_and_names_only_it(offer: str) -> None:
    before = worker_answer(offer)
    assert transports(before) == (Transport(0, 1, Place("192.0.2.2", 40455)),)
    found, _ = through(before)
    text = "\r\n".join(line for section in found.sections for line in section.lines)
    assert not [part for part in ("192.0.2", "10.9.0", "2001:db8", ".local", "203.0.113", "TCP") if part in text]
    first, *others = found.sections
    assert first.values("candidate") == [f"1 1 UDP 2130706431 {EDGE} 50000 typ host"]
    assert first.values("end-of-candidates") == [""]
    assert [section.values("candidate") for section in others] == [[]] * len(others)
    assert {section.port for section in found.sections} == {50000}
    assert all(f"c=IN IP4 {EDGE}" in section.lines for section in found.sections)


def test_everything_but_addresses_is_the_workers() -> None:
    before, after = parse(worker_answer(CHROMIUM)), through(worker_answer(CHROMIUM))[0]
    addresses = ("c=", "a=candidate:", "a=end-of-candidates")
    assert before.session == after.session
    for one, other in zip(before.sections, after.sections, strict=True):
        assert (one.kind, one.profile, one.formats) == (other.kind, other.profile, other.formats)
        kept = [[line for line in side.lines if not line.startswith(addresses)] for side in (one, other)]
        assert kept[0] == kept[1]


def test_without_bundling_each_accepted_section_has_a_relay_of_its_own() -> None:
    before = worker_answer(UNBUNDLED)
    needed = transports(before)
    assert needed == (Transport(0, 1, Place("192.0.2.2", 40455)), Transport(1, 1, Place("192.0.2.2", 40457)))
    found, _ = through(before)
    audio, video, unwanted = found.sections
    assert [audio.port, video.port, unwanted.port] == [50000, 50002, 9]
    assert video.values("candidate") == [f"1 1 UDP 2130706431 {EDGE} 50002 typ host"]
    assert unwanted.values("candidate") == []
    assert "c=IN IP4 0.0.0.0" in unwanted.lines


def test_a_component_for_control_has_a_relay_of_its_own() -> None:
    lines = [
        "v=0", "o=- 1 1 IN IP4 192.0.2.2", "s=-", "c=IN IP4 192.0.2.2", "t=0 0",
        "m=audio 40455 RTP/SAVPF 0", "i=speech", "c=IN IP4 192.0.2.2", "b=AS:64", "a=rtcp:40456 IN IP4 192.0.2.2",
        HOST, HOST.replace(" 1 UDP 2015363327 ", " 2 UDP 2015363326 ").replace("40455", "40456"), "a=mid:0",
        "m=video 0 RTP/SAVPF 96", "a=mid:1",
    ]  # fmt: skip
    text = "\r\n".join(lines) + "\r\n"
    assert [(t.component, t.worker.port) for t in transports(text)] == [(1, 40455), (2, 40456)]
    found, _ = through(text)
    assert found.session == ("v=0", "o=- 1 1 IN IP4 192.0.2.2", "s=-", "t=0 0")
    audio, refused = found.sections
    assert audio.lines[:4] == ("i=speech", f"c=IN IP4 {EDGE}", "b=AS:64", f"a=rtcp:50002 IN IP4 {EDGE}")
    assert audio.values("candidate") == [
        f"1 1 UDP 2130706431 {EDGE} 50000 typ host",
        f"1 2 UDP 2130706430 {EDGE} 50002 typ host",
    ]
    assert refused.port == 0


@pytest.mark.parametrize(
    ("near", "expected"), [("", "192.0.2.2"), ("10.9.0.2", "10.9.0.2"), ("172.16.0.1", "192.0.2.2")]
)
def test_the_workers_best_candidate_is_taken_or_the_one_at_the_known_address(near: str, expected: str) -> None:
    (transport,) = transports(worker_answer(CHROMIUM), near=near)
    assert transport.worker.address == expected


@pytest.mark.parametrize(
    "candidates",
    [(), CANDIDATES[2:5], (HOST.replace("192.0.2.2", "0.0.0.0"),), (HOST.replace("40455", "0"),), (HOST[:40],)],
)
def test_an_answer_that_no_relay_can_serve_is_told(candidates: tuple[str, ...]) -> None:
    with pytest.raises(NoCandidate):
        transports(worker_answer(CHROMIUM, candidates))


@pytest.mark.spec("POL-139")
def test_the_worker_is_told_no_address_of_the_browser() -> None:
    section = "a=candidate:1 1 udp 1 192.0.2.9 5000 typ host\r\na=end-of-candidates\r\n"
    offer = CHROMIUM.replace("a=mid:0\r\n", f"a=mid:0\r\n{section}")
    assert offer_through(offer) == CHROMIUM
    assert offer_through(CHROMIUM) == CHROMIUM


@given(st.integers(0, len(CHROMIUM)), st.text(max_size=12))
def test_no_text_breaks_the_rewriting(position: int, insertion: str) -> None:
    whole = worker_answer(CHROMIUM)
    mutated = whole[:position] + insertion + whole[position + len(insertion) :]
    offer_through(mutated)
    with contextlib.suppress(NoCandidate):
        answer_through(mutated, {transport: Place(EDGE, 50000) for transport in transports(mutated)})


# ---- RTP legs ---------------------------------------------------------------------------------------------

OUTSIDE = (Place(EDGE, 50000), Place(EDGE, 50002))
INSIDE = (Place("10.0.0.1", 51000), Place("10.0.0.1", 51002))
WORKER = (Place("10.0.0.2", 40000), Place("10.0.0.2", 40002))
PHONE = "203.0.113.5"


def agreement(*streams: MediaStream) -> tuple[MediaDescription, MediaDescription]:
    ports = iter(OUTSIDE)
    local = tuple(
        MediaStream(kind=stream.kind) if stream.refused else
        MediaStream(kind=stream.kind, address=EDGE, port=next(ports).port, rtcp_mux=stream.rtcp_mux)
        for stream in streams
    )  # fmt: skip
    return MediaDescription(address=EDGE, streams=local), MediaDescription(address=PHONE, streams=streams)


def stream(kind: MediaKind = MediaKind.AUDIO, port: int = 6000, **more: object) -> MediaStream:
    return MediaStream(kind=kind, port=port, **more)  # type: ignore[arg-type]


def sides(*streams: MediaStream) -> RtpSides:
    return for_worker(*agreement(*streams), outside=OUTSIDE, inside=INSIDE, worker=WORKER)


@pytest.mark.spec("POL-130", "POL-139")
def test_the_worker_is_told_its_own_ports_and_the_relays_inside() -> None:
    found = sides(stream(), stream(MediaKind.VIDEO, 6002))
    assert [(s.address, s.port) for s in found.local.streams] == list(WORKER)
    assert [(s.address, s.port) for s in found.remote.streams] == list(INSIDE)
    assert found.announced == (
        (Place(PHONE, 6000), Place(PHONE, 6001)),
        (Place(PHONE, 6002), Place(PHONE, 6003)),
    )


def test_a_refused_section_takes_no_relay() -> None:
    found = sides(stream(port=0), stream(MediaKind.VIDEO, 6002))
    assert [s.port for s in found.local.streams] == [0, WORKER[0].port]
    assert [s.port for s in found.remote.streams] == [0, INSIDE[0].port]
    assert found.announced == ((Place(PHONE, 6002), Place(PHONE, 6003)), None)


@pytest.mark.parametrize(
    ("more", "control"),
    [({}, 6001), ({"rtcp_mux": True}, 6000), ({"rtcp_port": 7777}, 7777), ({"port": 65535}, 65535)],
)
def test_control_goes_where_the_endpoint_wants_it(more: dict[str, object], control: int) -> None:
    found = sides(stream(**more))  # type: ignore[arg-type]
    assert found.announced[0] is not None
    assert found.announced[0][1].port == control
    assert found.remote.streams[0].rtcp_port == 0
    assert found.remote.streams[0].rtcp_mux is bool(more.get("rtcp_mux"))


@pytest.mark.parametrize("address", ["0.0.0.0", "phone.example", "2001:db8::5", "239.1.1.1"])
def test_an_endpoint_that_is_nowhere_stays_nowhere_for_the_worker(address: str) -> None:
    found = sides(stream(address=address, direction=Direction.SENDONLY))
    assert found.announced == (None, None)
    assert found.local.streams[0].port == WORKER[0].port
    assert found.remote.streams[0].address == address
    assert found.remote.streams[0].direction is Direction.SENDONLY
