"""Datagrams in the order of their worth: what belongs to calls that run is handled as it comes; what begins something
waits for its turn when there is more than one turn can hold, and is refused when there is far more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rostra.sip.engine import Engine
from rostra.sip.flow import Flow
from rostra.sip.gate import acknowledges_refusal, cancelled, name_of, refusal
from rostra.sip.overload import Few
from rostra.sip.transport.room import FEW, MANY, OURS, Room, Waiting

TURN = 0.005
"""Seconds of one turn for what begins something: others have theirs in between."""


class Arrivals:
    """Of one node, whatever sockets they come by."""

    def __init__(
        self,
        engine: Engine,
        feed: Callable[[bytes, Flow], None],
        send: Callable[[bytes, tuple[str, int]], None],
        pump: Callable[[], None],
    ) -> None:
        """`feed` handles a datagram, `send` sends one, `pump` does what follows from those that were handled."""
        self._engine = engine
        self._feed = feed
        self._send = send
        self._pump = pump
        self._loop = asyncio.get_running_loop()
        self._room = Room()
        self._few = Few()
        self._next: asyncio.Handle | None = None

    def close(self) -> None:
        """Whoever still waits is not served any more."""
        self._room = Room()
        if self._next is not None:
            self._next.cancel()

    def take(self, data: bytes, flow: Flow, began: float) -> None:
        """One has come, in a turn of reading that began then (seconds of the loop's clock)."""
        if acknowledges_refusal(data):
            return
        now = self._loop.time()
        gate = self._engine.gate
        at_once = not self._room and now - began < TURN and not gate.overload.has_refused(None, now)
        if at_once or gate.belongs(data):
            self._feed(data, flow)
        else:
            self._wait(data, flow, now)

    def turn_over(self) -> None:
        """All that had come was read."""
        self._pump()
        if self._room and self._next is None:
            self._next = self._loop.call_soon(self._serve)

    def _wait(self, data: bytes, flow: Flow, now: float) -> None:
        request = name_of(data)
        if request in self._room or cancelled(data) in self._room:  # who cancels what has not begun says it again
            return
        if self._engine.gate.overload.has_refused(request, now):
            self._refuse(data, flow, now)
        elif self._engine.gate.hearing.hears(flow.remote[0], now, proven=False):
            who, ours = self._engine.gate.asking(flow, self._engine.keeps)
            rank = (OURS if ours else FEW) if self._few.has(who, now, ours=ours) else MANY
            self._room.enter(request, Waiting(data, flow, now), rank)
        else:
            self._feed(data, flow)  # dropped, but for what the gate lets through all the same

    def _serve(self) -> None:
        """One turn of those who wait."""
        self._next = None
        until = self._loop.time() + TURN
        while (waiting := self._room.next()) is not None:
            self._feed(waiting.data, waiting.flow)
            if self._loop.time() >= until:
                break
        for refused in self._room.surplus(self._loop.time()):
            self._refuse(refused.data, refused.flow, self._loop.time())
        self.turn_over()

    def _refuse(self, data: bytes, flow: Flow, now: float) -> None:
        answer, port = refusal(data, flow)
        if answer:
            self._engine.gate.overload.refuse(name_of(data), now)
            self._send(answer, (flow.remote[0], port))
