"""Pictures that differ from those of all others: a layout of one's own, and being on hold."""

from __future__ import annotations

import msgspec
import pytest
from tests.conference.test_picture import SERVICE, images, pictures, program, seat

from rostra.conference.picture import ON_HOLD
from rostra.domain import theme
from rostra.domain.backplane import quality
from rostra.domain.vocabulary import ServiceType


@pytest.mark.spec("API-126")
def test_a_layout_of_ones_own_changes_nobody_elses_picture() -> None:
    before = program([seat(i) for i in range(6)], ["p3"])
    seats = [seat(i, mix_layout="4:0", mix_name="main.!personal") if i == 0 else seat(i) for i in range(6)]
    made = program(seats, ["p3"])
    assert made.layouts["p0"][0] == "4:0"
    assert pictures(made, "c0") == ["c3", "c1", "c2"]  # and how many more
    assert "c0" not in pictures(made, "c0")
    for other in range(1, 6):
        assert made.layouts[f"p{other}"] == before.layouts[f"p{other}"]
        assert pictures(made, f"c{other}") == pictures(before, f"c{other}")


def test_an_own_composition_without_a_layout_looks_like_that_of_all() -> None:
    seats = [seat(i) for i in range(4)]
    own = [seat(0, mix_name="main.!personal"), *seats[1:]]
    assert program(own, ["p1"]).layouts == program(seats, ["p1"]).layouts


@pytest.mark.spec("REF-133", "REF-021")
@pytest.mark.parametrize(
    ("ratio", "width"), [(0.0, 1280), (0.5, 960), (4 / 3, 960), (1.5, 960), (1.6, 1280), (16 / 9, 1280), (2.0, 1280)]
)
def test_pictures_have_one_of_two_shapes_whatever_is_wished(ratio: float, width: int) -> None:
    seats = [
        seat(0, aspect_ratio=ratio), seat(1), seat(2),
        seat(3, service_type=ServiceType.WAITING_ROOM, aspect_ratio=ratio),
        seat(4, is_on_hold=True, aspect_ratio=ratio), seat(5, prompt="PIN", aspect_ratio=ratio),
        seat(6, splash=theme.RECEPTION, aspect_ratio=ratio), seat(7, is_streaming=True, aspect_ratio=ratio),
        msgspec.structs.replace(seat(8, aspect_ratio=ratio), mixed=True),
        seat(9, service_type=ServiceType.TEST_CALL, aspect_ratio=ratio),
    ]  # fmt: skip
    made = program(seats, ["p1"], presenter="p1", slides="c1:slides").compose
    scenes = {call: made.views[view] for call, view in made.watching.items()}
    for index in (0, 3, 4, 5, 6, 8, 9):
        assert (scenes[f"c{index}"].width, scenes[f"c{index}"].height) == (width, 720), index
    assert scenes["c1"].width == scenes["c2"].width == scenes["c7"].width == 1280
    for scene in scenes.values():
        assert all(tile.x >= 0 and tile.x + tile.width <= scene.width for tile in scene.tiles)
    alone = program([seat(0, aspect_ratio=ratio)], []).compose
    assert alone.views[alone.watching["c0"]].width == width


@pytest.mark.spec("PLAT-053", "POL-164")
@pytest.mark.parametrize("ratio", [0.0, 1.33])
@pytest.mark.parametrize(
    ("view", "full"),
    [
        ("one_main_zero_pips", 1), ("one_main_seven_pips", 1), ("two_mains_twentyone_pips", 2),
        ("four_mains_zero_pips", 4), ("nine_mains_zero_pips", 0), ("five_mains_seven_pips", 2),
    ],
)  # fmt: skip
def test_large_pictures_come_from_other_nodes_in_full_whatever_the_shape(view: str, full: int, ratio: float) -> None:
    seats = [seat(0, aspect_ratio=ratio), *(msgspec.structs.replace(seat(i), here=False) for i in range(1, 6))]
    grid = msgspec.structs.replace(SERVICE, host_view=view)
    if view == "four_mains_zero_pips":
        seats.pop()
    widths = program(seats, ["p1", "p2"], grid).elsewhere
    assert sum(quality(width) == "full" for width in widths.values()) == full


def test_those_off_stage_share_a_picture_with_others_of_the_same_shape() -> None:
    seats = [seat(i) for i in range(12)] + [seat(i, aspect_ratio=1.33) for i in range(12, 16)]
    made = program(seats, []).compose
    assert made.watching["c9"] == made.watching["c11"] != made.watching["c13"] == made.watching["c15"]
    assert [t.source for t in made.views[made.watching["c9"]].tiles] == [
        t.source for t in made.views[made.watching["c13"]].tiles
    ]


def test_who_is_on_hold_sees_and_hears_nothing_of_the_conference() -> None:
    made = program([seat(0), seat(1), seat(2, is_on_hold=True)], ["p0"])
    assert pictures(made, "c2") == images(made, "c2") == []
    assert ON_HOLD in [tile.text for tile in made.compose.views[made.compose.watching["c2"]].tiles]
    assert (made.compose.audio["c2"].speaks, made.compose.audio["c2"].hears) == (False, False)
    assert made.layouts["p2"][1] == ()
    assert pictures(made, "c0")  # the others go on
