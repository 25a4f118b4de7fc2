"""From an arrangement to the picture: places, names, indicators, the watermark (CONF-069 to CONF-080). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from rostra.domain import theme as files
from rostra.domain.casting import Arrangement, Performer
from rostra.domain.layouts import Cell
from rostra.domain.look import Style
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH, Fit, Scene, Tile
from rostra.domain.theme import ThemeSettings

AVATARS: Final = 4
"""Audio-only participants that are drawn one by one; of more, the number (CONF-069)."""
_ICON: Final = 66
"""100 on a picture of 1920."""
_MARGIN: Final = 12
_COLUMN_TOP, _COLUMN_STEP = 112, 74
_NAME_WIDTH: Final = 320
_NAME_SIZE: Final = 22
_FRAME: Final = 4
_FRAME_COLOUR: Final = 0x39A0FF
_CORNER: Final = Cell(SCENE_WIDTH - 144, SCENE_HEIGHT - 88, 128, 72)
_OTHER_CORNER: Final = Cell(16, SCENE_HEIGHT - 88, 128, 72)
_WATERMARK: Final = Cell(37, 27, 133, 67)
"""Where it is on a main picture that fills everything (REF-060)."""
_INSET: Final = Cell(SCENE_WIDTH - 320, 0, 320, 180)
_BLACK: Final = 0x000000


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """An audio-only participant."""

    name: str
    speaking: bool = False


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
    if arrangement.cells and not around.theme.disable_watermark_icon:
        tiles.append(_watermark(arrangement.cells[0]))
    extra = 0
    if arrangement.hidden and style.plus_n:
        if len(arrangement.cells) > len(arrangement.shown):
            tiles += _count(arrangement.hidden, arrangement.cells[-1], around.theme)
        elif style.layout.counts_in_place or len(style.layout.places) <= 2:
            corner = _CORNER if len(style.layout.places) == 1 else _OTHER_CORNER
            tiles += _count(arrangement.hidden, corner, around.theme)
        else:  # past the twelfth they are like those without video (POL-154)
            extra = arrangement.hidden
    if style.indicators:
        tiles += indicators(around, extra)
    return Scene(tiles=tuple(tiles))


def indicators(around: Around, extra: int = 0) -> list[Tile]:
    """What is drawn over any picture of a conference; `extra` more are like those without video."""
    return [*_listeners(around.listeners, extra, around.theme), *_notes(around)]


def alone(image: str, around: Around, style: Style) -> Scene:
    """Nobody else can be seen: an image of the theme, with the audio indicators (CONF-074, REF-037)."""
    whole = Tile(x=0, y=0, width=SCENE_WIDTH, height=SCENE_HEIGHT, image=image, colour=0x0E1116)
    return Scene(tiles=(whole, *(indicators(around) if style.indicators else ())))


def presentation(slides: str, speaker: Performer | None, around: Around, style: Style) -> Scene:
    """For who gets one picture only: the presentation, and who speaks at its upper right (CONF-076).

    The presentation is never cropped (REF-135).
    """
    tiles = [
        Tile(
            source=slides, x=0, y=0, width=SCENE_WIDTH, height=SCENE_HEIGHT, fit=Fit.CONTAIN, colour=_BLACK,
            image=files.NO_PRESENTATION,
        )
    ]  # fmt: skip
    if speaker is not None:
        tiles += _picture(speaker, _INSET, speaker.name if style.names else "")
    if style.indicators:
        tiles += indicators(around)
    return Scene(tiles=tuple(tiles))


# ---- parts ------------------------------------------------------------------------------------------------


def _label(performer: Performer, at: int, arrangement: Arrangement, style: Style, around: Around) -> str:
    if style.texts:
        return style.texts[at] if at < len(style.texts) else ""
    marked = style.mark_speaker and performer.participant in around.speaking
    return performer.name if marked or (style.names and at < arrangement.large) else ""


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
    return Tile(
        x=main.x + _WATERMARK.x, y=main.y + _WATERMARK.y, width=_WATERMARK.width, height=_WATERMARK.height,
        colour=None, image=files.WATERMARK_ICON, fit=Fit.CORNER,
    )  # fmt: skip


def _count(number: int, cell: Cell, theme: ThemeSettings) -> list[Tile]:
    return [
        Tile(
            x=cell.x, y=cell.y, width=cell.width, height=cell.height, image=files.PLUS_N, text=f"+{number}",
            text_colour=theme.plus_n_indicator_text_color, text_size=round(cell.height * 0.42),
        )
    ]  # fmt: skip


def _listeners(listeners: Sequence[Listener], extra: int, theme: ThemeSettings) -> list[Tile]:
    """Down the left side; who speaks has the name out, and of many there is only the number (CONF-069, CONF-070)."""
    if len(listeners) + extra > AVATARS:
        number = str(len(listeners) + extra)
        return [_icon(0, files.AUDIO_INDICATOR), *_slide_out(0, number, theme, theme.indicator_num_color)]
    tiles: list[Tile] = []
    for at, listener in enumerate(listeners):
        tiles.append(_icon(at, files.AUDIO_INDICATOR))
        if listener.speaking:
            tiles += _slide_out(at, listener.name, theme, 0xFFFFFF)
    if extra:
        tiles += [
            _icon(len(listeners), files.AUDIO_INDICATOR),
            *_slide_out(len(listeners), f"+{extra}", theme, theme.indicator_num_color),
        ]
    return tiles


def _icon(at: int, image: str, x: int = _MARGIN) -> Tile:
    return Tile(
        x=x, y=_COLUMN_TOP + at * _COLUMN_STEP, width=_ICON, height=_ICON, colour=None, image=image, fit=Fit.CONTAIN
    )


def _slide_out(at: int, text: str, theme: ThemeSettings, colour: int) -> list[Tile]:
    if not text:
        return []
    return [
        Tile(
            x=_MARGIN + _ICON + 4, y=_COLUMN_TOP + at * _COLUMN_STEP + 12, width=_NAME_WIDTH, height=42, colour=None,
            text=text, text_colour=colour, text_size=_NAME_SIZE, backdrop=theme.indicator_num_bg_color,
        )
    ]  # fmt: skip


def _notes(around: Around) -> list[Tile]:
    """Down the right side: streaming or recording (CONF-075, REF-053), then what else is to be known."""
    captions: list[tuple[str, bool]] = []
    if around.streaming or around.recording:
        caption = around.theme.streaming_indicator_text if around.streaming else RECORDING
        captions.append((caption if around.announced else "", True))
    captions += [(note, False) for note in around.notes]
    tiles: list[Tile] = []
    for at, (caption, with_icon) in enumerate(captions):
        width = min(_NAME_WIDTH, 26 + 12 * len(caption)) if caption else 0
        edge = SCENE_WIDTH - _MARGIN - width
        if with_icon:
            edge -= _ICON + (4 if width else 0)
            tiles.append(_icon(at, files.STREAMING_INDICATOR, edge))
        if caption:
            tiles.append(
                Tile(
                    x=SCENE_WIDTH - _MARGIN - width, y=_COLUMN_TOP + at * _COLUMN_STEP + 12, width=width, height=42,
                    colour=None, text=caption, text_size=_NAME_SIZE, backdrop=around.theme.indicator_num_bg_color,
                )
            )  # fmt: skip
    return tiles


def sources(scene: Scene) -> Collection[str]:
    """Whose pictures are in it."""
    return {tile.source for tile in scene.tiles if tile.source}
