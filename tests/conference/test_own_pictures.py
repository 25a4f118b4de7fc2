"""Pictures that differ from those of all others: a layout of one's own, and being on hold."""

from __future__ import annotations

import pytest
from tests.conference.test_picture import images, pictures, program, seat

from rostra.conference.picture import ON_HOLD


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


def test_who_is_on_hold_sees_and_hears_nothing_of_the_conference() -> None:
    made = program([seat(0), seat(1), seat(2, is_on_hold=True)], ["p0"])
    assert pictures(made, "c2") == images(made, "c2") == []
    assert ON_HOLD in [tile.text for tile in made.compose.views[made.compose.watching["c2"]].tiles]
    assert (made.compose.audio["c2"].speaks, made.compose.audio["c2"].hears) == (False, False)
    assert made.layouts["p2"][1] == ()
    assert pictures(made, "c0")  # the others go on
