"""Who speaks, in a conference whose sound may be on several nodes.

One of the carrying nodes feeds the voice switch for all: the first to carry media, so that everybody sees the same
speaker. The others tell it how loud their participants are. When it is gone the next one goes on from where the
registers say; each side of a partition has one of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from rostra.conference.state import ORDER, SPEAKING, ConferenceState, Value
from rostra.domain import voice

STALE = 0.35
"""Seconds after which levels told by another node count no more."""
QUIET = -90.0
"""dBov of whom nothing is heard."""
TOLD = -70.0
"""Levels below this are not told to other nodes."""


class Floor:
    """The voice switch of one conference as this node runs it, or helps to."""

    def __init__(
        self, state: ConferenceState, node: str, write: Callable[[dict[str, Value]], None],
        tell: Callable[[dict[str, float]], None], clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`write` sets registers; `tell` sends levels to the other nodes."""
        self._state = state
        self._node = node
        self._write = write
        self._tell = tell
        self._clock = clock
        self._voice = voice.Voice()
        self._remote: dict[str, tuple[float, dict[str, float]]] = {}
        self._stepped = 0.0
        self._quiet = True
        self._timer: asyncio.TimerHandle | None = None

    @property
    def leader(self) -> str | None:
        """The node that decides."""
        hosts = self._state.hosts.values()
        return min(hosts, key=lambda host: (host.since, host.node)).node if hosts else None

    def levels(self, levels: Mapping[str, float]) -> None:
        """How loud those are whose media is here, by participant; ten times a second."""
        if self.leader == self._node:
            self._step(levels)
            return
        told = {who: level for who, level in levels.items() if level > TOLD}
        if told or not self._quiet:
            self._tell(told)
        self._quiet = not told

    def heard(self, node: str, levels: dict[str, float]) -> None:
        """How loud those are whose media is on another node."""
        self._remote[node] = (self._clock(), levels)
        if self.leader == self._node and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(1.5 * voice.TICK, self._late)

    def without(self, participant: str) -> None:
        """Somebody has left."""
        self._voice = voice.without(self._voice, participant)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def _late(self) -> None:
        """Nothing is heard on this node itself, but elsewhere."""
        self._timer = None
        if self.leader == self._node and self._clock() - self._stepped > voice.TICK:
            self._step({})

    def _step(self, levels: Mapping[str, float]) -> None:
        now = self._clock()
        self._stepped = now
        heard = {
            p.uuid: QUIET
            for p in self._state
            if p.joined and not p.is_muted and not p.is_on_hold and any(leg.confirmed for leg in p.legs)
        }
        fresh = [told for at, told in self._remote.values() if now - at < STALE]
        for told in (*fresh, levels):
            heard.update({who: level for who, level in told.items() if who in heard})
        order = self._state.names(ORDER)
        before = self._voice
        if before.order != order:  # another node decided before us
            before = voice.Voice(
                scores=before.scores, levels=before.levels, noise=before.noise, speaking=before.speaking, order=order
            )
        self._voice = voice.step(before, heard)
        written: dict[str, Value] = {}
        if self._voice.order != order:
            written[ORDER] = self._voice.order
        speaking = tuple(sorted(self._voice.speaking))
        if speaking != self._state.names(SPEAKING):
            written[SPEAKING] = speaking
        if written:
            self._write(written)
