"""How slides get to each leg, and what happens as presenters follow each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.media.codecs import h264, vp8
from rostra.media.engine.backplane import Encode, Forward
from rostra.media.engine.slides import Arriving, SlidesFeed, Taker, pick, way

SCREEN = (1920, 1080)
LEVEL_31 = {"profile-level-id": "42e01f"}


@pytest.mark.spec("REF-133", "REF-134", "API-091")
@pytest.mark.parametrize(
    ("parameters", "limit", "size", "made"),
    [
        ({}, None, SCREEN, (1920, 1080)),
        ({"max-fs": "8160"}, None, SCREEN, (1920, 1080)),
        (LEVEL_31, None, SCREEN, (1280, 720)),
        ({}, None, (1280, 720), (1280, 720)),  # no bigger than it is
        ({}, 3_000_000, SCREEN, (1920, 1080)),
        ({}, 1_000_000, SCREEN, (1920, 1080)),  # slower before smaller
        ({}, 880_000, SCREEN, (1280, 720)),
        ({}, 1_000_000, (1280, 720), (1280, 720)),
        ({}, 600_000, SCREEN, (1024, 768)),
        ({}, 320_000, SCREEN, (800, 600)),
        ({}, 180_000, SCREEN, (640, 480)),
        ({}, 64_000, SCREEN, (448, 336)),
    ],
)
def test_sizes(parameters: dict[str, str], limit: int | None, size: tuple[int, int], made: tuple[int, int]) -> None:
    rung = pick(Taker(vp8.ROW, parameters, limit), size)
    assert (rung.width, rung.height) == made


@pytest.mark.spec("REF-133", "REF-134")
@given(st.none() | st.integers(1, 10**8), st.tuples(st.integers(1, 8000), st.integers(1, 8000)))
def test_big_ones_are_wide_small_ones_are_not_and_the_limit_holds(limit: int | None, size: tuple[int, int]) -> None:
    rung = pick(Taker(vp8.ROW, {}, limit), size)
    wide = rung.width * 9 == rung.height * 16
    assert wide or rung.width * 3 == rung.height * 4
    assert wide == (rung.height >= 720 and rung.width >= 1280)
    assert rung.frame_rate >= 1
    assert limit is None or rung.bitrate <= limit


@pytest.mark.parametrize(
    ("made", "parameters", "limit"),
    [
        ("H264 (careful)", {"profile-level-id": "42e028", "packetization-mode": "1"}, 1_000_000),
        ("H264 (slices careful)", {"profile-level-id": "42e028"}, 1_000_000),
        ("H264 (high careful)", {"profile-level-id": "640028", "packetization-mode": "1"}, 1_000_000),
        ("H264", {"profile-level-id": "42e028", "packetization-mode": "1"}, 3_000_000),
    ],
)
def test_few_pictures_are_made_with_care(made: str, parameters: dict[str, str], limit: int) -> None:
    found = way(Taker(h264.ROW, parameters, limit), Arriving("a", None, SCREEN))
    assert isinstance(found, Encode)
    assert found.rung is not None
    assert (found.rung.width, found.rung.frame_rate <= 8) == (1920, "careful" in made)
    assert found.row.made == made
    assert ("veryfast" in found.row.encoder) is ("careful" in made)
    assert "capacity=1500" in found.row.encoder or "careful" not in made


@pytest.mark.spec("PLAT-115")
@pytest.mark.parametrize(
    ("taker", "arriving", "passed"),
    [
        (Taker(vp8.ROW, {}), Arriving("a", vp8.ROW, SCREEN), True),
        (Taker(vp8.ROW, {}), Arriving("a", vp8.ROW), True),  # nothing is decoded yet
        (Taker(h264.ROW, LEVEL_31), Arriving("a", vp8.ROW, SCREEN), False),
        (Taker(vp8.ROW, {"max-fs": "3600"}), Arriving("a", vp8.ROW, SCREEN), False),
        (Taker(vp8.ROW, {}), Arriving("a", vp8.ROW, SCREEN, too_fast=True), False),
        (Taker(vp8.ROW, {}, shaped=True), Arriving("a", vp8.ROW, (1440, 900)), False),
        (Taker(vp8.ROW, {}, shaped=True), Arriving("a", vp8.ROW, (1024, 768)), True),
    ],
)
def test_what_is_passed_on_as_it_came(taker: Taker, arriving: Arriving, passed: bool) -> None:
    found = way(taker, arriving)
    assert isinstance(found, Forward if passed else Encode)


def test_what_cannot_be_had_yet() -> None:
    assert way(Taker(vp8.ROW, {}, shaped=True), Arriving("a", vp8.ROW)) is None
    assert way(Taker(vp8.ROW, {}), Arriving("a")) is None


class Source:
    """Where slides come from, and what of it is encoded."""

    def __init__(self) -> None:
        self.known: dict[str, Arriving] = {}
        self.rates: dict[str, float] = {}
        self.encoding: list[Any] = []
        self.channel = ""

    def arriving(self, source: str) -> Arriving:
        return self.known.get(source, Arriving(source))

    def bitrate(self, source: str) -> float:
        return self.rates.get(source, 0.0)

    def encoder(self, way: Encode) -> Any:
        made = type("Rendition", (), {"channel": f"made of {way.source}"})()
        self.encoding.append(made)
        return made

    def release(self, rendition: Any) -> None:
        self.encoding.remove(rendition)

    def set_property(self, name: str, value: str) -> None:
        assert name == "channel"
        self.channel = value


def test_presenters_follow_each_other_and_nothing_is_encoded_for_nobody() -> None:
    supply = Source()
    feed = SlidesFeed(supply, Taker(vp8.ROW, {}, limit=1_000_000), supply)
    supply.known = {
        "a": Arriving("a", vp8.ROW, SCREEN),
        "b": Arriving("b", h264.ROW, SCREEN),
    }
    feed.show("a")
    first = supply.channel
    assert "a" in first
    assert supply.encoding == []
    feed.show("b")  # takes over, in another codec
    assert supply.channel == "made of b"
    feed.show("c")  # has not sent anything yet: nothing of the one before is shown on
    assert (supply.channel, supply.encoding) == ("", [])
    supply.known["c"] = Arriving("c", vp8.ROW)
    feed.poll()
    assert "c" in supply.channel
    supply.rates["a"] = 3_000_000.0
    feed.show("a")  # faster than the leg can take
    assert supply.channel == "made of a"
    supply.rates["a"] = 100_000.0
    feed.poll()  # to and fro would cost a key frame each time
    assert supply.channel == "made of a"
    feed.take(Taker(vp8.ROW, {}))
    assert (supply.channel, supply.encoding) == (first, [])
    feed.show("")
    assert (supply.channel, feed.picture) == ("", None)
    feed.show("b")
    feed.close()
    assert supply.encoding == []
