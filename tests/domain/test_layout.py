import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import layout
from rostra.domain.layout import Performer, arrange, by_recent_speech, draw
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH


def people(count: int) -> list[Performer]:
    return [Performer(participant=f"p{i}", source=f"leg{i}", name=f"Person {i}") for i in range(count)]


@pytest.mark.spec("CONF-084", "POL-151", "POL-153")
def test_main_is_the_speaker_and_the_previous_one_for_the_speaker() -> None:
    performers = by_recent_speech(people(4), ["p2", "p1"])
    assert [p.participant for p in arrange(performers, "p0", layout.ONE_MAIN_SEVEN).shown] == ["p2", "p1", "p3"]
    assert [p.participant for p in arrange(performers, "p2", layout.ONE_MAIN_SEVEN).shown] == ["p1", "p0", "p3"]


@pytest.mark.spec("CONF-083")
def test_one_main_shows_only_the_speaker() -> None:
    performers = by_recent_speech(people(3), ["p1", "p0"])
    assert [p.participant for p in arrange(performers, "p2", layout.ONE_MAIN).shown] == ["p1"]
    assert arrange(performers, "p2", layout.ONE_MAIN).hidden == 1


@pytest.mark.spec("CONF-073", "CONF-084")
@pytest.mark.parametrize(("others", "shown", "hidden"), [(0, 0, 0), (1, 1, 0), (8, 8, 0), (9, 7, 2), (20, 7, 13)])
def test_overflow_is_counted_in_the_last_thumbnail(others: int, shown: int, hidden: int) -> None:
    arrangement = arrange(people(others + 1), "p0", layout.ONE_MAIN_SEVEN)
    assert (len(arrangement.shown), arrangement.hidden) == (shown, hidden)
    scene = draw(arrangement, layout.ONE_MAIN_SEVEN)
    assert (scene.tiles[-1:] and (scene.tiles[-1].text == f"+{hidden}") == bool(hidden)) or not shown


@given(st.integers(0, 40), st.sampled_from([layout.ONE_MAIN, layout.ONE_MAIN_SEVEN, layout.ONE_MAIN_TWENTYONE]))
def test_tiles_stay_inside_and_do_not_overlap(count: int, geometry: layout.Geometry) -> None:
    tiles = draw(arrange(people(count), "p0", geometry), geometry).tiles
    for index, tile in enumerate(tiles):
        assert 0 <= tile.x <= tile.x + tile.width <= SCENE_WIDTH
        assert 0 <= tile.y <= tile.y + tile.height <= SCENE_HEIGHT
        assert tile.x % 2 == tile.y % 2 == tile.width % 2 == tile.height % 2 == 0
        for other in tiles[index + 1 :]:
            apart = tile.x + tile.width <= other.x or other.x + other.width <= tile.x
            assert apart or tile.y + tile.height <= other.y or other.y + other.height <= tile.y


@given(st.integers(0, 30), st.permutations([f"p{i}" for i in range(30)]))
def test_nobody_sees_himself(count: int, order: list[str]) -> None:
    performers = by_recent_speech(people(count), order)
    for viewer in performers:
        shown = arrange(performers, viewer.participant, layout.ONE_MAIN_SEVEN).shown
        assert viewer.participant not in [performer.participant for performer in shown]


@pytest.mark.spec("CONF-080")
def test_names_are_off_by_default() -> None:
    arrangement = arrange(people(3), "p0", layout.ONE_MAIN_SEVEN)
    assert {tile.text for tile in draw(arrangement, layout.ONE_MAIN_SEVEN).tiles} == {""}
    assert draw(arrangement, layout.ONE_MAIN_SEVEN, names=True).tiles[0].text == "Person 1"
