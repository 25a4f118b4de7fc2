"""How many inputs a test tries that is about whatever may come."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis
import pytest

PROFILE = "fuzz"
"""`--hypothesis-profile=fuzz -m fuzz`: far more inputs, of those that cost little the most (see CONTRIBUTING)."""

Test = Callable[..., None]


def many() -> bool:
    """Is it such a run? Known from the time on that pytest has read its options."""
    return hypothesis.settings.get_current_profile_name() == PROFILE


def fuzzed(share: int, usual: int = 100) -> Callable[[Test], Test]:
    """Put it above `given`. `share` inputs are tried in a run that is for this, `usual` in all others."""

    def applied(test: Test) -> Test:
        return pytest.mark.fuzz(hypothesis.settings(max_examples=share if many() else usual)(test))

    return applied
