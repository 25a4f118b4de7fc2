"""When two clients send to each other directly (API-158, API-162)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.direct import Party, Way, joins_direct, way

DIRECT = Party(capable=True, direct=True)
THROUGH = Party(capable=True, direct=False)
PHONE = Party(capable=False, direct=False)
LEAVING = Party(capable=True, direct=True, leaving=True)
LEFT = Party(capable=True, direct=False, leaving=True)


@pytest.mark.spec("API-158")
@pytest.mark.parametrize(
    ("others", "expected"),
    [((), True), ((DIRECT,), True), ((THROUGH,), False), ((PHONE,), False), ((DIRECT, DIRECT), False),
     ((LEFT,), True), ((LEFT, DIRECT), True), ((LEAVING, THROUGH), False)],
)  # fmt: skip
def test_who_comes_in_gets_direct_media_with_one_other_at_most(others: tuple[Party, ...], expected: bool) -> None:
    assert joins_direct(others, capable=True) is expected
    assert joins_direct(others, capable=False) is False


@pytest.mark.spec("API-162")
@pytest.mark.parametrize(
    ("parties", "expected"),
    [((), Way.AS_IT_IS), ((DIRECT,), Way.AS_IT_IS), ((DIRECT, DIRECT), Way.AS_IT_IS),
     ((DIRECT, DIRECT, THROUGH), Way.TRANSCODED), ((DIRECT, PHONE), Way.TRANSCODED),
     ((DIRECT, THROUGH), Way.TRANSCODED),
     ((LEAVING, LEAVING, THROUGH), Way.AS_IT_IS), ((LEAVING, THROUGH), Way.AS_IT_IS), ((THROUGH,), Way.AS_IT_IS),
     ((THROUGH, THROUGH), Way.DIRECT), ((THROUGH, PHONE), Way.AS_IT_IS), ((THROUGH, LEFT), Way.AS_IT_IS),
     ((LEFT, DIRECT), Way.AS_IT_IS), ((THROUGH, THROUGH, THROUGH), Way.AS_IT_IS)],
)  # fmt: skip
def test_media_changes_its_way_with_those_who_are_in(parties: tuple[Party, ...], expected: Way) -> None:
    assert way(parties) is expected


@given(st.lists(st.builds(Party, capable=st.booleans(), direct=st.booleans()), max_size=5))
def test_nobody_is_left_without_media(parties: list[Party]) -> None:
    """After a change to the platform nobody stays direct beside others, and two who can are asked at last."""
    direct = [one for one in parties if one.direct]
    mixed = direct and (len(parties) > 2 or len(direct) < len(parties) or not all(one.capable for one in parties))
    assert (way(parties) is Way.TRANSCODED) == bool(mixed)
