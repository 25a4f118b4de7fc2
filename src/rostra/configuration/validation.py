"""Rules that several models and the API share."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextvars import ContextVar

from django.db import models
from django.db.models.functions import Lower

from rostra.configuration import orm
from rostra.domain import expressions

_of_many: ContextVar[bool] = ContextVar("rostra_of_many", default=False)


def pattern_problem(text: str) -> str | None:
    """Why `text` is not a regular expression; None when it is one."""
    return expressions.problem(text)


def replacement_problem(pattern: str, replacement: str) -> str | None:
    r"""Why `replacement` cannot follow `pattern`: it names groups (`\1`) that the pattern lacks. None when it can."""
    return expressions.replacement_problem(pattern, replacement)


@contextlib.contextmanager
def of_many() -> Generator[None]:
    """Within, rules that look at other rows pass: who checks many rows at once compares them himself, all together."""
    token = _of_many.set(True)
    try:
        yield
    finally:
        _of_many.reset(token)


def changed(row: models.Model, name: str) -> bool:
    """Has field `name` of a stored row another value than it was stored with?"""
    if row.pk is None or _of_many.get():
        return False
    before = orm.rows(type(row)).filter(pk=row.pk).values_list(name, flat=True).first()
    return before is not None and before != getattr(row, name)


def taken(row: models.Model, name: str) -> bool:
    """Has another row the same text in field `name`, whatever its case?"""
    if _of_many.get():
        return False
    same = orm.rows(type(row)).annotate(folded=Lower(name)).filter(folded=Lower(models.Value(getattr(row, name))))
    return same.exclude(pk=row.pk).exists()


def any_case(name: str, constraint: str, message: str) -> models.UniqueConstraint:
    """A constraint that what `taken` finds cannot be saved."""
    return models.UniqueConstraint(Lower(name), name=constraint, violation_error_message=message)
