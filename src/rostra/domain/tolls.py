"""Rules by which anybody may make calls that cost money (REF-138, SVC-083). Pure."""

from __future__ import annotations

from rostra.domain import expressions

NUMBERS = (
    "112", "1234", "12345678", "0123456789", "90123456789", "00441234567890", "0114412345678", "+441234567890",
    "900441234567890", "18005551234", "91234567",
)  # fmt: skip
"""What callers of telephones dial: short numbers, national and international ones, with and without a prefix."""


def takes_numbers(pattern: str, budget: expressions.Budget | None = None) -> str:
    """A telephone number that an expression matches as a whole; empty: none of the usual kinds.

    `budget`: of a decision about many expressions.
    """
    for number in NUMBERS:
        try:
            if expressions.match(pattern, number, budget) is not None:
                return number
        except expressions.TooSlow:
            continue
    return ""
