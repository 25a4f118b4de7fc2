"""Alarms about Conferencing Nodes, from what they report (DIAG-103, DIAG-113, DIAG-114, DIAG-117)."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Callable, Mapping

from rostra.configuration import journal
from rostra.configuration.models import SystemLocation, WorkerVM
from rostra.domain.capacity import Load, processor_load
from rostra.fabric.survey import Seen
from rostra.management.alarms import checks
from rostra.management.alarms.raising import Wanted
from rostra.management.audit.noting import note
from rostra.management.directory import Directory
from rostra.management.history.models import NodeContact
from rostra.management.status import platform

LOST = 10.0
"""Seconds of silence after which connectivity is lost."""
STALE = 120.0
"""Seconds after which configuration is not synchronized: without a contact, or without taking a waiting change."""
BUSY, ABOVE = 60, 25
"""Percent of what calls get of its processor that a node has to use, and how much that is above what is booked, to be
busier than it should be."""
LASTING = 60.0
"""Seconds for which it is."""
ASTRAY = 3.0
"""Seconds by which a clock may differ from ours."""


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What there is to judge by, at one moment."""

    now: float
    """Unix seconds."""
    directory: Directory
    heard: Mapping[str, Seen]
    """Nodes heard since we are connected, by fabric id."""
    contacts: Mapping[str, float]
    """When nodes were last heard, Unix seconds; also before our start."""
    position: int
    """Of the newest change of configuration."""

    def last_heard(self, node: str) -> float | None:
        seen = self.heard.get(node)
        return self.now - seen.ago if seen else self.contacts.get(node)


def lost(facts: Facts) -> list[Wanted]:
    """Nodes that were heard once and are silent now."""
    found: list[Wanted] = []
    for key, node in facts.directory.nodes.items():
        last = facts.last_heard(key)
        if last is not None and facts.now - last >= LOST:
            found.append(
                Wanted("connectivity_lost", node=node.address, details=f"{node.name} was last heard at {_at(last)}.")
            )
    return found


def astray(facts: Facts) -> list[Wanted]:
    """Nodes whose clock is not ours."""
    found: list[Wanted] = []
    for key, node in facts.directory.nodes.items():
        seen = facts.heard.get(key)
        if seen is None or not seen.alive or not seen.report.time:
            continue
        ahead = seen.report.time - (facts.now - seen.ago)
        if abs(ahead) > ASTRAY:
            details = f"The clock of {node.name} is {'ahead of' if ahead > 0 else 'behind'} the Management Node's."
            found.append(Wanted("ntp_not_synchronised", node=node.address, details=details))
    return found


class Burden:
    """Remembers since when each node has been busier than what is booked explains."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def above(self, facts: Facts) -> list[Wanted]:
        """Nodes that would be full before their load says so."""
        found: list[Wanted] = []
        since: dict[str, float] = {}
        for key, node in facts.directory.nodes.items():
            seen = facts.heard.get(key)
            if seen is None or not seen.alive:
                continue
            report = seen.report
            busy = processor_load(report.cores_used, report.cores)
            booked = Load(capacity=report.capacity, used=report.used).percent
            if busy < BUSY or busy < booked + ABOVE:
                continue
            since[key] = self._since.get(key, facts.now)
            if facts.now - since[key] >= LASTING:
                details = f"{node.name} is {busy} % busy, with calls that should take {booked} %."
                found.append(Wanted("processor_overloaded", node=node.address, details=details))
        self._since = since
        return found


class Progress:
    """Remembers since when each node has had changes of configuration waiting without taking one."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[int, float]] = {}

    def behind(self, facts: Facts) -> list[Wanted]:
        """Nodes whose configuration is not synchronized."""
        found: list[Wanted] = []
        waiting: dict[str, tuple[int, float]] = {}
        for key, node in facts.directory.nodes.items():
            last, seen = facts.last_heard(key), facts.heard.get(key)
            if last is not None and facts.now - last >= STALE:
                details = f"{node.name} was last heard at {_at(last)}."
            elif seen is not None and seen.report.position < facts.position:
                position, since = self._waiting.get(key, (-1, facts.now))
                waiting[key] = position, since = (
                    seen.report.position,
                    (since if position == seen.report.position else facts.now),
                )
                if facts.now - since < STALE:
                    continue
                details = f"{node.name} has not taken the changes of its configuration since {_at(since)}."
            else:
                continue
            found.append(Wanted("configuration_sync_failure", node=node.address, details=details))
        self._waiting = waiting
        return found


def _at(moment: float) -> str:
    return f"{datetime.datetime.fromtimestamp(moment, datetime.UTC):%Y-%m-%d %H:%M:%S}"


# ---- the checks


class Watch:
    """Looks at the nodes, once we have been connected for so long that all of them should have been heard."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._progress = Progress()
        self._burden = Burden()

    def facts(self) -> Facts | None:
        """None when nothing can be said: we are cut off, or have just come."""
        heard = platform().heard()
        if heard is None:
            self._since = None
            return None
        if self._since is None:
            self._since = self._clock()
        if self._clock() - self._since < LOST:
            return None
        contacts = {
            node: moment.timestamp() for node, moment in NodeContact.objects.values_list("node", "last_reported")
        }
        return Facts(time.time(), Directory.load(), heard, contacts, journal.position())

    def look(self) -> list[Wanted] | None:
        """The check."""
        facts = self.facts()
        if facts is None:
            return None
        return [*lost(facts), *astray(facts), *self._progress.behind(facts), *self._burden.above(facts)]


def unused_bursting() -> list[Wanted]:
    """Locations whose bursting nodes nobody would ever use."""
    bursting = set(WorkerVM.objects.filter(cloud_bursting=True).values_list("system_location_id", flat=True))
    pairs = SystemLocation.objects.values_list("overflow_location1_id", "overflow_location2_id")
    used = {number for pair in pairs for number in pair}
    names = SystemLocation.objects.filter(pk__in=bursting - used).values_list("name", flat=True)
    return [Wanted("bursting_no_location_overflow", instance=name) for name in names]


def tell(raised: list[Wanted], lowered: list[Wanted]) -> None:
    """The log lines that go with these alarms (DIAG-144, DIAG-145)."""
    for one in raised:
        if one.name == "connectivity_lost":
            _tell_connectivity("Connectivity lost to node.", one.node, "WARNING")
        elif one.name == "configuration_sync_failure":
            _tell_configuration("Conferencing node appears unavailable.", one.node, "WARNING")
    for one in lowered:
        if one.name == "connectivity_lost":
            _tell_connectivity("Connectivity re-established.", one.node, "INFO")
        elif one.name == "configuration_sync_failure":
            text = "Conferencing node successfully updated after being marked unavailable."
            _tell_configuration(text, one.node, "INFO")


def _tell_connectivity(text: str, address: str, level: str) -> None:
    last = _last_reported(address)
    pairs = {"Last-Reported": time.asctime(last.timetuple())} if last else {}
    note(text, {"Node": address, **pairs}, name="administrator.system.connectivity", level=level)


def _tell_configuration(text: str, address: str, level: str) -> None:
    name = WorkerVM.objects.filter(address=address).values_list("name", flat=True).first()
    last = _last_reported(address) if level != "INFO" else None
    pairs = {"Last-Reported": f"{last:%Y-%m-%d %H:%M:%S}"} if last else {}
    note(text, {"Node": name or address, **pairs}, name="administrator.system.configuration", level=level)


def _last_reported(address: str) -> datetime.datetime | None:
    key = next((key for key, node in Directory.load().nodes.items() if node.address == address), "")
    return NodeContact.objects.filter(node=key).values_list("last_reported", flat=True).first()


def register() -> None:
    """Have all of this looked at from now on."""
    kinds = ("connectivity_lost", "ntp_not_synchronised", "configuration_sync_failure", "processor_overloaded")
    checks.register(Watch().look, *kinds, every=2.0, told=tell)
    checks.register(unused_bursting, "bursting_no_location_overflow", every=30.0)
