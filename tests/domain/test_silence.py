"""When video counts as silent: the limits, and that it comes back."""

from __future__ import annotations

import pytest

from rostra.domain.silence import SilenceRules, judge, read

RULES = SilenceRules(silent_after=15, reactivate_after=2, require_no_faces=False)


@pytest.mark.parametrize(
    ("silent", "speaking", "lasted", "outcome"),
    [
        (False, False, 0.0, (False, 15.0)),
        (False, False, 14.0, (False, 1.0)),
        (False, False, 15.0, (True, None)),
        (False, True, 99.0, (False, None)),
        (True, False, 99.0, (True, None)),
        (True, True, 0.5, (True, 1.5)),
        (True, True, 2.0, (False, None)),
    ],
)
def test_limits(silent: bool, speaking: bool, lasted: float, outcome: tuple[bool, float | None]) -> None:
    assert judge(RULES, silent=silent, speaking=speaking, lasted=lasted) == outcome


@pytest.mark.parametrize("rules", [None, SilenceRules()])
def test_without_rules_or_with_faces_to_look_for_nobody_is(rules: SilenceRules | None) -> None:
    assert judge(rules, silent=True, speaking=False, lasted=1000.0) == (False, None)


def test_a_register_holds_the_rules() -> None:
    assert read(RULES.value) == RULES
    assert read(SilenceRules().value) == SilenceRules()
    assert read(()) is None
    assert read(None) is None
