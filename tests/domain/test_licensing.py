from __future__ import annotations

import pytest

from rostra.domain.licensing import FREE, GRACE, Licence, permitted

DAY = 24 * 3600.0


@pytest.mark.spec("PLAT-019", "SYS-194")
@pytest.mark.parametrize(
    ("licence", "days", "expected"),
    [
        (Licence(limit=10), 0, True),
        (Licence(limit=10), 13.99, True),
        (Licence(limit=10), 14.0, False),
        (Licence(limit=10), 400, False),
        (FREE, 400, True),
    ],
)
def test_calls_are_permitted_for_a_fortnight_without_the_management_node(
    licence: Licence, days: float, expected: bool
) -> None:
    assert permitted(licence, days * DAY) is expected
    assert GRACE == 14 * DAY
