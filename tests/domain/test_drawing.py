"""What is drawn over pictures stays out of the way of each other."""

from __future__ import annotations

import pytest

from rostra.domain import theme
from rostra.domain.casting import Audience, Performer, arrange, line_up
from rostra.domain.drawing import Around, Listener, alone, draw, presentation
from rostra.domain.layouts import LAYOUTS, Layout, find
from rostra.domain.look import Style
from rostra.domain.scene import Scene, Tile, strip

AROUND = Around(
    listeners=tuple(Listener(name=f"Listener {i}", speaking=True) for i in range(4)), streaming=True, announced=True,
    notes=("Transcribing", "Live captions", "AI assistant"),
)  # fmt: skip
EVERY = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)


def performers(count: int) -> list[Performer]:
    return [Performer(participant=f"p{i}", source=f"s{i}", name=f"Person {i}") for i in range(count)]


def scene(layout: Layout, count: int, width: int = 1280, names: bool = True) -> Scene:
    style = Style(layout=layout, names=names, width=width)
    return draw(arrange(line_up(performers(count), [], Audience.ALL), None, style), style, AROUND)


def overlap(one: Tile, other: Tile) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def images(drawn: Scene, name: str) -> list[Tile]:
    return [tile for tile in drawn.tiles if tile.image == name]


@EVERY
@pytest.mark.parametrize("count", [1, 2, 5, 9, 23, 30])
@pytest.mark.parametrize("width", [1280, 960])
@pytest.mark.spec("REF-060")
def test_indicators_hide_neither_watermark_nor_each_other(layout: Layout, count: int, width: int) -> None:
    drawn = scene(layout, count, width)
    assert drawn.width == width
    assert all(tile.x >= 0 and tile.x + tile.width <= width for tile in drawn.tiles)
    assert all(tile.y >= 0 and tile.y + tile.height <= 720 for tile in drawn.tiles)
    (mark,) = images(drawn, theme.WATERMARK_ICON)
    icons = images(drawn, theme.AUDIO_INDICATOR) + images(drawn, theme.STREAMING_INDICATOR)
    assert not [icon for icon in icons if overlap(icon, mark)]
    assert not [(a, b) for a in icons for b in icons if a is not b and overlap(a, b)]
    main = drawn.tiles[0]
    assert overlap(mark, main)
    assert mark.width <= main.width / 3, "it hides who is in the main picture"


@EVERY
@pytest.mark.parametrize("count", [1, 2, 5, 9, 23, 30])
@pytest.mark.parametrize("width", [1280, 960])
@pytest.mark.spec("SVC-032", "CONF-080")
def test_names_are_on_all_pictures_with_room_for_them_and_nothing_is_over_them(
    layout: Layout, count: int, width: int
) -> None:
    drawn = scene(layout, count, width)
    pictures = [tile for tile in drawn.tiles if tile.source]
    named = [tile for tile in pictures if tile.text]
    assert named[: len(layout.mains)] == pictures[: len(layout.mains)]
    assert all((tile in named) is (tile.width >= 160) for tile in pictures[len(layout.mains) :])
    strips = [
        Tile(x=one.x, y=one.y + one.height - strip(one.height), width=one.width, height=strip(one.height))
        for one in named
    ]
    icons = images(drawn, theme.AUDIO_INDICATOR) + images(drawn, theme.STREAMING_INDICATOR)
    written = [tile for tile in drawn.tiles if tile.backdrop]
    assert len(images(drawn, theme.AUDIO_INDICATOR)) in (1, 4)
    assert len(written) >= len(icons)
    assert not [(one, name) for one in icons + written for name in strips if overlap(one, name)]


@pytest.mark.spec("CONF-083", "POL-150")
def test_the_number_in_a_corner_is_not_over_a_name() -> None:
    for name, left in (("1:0", False), ("1:1", True)):
        layout = find(name)
        assert layout
        for width in (1280, 960):
            for names, bottom in ((True, 664), (False, 704)):
                (count,) = images(scene(layout, 5, width, names), theme.PLUS_N)
                assert (count.y + count.height, count.x == 16) == (bottom, left)
                assert left or count.x + count.width == width - 16


@pytest.mark.spec("REF-135", "CONF-076")
def test_a_presentation_is_whole_and_the_speaker_is_at_its_upper_right() -> None:
    layout = LAYOUTS[1]
    for width in (1280, 960):
        drawn = presentation("slides", performers(1)[0], AROUND, Style(layout=layout, width=width))
        slides, inset = (tile for tile in drawn.tiles if tile.source)
        assert (slides.fit, slides.width, inset.fit) == ("contain", width, "cover")
        assert (inset.x + inset.width, inset.y) == (width, 0)
        assert not [tile for tile in images(drawn, theme.STREAMING_INDICATOR) if overlap(tile, inset)]
        whole = alone(theme.NO_OTHERS, AROUND, Style(layout=layout, width=width))
        assert (whole.width, whole.tiles[0].width) == (width, width)
