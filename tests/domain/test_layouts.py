"""Geometry and names of layouts."""

import re

import pytest

from rostra.domain import layouts
from rostra.domain.layouts import LAYOUTS, Cell, Layout, find, next_layout, scaled

EVERY = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
SIZES = ((640, 360), (1280, 720), (1920, 1080))


def overlap(one: Cell, other: Cell) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@EVERY
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.spec("POL-147")
def test_cells_are_on_the_canvas_and_apart(layout: Layout, size: tuple[int, int]) -> None:
    for count in range(1, len(layout.places) + 1):
        cells = [scaled(cell, *size) for cell in layout.cells(count)]
        assert len(cells) == count
        for at, cell in enumerate(cells):
            assert cell.x >= 0
            assert cell.y >= 0
            assert cell.width > 0
            assert cell.height > 0
            assert cell.x + cell.width <= size[0]
            assert cell.y + cell.height <= size[1]
            if layout.key != "one_main_one_pip":
                assert not any(overlap(cell, other) for other in cells[at + 1 :])


@EVERY
def test_cells_are_of_the_shape_of_cameras(layout: Layout) -> None:
    for cell in layout.places:
        assert cell.width / cell.height == pytest.approx(16 / 9, rel=0.01)


@pytest.mark.spec("POL-143", "POL-145", "API-121")
@pytest.mark.parametrize(
    ("key", "name", "most"),
    [
        ("one_main_zero_pips", "1:0", 1),
        ("one_main_seven_pips", "1:7", 8),
        ("one_main_twentyone_pips", "1:21", 22),
        ("two_mains_twentyone_pips", "2:21", 23),
        ("one_main_thirtythree_pips", "1:33", 34),
        ("four_mains_zero_pips", "4:0", 4),
        ("nine_mains_zero_pips", "9:0", 9),
        ("sixteen_mains_zero_pips", "16:0", 16),
        ("twentyfive_mains_zero_pips", "25:0", 25),
        ("five_mains_seven_pips", "ac", 12),
        ("one_main_one_pip", "1:1", 2),
        ("one_main_nine_around", "1:9", 10),
        ("one_main_twelve_around", "1:12", 13),
        ("two_mains_eight_around", "2:8", 10),
    ],
)
def test_names(key: str, name: str, most: int) -> None:
    layout = find(key)
    assert layout is not None
    assert layout is find(name)
    assert layout.name == name
    assert len(layout.places) == most


@pytest.mark.spec("POL-146")
@pytest.mark.parametrize(
    ("alias", "name"), [("2x2", "4:0"), ("3x3", "9:0"), ("4x4", "16:0"), ("5x5", "25:0"), ("5:7", "ac")]
)
def test_aliases(alias: str, name: str) -> None:
    assert find(alias) is find(name)


def places(name: str, count: int) -> list[tuple[int, int, int, int]]:
    layout = find(name)
    assert layout
    return [(cell.x, cell.y, cell.width, cell.height) for cell in layout.cells(count)]


def test_geometry_of_the_table() -> None:
    """Samples of every row of sheet 11, 14.2."""
    assert places("1:0", 1) == [(0, 0, 1280, 720)]
    assert places("1:7", 8) == [(92, 0, 1096, 616), *((183 * i, 618, 182, 102) for i in range(7))]
    rows = [(183 * i, 412 + 103 * r, 182, 102) for r in range(3) for i in range(7)]
    assert places("1:21", 22) == [(276, 0, 728, 410), *rows]
    assert places("2:21", 23) == [(0, 25, 639, 359), (641, 25, 639, 359), *rows]
    beside = [(183 * i, 103 * r, 182, 102) for r in range(4) for i in range(4, 7)]
    assert places("1:33", 34) == [(0, 0, 731, 411), *beside, *rows]
    assert places("4:0", 4) == [(x, y, 639, 359) for y in (0, 361) for x in (0, 641)]
    assert places("9:0", 9) == [(x, y, 425, 238) for y in (0, 241, 482) for x in (0, 427, 855)]
    grid = [(x, y, 318, 178) for y in (0, 181, 361, 542) for x in (0, 321, 641, 962)]
    assert places("16:0", 16) == grid
    five = [(x, y, 254, 142) for y in (0, 145, 289, 434, 578) for x in (0, 257, 513, 770, 1026)]
    assert places("25:0", 25) == five
    assert places("ac", 12) == [
        (0, 0, 638, 359), (642, 0, 638, 359), *((x, 369, 425, 239) for x in (0, 427, 855)),
        *((183 * i, 618, 182, 102) for i in range(7)),
    ]  # fmt: skip
    assert places("1:1", 2) == [(0, 0, 1280, 720), (944, 526, 320, 180)]
    corner = [five[4], five[9], five[14], five[19], five[24], five[23], five[22], five[21], five[20]]
    assert places("1:9", 10) == [(0, 0, 1024, 576), *corner]
    around = [*grid[:4], grid[7], grid[11], grid[15], grid[14], grid[13], grid[12], grid[8], grid[4]]
    assert places("1:12", 13)[1:] == around
    assert places("2:8", 10)[2:] == [*grid[:4], *grid[12:]]


@pytest.mark.spec("POL-149")
def test_equal_pictures_take_the_smallest_grid_and_the_last_row_is_in_the_middle() -> None:
    assert places("25:0", 1) == [(0, 0, 1280, 720)]
    for count, width in ((2, 639), (4, 639), (5, 425), (9, 425), (10, 318), (16, 318), (17, 254), (25, 254)):
        cells = places("25:0", count)
        assert {cell[2] for cell in cells} == {width}
        last = [cell for cell in cells if cell[1] == cells[-1][1]]
        left, right = last[0][0], 1280 - last[-1][0] - last[-1][2]
        assert abs(left - right) <= 2
    assert {cell[2] for cell in places("9:0", 30)} == {425}, "not above the chosen one"


@pytest.mark.spec("POL-157", "POL-161")
@pytest.mark.parametrize(
    ("count", "rows"), [(1, [1]), (2, [2]), (3, [1, 2]), (4, [2, 2]), (5, [2, 3]), (6, [2, 3, 1]), (12, [2, 3, 7])]
)
def test_rows_of_adaptive_composition(count: int, rows: list[int]) -> None:
    tops = [cell[1] for cell in places("ac", count)]
    assert [tops.count(top) for top in sorted(set(tops))] == rows
    lowest = max(cell[1] + cell[3] for cell in places("ac", count))
    assert lowest == 720


@pytest.mark.spec("POL-144")
def test_adaptive_composition_is_not_for_auditoriums() -> None:
    assert layouts.configured("five_mains_seven_pips", lecture=True).name == "1:7"
    assert layouts.configured("five_mains_seven_pips", lecture=False).name == "ac"
    assert layouts.configured("teams", lecture=False).name == "1:7"


def test_going_through_all_by_keypad() -> None:
    seen = ["1:7"]
    while (following := next_layout(seen[-1])) != "1:7":
        seen.append(following)
    assert seen == ["1:7", "ac", "1:21", "2:21", "4:0", "9:0", "16:0", "25:0", "1:0", "1:33"]
    assert next_layout("1:7", lecture=True) == "1:21"
    assert next_layout("2:8") == "1:7"


@EVERY
@pytest.mark.spec("POL-145")
def test_drawings_have_two_colours(layout: Layout) -> None:
    svg = layouts.drawing(layout)
    assert set(re.findall('fill="([^"]+)"', svg)) <= {"currentColor", "#BBBFC3"}
    assert svg.count("<rect") == len(layout.places)
