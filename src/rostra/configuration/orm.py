"""Django's own description of a model and its rows, as untyped values: Django ships no types, and its documented
names for these begin with an underscore.
"""

from __future__ import annotations

from typing import Any


def meta(model: Any) -> Any:
    """`Options` of a model (or of a row's model)."""
    return model._meta  # noqa: SLF001 - see above


def rows(model: Any) -> Any:
    """A QuerySet of all rows of a model."""
    return model._default_manager.all()  # noqa: SLF001 - see above


def is_new(row: Any) -> bool:
    """Is `row` not in the database yet?"""
    return row._state.adding  # noqa: SLF001 - see above
