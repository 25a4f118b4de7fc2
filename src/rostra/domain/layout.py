"""From who is there and who spoke last to what each viewer sees (CONF-082…CONF-085, POL-151, POL-153). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH, Fit, Scene, Tile


class Performer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose picture can be shown."""

    participant: str
    source: str
    """Id of the leg that brings the picture."""
    name: str = ""


class Geometry(msgspec.Struct, frozen=True, kw_only=True):
    """A layout: one main picture over rows of thumbnails."""

    name: str
    view: str
    """Name in `layout` events (POL sheet, table of layouts)."""
    per_row: int
    rows: int
    thumbnail_width: int
    thumbnail_height: int
    gap: int

    @property
    def thumbnails(self) -> int:
        return self.per_row * self.rows


ONE_MAIN = Geometry(
    name="one_main_zero_pips", view="1:0", per_row=0, rows=0, thumbnail_width=0, thumbnail_height=0, gap=0
)
ONE_MAIN_SEVEN = Geometry(
    name="one_main_seven_pips", view="1:7", per_row=7, rows=1, thumbnail_width=176, thumbnail_height=98, gap=6
)
ONE_MAIN_TWENTYONE = Geometry(
    name="one_main_twentyone_pips", view="1:21", per_row=7, rows=3, thumbnail_width=176, thumbnail_height=98, gap=6
)
GEOMETRIES: Mapping[str, Geometry] = {g.name: g for g in (ONE_MAIN, ONE_MAIN_SEVEN, ONE_MAIN_TWENTYONE)}


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """What one viewer sees, by participant: main first, then thumbnails from the left."""

    shown: tuple[Performer, ...] = ()
    hidden: int = 0
    """How many more there are; with any, the last thumbnail shows this count (CONF-073)."""


def by_recent_speech(performers: Sequence[Performer], order: Sequence[str]) -> list[Performer]:
    """Most recent speaker first; those who never spoke after them, in order of joining."""
    rank = {who: index for index, who in enumerate(order)}
    return sorted(performers, key=lambda performer: rank.get(performer.participant, len(rank)))


def arrange(performers: Sequence[Performer], viewer: str | None, geometry: Geometry) -> Arrangement:
    """What `viewer` (None: somebody without a picture of its own) sees of `performers`, in their given order.

    Nobody sees himself; so the main picture of the current speaker is the previous one (CONF-083, POL-153).
    """
    others = [performer for performer in performers if performer.participant != viewer]
    places = 1 + geometry.thumbnails
    if len(others) <= places or geometry.thumbnails == 0:
        return Arrangement(shown=tuple(others[:places]), hidden=max(0, len(others) - places))
    return Arrangement(shown=tuple(others[: places - 1]), hidden=len(others) - (places - 1))


def draw(arrangement: Arrangement, geometry: Geometry, *, names: bool = False) -> Scene:
    """The picture of an arrangement. `names`: draw them (CONF-080; off by default)."""
    if not arrangement.shown:
        return notice("")
    main, *thumbnails = arrangement.shown
    cells = len(thumbnails) + bool(arrangement.hidden and geometry.thumbnails)
    rows = -(-cells // geometry.per_row) if cells else 0
    reserved = rows * (geometry.thumbnail_height + geometry.gap) + (geometry.gap if rows else 0)
    height = _even(SCENE_HEIGHT - reserved)
    width = _even(min(SCENE_WIDTH, height * SCENE_WIDTH // SCENE_HEIGHT))
    tiles = [_tile(main, _even((SCENE_WIDTH - width) // 2), 0, width, height, names)]
    for index in range(cells):
        x, y = _cell(index, cells, height, geometry)
        if index < len(thumbnails):
            performer = thumbnails[index]
            tiles.append(_tile(performer, x, y, geometry.thumbnail_width, geometry.thumbnail_height, names))
        else:
            tiles.append(
                Tile(
                    x=x, y=y, width=geometry.thumbnail_width, height=geometry.thumbnail_height,
                    text=f"+{arrangement.hidden}",
                )
            )  # fmt: skip
    return Scene(tiles=tuple(tiles))


def _cell(index: int, cells: int, main_height: int, geometry: Geometry) -> tuple[int, int]:
    """Top left corner of a thumbnail; each row is centred."""
    row, column = divmod(index, geometry.per_row)
    in_row = min(cells - row * geometry.per_row, geometry.per_row)
    pitch = geometry.thumbnail_width + geometry.gap
    left = (SCENE_WIDTH - (in_row * pitch - geometry.gap)) // 2
    return _even(left + column * pitch), _even(
        main_height + geometry.gap + row * (geometry.thumbnail_height + geometry.gap)
    )


def _tile(performer: Performer, x: int, y: int, width: int, height: int, names: bool) -> Tile:
    return Tile(
        source=performer.source, x=x, y=y, width=width, height=height, fit=Fit.COVER,
        text=performer.name if names else "",
    )  # fmt: skip


def _even(pixels: int) -> int:
    """4:2:0 pictures have colour for every second pixel only."""
    return pixels - pixels % 2


def notice(text: str) -> Scene:
    """A picture without people: waiting, alone, PIN entry."""
    tile = Tile(x=0, y=0, width=SCENE_WIDTH, height=SCENE_HEIGHT, text=text, colour=0x0E1116)
    return Scene(tiles=(tile,) if text else ())


def loop(source: str) -> Scene:
    """The test call: the caller sees itself."""
    return Scene(tiles=(Tile(source=source, x=0, y=0, width=SCENE_WIDTH, height=SCENE_HEIGHT, fit=Fit.CONTAIN),))
