"""Who keeps presenting wrong secrets is not heard for a while. Pure but for locks: time is an argument."""

from __future__ import annotations

import dataclasses
import ipaddress
import threading
from collections import OrderedDict

ATTEMPTS = 10
"""Wrong ones from one address within WINDOW."""
WINDOW = 60.0
"""Seconds; also how long the address is not heard then."""
_REMEMBERED = 10_000


class Guessing:
    """Counts failures by address."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def held_back(self, address: str, now: float) -> bool:
        """Is `address` not to be heard now?"""
        with self._lock:
            return len(self._recent(address, now)) >= ATTEMPTS

    def failed(self, address: str, now: float) -> None:
        with self._lock:
            recent = self._recent(address, now)
            recent.append(now)
            self._failures[address] = recent[-ATTEMPTS:]
            self._failures.move_to_end(address)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)

    def _recent(self, address: str, now: float) -> list[float]:
        return [then for then in self._failures.get(address, []) if now - then < WINDOW]


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """After `free` failures each further one takes twice as long to be forgiven."""

    free: int
    longest: float
    """Seconds."""

    def delay(self, failures: int) -> float:
        """Seconds that are not heard after so many failures."""
        return 0.0 if failures < self.free else min(self.longest, 2.0 ** min(failures - self.free, 30))


HERE = Limit(free=5, longest=900.0)
"""An account, from one address."""
ADDRESS = Limit(free=100, longest=900.0)
"""An address, whatever the account: high, as many people may be behind it."""
ACCOUNT = Limit(free=50, longest=30.0)
"""An account, from anywhere: a brake on many machines guessing together, too short to lock its owner out."""
FLOOD = 1000
"""Failures from an address for an account after which not even its known credentials are heard."""
_FORGOTTEN = 3600.0
"""Seconds without a failure after which all are forgotten."""


@dataclasses.dataclass(slots=True)
class _Count:
    failures: int = 0
    last: float = 0.0


class Watch:
    """Delays that grow with failures, by account and address. Successes forgive the account where they come from.

    An account is not braked for what others do elsewhere at an address it was entered from before.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._welcome: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, account: str, address: str, now: float, *, known: bool = False) -> float:
        """Seconds until an attempt is heard; 0: now. `known`: these credentials were right here a moment ago."""
        here = (account, place(address))
        with self._lock:
            if known and self._failures(here, now) < FLOOD:
                return 0.0
            rules = [(here, HERE), (("", here[1]), ADDRESS)]
            if here not in self._welcome:
                rules.append(((account, ""), ACCOUNT))
            return max(self._left(key, limit, now) for key, limit in rules)

    def failed(self, account: str, address: str, now: float) -> None:
        """An attempt was wrong."""
        here = place(address)
        with self._lock:
            for key in ((account, here), ("", here), (account, "")):
                count = self._counts.setdefault(key, _Count())
                count.failures = self._failures(key, now) + 1
                count.last = now
                self._counts.move_to_end(key)
            while len(self._counts) > 3 * _REMEMBERED:
                self._counts.popitem(last=False)

    def turned_away(self, account: str, address: str, now: float) -> None:
        """An attempt came too early: it counts towards a flood, but makes nobody wait longer."""
        with self._lock:
            count = self._counts.get((account, place(address)))
            if count is not None and count.failures >= HERE.free + 10:
                count.failures += 1

    def succeeded(self, account: str, address: str, now: float) -> None:
        """An attempt was right."""
        here = (account, place(address))
        with self._lock:
            self._counts.pop(here, None)
            self._welcome[here] = None
            self._welcome.move_to_end(here)
            while len(self._welcome) > _REMEMBERED:
                self._welcome.popitem(last=False)

    def _failures(self, key: tuple[str, str], now: float) -> int:
        count = self._counts.get(key)
        return 0 if count is None or now - count.last > _FORGOTTEN else count.failures

    def _left(self, key: tuple[str, str], limit: Limit, now: float) -> float:
        failures = self._failures(key, now)
        return max(0.0, self._counts[key].last + limit.delay(failures) - now) if failures else 0.0


def place(address: str) -> str:
    """What counts as one address: itself, or the network of a host with IPv6, which has many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
