"""Where the media of calls goes: asks the node that placement chooses, and the next one when it has no room.

What is known of other nodes' load is half a second old; a node that has been filled since refuses, and is left out
of the next choice. A node that does not answer counts as gone until it is heard again.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from rostra.background import Background
from rostra.calls.policies import MediaPlace
from rostra.calls.relaying import RelayedWorker, RemoteRelay
from rostra.calls.switchboard import CallRefused, Refusal
from rostra.conference import messages as w
from rostra.conference.here import Here
from rostra.conference.instance import ConferenceInstance
from rostra.conference.streams import stream_records
from rostra.domain import capacity, placement
from rostra.domain.capacity import CallClass
from rostra.domain.gateway import Onward
from rostra.domain.history import CapacityRefused, MediaEnded, MediaNodeUsed
from rostra.domain.ice import IceServers
from rostra.domain.placement import Choice, LocationView, NodeRole, NodeView
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import Peers
from rostra.media.client import Worker
from rostra.media.engine import rungs
from rostra.media.pool import STARTING
from rostra.media.replies import LegReport

logger = structlog.get_logger("rostra.calls")

NOTICE = -1
"""Instead of the tokens of a call: it is only told that there is no room."""

ASKED = 8
"""Nodes asked for one call before it is refused."""
ANSWER = STARTING + 2.0
"""Seconds a node may take to find a worker for a call; a node that dies is not waited for."""
RELEASING = 2.0


class Atlas(Protocol):
    """The configured geography."""

    def locations(self) -> Mapping[int, LocationView]: ...

    def reservation(self, *, audio_only: bool) -> int:
        """Tokens a conference reserves on each node that carries it."""
        ...


class Anchor:
    """The place of one call's media."""

    def __init__(self, key: str, node: str, worker: Worker, ticket: str, proxy: str = "") -> None:
        """`key`: the conference it was booked for, wherever its participant is by now. `proxy`: the edge node that
        relays it."""
        self.key = key
        self.node = node
        self.proxy = proxy
        self.worker = worker
        self.ticket = ticket


class Anchors:
    """Places the media of calls signalled here."""

    def __init__(self, here: Here, peers: Peers, atlas: Atlas) -> None:
        self._here = here
        self._peers = peers
        self._atlas = atlas
        self._background = Background()
        self._asking: dict[str, set[asyncio.Task[bytes]]] = {}
        self._relays: set[str] = set()
        peers.on_change(self._peer_changed)

    def alive(self, node: str) -> bool:
        return node in self._peers.alive

    def servers(self, onward: Onward | None) -> IceServers:
        """STUN and TURN servers for media of calls here; `onward`: of a gateway call."""
        return self._here.ice(onward)

    def relays(self, relay: str) -> bool:
        """Is a relay of an edge node in use by a call of ours?"""
        return relay in self._relays

    def _peer_changed(self, node: str, alive: bool) -> None:
        if not alive:
            for asking in self._asking.get(node, ()):
                asking.cancel()

    async def place(
        self, conference: ConferenceInstance, participant: str, call: str, tokens: int, avoid: str = "",
        where: MediaPlace | None = None,
    ) -> Anchor:  # fmt: skip
        """The node for a call's media, with room booked there; `where` policy wants it. Raises CallRefused.

        `tokens`: NOTICE for somebody who is only told that there is no room.
        """
        exclude = {avoid} if avoid else set[str]()
        for _ in range(ASKED):
            choice = self._choose(conference, tokens, exclude, where)
            if choice is None:
                break
            if not await self._distribute(conference, choice.node, avoid):
                exclude.add(choice.node)
                continue
            ticket = secrets.token_hex(8)
            asking = self._background.spawn(self._ask(choice.node, conference, call, tokens, ticket))
            try:
                placed = await asyncio.shield(asking)
            except asyncio.CancelledError:  # nobody waits for it any more: what was placed is given back
                asking.add_done_callback(functools.partial(self._give_back, conference.key, call, choice.node, ticket))
                raise
            if isinstance(placed, w.Placed):
                self._tell(conference, participant, choice)
                worker = self._worker(placed, choice, tokens, ticket)
                return Anchor(conference.key, choice.node, worker, ticket, choice.proxy or "")
            exclude.add(choice.node)
        if tokens != NOTICE:  # else that has been said before
            self._refused(conference, participant)
        raise CallRefused(Refusal.OUT_OF_RESOURCE)

    async def _distribute(self, conference: ConferenceInstance, node: str, leaving: str) -> bool:
        """A gateway call has a backplane only where its media is on two nodes: then the other one has to have room
        for it as well (PLAT-085), but not the one it is leaving, which may be full."""
        for other in _others(conference, node) - {leaving}:
            try:
                reserve = w.encode(w.Reserve(key=conference.key))
                payload = await self._here.bus.request(w.node_subject(other), reserve, timeout=RELEASING)
                reply = w.reply_decoder.decode(payload)
            except (Unreachable, msgspec.DecodeError) as problem:
                logger.info("Backplane not booked", peer=other, problem=str(problem))
                continue  # it is gone, and its media with it
            if isinstance(reply, w.NoRoom):
                logger.info("Media node has no room for a backplane", peer=other, reason=reply.reason)
                return False
        return True

    async def raise_price(self, conference: ConferenceInstance, call: str, anchor: Anchor, tokens: int) -> bool:
        """Book more for a call where it is; False: there is no room, and it keeps what it has."""
        reply = await self._ask(anchor.node, conference, call, tokens, anchor.ticket)
        return isinstance(reply, w.Placed)

    def release(self, call: str, anchor: Anchor) -> None:
        """The call needs it no more. Told once: a node that does not hear it finds out by itself."""
        self._relays.discard(anchor.ticket)
        self._background.spawn(self._release(call, anchor))
        if isinstance(anchor.worker, RelayedWorker):
            self._background.spawn(anchor.worker.give_up_relay())

    def ended(self, participant: str, call: str, anchor: Anchor, report: LegReport | None) -> None:
        """A call's leg was closed there: history keeps what it was."""
        if report is not None and report.streams:
            now = self._here.now()
            streams = stream_records(anchor.node, now, [report])
            self._here.record(
                MediaEnded(time=now, participant=participant, call=call, streams=streams, quality=report.quality)
            )

    def _give_back(self, key: str, call: str, node: str, ticket: str, asked: asyncio.Task[w.Reply | None]) -> None:
        placed = None if asked.cancelled() or asked.exception() else asked.result()
        if isinstance(placed, w.Placed):
            worker = Worker(placed.worker, self._here.bus, placed.process)
            self.release(call, Anchor(key, node, worker, ticket))

    async def finish(self, seconds: float) -> None:
        await self._background.finish(seconds)

    def _worker(self, placed: w.Placed, choice: Choice, tokens: int, ticket: str) -> Worker:
        if choice.proxy is None:
            return Worker(placed.worker, self._here.bus, placed.process)
        self._relays.add(ticket)
        relay = RemoteRelay(self._here, choice.proxy, ticket, _edge_price(tokens))
        report = self._peers.alive.get(choice.node)
        return RelayedWorker(placed.worker, self._here, placed.process, relay, report.address if report else "")

    def _locations(self, where: MediaPlace | None) -> Mapping[int, LocationView]:
        """As configured, but for what policy says of this call's (POL-059)."""
        known, here = self._atlas.locations(), self._here.location()
        if where is None:
            return known
        own = known.get(here, LocationView(id=here))
        return {
            **known,
            here: msgspec.structs.replace(own, transcoding=where.principal, overflow=where.overflow),
        }

    def _choose(
        self, conference: ConferenceInstance, tokens: int, exclude: set[str], where: MediaPlace | None
    ) -> Choice | None:
        key = conference.key
        # what somebody who only controls it has reserved here already is for this very call
        reserved = 0 if self._here.node in conference.media.hosts else self._here.ledger.tokens(key)
        nodes = {
            node: NodeView(
                node=node,
                location=report.location,
                capacity=report.capacity,
                used=report.used - (reserved if node == self._here.node else 0),
                role=NodeRole(report.role),
                takes_media=report.takes_media,
                weight=report.weight,
            )
            for node, report in self._peers.alive.items()
            if report.role in tuple(NodeRole)  # a newer version may have others
        }
        description = conference.service.description
        audio_only = description.call_type == "audio"
        distributed = tokens != NOTICE and (conference.service.onward is None or bool(conference.media.hosts))
        reservation = self._atlas.reservation(audio_only=audio_only) if distributed else 0
        own = nodes.get(self._here.node)
        on_edge = own is not None and own.role is NodeRole.PROXYING
        return placement.choose(
            location=self._here.location(),
            nodes=nodes,
            locations=self._locations(where),
            carrying=conference.media.hosts,
            cost=max(0, tokens),
            reservation=reservation,
            exclude=exclude,
            key=key,
            edge_cost=_edge_price(tokens) if on_edge else None,
        )

    async def _ask(
        self, node: str, conference: ConferenceInstance, call: str, tokens: int, ticket: str
    ) -> w.Reply | None:
        request = w.Place(
            key=conference.key, service=conference.service, call=call, tokens=max(0, tokens), owner=self._here.node,
            boot=self._here.boot, ticket=ticket, elsewhere=bool(_others(conference, node)), notice=tokens == NOTICE,
        )  # fmt: skip
        asking = asyncio.ensure_future(self._here.bus.request(w.node_subject(node), w.encode(request), timeout=ANSWER))
        self._asking.setdefault(node, set()).add(asking)
        try:
            await asyncio.wait({asking})
            reply = w.reply_decoder.decode(asking.result())
        except (Unreachable, msgspec.DecodeError, asyncio.CancelledError) as problem:
            if not asking.cancelled() and isinstance(problem, asyncio.CancelledError):
                raise  # it is us who are not waited for any more
            logger.warning("Media node does not answer", peer=node, problem=repr(problem))
            self._peers.unreachable(node)
            return None
        finally:
            self._asking[node].discard(asking)
        if isinstance(reply, w.NoRoom):
            logger.info("Media node takes no more", peer=node, reason=reply.reason)
        return reply

    async def _release(self, call: str, anchor: Anchor) -> None:
        try:
            release = w.encode(w.Release(key=anchor.key, call=call, ticket=anchor.ticket))
            await self._here.bus.request(w.node_subject(anchor.node), release, timeout=RELEASING)
        except Unreachable as problem:
            logger.info("Media not released", peer=anchor.node, call=call, problem=str(problem))

    def _tell(self, conference: ConferenceInstance, participant: str, choice: Choice) -> None:
        if choice.overflowed_from is not None:
            names = {key: location.name for key, location in self._atlas.locations().items()}
            logger.info(
                placement.CAPACITY_REACHED, conference=conference.name,
                location=names.get(choice.overflowed_from, ""), overflow_location=names.get(choice.location, ""),
            )  # fmt: skip
        self._here.record(
            MediaNodeUsed(
                time=self._here.now(), participant=participant, conference_id=conference.id, media_node=choice.node,
                location=choice.location, overflowed_from=choice.overflowed_from or 0,
                proxy_node=choice.proxy or "",
            )
        )  # fmt: skip

    def _refused(self, conference: ConferenceInstance, participant: str) -> None:
        logger.warning(
            "Participant failed to join conference.", conference=conference.name, participant_id=participant,
            reason="resource unavailable",
        )  # fmt: skip
        logger.warning("Call refused: insufficient capacity", conference=conference.name)
        self._here.record(
            CapacityRefused(
                time=self._here.now(), participant=participant, conference_name=conference.name,
                location=self._here.location(), reason="resource unavailable",
            )
        )  # fmt: skip


def _edge_price(tokens: int) -> int:
    return capacity.edge(CallClass.AUDIO if tokens <= CallClass.AUDIO else CallClass.HD)


def _others(conference: ConferenceInstance, node: str) -> set[str]:
    """Other nodes that carry media of a gateway call."""
    return set(conference.media.hosts) - {node} if conference.service.onward is not None else set()


def tokens_of(conference: ConferenceInstance, *, audio_only: bool, full_hd: bool = False) -> int:
    """What a call costs, by the most it may use (POL-113); `full_hd`: its far end takes 1080p."""
    description = conference.service.description
    sent = description.max_callrate_out or rungs.FULL_HD_CALL
    limits = [rate for rate in (description.max_callrate_in, description.max_callrate_out) if rate]
    found = capacity.call_class(
        audio_only=audio_only, call_type=description.call_type, bandwidth=max(limits, default=None),
        quality=description.quality,
        full_hd=full_hd and description.quality == "fullhd" and sent >= rungs.FULL_HD_CALL,
    )  # fmt: skip
    return int(found)
