"""Offers of real equipment, and some made from the RFCs: what is agreed with each, kept beside it (see README)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.media import Content, MediaDescription, MediaKind, MediaStream
from rostra.media import codecs
from rostra.media.encryption import KEY_OCTETS
from rostra.media.engine import rungs
from rostra.media.floors import floor_section
from rostra.media.negotiation import Agreement, Limits, NegotiationError, Ports, answer, on_hold, usable_streams
from rostra.media.offering import agree, make_offer
from rostra.sdp.errors import SdpError
from rostra.sdp.reading import read
from rostra.sdp.session import parse
from rostra.sdp.writing import write
from tests.fuzzing import fuzzed

FOLDER = Path(__file__).parent / "offers"
OFFERS = sorted(FOLDER.glob("*.sdp"))
PORTS = Ports("198.51.100.7", (40000, 40002, 40004, 40006))
LIMITS = Limits(bandwidth=4_128_000)


def key(suite: str) -> str:
    return f"key of {KEY_OCTETS[suite]} octets"


def agreed(text: str, limits: Limits = LIMITS) -> str:
    """What comes of an offer, in words."""
    offer = read(text)
    agreement = answer(offer, PORTS, key, limits=limits)
    lines = [f"held: {'yes' if on_hold(agreement.remote) else 'no'}"]
    lines += [f"floor: section {index}"] if (index := floor_section(offer)) is not None else []
    lines += _streams(agreement)
    return "\n".join(lines) + "\n"


def _streams(agreement: Agreement) -> Iterator[str]:
    for ours, theirs in zip(agreement.local.streams, agreement.remote.streams, strict=True):
        if ours.refused:
            yield f"{ours.kind}: refused"
            continue
        first = theirs.codecs[0]
        words = [f"{ours.kind}: {ours.content} {first.payload_type} {first.name}", f"ours {_words(ours)}"]
        words += [f"to {theirs.address}:{theirs.port}" + (f"+{theirs.rtcp_port}" if theirs.rtcp_port else "")]
        words += ["mux"] if ours.rtcp_mux else []
        words += [theirs.crypto[0].suite] if theirs.crypto else []
        words += [f"events {theirs.codecs[1].payload_type}"] if len(theirs.codecs) > 1 else []
        words += [_sent(agreement.remote, theirs)] if ours.kind is MediaKind.VIDEO else []
        words += ["4:3"] if theirs.ratio else []
        yield "; ".join(words)


def _words(ours: MediaStream) -> str:
    codec = ours.codecs[0]
    parameters = ",".join(f"{name}={value}" for name, value in codec.parameters.items())
    return " ".join(word for word in (ours.direction, ours.profile, parameters, *map(repr, codec.feedback)) if word)


def _sent(remote: MediaDescription, theirs: MediaStream) -> str:
    codec = theirs.codecs[0]
    row = codecs.BY_NAME[codec.name]
    limit = min((one for one in (theirs.bandwidth, rungs.share(remote.bandwidth, both=False)) if one), default=None)
    rung = rungs.pick(codec.parameters, limit, "fullhd", row.sizes(codec.parameters))
    if theirs.content is Content.SLIDES:
        return f"at most {limit}"
    return f"sent {rung.width}x{rung.height}@{rung.frame_rate} {rung.bitrate}"


@pytest.mark.spec("REF-105", "REF-108", "REF-111", "REF-115", "REF-116", "REF-117", "REF-118", "REF-119")
@pytest.mark.parametrize("path", OFFERS, ids=lambda path: path.stem)
def test_what_is_agreed(path: Path) -> None:
    text = path.read_text(encoding="ascii").replace("\n", "\r\n")
    assert agreed(text) == path.with_suffix(".txt").read_text(encoding="ascii")
    answered = write(answer(read(text), PORTS, key, limits=LIMITS).local, answering=parse(text))
    assert [section.media for section in parse(answered).sections] == [one.media for one in parse(text).sections]


@pytest.mark.spec("SYS-117", "SYS-118", "SYS-119", "PLAT-109", "PLAT-110")
def test_switched_off_codecs_are_left_out() -> None:
    text = (FOLDER / "tandberg-c20-tc3.sdp").read_text(encoding="ascii")
    off = Limits(disabled=frozenset({"G722", "H264_B_0", "H264_B_1", "H263-1998", *codecs.OFF_BY_DEFAULT}))
    assert [line.split(";")[0] for line in agreed(text, off).splitlines()[2:4]] == [
        "audio: main 8 PCMA", "video: main 34 H263",
    ]  # fmt: skip
    high = (FOLDER / "polycom-group.sdp").read_text(encoding="ascii")
    assert "video: main 111 H264" in agreed(high, Limits(disabled=frozenset({"H264_H_0"})))
    assert "video: main 109 H264" in agreed(high, Limits(disabled=frozenset({"H264_H_0", "H264_H_1", "H264_B_1"})))


def test_everything_can_be_used_early() -> None:
    """An offer that only some services take is not refused before the service is known."""
    for path in OFFERS:
        assert usable_streams(read(path.read_text(encoding="ascii")), Limits(disabled=frozenset()))


@st.composite
def _spoilt(draw: st.DrawFn) -> str:
    """A real offer with lines lost, doubled, moved and with pieces of other offers and odd numbers in them."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["lose", "double", "foreign", "number", "cut"])):
            case "lose":
                del lines[place]
            case "double":
                lines.insert(place, lines[place])
            case "foreign":
                lines.insert(place, draw(st.sampled_from(ALL_LINES)))
            case "number":
                odd = draw(st.sampled_from(["0", "-1", "65536", "99999999999999999999", "\u0663", "1e9", ""]))
                lines[place] = re.sub(r"\d+", odd, lines[place], count=draw(st.integers(1, 3)))
            case _:
                lines[place] = lines[place][: draw(st.integers(0, 12))]
        lines = lines or [""]
    return "\r\n".join(lines)


TEXTS = [path.read_text(encoding="ascii") for path in OFFERS]
ALL_LINES = sorted({line for text in TEXTS for line in text.splitlines()})


@fuzzed(15_000, usual=300)
@given(_spoilt())
def test_spoilt_offers_are_answered_or_refused(text: str) -> None:
    """Nothing but the two errors; an answer has the sections of the offer, and can be read."""
    try:
        session = parse(text)
        offer = read(session)
        agreement = answer(offer, PORTS, key, identity=lambda: ("pem", "sha-256 " + ":".join(["AB"] * 32)))
    except (SdpError, NegotiationError):
        return
    again = read(write(agreement.local, answering=session))
    assert [one.refused for one in again.streams] == [one.refused for one in agreement.local.streams]
    ours = make_offer((MediaKind.AUDIO,), Ports("198.51.100.7", (40000,)), key, previous=agreement.local)
    try:
        agree(ours, offer)
    except NegotiationError:
        return
