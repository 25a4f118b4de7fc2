"""Virtual Receptions: the number a caller keys, and where it leads (SVC-048…SVC-057, REF-038…REF-041). Pure."""

from __future__ import annotations

import enum

import msgspec

from rostra.domain import expressions

ATTEMPTS = 3
"""After so many invalid numbers the call is cleared (REF-039)."""
LONGEST = 64
"""Digits of a keyed number; more are not taken."""


class ReceptionRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a reception accepts and makes of it, as configured."""

    match: str = ""
    replace: str = ""
    kind: str = "regular"
    """`two_stage_dial_type` of the management API."""

    @property
    def challenge(self) -> str:
        """`conference_extension_type` of the client API (API-034)."""
        return "mssip" if self.kind == "mssip" else "standard"


def destination(rules: ReceptionRules, keyed: str) -> str | None:
    """The alias that a keyed one stands for; None when the reception does not lead there (SVC-051…SVC-054).

    The expression has to match all of it. Without one, everything is permitted and nothing replaced.
    """
    keyed = keyed.strip()
    if not keyed or len(keyed) > 250:
        return None
    if not rules.match:
        return keyed
    try:
        found = expressions.match(rules.match, keyed)
    except expressions.TooSlow:
        return None
    if found is None:
        return None
    return expressions.expand(found, rules.replace) if rules.replace else keyed


class Keyed(msgspec.Struct, frozen=True, kw_only=True):
    """A number being keyed: the digits so far, and how often one was invalid."""

    digits: str = ""
    invalid: int = 0

    @property
    def exhausted(self) -> bool:
        return self.invalid >= ATTEMPTS


class KeyedOutcome(enum.Enum):
    """What one key does."""

    MORE = enum.auto()
    NUMBER = enum.auto()
    """The digits are a number to be tried."""
    CLEARED = enum.auto()


def press(keyed: Keyed, digit: str) -> tuple[Keyed, KeyedOutcome]:
    """Take one key: `#` ends the number, `*` begins it anew."""
    if digit == "*":
        return Keyed(invalid=keyed.invalid), KeyedOutcome.CLEARED
    if digit == "#":
        return keyed, KeyedOutcome.NUMBER if keyed.digits else KeyedOutcome.MORE
    if not digit.isdecimal() or len(keyed.digits) >= LONGEST:
        return keyed, KeyedOutcome.MORE
    return Keyed(digits=keyed.digits + digit, invalid=keyed.invalid), KeyedOutcome.MORE


def refused(keyed: Keyed) -> Keyed:
    """The number led nowhere."""
    return Keyed(invalid=keyed.invalid + 1)
