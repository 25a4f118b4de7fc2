"""The end of a conference by its own rules, wherever its participants are signalled (CONF-159…CONF-165).

Every node sees the same roster and so the same conditions; since when one holds is a register, written by one node
(the first, by id, that signals participants), so a node that comes later, or takes over, goes on from there. A node
that saw the condition begin later than that, having seen somebody who stood against it, puts it right: the other was
cut off from whoever that was. When
the time is over each node lets its own participants go: nothing has to be ordered, and nobody is let go twice. While
nodes are out of reach nothing ends at once, because they may be back (`domain.ending.UNREACHABLE`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from rostra.conference.roster import Participant
from rostra.conference.shared import Shared
from rostra.conference.state import SEEN, SINCE, STARTED_BY_HAND
from rostra.domain import ending
from rostra.domain.ending import End, Fact, Limits, Present, Since
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
        self._prevented: frozenset[End] = frozenset()
        self._began: dict[End, float] = {}
        """When an end began to come that had been prevented, as seen here."""
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
        now, people = self._now(), self._people()
        prevented = ending.prevented(people)
        self._began.update(dict.fromkeys(self._prevented - prevented, now))
        self._prevented = prevented
        coming = self._conditions(people)
        since = self._since()
        self._remember(ending.follow(since, coming, now), people)
        new = frozenset(coming) - self._warned
        self._warned = frozenset(coming)
        for end in sorted(new, key=lambda one: one.name):
            self._warn(end)
        self._wait(*self._due(since, coming, now))

    def _conditions(self, people: Sequence[Present]) -> dict[End, float]:
        return ending.conditions(people, self._known() | ending.facts(people), self._limits)

    def _known(self) -> frozenset[Fact]:
        return frozenset(fact for fact in Fact if fact in self._state.names(SEEN))

    def _due(self, since: Since, coming: Mapping[End, float], now: float) -> tuple[End | None, float | None]:
        return ending.due(since, coming, now, unreachable=self._state.incomplete, met=self._shared.met)

    def _people(self) -> list[Present]:
        starters = self._state.names(STARTED_BY_HAND)
        return [
            Present(
                role=one.role, joined=one.joined, leads=one.has_media or one.uuid in starters, dialled=one.keep_alive
            )
            for one in self._state
            if counts(one)
        ]

    def _since(self) -> Since:
        found = {end: self._state.register(f"{SINCE}{end.name}") for end in End}
        said = {end: value for end, value in found.items() if isinstance(value, float) and value > 0}
        return ending.own_view(said, self._began)

    def _remember(self, since: Since, people: Sequence[Present]) -> None:
        """Written by one node only, but for what it cannot know, and only when it differs."""
        first = self._node == min((one.node for one in self._state if counts(one)), default="")
        written: dict[str, float | tuple[str, ...]] = {}
        for end in End:
            name, value = f"{SINCE}{end.name}", since.get(end, 0.0)
            said = self._state.register(name) or 0.0
            if said != value and (first or (said and value == self._began.get(end))):
                written[name] = value
        before = self._state.names(SEEN)
        seen = tuple(sorted({*before, *ending.facts(people)}))
        if first and seen != before:
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
        now, coming = self._now(), self._conditions(self._people())
        end, seconds = self._due(self._since(), coming, now)
        if end is None:
            self._wait(None, seconds)
        else:
            self._end(end)
