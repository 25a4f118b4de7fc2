"""Streams between this node and the others that carry the same conference.

Whoever needs a stream pulls it from its next hop (`domain.backplane`): it opens a receiving leg and states, again and
again, everything it wants of that hop. A hop that has not got a source itself pulls it for those behind it. Nothing
is remembered beyond a lease, so a node that dies, returns or changes its place needs no farewell.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from rostra.conference import messages as w
from rostra.conference.messages import StreamWant
from rostra.conference.streams import KEPT
from rostra.domain import backplane as topology
from rostra.domain.backplane import Hop, Host, Sound
from rostra.domain.media import CryptoAttribute, MediaKind
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import Connection
from rostra.media import messages as m
from rostra.media.client import MediaFailure, Worker, WorkerLost
from rostra.media.messages import AudioRoute, Quality
from rostra.media.replies import LegReport

logger = structlog.get_logger("rostra.conference")

REFRESH = 2.0
"""Seconds between two statements of what is wanted."""
MISSING = 0.4
"""The same while something wanted is not being sent."""
LEASE = 6.0
"""Seconds a stream is sent after the last statement that wants it."""
LINGER = 4.0
"""Seconds a picture stays at full quality after it is needed small only: people answer each other."""
OVERLAP = 1.0
"""Seconds the old quality goes on after the new one was opened."""
ANSWER = 3.0
FAREWELL = 0.6
"""Seconds a worker has to tell what its streams to a node were."""

_GROUPS = {Hop.SAME_LOCATION: m.SAME_LOCATION, Hop.OTHER_LOCATION: m.OTHER_LOCATION}
_SOUNDS = {
    Sound.PARTICIPANTS: m.PARTICIPANT,
    Sound.SAME_LOCATION: m.SAME_LOCATION,
    Sound.OTHER_LOCATION: m.OTHER_LOCATION,
}


class Stage(Protocol):
    """What the backplane must know of the conference."""

    @property
    def hosts(self) -> Mapping[str, Host]: ...

    @property
    def worker(self) -> Worker | None: ...

    def origin(self, source: str) -> str | None:
        """The node that carries the leg of this id."""
        ...

    def routes_changed(self) -> None:
        """`routes` says something else now."""

    def backplane_ended(self, peer: str, began: float, reports: Sequence[LegReport]) -> None:
        """Nothing is sent to a node any more; it began so many seconds ago by the clock. `reports`: of the streams."""


class _Incoming(msgspec.Struct, kw_only=True):
    hop: str
    want: StreamWant
    opened: float
    on: bool = False
    closing: float = 0.0
    """When it is to be closed; 0: it is wanted."""


class _Outgoing(msgspec.Struct, kw_only=True):
    began: float
    until: float
    streams: dict[str, StreamWant] = {}
    on: set[str] = set()
    over: list[LegReport] = []
    """What streams that have ended were."""


class Backplane:
    """All streams of one conference between this node and others; owned by its hosting."""

    def __init__(
        self, bus: Connection, key: str, node: str, boot: str, address: str, stage: Stage,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._bus = bus
        self._key = key
        self._node = node
        self._boot = boot
        self._address = address
        self._stage = stage
        self._clock = clock
        self._needs: dict[str, Quality] = {}
        self._full_until: dict[str, float] = {}
        self._incoming: dict[str, _Incoming] = {}
        self._outgoing: dict[str, _Outgoing] = {}
        self._asked: set[str] = set()
        self._due = asyncio.Event()
        self._serving = asyncio.Lock()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="backplane")

    # ---- stated by the conference

    def need(self, widths: Mapping[str, int]) -> None:
        """The pictures of other nodes that are shown here, and how wide."""
        needs = {source: Quality(topology.quality(width)) for source, width in widths.items()}
        if needs != self._needs:
            self._needs = needs
            self._due.set()

    def changed(self) -> None:
        """Nodes came or went."""
        self._due.set()

    def routes(self) -> dict[str, AudioRoute]:
        """What the legs of mixes contribute and hear, for the wanted state of the worker."""
        found: dict[str, AudioRoute] = {}
        hosts = self._stage.hosts
        hops = topology.neighbours(self._node, hosts)
        for incoming in self._incoming.values():
            if incoming.want.kind is MediaKind.AUDIO and incoming.hop in hops:
                found[incoming.want.source] = AudioRoute(hears=False, group=_GROUPS[hops[incoming.hop]])
        for node, outgoing in self._outgoing.items():
            sounds = topology.audio_sources(self._node, node, hosts)
            listens = sum(_SOUNDS[sound] for sound in sounds)
            for want in outgoing.streams.values():
                if want.kind is MediaKind.AUDIO:
                    found[want.leg] = AudioRoute(speaks=False, listens=listens, hears=bool(listens))
        return found

    def lost(self, counted: Callable[[str], LegReport | None]) -> None:
        """The worker died, and every leg with it; `counted`: what was last known of one."""
        self._incoming.clear()
        for outgoing in self._outgoing.values():
            outgoing.over.extend(report for leg in sorted(outgoing.on) if (report := counted(leg)) is not None)
            outgoing.on.clear()
        self._due.set()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        ending, self._outgoing = self._outgoing, {}
        await asyncio.gather(*(self._end(node, outgoing, self._stage.worker) for node, outgoing in ending.items()))

    async def _end(self, node: str, outgoing: _Outgoing, worker: Worker | None) -> None:
        """Send a node nothing more. A worker that does not answer is not waited for."""
        lasted = self._clock() - outgoing.began
        if worker is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await asyncio.gather(*(_close(worker, leg, outgoing.over) for leg in outgoing.streams))
        self._stage.backplane_ended(node, lasted, outgoing.over)

    # ---- wanting

    async def _run(self) -> None:
        while True:
            complete = False
            try:
                complete = await self._turn()
            except WorkerLost as problem:
                logger.info("Backplane interrupted", key=self._key, reason=str(problem))
            except Exception:  # the next turn begins anew
                logger.exception("Backplane failed", key=self._key)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH if complete else MISSING):
                    await self._due.wait()
            self._due.clear()

    async def _turn(self) -> bool:
        """Make the streams what they should be; True when nothing is missing."""
        worker = self._stage.worker
        if worker is None:
            return False
        await self._expire(worker)
        wanted = self._wanted()
        for leg, (hop, kind, source, quality) in wanted.items():
            if leg not in self._incoming:
                await self._open(worker, leg, hop, kind, source, quality)
        await self._retire(worker, wanted)
        by_hop: dict[str, list[StreamWant]] = {hop: [] for hop in self._asked}
        for incoming in self._incoming.values():
            if incoming.hop in self._stage.hosts:
                by_hop.setdefault(incoming.hop, []).append(incoming.want)
        answers = await asyncio.gather(*(self._state(hop, streams) for hop, streams in by_hop.items()))
        self._asked = {hop for hop, streams in by_hop.items() if streams}
        return all(answers)

    def _wanted(self) -> dict[str, tuple[str, MediaKind, str, Quality]]:
        """Leg id to what it shall bring: what is shown here, what those behind us want, and the mixes."""
        pictures = dict(self._needs)
        for outgoing in self._outgoing.values():
            for want in outgoing.streams.values():
                passed_on = want.kind is MediaKind.VIDEO and self._stage.origin(want.source) != self._node
                if passed_on and pictures.get(want.source) is not Quality.FULL:
                    pictures[want.source] = want.quality
        now = self._clock()
        for source, quality in list(pictures.items()):
            if quality is Quality.FULL:
                self._full_until[source] = now + LINGER
            elif self._full_until.get(source, 0) > now:
                pictures[source] = Quality.FULL
        self._full_until = {source: until for source, until in self._full_until.items() if until > now}
        hosts = self._stage.hosts
        found: dict[str, tuple[str, MediaKind, str, Quality]] = {}
        for source, quality in pictures.items():
            hop = topology.next_hop(self._node, self._stage.origin(source) or "", hosts)
            if hop is not None:
                found[self._leg(hop, source, quality)] = (hop, MediaKind.VIDEO, source, quality)
        for hop in topology.neighbours(self._node, hosts):
            source = f"mix:{hop}"
            found[self._leg(hop, source, Quality.FULL)] = (hop, MediaKind.AUDIO, source, Quality.FULL)
        return found

    def _leg(self, hop: str, source: str, quality: Quality) -> str:
        text = f"{self._key} {source} {quality} {hop} {self._node} {self._boot}"
        return f"bp-{hashlib.sha256(text.encode()).hexdigest()[:20]}"

    async def _open(
        self, worker: Worker, leg: str, hop: str, kind: MediaKind, source: str, quality: Quality
    ) -> None:  # fmt: skip
        theirs, ours = _key(), _key()
        request = m.ReceiveBackplane(leg=leg, kind=kind, source=source, quality=quality, key_in=theirs, key_out=ours)
        try:
            _, port = await worker.receive_backplane(request)
        except MediaFailure as problem:
            logger.error("Stream of another node cannot be taken", key=self._key, source=source, reason=str(problem))
            return
        want = StreamWant(
            leg=leg, kind=kind, source=source, quality=quality, address=self._address, port=port,
            key_out=theirs, key_in=ours,
        )  # fmt: skip
        self._incoming[leg] = _Incoming(hop=hop, want=want, opened=self._clock())
        if kind is MediaKind.AUDIO:
            self._stage.routes_changed()

    async def _retire(self, worker: Worker, wanted: Iterable[str]) -> None:
        """Close what is not wanted any more; of two qualities the old one goes when the new one is on."""
        now = self._clock()
        kept = set(wanted)
        replaced = {i.want.source for leg, i in self._incoming.items() if leg in kept}
        for leg, incoming in list(self._incoming.items()):
            if leg in kept:
                incoming.closing = 0.0
                continue
            if not incoming.closing:
                incoming.closing = now + (OVERLAP if incoming.want.source in replaced else 0.0)
                self._due.set()
            if incoming.closing <= now:
                del self._incoming[leg]
                await _close(worker, leg)
                if incoming.want.kind is MediaKind.AUDIO:
                    self._stage.routes_changed()

    async def _state(self, hop: str, streams: list[StreamWant]) -> bool:
        """Tell a hop all we want of it; True when it sends everything."""
        want = w.Want(key=self._key, node=self._node, boot=self._boot, streams=tuple(streams))
        try:
            reply = w.reply_decoder.decode(await self._bus.request(w.node_subject(hop), w.encode(want), timeout=ANSWER))
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.info("Node does not say what it sends", key=self._key, hop=hop, problem=str(problem))
            return False
        sent = set(reply.legs) if isinstance(reply, w.Sending) else set[str]()
        for stream in streams:
            if incoming := self._incoming.get(stream.leg):
                incoming.on = stream.leg in sent
        return all(stream.leg in sent for stream in streams)

    # ---- serving

    async def serve(self, want: w.Want) -> w.Sending:
        """Send what another node wants, and only that."""
        async with self._serving:
            known = self._outgoing.setdefault(want.node, _Outgoing(began=self._clock(), until=0.0))
            known.until = self._clock() + LEASE
            before = known.streams
            known.streams = {stream.leg: stream for stream in want.streams}
            worker = self._stage.worker
            if worker is None:
                return w.Sending(legs=())
            if before.keys() != known.streams.keys():
                self._stage.routes_changed()
                self._due.set()
            for leg in before.keys() - known.streams.keys():
                known.on.discard(leg)
                await _close(worker, leg, known.over)
            for leg, stream in known.streams.items():
                if leg not in known.on or before.get(leg) != stream:
                    await self._send(worker, known, stream)
            return w.Sending(legs=tuple(sorted(known.on)))

    async def _send(self, worker: Worker, known: _Outgoing, stream: StreamWant) -> None:
        request = m.SendBackplane(
            leg=stream.leg, kind=stream.kind, source=stream.source, quality=stream.quality, address=stream.address,
            port=stream.port, key_out=stream.key_out, key_in=stream.key_in,
        )  # fmt: skip
        try:
            await worker.send_backplane(request)
            known.on.add(stream.leg)
        except MediaFailure as problem:
            known.on.discard(stream.leg)
            if problem.kind is not m.Failure.Kind.UNKNOWN_LEG:
                logger.error("Stream cannot be sent", key=self._key, source=stream.source, reason=str(problem))
        except WorkerLost:
            known.on.clear()

    async def _expire(self, worker: Worker) -> None:
        now = self._clock()
        for node, outgoing in list(self._outgoing.items()):
            if outgoing.until < now or not outgoing.streams:
                del self._outgoing[node]
                await self._end(node, outgoing, worker)
                self._stage.routes_changed()

    # ---- figures

    def streams(self) -> list[tuple[str, StreamWant, bool]]:
        """Everything that crosses: the other node, the stream, and whether we send it."""
        found = [(incoming.hop, incoming.want, False) for incoming in self._incoming.values()]
        found += [(node, want, True) for node, out in self._outgoing.items() for want in out.streams.values()]
        return found

    def debug_state(self) -> dict[str, object]:
        return {
            "incoming": [
                f"{incoming.want.source} {incoming.want.quality} from {incoming.hop} {'on' if incoming.on else 'off'}"
                for incoming in self._incoming.values()
            ],
            "outgoing": {
                node: [f"{stream.source} {stream.quality}" for stream in outgoing.streams.values()]
                for node, outgoing in self._outgoing.items()
            },
        }


async def _close(worker: Worker, leg: str, over: list[LegReport] | None = None) -> None:
    """`over`: where what it was is kept."""
    try:
        report = await worker.close_leg(leg)
        if report is not None and over is not None:
            over.append(report)
            del over[:-KEPT]
    except (MediaFailure, WorkerLost) as problem:
        logger.debug("Leg not closed", leg=leg, reason=str(problem))


def _key() -> CryptoAttribute:
    """Key and salt of one direction of one stream; they travel over the fabric only."""
    return CryptoAttribute(
        tag=1, suite="AES_CM_128_HMAC_SHA1_80", key_salt=base64.b64encode(secrets.token_bytes(30)).decode()
    )
