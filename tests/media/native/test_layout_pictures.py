"""Every layout as it is painted, with numbered sources; pictures to compare with are in docs/layouts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from rostra.domain.layouts import LAYOUTS, Layout, scaled

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
