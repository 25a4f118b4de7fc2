"""Looks at legs in turn: one that goes wrong fails alone, and the others are looked at all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from rostra.media.engine.leg import Leg

logger = structlog.get_logger("rostra.media")


def visit(legs: Iterable[Leg], look: Callable[[Leg], None], failed: Callable[[str, str], None]) -> None:
    """Look at each leg; `failed` is told of those whose look raised, by id and reason."""
    for leg in list(legs):
        try:
            look(leg)
        except Exception as problem:  # whatever it is, it is of this leg
            logger.exception("Leg cannot be looked after", leg=leg.id)
            failed(leg.id, f"{type(problem).__name__}: {problem}")
