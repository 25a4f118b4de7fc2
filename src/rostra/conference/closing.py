"""The end of a conference by its own rules, wherever its participants are signalled (CONF-159…CONF-165).

Every node sees the same roster and so the same conditions; since when one holds is a register, written by one node
(the first, by id, that signals participants), so a node that comes later, or takes over, goes on from there. When
the time is over each node lets its own participants go: nothing has to be ordered, and nobody is let go twice. While
nodes are out of reach nothing ends at once, because they may be back (`domain.ending.UNREACHABLE`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rostra.conference.roster import Participant
from rostra.conference.shared import Shared
from rostra.conference.state import SEEN, SINCE, STARTED_BY_HAND
from rostra.domain import ending
from rostra.domain.ending import End, Fact, Limits, Present
from rostra.domain.vocabulary import ServiceType

_OUTSIDE = frozenset(
    {
        ServiceType.IVR, ServiceType.CONNECTING, ServiceType.INSUFFICIENT_CAPACITY, ServiceType.INSUFFICIENT_LICENSES,
        ServiceType.INVALID_LICENSE,
    }
)  # fmt: skip


def counts(participant: Participant) -> bool:
    """Does the conference's end concern it? Not who is still asked for a PIN or still rings."""
    return participant.service_type not in _OUTSIDE


class Closing:
    """Owned by the seating; `end` lets go of our own participants for a reason, `warn` tells of one to come."""

    def __init__(
        self, shared: Shared, node: str, limits: Limits, now: Callable[[], float], end: Callable[[End], None],
        warn: Callable[[End], None],
    ) -> None:  # fmt: skip
        self._shared = shared
        self._state = shared.state
        self._node = node
        self._limits = limits
        self._now = now
        self._end = end
        self._warn = warn
        self._timer: asyncio.TimerHandle | None = None
        self._warned: frozenset[End] = frozenset()
        self._looking = False

    def look(self) -> None:
        """The roster, or what is known of the conference, has changed. Safe to repeat."""
        if self._looking:  # by writing we have changed it ourselves
            return
        self._looking = True
        try:
            self._look()
        finally:
            self._looking = False

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    @property
    def running(self) -> bool:
        """An end is coming."""
        return self._timer is not None

    def forget(self) -> None:
        """The conference has ended for all; who is left outside may begin another."""
        if not self._state.incomplete:
            cleared = {f"{SINCE}{end.name}": 0.0 for end in End}
            self._shared.write(self._state.set(**{SEEN: ()}, **cleared))

    # ---- inside

    def _look(self) -> None:
        now, coming = self._now(), self._conditions()
        since = self._since()
        self._remember(ending.follow(since, coming, now))
        new = frozenset(coming) - self._warned
        self._warned = frozenset(coming)
        for end in sorted(new, key=lambda one: one.name):
            self._warn(end)
        self._wait(*ending.due(since, coming, now, unreachable=self._state.incomplete))

    def _conditions(self) -> dict[End, float]:
        people = self._people()
        known = frozenset(Fact(name) for name in self._state.names(SEEN)) | ending.facts(people)
        return ending.conditions(people, known, self._limits)

    def _people(self) -> list[Present]:
        starters = self._state.names(STARTED_BY_HAND)
        return [
            Present(
                role=one.role, joined=one.joined, leads=one.has_media or one.uuid in starters, dialled=one.keep_alive
            )
            for one in self._state
            if counts(one)
        ]

    def _since(self) -> dict[End, float]:
        found = {end: self._state.register(f"{SINCE}{end.name}") for end in End}
        return {end: value for end, value in found.items() if isinstance(value, float) and value > 0}

    def _remember(self, since: dict[End, float]) -> None:
        """Written by one node only, and only when it differs."""
        if self._node != min((one.node for one in self._state if counts(one)), default=""):
            return
        written: dict[str, float | tuple[str, ...]] = {}
        for end in End:
            name, value = f"{SINCE}{end.name}", since.get(end, 0.0)
            if (self._state.register(name) or 0.0) != value:
                written[name] = value
        before = self._state.names(SEEN)
        seen = tuple(sorted({*before, *ending.facts(self._people())}))
        if seen != before:
            written[SEEN] = seen
        if written:
            self._shared.write(self._state.set(**written))

    def _wait(self, end: End | None, seconds: float | None) -> None:
        self.close()
        loop = asyncio.get_running_loop()
        if end is not None:
            self._timer = loop.call_later(0, self._again)
        elif seconds is not None:
            self._timer = loop.call_later(seconds + 0.01, self._again)

    def _again(self) -> None:
        self._timer = None
        now, coming = self._now(), self._conditions()
        end, seconds = ending.due(self._since(), coming, now, unreachable=self._state.incomplete)
        if end is None:
            self._wait(None, seconds)
        else:
            self._end(end)
