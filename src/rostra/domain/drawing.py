"""From an arrangement to the picture: places, names, indicators, the watermark (CONF-069 to CONF-080). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from rostra.domain import theme as files
from rostra.domain.casting import Arrangement, Performer
from rostra.domain.layouts import Cell, scaled
from rostra.domain.look import Style
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH, Fit, Scene, Tile, strip
from rostra.domain.theme import ThemeSettings

AVATARS: Final = 4
"""Audio-only participants that are drawn one by one; of more, the number (CONF-069)."""
_ICON: Final = 66
"""100 on a picture of 1920."""
_MARGIN: Final = 12
_COLUMN_TOP, _COLUMN_STEP = 112, 74
_NAME_WIDTH: Final = 320
_COLUMN_WIDTH: Final = _MARGIN + _ICON + 4 + _NAME_WIDTH
"""Of an icon with what is written beside it."""
_NAME_SIZE: Final = 22
_FRAME: Final = 4
_FRAME_COLOUR: Final = 0x39A0FF
_CORNER_WIDTH, _CORNER_HEIGHT = 128, 72
_CORNER_GAP: Final = 16
_STRIP: Final = strip(SCENE_HEIGHT)
"""Height of the name along the bottom of a picture that fills everything."""
_READABLE_WIDTH, _READABLE_HEIGHT = 160, 90
"""Smaller pictures bear no names: there is no room for letters that can be read."""
_WATERMARK: Final = Cell(37, 27, 133, 67)
"""Where it is on a main picture that fills everything (REF-060)."""
_SMALL_MAIN: Final = 640
"""Main pictures less wide than this have a smaller watermark: it would hide who is in it."""
_INSET_WIDTH, _INSET_HEIGHT = 320, 180
_BLACK: Final = 0x000000


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """An audio-only participant."""

    name: str
    speaking: bool = False
    image: str = ""
    """Of its face; empty: an icon."""


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn besides people."""

    theme: ThemeSettings = ThemeSettings()
    listeners: tuple[Listener, ...] = ()
    speaking: frozenset[str] = frozenset()
    """Participants who speak now."""
    streaming: bool = False
    recording: bool = False
    announced: bool = False
    """The caption of the streaming indicator is out: it has just begun."""
    notes: tuple[str, ...] = ()


RECORDING: Final = "Recording enabled"


def draw(arrangement: Arrangement, style: Style, around: Around) -> Scene:
    """The picture of an arrangement that shows somebody."""
    tiles: list[Tile] = []
    for at, (performer, cell) in enumerate(zip(arrangement.shown, arrangement.cells, strict=False)):
        tiles += _picture(performer, cell, _label(performer, at, arrangement, style, around))
        if style.mark_speaker and performer.participant in around.speaking:
            tiles += _frame(cell)
    top = _COLUMN_TOP
    if arrangement.cells and not around.theme.disable_watermark_icon:
        mark = _watermark(arrangement.cells[0])
        tiles.append(mark)
        if mark.x < _MARGIN + _ICON:
            top = max(top, mark.y + mark.height + 8)
    extra = 0
    if arrangement.hidden and style.plus_n:
        if len(arrangement.cells) > len(arrangement.shown):
            tiles += _count(arrangement.hidden, arrangement.cells[-1], around.theme)
        elif style.layout.counts_in_place or len(style.layout.places) <= 2:
            tiles += _count(arrangement.hidden, _corner(style), around.theme)
        else:  # past the twelfth they are like those without video (POL-154)
            extra = arrangement.hidden
    if style.indicators:
        names = [
            Cell(one.x, one.y + one.height - strip(one.height), one.width, strip(one.height))
            for one in tiles
            if one.label and one.text
        ]
        tiles += indicators(around, style.width, extra, left_top=top, names=names)
    return Scene(width=style.width, tiles=tuple(tiles))


def indicators(
    around: Around, width: int, extra: int = 0, *, left_top: int = _COLUMN_TOP, right_top: int = _COLUMN_TOP,
    names: Sequence[Cell] = (),
) -> list[Tile]:  # fmt: skip
    """What is drawn over any picture of a conference of that width; `extra` more are like those without video.

    Both sides begin below what is in the corners, and lie over no `names` written there.
    """
    left = _column(left_top, 0, names)
    right = _column(right_top, width - _COLUMN_WIDTH, names)
    return [*_listeners(around.listeners, extra, around.theme, left), *_notes(around, width, right)]


def _column(top: int, left: int, names: Sequence[Cell]) -> list[int]:
    """Upper edges of what is drawn one below the other, as many as there is room for."""
    within = [name for name in names if name.x < left + _COLUMN_WIDTH and name.x + name.width > left]
    found: list[int] = []
    y = top
    while y + _ICON <= SCENE_HEIGHT:
        over = [name.y + name.height for name in within if name.y < y + _ICON and name.y + name.height > y]
        if over:
            y = max(over) + _COLUMN_STEP - _ICON
        else:
            found.append(y)
            y += _COLUMN_STEP
    return found


def alone(image: str, around: Around, style: Style) -> Scene:
    """Nobody else can be seen: an image of the theme, with the audio indicators (CONF-074, REF-037)."""
    whole = Tile(x=0, y=0, width=style.width, height=SCENE_HEIGHT, image=image, colour=0x0E1116)
    return Scene(width=style.width, tiles=(whole, *(indicators(around, style.width) if style.indicators else ())))


def presentation(slides: str, speaker: Performer | None, around: Around, style: Style) -> Scene:
    """For who gets one picture only: the presentation, and who speaks at its upper right (CONF-076).

    The presentation is never cropped (REF-135).
    """
    tiles = [
        Tile(
            source=slides, x=0, y=0, width=style.width, height=SCENE_HEIGHT, fit=Fit.CONTAIN, colour=_BLACK,
            image=files.NO_PRESENTATION,
        )
    ]  # fmt: skip
    if speaker is not None:
        inset = scaled(Cell(SCENE_WIDTH - _INSET_WIDTH, 0, _INSET_WIDTH, _INSET_HEIGHT), style.width, SCENE_HEIGHT)
        tiles += _picture(speaker, inset, speaker.name if style.names else "")
    if style.indicators:
        tiles += indicators(around, style.width, right_top=_INSET_HEIGHT + _MARGIN if speaker else _COLUMN_TOP)
    return Scene(width=style.width, tiles=tuple(tiles))


# ---- parts ------------------------------------------------------------------------------------------------


def _label(performer: Performer, at: int, arrangement: Arrangement, style: Style, around: Around) -> str:
    if style.texts:
        return style.texts[at] if at < len(style.texts) else ""
    marked = style.mark_speaker and performer.participant in around.speaking
    cell = arrangement.cells[at]
    readable = at < arrangement.large or (cell.width >= _READABLE_WIDTH and cell.height >= _READABLE_HEIGHT)
    return performer.name if marked or (style.names and readable) else ""


def _picture(performer: Performer, cell: Cell, label: str) -> list[Tile]:
    icon = Tile(
        x=cell.x, y=cell.y, width=cell.width, height=cell.height, text=label, label=True, image=files.NO_INCOMING_VIDEO,
        fit=Fit.ICON,
    )  # fmt: skip
    if not performer.source:
        return [icon]
    return [msgspec.structs.replace(icon, source=performer.source, fit=Fit.COVER, frozen=performer.frozen)]


def _frame(cell: Cell) -> list[Tile]:
    right, bottom = cell.x + cell.width - _FRAME, cell.y + cell.height - _FRAME
    return [
        Tile(x=x, y=y, width=width, height=height, colour=_FRAME_COLOUR)
        for x, y, width, height in (
            (cell.x, cell.y, cell.width, _FRAME),
            (cell.x, bottom, cell.width, _FRAME),
            (cell.x, cell.y, _FRAME, cell.height),
            (right, cell.y, _FRAME, cell.height),
        )
    ]


def _watermark(main: Cell) -> Tile:
    share = min(1.0, main.width / _SMALL_MAIN)
    x, y, width, height = (
        round(length * share) for length in (_WATERMARK.x, _WATERMARK.y, _WATERMARK.width, _WATERMARK.height)
    )
    return Tile(
        x=main.x + x, y=main.y + y, width=width, height=height, colour=None, image=files.WATERMARK_ICON,
        fit=Fit.CORNER,
    )  # fmt: skip


def _corner(style: Style) -> Cell:
    """Where the number of the others is when it is in no place of a picture: right or left, above a name."""
    right = len(style.layout.places) == 1
    x = style.width - _CORNER_WIDTH - _CORNER_GAP if right else _CORNER_GAP
    named = style.names or style.mark_speaker or bool(style.texts)
    y = SCENE_HEIGHT - _CORNER_HEIGHT - (_STRIP + _CORNER_GAP // 2 if named else _CORNER_GAP)
    return Cell(x, y, _CORNER_WIDTH, _CORNER_HEIGHT)


def _count(number: int, cell: Cell, theme: ThemeSettings) -> list[Tile]:
    return [
        Tile(
            x=cell.x, y=cell.y, width=cell.width, height=cell.height, image=files.PLUS_N, text=f"+{number}",
            text_colour=theme.plus_n_indicator_text_color, text_size=round(cell.height * 0.42),
        )
    ]  # fmt: skip


def _listeners(listeners: Sequence[Listener], extra: int, theme: ThemeSettings, places: Sequence[int]) -> list[Tile]:
    """Down the left side; who speaks has the name out, and of many there is only the number (CONF-069, CONF-070)."""
    if len(listeners) + (extra > 0) > len(places) or len(listeners) + extra > AVATARS:
        number, top = str(len(listeners) + extra), places[0] if places else _COLUMN_TOP
        return [_icon(top, files.AUDIO_INDICATOR), *_slide_out(top, number, theme, theme.indicator_num_color)]
    tiles: list[Tile] = []
    for y, listener in zip(places, listeners, strict=False):
        tiles.append(_icon(y, listener.image or files.AUDIO_INDICATOR))
        if listener.speaking:
            tiles += _slide_out(y, listener.name, theme, 0xFFFFFF)
    if extra:
        y = places[len(listeners)]
        tiles += [
            _icon(y, files.AUDIO_INDICATOR), *_slide_out(y, f"+{extra}", theme, theme.indicator_num_color),
        ]  # fmt: skip
    return tiles


def _icon(y: int, image: str, x: int = _MARGIN) -> Tile:
    return Tile(x=x, y=y, width=_ICON, height=_ICON, colour=None, image=image, fit=Fit.CONTAIN)


def _slide_out(y: int, text: str, theme: ThemeSettings, colour: int) -> list[Tile]:
    if not text:
        return []
    return [
        Tile(
            x=_MARGIN + _ICON + 4, y=y + 12, width=_NAME_WIDTH, height=42, colour=None, text=text, text_colour=colour,
            text_size=_NAME_SIZE, backdrop=theme.indicator_num_bg_color,
        )
    ]  # fmt: skip


def _notes(around: Around, right: int, places: Sequence[int]) -> list[Tile]:
    """Down the right side: streaming or recording (CONF-075, REF-053), then what else is to be known."""
    captions: list[tuple[str, bool]] = []
    if around.streaming or around.recording:
        caption = around.theme.streaming_indicator_text if around.streaming else RECORDING
        captions.append((caption if around.announced else "", True))
    captions += [(note, False) for note in around.notes]
    tiles: list[Tile] = []
    for y, (caption, with_icon) in zip(places, captions, strict=False):
        width = min(_NAME_WIDTH, 26 + 12 * len(caption)) if caption else 0
        edge = right - _MARGIN - width
        if with_icon:
            edge -= _ICON + (4 if width else 0)
            tiles.append(_icon(y, files.STREAMING_INDICATOR, edge))
        if caption:
            tiles.append(
                Tile(
                    x=right - _MARGIN - width, y=y + 12, width=width, height=42, colour=None, text=caption,
                    text_size=_NAME_SIZE, backdrop=around.theme.indicator_num_bg_color, at_right=not with_icon,
                )
            )  # fmt: skip
    return tiles


def sources(scene: Scene) -> Collection[str]:
    """Whose pictures are in it."""
    return {tile.source for tile in scene.tiles if tile.source}
