"""Which nodes are there: everybody reports twice a second, and whoever falls silent is asked, then taken for dead.

Only our own monotonic clock judges, so a node whose clock is wrong is as alive as any other. A process that was
killed is known dead as soon as it is asked, because the fabric knows that nobody listens; a node that was cut off
is known dead after `DEAD` seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
import structlog

from rostra.fabric import subjects
from rostra.fabric.bus import Handler, Unreachable
from rostra.fabric.speaking import speaks_for

logger = structlog.get_logger("rostra.fabric.peers")

INTERVAL = 0.5
"""Seconds between reports."""
SUSPECT = 0.9
"""Seconds of silence after which a node is asked whether it is there."""
PROBE = 0.5
"""Seconds it may take to answer that."""
DEAD = 2.2
"""Seconds of silence after which it is dead, whatever the fabric says."""
CUT_OFF = 3.0
"""Seconds for which we judge nobody while our own connection to the fabric is away."""

REPORTS = subjects.REPORT.pattern


def report_subject(node: str) -> str:
    return subjects.REPORT.of(node)


def probe_subject(node: str) -> str:
    return subjects.PROBE.of(node)


class NodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a Conferencing Node says of itself. A new member has a default: nodes of two versions understand it."""

    node: str
    """Its id on the fabric."""
    boot: str
    """Identifies this run of the node's process: what an earlier run owned is gone."""
    name: str = ""
    location: int = 0
    address: str = ""
    https_port: int = 443
    """Where browsers reach its client API."""
    role: str = "CONFERENCING"
    version: str = ""
    capacity: int = 0
    """Tokens it can carry at most (see domain.capacity)."""
    used: int = 0
    """Tokens in use and reserved."""
    media_load: int = 0
    """Percent; 100 in maintenance mode (NODE-128)."""
    max_full_hd: int = 0
    """Calls of that kind it can take if there are no others. Of a node that was not measured all three are 0: what its
    capacity comes to by price holds."""
    max_sd: int = 0
    max_audio: int = 0
    cores: float = 0.0
    """Processors it may use; 0: it does not say."""
    cores_used: float = 0.0
    """Of them in use by the node and its media workers, on average over the last seconds."""
    maintenance: bool = False
    takes_media: bool = True
    """New media may be placed here."""
    weight: int = 0
    """`media_priority_weight`: nodes with more are preferred."""
    conferences: int = 0
    participants: int = 0
    """Signalled here."""
    registrations: int = 0
    """Devices registered here."""
    legs: int = 0
    """Media carried here."""
    position: int = 0
    """Last configuration change it has."""
    queued: int = 0
    """Events waiting for the Management Node."""
    time: float = 0.0
    """Its clock, Unix seconds."""
    started: float = 0.0
    leaving: bool = False
    """Its last report: it ends in good order."""


class Connection(Protocol):
    """What is needed of `fabric.bus.Bus`."""

    @property
    def connected(self) -> bool: ...

    async def publish(self, subject: str, payload: bytes) -> None: ...

    async def request(self, subject: str, payload: bytes, *, timeout: float = 5.0) -> bytes: ...

    async def subscribe(self, subject: str, handler: Handler, *, concurrent: bool = False) -> Any: ...


class _Peer(msgspec.Struct, kw_only=True):
    report: NodeReport
    heard: float
    alive: bool = True
    asking: bool = False


OnChange = Callable[[str, bool], None]
"""Told the node and whether it is alive now; also when a new run of it took the place of an earlier one."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(NodeReport).decode


class Peers:
    """The other nodes as this one sees them. With `report` we are one of them; without, we only look."""

    def __init__(
        self,
        bus: Connection,
        report: Callable[[], NodeReport] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._report = report
        self._clock = clock
        self._peers: dict[str, _Peer] = {}
        self._listeners: list[OnChange] = []
        self._stops: list[Callable[[], Any]] = []
        self._task: asyncio.Task[None] | None = None
        self._probes: set[asyncio.Task[None]] = set()
        self._connected_at = clock()

    # ---- reading

    @property
    def alive(self) -> Mapping[str, NodeReport]:
        """The last report of every node that is there, our own included, by node id."""
        found = {node: peer.report for node, peer in self._peers.items() if peer.alive}
        if self._report is not None:
            own = self._report()
            found[own.node] = own
        return found

    @property
    def known(self) -> Mapping[str, tuple[NodeReport, bool, float]]:
        """Every node heard of: last report, is it alive, seconds since it was heard."""
        now = self._clock()
        return {node: (peer.report, peer.alive, now - peer.heard) for node, peer in self._peers.items()}

    def boot(self, node: str) -> str | None:
        """The run of a node that is alive; None when it is not."""
        own = self._report() if self._report is not None else None
        if own is not None and own.node == node:
            return own.boot
        peer = self._peers.get(node)
        return peer.report.boot if peer and peer.alive else None

    def on_change(self, listener: OnChange) -> None:
        self._listeners.append(listener)

    # ---- running

    async def start(self) -> None:
        self._stops.append(await self._bus.subscribe(REPORTS, self._heard))
        if self._report is not None:
            self._stops.append(await self._bus.subscribe(probe_subject(self._report().node), self._asked))
        self._connected_at = self._clock()
        self._task = asyncio.create_task(self._run(), name="peers")

    async def stop(self) -> None:
        """Say good-bye, then stop. Safe to repeat."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, *self._probes, return_exceptions=True)
        self._task = None
        if self._report is not None and self._bus.connected:
            await self._say(msgspec.structs.replace(self._report(), leaving=True))
        for stop in self._stops:
            await stop()
        self._stops.clear()

    async def announce(self) -> None:
        """Report at once: something others decide by has changed."""
        if self._report is not None:
            await self._say(self._report())

    def unreachable(self, node: str) -> None:
        """A request to a node found nobody there: ask it again now instead of at the next look."""
        peer = self._peers.get(node)
        if peer and peer.alive and not peer.asking:
            self._ask(peer)

    async def _say(self, report: NodeReport) -> None:
        await self._bus.publish(report_subject(report.node), _encode(report))

    async def _run(self) -> None:
        while True:
            try:
                await self.announce()
                self.look()
            except Exception:  # one bad turn must not make us seem dead
                logger.exception("Reporting failed")
            await asyncio.sleep(INTERVAL)

    def look(self) -> None:
        """Judge everybody's silence."""
        now = self._clock()
        deaf = now - self._connected_at
        if self._bus.connected:
            self._connected_at = now
            if deaf > 2 * INTERVAL:  # we were away, or stood still: nobody was silent in that time
                for peer in self._peers.values():
                    peer.heard = min(now, peer.heard + deaf)
        elif deaf < CUT_OFF:
            return
        for peer in list(self._peers.values()):
            silent = now - peer.heard
            if not peer.alive or silent < SUSPECT:
                continue
            if silent >= DEAD:
                self._dead(peer, "silent")
            elif not peer.asking and self._bus.connected:
                self._ask(peer)

    def _ask(self, peer: _Peer) -> None:
        peer.asking = True
        task = asyncio.get_running_loop().create_task(self._probe(peer))
        self._probes.add(task)
        task.add_done_callback(self._probes.discard)

    async def _probe(self, peer: _Peer) -> None:
        try:
            payload = await self._bus.request(probe_subject(peer.report.node), b"", timeout=PROBE)
            await self._heard("", payload)
        except Unreachable as problem:
            if problem.nobody and self._bus.connected:
                self._dead(peer, "its process is gone")
        finally:
            peer.asking = False

    async def _asked(self, _subject: str, _payload: bytes) -> bytes | None:
        return _encode(self._report()) if self._report is not None else None

    async def _heard(self, _subject: str, payload: bytes) -> None:
        try:
            report = _decode(payload)
        except msgspec.DecodeError as problem:
            logger.warning("Report not understood", problem=str(problem))
            return
        if not speaks_for(report.node):
            logger.warning("A report in the name of another node is not heeded", node=report.node)
            return
        if self._report is not None and report.node == self._report().node:
            if report.boot != self._report().boot:
                logger.error("Another machine has this node's identity", node=report.node, address=report.address)
            return
        before = self._peers.get(report.node)
        now = self._clock()
        if report.leaving:
            if before and before.report.boot == report.boot:
                self._dead(before, "it has ended")
            return
        if before is None:
            self._peers[report.node] = _Peer(report=report, heard=now)
        else:
            if before.report.boot != report.boot:
                self._dead(before, "it has begun anew")
            came = not before.alive
            before.report, before.heard, before.alive = report, now, True
            if not came:
                return
        logger.info("Node is there", peer=report.node, name=report.name, version=report.version)
        self._tell(report.node, True)

    def _dead(self, peer: _Peer, why: str) -> None:
        if peer.alive:
            peer.alive = False
            logger.warning("Node is gone", peer=peer.report.node, name=peer.report.name, why=why)
            self._tell(peer.report.node, False)

    def _tell(self, node: str, alive: bool) -> None:
        for listener in self._listeners:
            try:
                listener(node, alive)
            except Exception:
                logger.exception("A listener to nodes failed", peer=node)

    def debug_state(self) -> dict[str, Any]:
        return {node: {"alive": alive, "silent": round(ago, 2)} for node, (_, alive, ago) in self.known.items()}
