"""Every layout as it is painted, with numbered sources; pictures to compare with are in docs/layouts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from rostra.domain.casting import Performer, arrange
from rostra.domain.drawing import draw, presentation
from rostra.domain.layouts import LAYOUTS, Layout, scaled
from rostra.domain.look import Style
from rostra.media.engine import stage

from . import sheets
from .conftest import yuv

EVERY = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
INSIDE = 2
"""Pixels: colour is kept for every second one only."""


@pytest.fixture(scope="module", autouse=True)
def _sources() -> Iterator[None]:
    with sheets.numbered():
        yield


@EVERY
@pytest.mark.parametrize("count", sheets.COUNTS)
@pytest.mark.spec("POL-147", "POL-148", "POL-149", "POL-150")
def test_every_cell_is_where_it_belongs(layout: Layout, count: int) -> None:
    made, scene = sheets.arranged(layout, count)
    assert len(made.shown) == min(count, len(layout.places) - (layout.counts_in_place and count > len(layout.places)))
    for width, height in ((1280, 720), (640, 360)):
        picture = sheets.painted(scene, width, height)
        inset = scaled(layout.pips[0], width, height) if layout.key == "one_main_one_pip" and count > 1 else None
        for at, cell in enumerate(made.cells[: len(made.shown)], 1):
            red, green, blue = sheets.colour(int(made.shown[at - 1].participant[1:]))
            place = scaled(cell, width, height)
            right, bottom = place.x + place.width - INSIDE - 1, place.y + place.height - INSIDE - 1
            points = [(place.x + INSIDE, place.y + INSIDE), (right, bottom), (place.x + INSIDE, bottom)]
            points += [(right, place.y + INSIDE), (place.x + place.width // 2, place.y + place.height * 85 // 100)]
            for x, y in points:
                if inset and at == 1 and x >= inset.x and y >= inset.y - 100:
                    continue  # the small picture, or the number of those not shown, is over it
                if count > 1 and len(layout.places) == 1 and x > width * 7 // 8 and y > height * 7 // 8:
                    continue
                if inset and count > 2 and x < width // 8 and y > height * 7 // 8:
                    continue
                wanted = yuv(red << 16 | green << 8 | blue)
                assert np.abs(picture[y, x] - wanted).max() < 6, (layout.name, count, at, x, y)


@EVERY
def test_pictures_are_those_kept(layout: Layout) -> None:
    now, kept = sheets.sheet(layout).astype(int), sheets.read(sheets.path(layout)).astype(int)
    assert now.shape == kept.shape
    far = np.abs(now - kept).max(axis=2)
    assert far.mean() < 0.6, "as a whole"
    assert (far > 32).mean() < 0.004, "letters of another version of a font may differ at their edges"


def stripes(width: int, height: int) -> bytes:
    """Three parts side by side, black, grey and white, the outer two an eighth of the width."""
    luma = np.full((height, width), 126, np.uint8)
    luma[:, : width // 8], luma[:, width - width // 8 :] = 16, 235
    return luma.tobytes() + bytes([128]) * (width * height // 2)


@pytest.fixture
def shaped() -> Iterator[None]:
    """A camera of 4:3, one of 16:9, and slides of 4:3."""
    stage.show("old", 640, 480, stripes(640, 480))
    stage.show("wide", 1280, 720, stripes(1280, 720))
    stage.show("deck:slides", 960, 720, stripes(960, 720))
    yield
    for source in ("old", "wide", "deck:slides"):
        stage.hide(source)


def at(picture: np.ndarray, *points: tuple[int, int]) -> list[int]:
    return [int(picture[y, x, 0]) for x, y in points]


@pytest.mark.usefixtures("shaped")
@pytest.mark.spec("REF-133", "REF-136")
@pytest.mark.parametrize("width", [1280, 960])
def test_main_video_is_cropped_to_another_shape_and_never_bordered(width: int) -> None:
    layout, black, grey, white = LAYOUTS[0], 16, 126, 235
    style = Style(layout=layout, width=width)
    seen = {}
    for source in ("old", "wide"):
        people = [Performer(participant=source, source=source)]
        scene = draw(arrange(people, None, style), style, sheets.PLAIN)
        picture = sheets.painted(scene, width, 720)
        assert picture.shape[:2] == (720, width)
        seen[source] = at(picture, (4, 20), (4, 700), (width // 2, 360), (width - 4, 20), (width - 4, 700))
    same, cropped = [black, black, grey, white, white], [grey] * 5
    assert seen["old"] == same, "cropped above and below, or not at all"
    assert seen["wide"] == (same if width == 1280 else cropped)


@pytest.mark.usefixtures("shaped")
@pytest.mark.spec("REF-135", "CONF-076")
def test_who_gets_one_picture_sees_all_of_the_slides_with_the_speaker_at_the_upper_right() -> None:
    style, black, grey, white = Style(layout=LAYOUTS[1]), 16, 126, 235
    speaker = Performer(participant="p3", source="numbered-3")
    scene = presentation("deck:slides", speaker, sheets.PLAIN, style)
    picture = sheets.painted(scene, 1280, 720)
    assert at(picture, (80, 360), (158, 360)) == [black, black], "a border"
    assert at(picture, (164, 360), (275, 360), (285, 360), (640, 10), (640, 710)) == [black, black, grey, grey, grey]
    assert at(picture, (1005, 700), (1115, 700), (1125, 700), (1270, 700)) == [white, white, black, black]
    red, green, blue = sheets.colour(3)
    for x, y in ((964, 4), (1276, 4), (964, 176), (1276, 176)):
        assert np.abs(picture[y, x] - yuv(red << 16 | green << 8 | blue)).max() < 6, "the speaker"
    narrow = sheets.painted(
        presentation("deck:slides", None, sheets.PLAIN, Style(layout=LAYOUTS[1], width=960)), 960, 720
    )
    assert at(narrow, (4, 4), (115, 700), (125, 4), (956, 716)) == [black, black, grey, white], "it needs no border"


@pytest.mark.spec("CONF-080")
def test_the_strip_of_a_name_is_as_wide_as_its_picture() -> None:
    layout = next(one for one in LAYOUTS if one.name == "4:0")
    style = Style(layout=layout, names=True)
    people = [Performer(participant=f"p{i}", source=f"numbered-{i}", name="i") for i in range(1, 5)]
    picture = sheets.painted(draw(arrange(people, None, style), style, sheets.PLAIN), 1280, 720)
    for at, cell in enumerate(layout.cells(4), 1):
        red, green, blue = sheets.colour(at)
        plain = yuv(red << 16 | green << 8 | blue)[0]
        y, last = cell.y + cell.height - 20, cell.x + cell.width - 1
        assert abs(picture[cell.y + 20, cell.x, 0] - plain) < 3
        assert [int(picture[y, x, 0]) < 0.75 * plain for x in (cell.x, cell.x + 1, last - 1, last)] == [True] * 4, at
