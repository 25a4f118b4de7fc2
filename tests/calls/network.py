"""Several nodes in one process: a fabric that can be cut, delayed and made to lose, and nodes that can be killed."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.calls.fakes import FakePool

from rostra.calls.exchange import Exchange
from rostra.calls.licences import Licences
from rostra.conference.here import Here
from rostra.domain.history import Event
from rostra.domain.ledger import Ledger
from rostra.domain.placement import LocationView
from rostra.domain.service import Service
from rostra.fabric.bus import Handler, Unreachable
from rostra.fabric.peers import NodeReport


class Network:
    """Who can reach whom. Delivery is by the event loop, in order for each subscription."""

    def __init__(self, seed: int = 0) -> None:
        self.nodes: dict[str, Node] = {}
        self.buses: dict[str, MemoryBus] = {}
        self.sides: dict[str, int] = {}
        self.lost = 0.0
        """Share of published messages that do not arrive at another node."""
        self.random = random.Random(seed)

    def bus(self, node: str) -> MemoryBus:
        self.buses[node] = MemoryBus(self, node)
        self.sides.setdefault(node, 0)
        return self.buses[node]

    def reach(self, one: str, other: str) -> bool:
        return one in self.buses and other in self.buses and self.sides[one] == self.sides[other]

    def split(self, **sides: int) -> None:
        """Put nodes on sides of a partition."""
        self.sides.update(sides)
        self._noticed()

    def heal(self) -> None:
        self.split(**dict.fromkeys(self.sides, 0))

    def kill(self, node: str) -> None:
        """End a node's process as SIGKILL does: its workers, sessions and subscriptions are gone."""
        del self.buses[node]
        self.nodes.pop(node).die()
        self._noticed()

    def _noticed(self) -> None:
        for node in self.nodes.values():
            node.peers.look()


class MemoryBus:
    """What `fabric.bus.Bus` offers, without a server."""

    connected = True

    def __init__(self, network: Network, node: str) -> None:
        self.network = network
        self.node = node
        self.subscriptions: list[_Subscription] = []
        self.published = 0

    async def publish(self, subject: str, payload: bytes) -> None:
        self.published += 1
        for name, bus in list(self.network.buses.items()):
            if not self.network.reach(self.node, name):
                continue
            if name != self.node and self.network.random.random() < self.network.lost:
                continue
            for subscription in bus.matching(subject):
                subscription.take(subject, payload, None)

    async def request(self, subject: str, payload: bytes, *, timeout: float = 5.0) -> bytes:
        found = [
            subscription
            for name, bus in self.network.buses.items()
            if self.network.reach(self.node, name)
            for subscription in bus.matching(subject)
        ]
        if not found:
            await asyncio.sleep(0)
            raise Unreachable(f"no answer on {subject}: nobody", nobody=True)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.network.random.choice(found).take(subject, payload, reply)
        try:
            return await asyncio.wait_for(reply, timeout)
        except TimeoutError:
            raise Unreachable(f"no answer on {subject}: timeout") from None

    async def subscribe(
        self, subject: str, handler: Handler, *, concurrent: bool = False
    ) -> Callable[[], Awaitable[None]]:
        subscription = _Subscription(subject, handler, concurrent)
        self.subscriptions.append(subscription)

        async def stop() -> None:
            if subscription in self.subscriptions:
                self.subscriptions.remove(subscription)

        return stop

    def matching(self, subject: str) -> list[_Subscription]:
        return [subscription for subscription in self.subscriptions if subscription.matches(subject)]


class _Subscription:
    def __init__(self, subject: str, handler: Handler, concurrent: bool) -> None:
        self.words = subject.split(".")
        self.handler = handler
        self.concurrent = concurrent
        self.waiting: deque[tuple[str, bytes, asyncio.Future[bytes] | None]] = deque()
        self.task: asyncio.Task[None] | None = None
        self.running: set[asyncio.Task[None]] = set()

    def matches(self, subject: str) -> bool:
        words = subject.split(".")
        return len(words) == len(self.words) and all(
            mine in ("*", word) for mine, word in zip(self.words, words, strict=True)
        )

    def take(self, subject: str, payload: bytes, reply: asyncio.Future[bytes] | None) -> None:
        loop = asyncio.get_running_loop()
        if self.concurrent:
            task = loop.create_task(self._handle(subject, payload, reply))
            self.running.add(task)
            task.add_done_callback(self.running.discard)
            return
        self.waiting.append((subject, payload, reply))
        if self.task is None or self.task.done():
            self.task = loop.create_task(self._drain())

    async def _drain(self) -> None:
        while self.waiting:
            await self._handle(*self.waiting.popleft())

    async def _handle(self, subject: str, payload: bytes, reply: asyncio.Future[bytes] | None) -> None:
        answer = await self.handler(subject, payload)
        if reply is not None and not reply.done() and answer is not None:
            reply.set_result(answer)


class NetworkPeers:
    """`fabric.peers.Peers` that knows at once who is there."""

    def __init__(self, network: Network, node: str) -> None:
        self._network = network
        self._node = node
        self._listeners: list[Callable[[str, bool], None]] = []
        self._seen: dict[str, str] = {}

    @property
    def alive(self) -> Mapping[str, NodeReport]:
        return {
            name: node.report() for name, node in self._network.nodes.items() if self._network.reach(self._node, name)
        }

    def on_change(self, listener: Callable[[str, bool], None]) -> None:
        self._listeners.append(listener)

    def unreachable(self, node: str) -> None:
        """Known already."""

    async def announce(self) -> None:
        """Read when it is needed."""

    def look(self) -> None:
        now = {name: report.boot for name, report in self.alive.items() if name != self._node}
        before, self._seen = self._seen, now
        for name in before.keys() | now.keys():
            if before.get(name) != now.get(name):
                for listener in self._listeners:
                    listener(name, name in now)


@dataclasses.dataclass
class MapAtlas:
    """Locations as given."""

    places: dict[int, LocationView] = dataclasses.field(default_factory=lambda: {1: LocationView(id=1, name="One")})
    reserved: int = 0

    def locations(self) -> Mapping[int, LocationView]:
        return self.places

    def reservation(self, *, audio_only: bool) -> int:
        return 1 if audio_only and self.reserved else self.reserved


class Node:
    """One node of the network."""

    def __init__(
        self,
        network: Network,
        name: str,
        find: Callable[[str], Service | None],
        *,
        location: int = 1,
        capacity: int = 1200,
        atlas: MapAtlas | None = None,
        pool: FakePool | None = None,
        role: str = "CONFERENCING",
        licensed: Callable[[], bool] = lambda: True,
        licences: Licences | None = None,
        plan: Any = None,
        policies: Any = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.boot = f"{name}-{network.random.randrange(10**9)}"
        self.location = location
        self.role = role
        self.bus = network.bus(name)
        self.pool = pool or FakePool()
        self.pool.bus = self.bus
        self.pool.node = name
        self.ledger = Ledger(capacity)
        self.events: list[Event] = []
        self.registrations: Callable[[], int] = lambda: 0
        self.peers = NetworkPeers(network, name)
        here = Here(
            node=name, boot=self.boot, bus=self.bus, pool=self.pool, ledger=self.ledger,  # type: ignore[arg-type]
            location=lambda: self.location, record=self.events.append, now=now, clock=clock,
        )  # fmt: skip
        self.exchange = Exchange(
            here, self.peers, atlas or MapAtlas(), find, licensed=licensed, licences=licences, plan=plan,  # type: ignore[arg-type]
            policies=policies,
        )  # fmt: skip
        network.nodes[name] = self

    async def start(self) -> Node:
        await self.exchange.start()
        for node in self.bus.network.nodes.values():
            node.peers.look()
        return self

    def report(self) -> NodeReport:
        return NodeReport(
            node=self.name, boot=self.boot, role=self.role, location=self.location, capacity=self.ledger.capacity,
            used=self.ledger.used, takes_media=self.exchange.takes_media, registrations=self.registrations(),
        )  # fmt: skip

    def die(self) -> None:
        """Nothing of it runs any more; whoever holds its sessions talks to nobody."""
        self.bus.subscriptions.clear()
        for worker in self.pool.workers:
            worker.alive = False
        for task in asyncio.all_tasks():
            if _belongs(task, self):
                task.cancel()


def _belongs(task: asyncio.Task[Any], node: Node) -> bool:
    """Periodic work of the node's conferences, which would go on after its death."""
    frame = task.get_coro().cr_frame if hasattr(task.get_coro(), "cr_frame") else None  # type: ignore[union-attr]
    owner = frame.f_locals.get("self") if frame else None
    bus = getattr(owner, "_bus", None) or getattr(getattr(owner, "_here", None), "bus", None)
    return bus is node.bus or getattr(owner, "_pool", None) is node.pool
