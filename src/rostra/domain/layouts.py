"""The layouts there are: their names, and where their pictures go (POL sheet, 14.1 to 14.3). Pure.

Everything is in pixels of a picture of 1280 by 720.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH


class Cell(msgspec.Struct, frozen=True):
    """A place for one picture."""

    x: int
    y: int
    width: int
    height: int


class Family(enum.Enum):
    """How a layout changes with the number of pictures."""

    SPEAKER = enum.auto()
    """Large pictures of who speaks and small ones of others; cells never move."""
    EQUAL = enum.auto()
    """The smallest grid that holds all."""
    ADAPTIVE = enum.auto()
    """Rows of different sizes that share the picture."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A layout at its largest."""

    key: str
    """Name in configuration and policy."""
    name: str
    """Name in the client API (API-121)."""
    label: str
    """Name that people read."""
    aliases: tuple[str, ...] = ()
    mains: tuple[Cell, ...]
    pips: tuple[Cell, ...] = ()
    family: Family = Family.SPEAKER

    @property
    def places(self) -> tuple[Cell, ...]:
        return self.mains + self.pips

    @property
    def tags(self) -> tuple[str, ...]:
        return ("equal",) if self.family is Family.EQUAL else ()

    @property
    def counts_in_place(self) -> bool:
        """Does the number of those not shown take the last cell? Else it is in a corner (POL-150)."""
        return len(self.places) > 2 and self.family is not Family.ADAPTIVE

    def cells(self, pictures: int) -> tuple[Cell, ...]:
        """Where that many pictures go, in display order; no more than there are places."""
        pictures = max(0, min(pictures, len(self.places)))
        if self.family is Family.EQUAL:
            return _grid(pictures)
        if self.family is Family.ADAPTIVE:
            return _adaptive(pictures)
        if pictures == 1 and len(self.mains) == 2 and self.pips:
            return _LONE  # one of two mains alone would hang at the left (CONF-086: as 1+21)
        return self.places[:pictures]


def scaled(cell: Cell, width: int, height: int) -> Cell:
    """A cell on a picture of another size; its size is even there (sheet 11, 14.2)."""
    if (width, height) == (SCENE_WIDTH, SCENE_HEIGHT):
        return cell
    return Cell(
        cell.x * width // SCENE_WIDTH,
        cell.y * height // SCENE_HEIGHT,
        cell.width * width // SCENE_WIDTH // 2 * 2,
        cell.height * height // SCENE_HEIGHT // 2 * 2,
    )


# ---- geometry ---------------------------------------------------------------------------------------------


def _pips(rows: Sequence[int], columns: Sequence[int] = range(7)) -> tuple[Cell, ...]:
    """Small pictures with their upper edges at `rows`, left to right and row by row."""
    return tuple(Cell(183 * column, row, 182, 102) for row in rows for column in columns)


_AREA: Final = Cell(0, 0, SCENE_WIDTH, SCENE_HEIGHT)
_LONE: Final = (Cell(276, 0, 728, 410),)
_THREE_ROWS: Final = (412, 515, 618)
_GRIDS: Final[Sequence[tuple[Sequence[int], Sequence[int], int, int]]] = (
    ((0,), (0,), SCENE_WIDTH, SCENE_HEIGHT),
    ((0, 641), (0, 361), 639, 359),
    ((0, 427, 855), (0, 241, 482), 425, 238),
    ((0, 321, 641, 962), (0, 181, 361, 542), 318, 178),
    ((0, 257, 513, 770, 1026), (0, 145, 289, 434, 578), 254, 142),
)
"""Of 1, 4, 9, 16 and 25 equal cells: left edges, upper edges, width, height."""


def _equal(side: int) -> tuple[Cell, ...]:
    lefts, tops, width, height = _GRIDS[side - 1]
    return tuple(Cell(x, y, width, height) for y in tops for x in lefts)


def _grid(pictures: int) -> tuple[Cell, ...]:
    """The smallest grid that holds them; what it leaves empty is shared by both sides (POL-149)."""
    side = next(side for side in range(1, 6) if side * side >= pictures)
    lefts, tops, width, height = _GRIDS[side - 1]
    rows = -(-pictures // side)
    down = (SCENE_HEIGHT - tops[rows - 1] - height) // 2 if pictures else 0
    cells: list[Cell] = []
    for row in range(rows):
        columns = min(side, pictures - row * side)
        across = (SCENE_WIDTH - lefts[columns - 1] - width) // 2 if columns < side else 0
        cells += [Cell(x + across, tops[row] + down, width, height) for x in lefts[:columns]]
    return tuple(cells)


_TWO: Final = (Cell(0, 0, 638, 359), Cell(642, 0, 638, 359))
_THREE: Final = tuple(Cell(x, 369, 425, 239) for x in (0, 427, 855))
_FULL: Final = (*_TWO, *_THREE, *_pips((618,)))


def _adaptive(pictures: int) -> tuple[Cell, ...]:
    """Rows of 1 to 3 pictures that fill everything, and from six on a row of small ones (POL-157)."""
    if pictures > 5:
        small = pictures - 5
        left = (SCENE_WIDTH - (183 * small - 1)) // 2 if small < 7 else 0
        return (*_TWO, *_THREE, *(Cell(left + 183 * at, 618, 182, 102) for at in range(small)))
    rows = {0: (), 1: (1,), 2: (2,), 3: (1, 2), 4: (2, 2), 5: (2, 3)}[pictures]
    natural = [{1: 720, 2: 359, 3: 239}[columns] for columns in rows]
    gap = 2
    free = SCENE_HEIGHT - gap * (len(rows) - 1)
    cells: list[Cell] = []
    top = 0
    for at, columns in enumerate(rows):
        last = at == len(rows) - 1
        height = SCENE_HEIGHT - top if last else free * natural[at] // sum(natural)
        row = {1: (_AREA,), 2: _TWO, 3: _THREE}[columns]
        cells += [Cell(cell.x, top, cell.width, height) for cell in row]
        top += height + gap
    return tuple(cells)


def _of_grid(side: int, *places: tuple[int, int]) -> tuple[Cell, ...]:
    """Cells of a grid, by column and row."""
    lefts, tops, width, height = _GRIDS[side - 1]
    return tuple(Cell(lefts[column], tops[row], width, height) for column, row in places)


def _block(side: int, column: int, row: int, size: int = 2) -> Cell:
    """Several cells of a grid as one."""
    lefts, tops, width, height = _GRIDS[side - 1]
    last = size - 1
    return Cell(
        lefts[column], tops[row], lefts[column + last] + width - lefts[column], tops[row + last] + height - tops[row]
    )


_AROUND: Final = (
    *((column, 0) for column in range(4)), (3, 1), (3, 2), *((column, 3) for column in (3, 2, 1, 0)), (0, 2), (0, 1),
)  # fmt: skip
_CORNER: Final = (*((4, row) for row in range(5)), *((column, 4) for column in (3, 2, 1, 0)))

LAYOUTS: Final = (
    Layout(key="one_main_zero_pips", name="1:0", label="One large, no small pictures", mains=(_AREA,)),
    Layout(
        key="one_main_seven_pips", name="1:7", label="One large and up to 7 small pictures",
        mains=(Cell(92, 0, 1096, 616),), pips=_pips((618,)),
    ),
    Layout(
        key="one_main_twentyone_pips", name="1:21", label="One large and up to 21 small pictures",
        mains=_LONE, pips=_pips(_THREE_ROWS),
    ),
    Layout(
        key="two_mains_twentyone_pips", name="2:21", label="Two large and up to 21 small pictures",
        mains=(Cell(0, 25, 639, 359), Cell(641, 25, 639, 359)), pips=_pips(_THREE_ROWS),
    ),
    Layout(
        key="one_main_thirtythree_pips", name="1:33", label="One large and up to 33 small pictures",
        mains=(Cell(0, 0, 731, 411),), pips=(*_pips((0, 103, 206, 309), (4, 5, 6)), *_pips(_THREE_ROWS)),
    ),
    Layout(
        key="four_mains_zero_pips", name="4:0", aliases=("2x2",), label="Up to 4 equal pictures",
        mains=_equal(2), family=Family.EQUAL,
    ),
    Layout(
        key="nine_mains_zero_pips", name="9:0", aliases=("3x3",), label="Up to 9 equal pictures",
        mains=_equal(3), family=Family.EQUAL,
    ),
    Layout(
        key="sixteen_mains_zero_pips", name="16:0", aliases=("4x4",), label="Up to 16 equal pictures",
        mains=_equal(4), family=Family.EQUAL,
    ),
    Layout(
        key="twentyfive_mains_zero_pips", name="25:0", aliases=("5x5",), label="Up to 25 equal pictures",
        mains=_equal(5), family=Family.EQUAL,
    ),
    Layout(
        key="five_mains_seven_pips", name="ac", aliases=("5:7",), label="Adaptive composition",
        mains=(*_TWO, *_THREE), pips=_pips((618,)), family=Family.ADAPTIVE,
    ),
    Layout(
        key="one_main_one_pip", name="1:1", label="One large picture with a small one in it",
        mains=(_AREA,), pips=(Cell(944, 526, 320, 180),),
    ),
    Layout(
        key="one_main_nine_around", name="1:9", label="One large picture with 9 around it",
        mains=(Cell(0, 0, 1024, 576),), pips=_of_grid(5, *_CORNER),
    ),
    Layout(
        key="one_main_twelve_around", name="1:12", label="One large picture with 12 around it",
        mains=(_block(4, 1, 1),), pips=_of_grid(4, *_AROUND),
    ),
    Layout(
        key="two_mains_eight_around", name="2:8", label="Two large pictures with 8 around them",
        mains=(_block(4, 0, 1), _block(4, 2, 1)),
        pips=_of_grid(4, *((column, row) for row in (0, 3) for column in range(4))),
    ),
)  # fmt: skip
"""All layouts. Names of the last four in the client API are our own: no client is known to use them."""

ONE_MAIN: Final = LAYOUTS[0]
DEFAULT: Final = LAYOUTS[1]
ADAPTIVE: Final = next(layout for layout in LAYOUTS if layout.family is Family.ADAPTIVE)

_BY_NAME: Final[Mapping[str, Layout]] = {
    name: layout for layout in LAYOUTS for name in (layout.key, layout.name, *layout.aliases)
}
CYCLE: Final = ("1:7", "ac", "1:21", "2:21", "4:0", "9:0", "16:0", "25:0", "1:0", "1:33")
"""What `*8` goes through (POL sheet, 14.4)."""


def find(name: str) -> Layout | None:
    """The layout of a name in configuration, a name of the client API or an alias of that (POL-146)."""
    return _BY_NAME.get(name)


def allowed(layout: Layout, *, lecture: bool) -> bool:
    """Adaptive Composition is not for auditoriums (POL-144)."""
    return not (lecture and layout.family is Family.ADAPTIVE)


def configured(token: str, *, lecture: bool) -> Layout:
    """What a service has; the default where that cannot be drawn."""
    layout = find(token)
    return layout if layout is not None and allowed(layout, lecture=lecture) else DEFAULT


def next_layout(name: str, *, lecture: bool = False) -> str:
    """The layout that follows when a Host goes through them by keypad."""
    layout = find(name)
    at = CYCLE.index(layout.name) if layout and layout.name in CYCLE else -1
    following = (*CYCLE[at + 1 :], *CYCLE[: at + 1])
    return next(other for other in following if allowed(_BY_NAME[other], lecture=lecture))


def drawing(layout: Layout) -> str:
    """The layout as SVG text, large pictures in the colour of the text around it (POL-145)."""
    scale = 10
    parts = [
        f'<rect x="{cell.x / scale:g}" y="{cell.y / scale:g}" width="{cell.width / scale:g}" '
        f'height="{cell.height / scale:g}" fill="{"currentColor" if at < len(layout.mains) else "#BBBFC3"}"/>'
        for at, cell in enumerate(layout.places)
    ]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 72">{"".join(parts)}</svg>'
