"""A bad network between a node and a far end: a UDP relay that loses, delays, reorders, repeats and queues packets.

Each direction is a `Line` for all streams of a call, as its packets share one access. What happens to which packet
follows from a seed, so a run can be repeated.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
import selectors
import socket
import threading
import time
from typing import Self

LARGEST = 65536
HEADERS = 28
"""Bytes of IPv4 and UDP around a payload, which a bottleneck carries as well."""
LONGEST = 0.05
"""Seconds until the thread looks up again."""

Address = tuple[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Impairment:
    """What one direction does to packets. Shares are 0 to 1, times seconds."""

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    """As much is added at most; packets stay in order."""
    reordered: float = 0.0
    """Share that comes later than those behind it, by `lateness`."""
    lateness: float = 0.03
    repeated: float = 0.0
    """Share that comes twice."""
    rate: float = 0.0
    """Bit/s of the bottleneck; 0: there is none."""
    queue: float = 0.3
    """What would wait longer at the bottleneck is dropped."""
    burst: int = 3000
    """Bytes the bottleneck lets pass at once after a pause (a token bucket)."""


PERFECT = Impairment()


class Line:
    """One direction. Pure but for its random numbers."""

    def __init__(self, seed: int) -> None:
        self.impairment = PERFECT
        self.lost = self.dropped = self.passed = 0
        """Packets: lost by chance, dropped by the full queue, let pass."""
        self._random = random.Random(seed)
        self._free = self._latest = float("-inf")

    def arrivals(self, now: float, size: int) -> list[float]:
        """When a packet of so many bytes, sent now, arrives: once, twice, or not at all."""
        how, chance = self.impairment, self._random.random
        if chance() < how.loss:
            self.lost += 1
            return []
        at = now
        if how.rate:
            full = now - 8 * how.burst / how.rate
            free = max(self._free, full) + 8 * (size + HEADERS) / how.rate
            if free - now > how.queue:
                self.dropped += 1
                return []
            self._free = free
            at = max(now, free)
        self.passed += 1
        at += how.delay + chance() * how.jitter
        if chance() < how.reordered:
            return [at + how.lateness]
        at = self._latest = max(at, self._latest)
        return [at, at] if chance() < how.repeated else [at]


class Pipe:
    """The way of one UDP flow: the node is told `node_port`, the far end `far_port`."""

    def __init__(self, node: Address | None, far: Address | None) -> None:
        """Whose address is not given is answered to where its latest packet came from."""
        self.sockets = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in self.sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            one.bind(("0.0.0.0", 0))
            one.setblocking(False)
        self.node_port, self.far_port = (one.getsockname()[1] for one in self.sockets)
        self.ends = [node, far]
        self._known = [node is not None, far is not None]

    def settle(self, node: Address) -> None:
        """The node is there and nowhere else."""
        self.ends[0], self._known[0] = node, True

    def heard(self, side: int, sender: Address) -> None:
        if not self._known[side]:
            self.ends[side] = sender


class Relay:
    """The relay of one call, on a thread of its own; a context manager."""

    def __init__(self, seed: int = 1) -> None:
        self.to_far, self.to_node = Line(seed), Line(seed + 1)
        self._selector = selectors.DefaultSelector()
        self._pipes: list[Pipe] = []
        self._waiting: list[tuple[float, int, socket.socket, bytes, Address]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._selector.close()
        for pipe in self._pipes:
            for one in pipe.sockets:
                one.close()

    def pipe(self, node: Address | None = None, far: Address | None = None) -> Pipe:
        """A way for one more flow."""
        made = Pipe(node, far)
        self._pipes.append(made)
        for side in (0, 1):
            self._selector.register(made.sockets[side], selectors.EVENT_READ, (made, side))
        return made

    def impair(self, impairment: Impairment, back: Impairment | None = None) -> None:
        """Both directions from now on, or the one to the far end and the one `back` to the node."""
        with self._lock:
            self.to_far.impairment, self.to_node.impairment = impairment, back or impairment

    def until_lost(self, packets: int, seconds: float = 10) -> None:
        """Wait until so many were lost on the way to the node. Raises AssertionError."""
        deadline = time.monotonic() + seconds
        while self.to_node.lost < packets:
            assert time.monotonic() < deadline, f"only {self.to_node.lost} were lost"
            time.sleep(0.02)

    def _run(self) -> None:
        while not self._ended.is_set():
            now = time.monotonic()
            while self._waiting and self._waiting[0][0] <= now:
                _, _, out, packet, to = heapq.heappop(self._waiting)
                _send(out, packet, to)
            pause = min(LONGEST, self._waiting[0][0] - now) if self._waiting else LONGEST
            for key, _ in self._selector.select(max(0.0, pause)):
                self._take(*key.data)

    def _take(self, pipe: Pipe, side: int) -> None:
        """Everything that waits at one socket: side 0 is the node's."""
        line = self.to_node if side else self.to_far
        while True:
            try:
                packet, sender = pipe.sockets[side].recvfrom(LARGEST)
            except (BlockingIOError, ConnectionRefusedError):
                return
            pipe.heard(side, sender)
            to = pipe.ends[1 - side]
            if to is None:
                continue
            with self._lock:
                arrivals = line.arrivals(time.monotonic(), len(packet))
            for at in arrivals:
                heapq.heappush(self._waiting, (at, next(self._order), pipe.sockets[1 - side], packet, to))


def _send(out: socket.socket, packet: bytes, to: Address) -> None:
    try:
        out.sendto(packet, to)
    except (BlockingIOError, ConnectionRefusedError):
        return  # as a network does: whoever is not there, or has no room, gets nothing
