"""Media through an edge node: a worker whose legs the endpoint reaches by a relay only (POL-130, POL-131, POL-139).

The relay is opened on the edge node, the leg on the worker; what either says of addresses is rewritten on the way, so
neither endpoint nor worker knows of the other's.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from rostra.conference import messages as w
from rostra.conference.here import Here
from rostra.domain.ice import NO_SERVERS, IceServers, IceSide
from rostra.domain.media import MediaDescription, MediaKind
from rostra.fabric.bus import Unreachable
from rostra.media import relay_sdp
from rostra.media.client import MediaFailure, Worker, WorkerLost
from rostra.media.messages import Failure, ReserveIce, Slides
from rostra.media.relay_sdp import NoCandidate, Place

logger = structlog.get_logger("rostra.calls")

ANSWER = 3.0
"""Seconds an edge node may take."""


class RemoteRelay:
    """The relay of one call on an edge node. Raises WorkerLost when that is gone, MediaFailure when it refuses."""

    def __init__(self, here: Here, node: str, name: str, tokens: int) -> None:
        self._here = here
        self.node = node
        self._name = name
        self._tokens = tokens

    async def open(self, shapes: Sequence[str]) -> tuple[Place, ...]:
        """The places the endpoint is told of."""
        return await self._places(
            w.RelayOpen(
                relay=self._name, shapes=tuple(shapes), tokens=self._tokens, owner=self._here.node,
                boot=self._here.boot,
            )
        )  # fmt: skip

    async def aim(self, targets: Sequence[Place]) -> tuple[Place, ...]:
        """The places the worker sees."""
        return await self._places(
            w.RelayAim(relay=self._name, targets=tuple((place.address, place.port) for place in targets))
        )

    async def announce(self, endpoints: Sequence[tuple[Place, Place] | None]) -> None:
        told = tuple(one and (one[0].address, one[0].port, one[1].address, one[1].port) for one in endpoints)
        await self._ask(w.RelayAnnounce(relay=self._name, endpoints=told))

    async def close(self) -> None:
        try:
            await self._ask(w.RelayClose(relay=self._name))
        except (WorkerLost, MediaFailure) as problem:
            logger.info("Relay not closed", peer=self.node, reason=str(problem))

    async def _places(self, request: w.RelayOpen | w.RelayAim) -> tuple[Place, ...]:
        reply = await self._ask(request)
        if not isinstance(reply, w.RelayPlaces):
            raise MediaFailure(Failure.Kind.INTERNAL, f"{type(reply).__name__} is no reply of a relay")
        return tuple(Place(address, port) for address, port in reply.places)

    async def _ask(self, request: w.RelayRequest) -> w.Reply:
        try:
            payload = await self._here.bus.request(w.node_subject(self.node), w.encode(request), timeout=ANSWER)
            reply: w.Reply = w.reply_decoder.decode(payload)
        except (Unreachable, msgspec.DecodeError) as problem:
            raise WorkerLost(f"edge node {self.node}: {problem}") from problem
        if isinstance(reply, w.NoRoom):
            raise MediaFailure(Failure.Kind.OUT_OF_PORTS, reply.reason)
        return reply


class RelayedWorker(Worker):
    """A worker as the endpoint of one call sees it."""

    def __init__(self, identity: str, here: Here, process: int, relay: RemoteRelay, address: str) -> None:
        """`address`: of the worker's node, as the edge node reaches it."""
        super().__init__(identity, here.bus, process)
        self._relay = relay
        self._address = address
        self._outside: tuple[Place, ...] = ()
        self._inside: tuple[Place, ...] = ()
        self._worker: tuple[Place, ...] = ()

    async def open_webrtc(
        self, leg: str, offer: str, *, media_type: str = "video", receive_bandwidth: int | None = None,
        send_bandwidth: int | None = None, slides: Slides = Slides(), start: bool = False,  # noqa: B008 (immutable)
        servers: IceServers = NO_SERVERS, answered: bool = False,
    ) -> str:  # fmt: skip
        answer = await super().open_webrtc(
            leg, relay_sdp.offer_through(offer), media_type=media_type, receive_bandwidth=receive_bandwidth,
            send_bandwidth=send_bandwidth, slides=slides, start=start, answered=answered,
        )  # fmt: skip
        try:
            needed = relay_sdp.transports(answer, near=self._address)
        except NoCandidate as problem:
            raise MediaFailure(Failure.Kind.INTERNAL, str(problem)) from problem
        outside = await self._relay.open(["ICE"] * len(needed))
        await self._relay.aim([transport.worker for transport in needed])
        return relay_sdp.answer_through(answer, dict(zip(needed, outside, strict=False)))

    async def add_candidate(self, leg: str, mid: str, candidate: str, ufrag: str = "") -> None:
        """Not passed on: the worker meets the endpoint at the relay."""

    async def reserve_ice(self, request: ReserveIce) -> tuple[IceSide, ...]:
        """None: the endpoint meets the relay, which takes what comes."""
        return ()

    async def reserve_rtp(
        self, leg: str, kinds: Sequence[MediaKind], *, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        """Relays have IPv4 only."""
        outside = await self._relay.open(["RTP"] * len(kinds))
        _, ports = await super().reserve_rtp(leg, kinds)
        self._worker = tuple(Place(self._address, port) for port in ports)
        self._inside = await self._relay.aim(self._worker)
        self._outside = outside[: len(kinds)]
        return self._outside[0].address, tuple(place.port for place in self._outside)

    async def connect_rtp(
        self, leg: str, local: MediaDescription, remote: MediaDescription, proved: str | None = None
    ) -> None:
        if not self._outside:  # reserved on a worker that is gone
            raise MediaFailure(Failure.Kind.UNKNOWN_LEG, f"no relay was opened for {leg}")
        sides = relay_sdp.for_worker(
            local, remote, outside=self._outside, inside=self._inside, worker=self._worker
        )  # fmt: skip
        await self._relay.announce(sides.announced)
        if proved is not None and proved in (remote.address, *(one.address for one in remote.streams)):
            proved = self._inside[0].address
        await super().connect_rtp(leg, sides.local, sides.remote, proved)

    async def give_up_relay(self) -> None:
        """The call does not use this relay any more. Safe to repeat."""
        await self._relay.close()
