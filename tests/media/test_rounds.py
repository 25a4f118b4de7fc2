"""A leg that cannot be looked after fails alone."""

from __future__ import annotations

from typing import Any

from rostra.media.engine.rounds import visit


class Made:
    """A leg that counts the looks, or raises."""

    def __init__(self, name: str, problem: Exception | None = None) -> None:
        self.id = name
        self.looks = 0
        self._problem = problem

    def poll(self) -> None:
        self.looks += 1
        if self._problem:
            raise self._problem


def test_one_that_raises_ends_nobody_elses_round() -> None:
    legs: dict[str, Any] = {
        name: Made(name, problem) for name, problem in (("a", None), ("b", KeyError("ssrc")), ("c", None))
    }
    failed: list[tuple[str, str]] = []

    def fail(leg: str, reason: str) -> None:
        failed.append((leg, reason))
        del legs[leg]  # as the engine does

    for _ in range(2):
        visit(legs.values(), lambda leg: leg.poll(), fail)
    assert failed == [("b", "KeyError: 'ssrc'")]
    assert legs["a"].looks == legs["c"].looks == 2
