"""Offers of real equipment, and some made from the RFCs: what is agreed with each, kept beside it (see README)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rostra.domain.media import Content, MediaDescription, MediaKind, MediaStream
from rostra.media import codecs
from rostra.media.encryption import KEY_OCTETS
from rostra.media.engine import rungs
from rostra.media.floors import floor_section
from rostra.media.negotiation import Agreement, Limits, Ports, answer, on_hold, usable_streams
from rostra.sdp.reading import read
from rostra.sdp.session import parse
from rostra.sdp.writing import write

FOLDER = Path(__file__).parent / "offers"
OFFERS = sorted(FOLDER.glob("*.sdp"))
PORTS = Ports("198.51.100.7", (40000, 40002, 40004))
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
