"""Who gets in, as what: PINs, Hosts and Guests, locks (CONF-046…CONF-062, API-032). Pure."""

from __future__ import annotations

import enum
import hmac

import msgspec

from rostra.domain.vocabulary import Role, ServiceType

PIN_ATTEMPTS = 3
"""CONF-050."""


class AccessRules(msgspec.Struct, frozen=True, kw_only=True):
    """The PIN settings of a service, as configured."""

    host_pin: str = ""
    allow_guests: bool = False
    guest_pin: str = ""

    @property
    def pin_asked(self) -> bool:
        return bool(self.host_pin)

    @property
    def guest_pin_needed(self) -> bool:
        """Is joining without any PIN impossible (`guest_pin: required` of the challenge, API-032)?"""
        return self.pin_asked and not (self.allow_guests and not self.guest_pin)


class PinOutcome(enum.Enum):
    """What a given PIN, or its absence, leads to."""

    HOST = enum.auto()
    GUEST = enum.auto()
    ASK = enum.auto()
    """No PIN was given where one can be."""
    WRONG = enum.auto()


def check_pin(rules: AccessRules, pin: str | None) -> PinOutcome:
    """Judge a PIN by the access table (CONF-048, API-032).

    `None`: nothing was given yet. Empty or `none`: the caller chose to give no PIN. A trailing `#` is ignored on
    both sides (CONF-054).
    """
    if not rules.pin_asked:
        return PinOutcome.HOST
    if pin is None:
        return PinOutcome.ASK
    given = "" if pin == "none" else pin.removesuffix("#")
    if given and _same(given, rules.host_pin):
        return PinOutcome.HOST
    if not rules.allow_guests:
        return PinOutcome.WRONG
    if rules.guest_pin:
        return PinOutcome.GUEST if given and _same(given, rules.guest_pin) else PinOutcome.WRONG
    return PinOutcome.WRONG if given else PinOutcome.GUEST


def _same(given: str, configured: str) -> bool:
    return hmac.compare_digest(given.encode(), configured.removesuffix("#").encode())


class PinEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A PIN being typed on a keypad: the digits so far and how often it was wrong."""

    digits: str = ""
    wrong: int = 0

    @property
    def exhausted(self) -> bool:
        return self.wrong >= PIN_ATTEMPTS


def press(rules: AccessRules, entry: PinEntry, digit: str) -> tuple[PinEntry, PinOutcome]:
    """Take one key. ASK: more is needed; WRONG: counted, start again; HOST or GUEST: let in.

    A PIN without terminal `#` is complete at its length; one with it, or an empty entry, at `#` (CONF-052).
    """
    if digit == "*":
        return PinEntry(wrong=entry.wrong), PinOutcome.ASK
    if digit != "#" and not digit.isdecimal():
        return entry, PinOutcome.ASK
    digits = entry.digits if digit == "#" else entry.digits + digit
    terminated = rules.host_pin.endswith("#")
    longest = max(len(rules.host_pin.removesuffix("#")), len(rules.guest_pin.removesuffix("#")))
    complete = digit == "#" or (not terminated and len(digits) >= longest) or len(digits) > 20
    if not complete:
        return PinEntry(digits=digits, wrong=entry.wrong), PinOutcome.ASK
    if digit == "#" and not digits and rules.guest_pin_needed:
        return PinEntry(wrong=entry.wrong), PinOutcome.ASK
    outcome = check_pin(rules, digits)
    return PinEntry(wrong=entry.wrong + (outcome is PinOutcome.WRONG)), outcome


def place(role: Role, rules: AccessRules, *, locked: bool, started: bool, lecture: bool = False) -> ServiceType:
    """Where somebody with `role` goes on arrival: into the conference or the waiting room.

    A lock holds everybody except Hosts who gave the Host PIN (API-033); Guests wait for the first Host (CONF-059).
    """
    inside = ServiceType.LECTURE if lecture else ServiceType.CONFERENCE
    if locked and not (rules.pin_asked and role is Role.HOST):
        return ServiceType.WAITING_ROOM
    if role is Role.GUEST and not started:
        return ServiceType.WAITING_ROOM
    return inside
