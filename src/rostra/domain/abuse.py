"""Who tries too often what must not be guessed, and who is not heard for a while because of it. Pure.

A source is an address; of IPv6 a network of 64 bits, which is what one subscriber has. Behind one source there may be
a whole company: what is known to be in order there (calls, registrations, passwords that were right) goes on, and a
source with any of that keeps a narrow way for what is new. Memory is bounded, whatever comes.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

WINDOW = 600.0
"""Seconds over which attempts are counted, and for which whoever made too many is not heard."""
PASSWORDS_OF_ONE = 10
"""Wrong passwords of one user from one source."""
PASSWORDS_OF_SOURCE = 50
"""Wrong passwords from one source, whoever they are for: telephones of a company may all have an old one."""
UNREADABLE = 200
"""Messages from one source that cannot be read."""
MOST_KEYS = 20_000
"""Sources, users or services counted at a time; with more the longest quiet ones are forgotten."""
NARROW = 10.0
"""Seconds between two new attempts of a source that is shut out, where something is in order."""

Key = TypeVar("Key", bound="str | tuple[str, str] | tuple[str, bool]")


class Kind(enum.StrEnum):
    """What was tried too often."""

    ALIASES = "unknown aliases"
    PASSWORDS = "wrong passwords"
    PASSWORD = "wrong passwords of one user"  # noqa: S105 - no secret
    PINS = "wrong PINs"
    UNREADABLE = "unreadable messages"


class Allowed(msgspec.Struct, frozen=True):
    """A network that may be wrong as often as it likes."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    aliases: bool
    pins: bool


class Rules(msgspec.Struct, frozen=True):
    """What the administrator has set; attempts within `WINDOW`. None: they are not counted."""

    aliases: int | None = 20
    pins: int | None = 20
    allowed: tuple[Allowed, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """Somebody is not heard from now on, or is again."""

    kind: Kind
    who: str
    """A source; of PINs the service."""
    shut: bool


class Tally(Generic[Key]):
    """Counts attempts by key. A count drains evenly, so that it is empty after `WINDOW` without any."""

    def __init__(self, most: int, capacity: int = MOST_KEYS, window: float = WINDOW) -> None:
        self.most = most
        """Attempts within the window that are one too many; may change at any time."""
        self._capacity = capacity
        self._window = window
        self._counts: dict[Key, tuple[float, float, frozenset[int]]] = {}
        """How many, when the last came, and what they were about."""
        self._until: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def any_shut(self) -> bool:
        return bool(self._until)

    @property
    def shut_keys(self) -> list[Key]:
        return list(self._until)

    def shut(self, key: Key, now: float) -> bool:
        """Is it not heard now?"""
        until = self._until.get(key)
        return until is not None and now < until

    def add(self, key: Key, now: float, about: str | None = None) -> bool:
        """One more attempt; True: that was one too many. The same thing `about` again counts only once."""
        if key in self._until:
            return False
        count, last, seen = self._counts.pop(key, (0.0, now, frozenset[int]()))
        count = max(0.0, count - (now - last) * self.most / self._window)
        if count == 0.0 or len(seen) > 2 * self.most:
            seen = frozenset()
        mark = hash(about)
        if about is None or mark not in seen:
            count, seen = count + 1.0, seen | {mark}
        if round(count) >= self.most:  # what drains meanwhile forgives no attempt of a burst
            _bounded(self._until, key, now + self._window, self._capacity)
            return True
        _bounded(self._counts, key, (count, now, seen), self._capacity)
        return False

    def forgive(self, key: Key) -> None:
        self._counts.pop(key, None)
        self._until.pop(key, None)

    def over(self, now: float) -> list[Key]:
        """Those that are heard again, once each."""
        found = [key for key, until in self._until.items() if now >= until]
        for key in found:
            del self._until[key]
        return found


class Shield:
    """What a node remembers of attempts."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self.known: Callable[[str], bool] = lambda _: False
        """Is anything in order at this source: a call, a participant, a registration?"""
        self._aliases: Tally[tuple[str, bool]] = Tally(20)
        self._unreadable: Tally[tuple[str, bool]] = Tally(UNREADABLE)
        self._of_user: Tally[tuple[str, str]] = Tally(PASSWORDS_OF_ONE)
        self._of_source: Tally[str] = Tally(PASSWORDS_OF_SOURCE)
        self._pins: Tally[str] = Tally(20)
        self._right: dict[tuple[str, str], float] = {}
        self._narrow: dict[str, float] = {}
        self._changes: list[Change] = []
        self.obey(self._rules)

    def obey(self, rules: Rules) -> None:
        """Go by these from now on. What is not counted any more opens."""
        self._rules = rules
        for tally, most in ((self._aliases, rules.aliases), (self._pins, rules.pins)):
            if most is not None:
                tally.most = most
        if rules.aliases is None:
            for key in self._aliases.shut_keys:
                self._aliases.forgive(key)
                self._changes.append(Change(Kind.ALIASES, key[0], shut=False))
        if rules.pins is None:
            for service in self._pins.shut_keys:
                self._pins.forgive(service)
                self._changes.append(Change(Kind.PINS, service, shut=False))

    @property
    def most_pins(self) -> int:
        return self._pins.most

    # ---- sources

    def wrong_alias(self, address: str, alias: str, now: float, *, proven: bool) -> None:
        """Somebody asked for what does not exist. `proven`: the address is its own, as over TCP."""
        if self._rules.aliases is None or self._allowed(address, pins=False):
            return
        source = source_of(address)
        if self._aliases.add((source, proven), now, alias.casefold()):
            self._changes.append(Change(Kind.ALIASES, source, shut=True))

    def unreadable(self, address: str, now: float, *, proven: bool) -> None:
        """A message could not be read."""
        source = source_of(address)
        if self._unreadable.add((source, proven), now):
            self._changes.append(Change(Kind.UNREADABLE, source, shut=True))

    @property
    def quiet(self) -> bool:
        """Nobody is shut out: `hears` is true for everybody."""
        return not (self._aliases.any_shut or self._unreadable.any_shut)

    def hears(self, address: str, now: float, *, proven: bool) -> bool:
        """Who used datagrams, whose source anybody may claim, is still heard by connections."""
        if self.quiet:
            return True
        source = source_of(address)
        ways = (True,) if proven else (True, False)
        return not any(tally.shut((source, way), now) for tally in (self._aliases, self._unreadable) for way in ways)

    def new(self, address: str, now: float, *, proven: bool) -> bool:
        """May somebody there begin something new? Where anything is in order, now and then."""
        return self.hears(address, now, proven=proven) or (self.known(address) and self._now_and_then(address, now))

    # ---- passwords

    def may_try(self, address: str, user: str, now: float) -> bool:
        """Shall a password be looked at? Of users that were right there before it is, whatever others do."""
        source = source_of(address)
        pair = source, user.casefold()
        if self._of_user.shut(pair, now):
            return False
        return not self._of_source.shut(source, now) or pair in self._right or self._now_and_then(address, now)

    def wrong_password(self, address: str, user: str, now: float) -> None:
        source = source_of(address)
        if self._of_user.add((source, user.casefold()), now):
            self._changes.append(Change(Kind.PASSWORD, source, shut=True))
        if self._of_source.add(source, now):
            self._changes.append(Change(Kind.PASSWORDS, source, shut=True))

    def right_password(self, address: str, user: str, now: float) -> None:
        pair = source_of(address), user.casefold()
        self._of_user.forgive(pair)  # may not be shut: nothing was looked at then
        self._right.pop(pair, None)
        _bounded(self._right, pair, now, 5 * MOST_KEYS)

    # ---- PINs

    def may_enter(self, address: str, service: str, now: float) -> bool:
        """Shall a PIN of this service be looked at? While too many were wrong, only of who was right before, and
        now and then where anything is in order."""
        if not self._pins.shut(service, now) or self._allowed(address, pins=True):
            return True
        source = source_of(address)
        return (source, _room(service)) in self._right or (self.known(address) and self._now_and_then(address, now))

    def wrong_pin(self, address: str, service: str, now: float) -> None:
        if self._rules.pins is None or self._allowed(address, pins=True):
            return
        if self._pins.add(service, now):
            self._changes.append(Change(Kind.PINS, service, shut=True))

    def right_pin(self, address: str, service: str, now: float) -> None:
        self.right_password(address, _room(service), now)

    # ---- what is told

    def changes(self, now: float) -> list[Change]:
        """What has changed since the last look."""
        found, self._changes = self._changes, []
        for kind, tally in ((Kind.ALIASES, self._aliases), (Kind.UNREADABLE, self._unreadable)):
            found += [Change(kind, source, shut=False) for source, _ in tally.over(now)]
        found += [Change(Kind.PASSWORDS, source, shut=False) for source in self._of_source.over(now)]
        found += [Change(Kind.PINS, service, shut=False) for service in self._pins.over(now)]
        found += [Change(Kind.PASSWORD, source, shut=False) for source, _ in self._of_user.over(now)]
        return found

    def debug_state(self) -> dict[str, object]:
        """Figures for people."""
        return {
            "sources": len(self._aliases) + len(self._unreadable) + len(self._of_source),
            "shut": sorted({source for source, _ in [*self._aliases.shut_keys, *self._unreadable.shut_keys]}),
            "services": self._pins.shut_keys,
        }

    def _allowed(self, address: str, *, pins: bool) -> bool:
        entries = [one for one in self._rules.allowed if (one.pins if pins else one.aliases)]
        if not entries:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in one.network for one in entries)

    def _now_and_then(self, address: str, now: float) -> bool:
        source = source_of(address)
        if now - self._narrow.get(source, -NARROW) < NARROW:
            return False
        self._narrow.pop(source, None)
        _bounded(self._narrow, source, now, MOST_KEYS)
        return True


def source_of(address: str) -> str:
    """Who is behind an address, as far as can be told: of IPv6 a whole network of 64 bits is one subscriber's."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


def allowed(entries: Sequence[tuple[str, int, bool, bool]]) -> tuple[Allowed, ...]:
    """Rows of address, length of the network part, and whether wrong aliases and PINs are fine there."""
    found: list[Allowed] = []
    for address, prefix, aliases, pins in entries:
        try:
            found.append(Allowed(ipaddress.ip_network((address, prefix), strict=False), aliases, pins))
        except ValueError:
            continue  # never saved so
    return tuple(found)


_Value = TypeVar("_Value")


def _bounded(entries: dict[Key, _Value], key: Key, value: _Value, most: int) -> None:
    """Put it last; the first goes where there are too many."""
    entries[key] = value
    if len(entries) > most:
        del entries[next(iter(entries))]


def _room(service: str) -> str:
    return f"pin of {service}".casefold()
