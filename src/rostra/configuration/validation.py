"""Rules that several models and the API share."""

from __future__ import annotations

import re
import warnings


def pattern_problem(text: str) -> str | None:
    """Why `text` is not a regular expression; None when it is one."""
    try:
        with warnings.catch_warnings(action="ignore"):  # about what future Pythons may read differently
            re.compile(text)
    except re.error as problem:
        return f"This is not a regular expression: {problem}."
    except (RecursionError, OverflowError):
        return "This regular expression is too large."
    return None
