"""Who is not heard by this node for a while: as configured, and told to the administrator (sheet 10, `bdpm_*`)."""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import Callable, Iterable

import structlog
from prometheus_client import Counter

from rostra.configuration.queries import Lookup
from rostra.domain.abuse import WINDOW, Change, Kind, Rules, Shield, allowed, source_of
from rostra.domain.history import AlarmChanged, Event

logger = structlog.get_logger("rostra.node.abuse")

SCANNERS = "possible_voip_scanner_ips_blocked"
SERVICES = "service_access_quarantined"
"""Names of alarms."""
LOOK = 1.0
"""Seconds between two looks at what has changed."""
PRESENT_FOR = 5.0
"""Seconds for which it is believed who is present; asked only while somebody is shut out."""
NAMED = 10
"""Sources named in an alarm."""
SERVICES_NAMED = 50
"""Services with an alarm of their own at a time."""
SHUT = Counter("rostra_abuse_shut_out", "Sources and services that were shut out", ["kind"])

_RESOURCES = frozenset({"global", "system_location", "worker_vm", "break_in_allow_list_address"})


class Defence:
    """Keeps a shield as configured, says who is known to it, and raises and lowers its alarms."""

    def __init__(
        self, key: int, lookup: Lookup, shield: Shield, record: Callable[[Event], None],
        present: Callable[[], Iterable[str]], clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`key`: the id of the node. `present` gives the addresses of calls and registrations."""
        self._key = key
        self._lookup = lookup
        self._shield = shield
        self._record = record
        self._present = present
        self._clock = clock
        self._known: tuple[float, frozenset[str]] = (float("-inf"), frozenset())
        self._sources: dict[str, collections.Counter[Kind]] = {}
        self._services: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        shield.known = self._is_known
        shield.obey(self._rules())

    def start(self) -> Defence:
        """Look from now on. Returns itself."""
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._again)
        return self

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def changed(self, resource: str, _key: int) -> None:
        """A configured row is another one now."""
        if resource in _RESOURCES:
            self._shield.obey(self._rules())

    def look(self) -> None:
        """Tell what has changed."""
        changes = self._shield.changes(self._clock())
        for change in changes:
            self._log(change)
            if change.kind is Kind.PINS:
                self._service(change)
            else:
                self._source(change)
        if any(change.kind is not Kind.PINS for change in changes):
            self._tell_sources()

    def _again(self) -> None:
        try:
            self.look()
        except Exception:
            logger.exception("Abuse cannot be told")
        self.start()

    def _rules(self) -> Rules:
        settings = self._lookup.global_settings()
        scans, pins = self._lookup.resistance(self._key)
        return Rules(
            aliases=settings.bdpm_max_scan_attempts_per_window
            if _on(scans, settings.bdpm_scan_quarantine_enabled)
            else None,
            pins=settings.bdpm_max_pin_failures_per_window if _on(pins, settings.bdpm_pin_checks_enabled) else None,
            allowed=allowed(self._lookup.allow_list()),
        )

    def _is_known(self, address: str) -> bool:
        now = self._clock()
        if now - self._known[0] >= PRESENT_FOR:
            self._known = now, frozenset(source_of(one) for one in self._present() if one)
        return source_of(address) in self._known[1]

    def _log(self, change: Change) -> None:
        who = {"service" if change.kind is Kind.PINS else "remote_address": change.who}
        if change.shut:
            SHUT.labels(change.kind.name.lower()).inc()
            logger.warning("Shut out", because=f"too many {change.kind}", seconds=int(WINDOW), **who)
        else:
            logger.info("Not shut out any more", because=str(change.kind), **who)

    def _service(self, change: Change) -> None:
        if not change.shut and change.who in self._services:
            self._services.remove(change.who)
            self._alarm(SERVICES, change.who, "", up=False)
        elif change.shut and len(self._services) < SERVICES_NAMED:
            self._services.add(change.who)
            details = f"More than {self._shield.most_pins} wrong PINs within {int(WINDOW / 60)} minutes."
            self._alarm(SERVICES, change.who, details, up=True)

    def _source(self, change: Change) -> None:
        kinds = self._sources.setdefault(change.who, collections.Counter())
        kinds[change.kind] += 1 if change.shut else -1
        if kinds[change.kind] <= 0:
            del kinds[change.kind]
        if not kinds:
            del self._sources[change.who]

    def _tell_sources(self) -> None:
        if not self._sources:
            self._alarm(SCANNERS, "", "", up=False)
            return
        named = [f"{source} ({', '.join(sorted(kinds))})" for source, kinds in list(self._sources.items())[:NAMED]]
        more = len(self._sources) - len(named)
        self._alarm(SCANNERS, "", ", ".join(named) + (f" and {more} more" if more else ""), up=True)

    def _alarm(self, name: str, instance: str, details: str, *, up: bool) -> None:
        self._record(AlarmChanged(time=time.time(), name=name, up=up, instance=instance, details=details))


def _on(local: str, globally: bool) -> bool:
    return globally if local == "GLOBAL" else local == "ON"
