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


def role_by(rules: AccessRules, pin: str) -> Role | None:
    """The role that a PIN gives; None: none."""
    return {PinOutcome.HOST: Role.HOST, PinOutcome.GUEST: Role.GUEST}.get(check_pin(rules, pin))


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


def press_waiting(rules: AccessRules, entry: PinEntry, digit: str) -> tuple[PinEntry, PinOutcome]:
    """Take one key of a Guest who came without a PIN and waits: it may be the Host after all (REF-032)."""
    if entry.exhausted:
        return entry, PinOutcome.ASK
    return press(AccessRules(host_pin=rules.host_pin), entry, digit)


class Way(enum.Enum):
    """How a caller goes on from its request."""

    ENTER = enum.auto()
    CHALLENGE = enum.auto()
    """It has to say a PIN and ask again (client API)."""
    KEYPAD = enum.auto()
    """It is connected and asked for a PIN."""
    REFUSED = enum.auto()


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller's request leads to."""

    way: Way
    role: Role = Role.UNKNOWN
    wrong: int = 0
    """Wrong PINs so far."""


def arrive(rules: AccessRules, pin: str | None, *, by_keypad: bool, role: Role | None = None) -> Arrival:
    """Judge a request to join (CONF-048, CONF-049, API-031…API-033).

    `pin`: given with the request or dialled along; a wrong one there counts as the first attempt. `role`: the
    platform itself has decided what the caller is, whatever PIN that needs (CONF-099, API-027). Where Guests need no
    PIN, a caller with a keypad who gives none is one, and may key the Host PIN while it waits (REF-032).
    """
    if role is not None:
        return Arrival(way=Way.ENTER, role=role)
    match check_pin(rules, pin):
        case PinOutcome.HOST:
            return Arrival(way=Way.ENTER, role=Role.HOST)
        case PinOutcome.GUEST:
            return Arrival(way=Way.ENTER, role=Role.GUEST)
        case PinOutcome.WRONG:
            return Arrival(way=Way.KEYPAD, wrong=1) if by_keypad else Arrival(way=Way.REFUSED)
        case PinOutcome.ASK:
            if not by_keypad:
                return Arrival(way=Way.CHALLENGE)
            if not rules.guest_pin_needed:
                return Arrival(way=Way.ENTER, role=Role.GUEST)
            return Arrival(way=Way.KEYPAD)


def may_key_host_pin(rules: AccessRules, role: Role) -> bool:
    """May somebody key the Host PIN while it waits or is in? Only where no PIN was asked for before (REF-032)."""
    return rules.pin_asked and not rules.guest_pin_needed and role is Role.GUEST


def held_by_lock(role: Role, rules: AccessRules, *, locked: bool) -> bool:
    """Does the lock keep somebody out who is new? Everybody but Hosts who gave the Host PIN (CONF-132, API-033)."""
    return locked and not (rules.pin_asked and role is Role.HOST)


def place(role: Role, rules: AccessRules, *, locked: bool, started: bool, lecture: bool = False) -> ServiceType:
    """Where somebody with `role` goes on arrival: into the conference or the waiting room.

    The lock may hold it (`held_by_lock`); Guests wait for the first Host (CONF-059).
    """
    if held_by_lock(role, rules, locked=locked) or (role is Role.GUEST and not started):
        return ServiceType.WAITING_ROOM
    return ServiceType.LECTURE if lecture else ServiceType.CONFERENCE


def may_admit(role: Role, *, joined: bool, hosted: bool) -> bool:
    """May somebody let a waiting participant in, and is it told of one (CONF-132)? `hosted`: there is a Host PIN."""
    return joined and (role is Role.HOST or not hosted)


def has_room(limit: int | None, present: int) -> bool:
    """May one more come in (CONF-150)? A lower limit sends nobody away (CONF-151)."""
    return limit is None or present < limit
