"""How a wanted stream is come by: passed on where that serves, else encoded small."""

from __future__ import annotations

import pytest

from rostra.domain.media import MediaKind
from rostra.media import codecs
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import backplane
from rostra.media.engine.backplane import Encode, Forward
from rostra.media.messages import Quality

FULL, SMALL = Quality.FULL, Quality.THUMBNAIL
ONE, OTHER, *_ = (row for row in codecs.ROWS if row.kind is MediaKind.VIDEO)


@pytest.mark.parametrize(
    ("wanted", "at_hand", "size", "way"),
    [
        (FULL, {FULL: ONE}, (1280, 720), Forward("x/full/" + ONE.name, ONE)),
        (FULL, {FULL: OTHER}, None, Forward("x/full/" + OTHER.name, OTHER)),
        (FULL, {SMALL: ONE}, (320, 180), None),
        (FULL, {}, None, None),
        (SMALL, {SMALL: OTHER}, (320, 180), Forward("x/thumbnail/" + OTHER.name, OTHER)),
        (SMALL, {FULL: ONE, SMALL: OTHER}, (1280, 720), Forward("x/thumbnail/" + OTHER.name, OTHER)),
        (SMALL, {FULL: OTHER}, (320, 180), Forward("x/full/" + OTHER.name, OTHER)),
        (SMALL, {FULL: OTHER}, None, None),
        (SMALL, {}, (1280, 720), None),
    ],
)
def test_what_is_at_hand_is_passed_on(
    wanted: Quality, at_hand: dict[Quality, CodecRow], size: tuple[int, int] | None, way: backplane.Way
) -> None:
    assert backplane.picture_way("x", wanted, at_hand, size) == way


def test_a_big_picture_is_encoded_small() -> None:
    way = backplane.picture_way("x", SMALL, {FULL: OTHER}, (1280, 720))
    assert isinstance(way, Encode)
    assert way.source == "x"
    assert way.rung == backplane.small_rung((1280, 720))
    assert way != backplane.picture_way("y", SMALL, {FULL: OTHER}, (1280, 720)), "each source has a view of its own"


@pytest.mark.spec("PLAT-056")
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (720, 1280), (640, 480), (352, 288), (5000, 20), (16, 16)])
def test_small_pictures_keep_their_shape(size: tuple[int, int]) -> None:
    rung = backplane.small_rung(size)
    assert rung.width % 2 == rung.height % 2 == 0
    assert rung.width * rung.height <= backplane.SMALL_PIXELS * 1.5
    assert 64_000 <= rung.bitrate <= 192_000
    if 0.3 < size[0] / size[1] < 3:
        assert rung.width / rung.height == pytest.approx(size[0] / size[1], rel=0.02)


def test_mixes_for_the_same_groups_are_the_same() -> None:
    assert backplane.mix_way(3) == backplane.mix_way(3) != backplane.mix_way(5)
    assert backplane.mix_way(0) is None


def test_payload_types_tell_codecs_apart() -> None:
    numbers = list(backplane.PAYLOAD_TYPES.values())
    assert len(set(numbers)) == len(numbers)
    assert backplane.SOUND.name in backplane.PAYLOAD_TYPES


@pytest.mark.spec("PLAT-056")
def test_what_is_small_but_fat_is_made_small() -> None:
    assert isinstance(backplane.picture_way("x", SMALL, {FULL: OTHER}, (320, 180)), backplane.Forward)
    assert isinstance(backplane.picture_way("x", SMALL, {FULL: OTHER}, (320, 180), fat=True), backplane.Encode)
    assert isinstance(backplane.picture_way("x", FULL, {FULL: OTHER}, (320, 180), fat=True), backplane.Forward)
