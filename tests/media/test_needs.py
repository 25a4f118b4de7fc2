"""What far ends are asked for: as large a picture as is shown of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.scene import Scene, Tile
from rostra.media.engine import needs
from rostra.media.engine.leg import LegContext
from rostra.media.engine.needs import LASTING, UNSEEN, Need, Needs
from rostra.media.engine.renditions import Renditions
from rostra.media.engine.stills import StillLeg


def tile(source: str, width: int, height: int, *, frozen: bool = False) -> Tile:
    return Tile(source=source, x=0, y=0, width=width, height=height, frozen=frozen)


def test_the_largest_tile_counts_in_views_that_somebody_watches() -> None:
    views = {
        "a": Scene(tiles=(tile("one", 960, 540), tile("two", 160, 90), tile("", 1280, 720))),
        "b": Scene(tiles=(tile("two", 320, 180), tile("three", 320, 180, frozen=True), tile("four", 0, 0))),
        "c": Scene(tiles=(tile("five", 1280, 720),)),
    }
    watching = {"leg": "a", "other": "b", "third": "b", "fourth": "gone"}
    assert needs.shown(views, watching) == {"one": (960, 540), "two": (320, 180)}
    assert needs.shown(views, watching, 1.5)["two"] == (480, 270)


def test_what_is_enough_of_a_size() -> None:
    assert needs.enough(None) == UNSEEN
    sizes = [(160, 90), (320, 180), (352, 198), (426, 240), (640, 360), (640, 720), (853, 480), (960, 540), (1280, 720)]
    found = [needs.enough(size) for size in sizes]
    assert found == [225_000, 225_000, 225_000, 412_500, 687_500, None, 1_125_000, None, None]


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 500), st.integers(0, 500))
def test_more_is_asked_of_who_is_larger(width: int, height: int, wider: int, higher: int) -> None:
    less, more = needs.enough((width, height)), needs.enough((width + wider, height + higher))
    assert more is None or (less is not None and UNSEEN <= less <= more)


def test_more_at_once_and_less_when_it_has_been_enough() -> None:
    need = Need()
    assert need.follow(0, UNSEEN) is None
    assert need.follow(LASTING - 0.1, 687_500) is None
    assert need.follow(LASTING, 687_500) == 687_500
    assert need.follow(LASTING + 1, UNSEEN) == 687_500
    assert need.follow(LASTING + 2, 687_500) == 687_500
    assert need.follow(2 * LASTING + 1.5, UNSEEN) == 687_500, "it was shown meanwhile"
    assert need.follow(3 * LASTING + 1.5, UNSEEN) == UNSEEN
    assert need.follow(3 * LASTING + 1.6, 1_125_000) == 1_125_000
    assert need.follow(3 * LASTING + 1.7, None) is None


class Asked(StillLeg):
    """Remembers what it was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(LegContext(Renditions(), lambda _: None, lambda *_: None, lambda *_: None), name)
        self.asked: list[int | None] = []

    @property
    def shows(self) -> str:
        return self.id

    def need(self, bitrate: int | None) -> None:
        if not self.asked or self.asked[-1] != bitrate:
            self.asked.append(bitrate)


def test_who_begins_to_speak_is_asked_for_what_the_largest_is_shown_at() -> None:
    legs = {name: Asked(name) for name in ("one", "two", "three")}
    asking = Needs(legs)
    views = {"view": Scene(tiles=(tile("one", 1280, 720), tile("two", 160, 90)))}
    asking.compose(views, {"one": "view", "two": "view"}, 1.0)
    for now in range(8):
        asking.poll(now, {"one": -20.0, "two": -127.0})
    assert {name: leg.asked for name, leg in legs.items()} == {
        "one": [None],
        "two": [None, 225_000],
        "three": [None, UNSEEN],
    }
    asking.poll(9, {"three": -30.0})
    assert [leg.asked[-1] for leg in legs.values()] == [None, 225_000, None]
    assert asking.debug_state()["two"] == {"need": 225_000}
    del legs["two"]
    asking.poll(10, {})
    assert set(asking.debug_state()) == {"one", "three"}
