"""The media of one conference on this node: the legs booked here, whoever signals them, and the streams to other nodes.

It begins with the first leg and ends with the last. What a leg does is told to the node that signals its call; when
the worker dies, that node sets the leg up again, here or elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from rostra.background import Background
from rostra.conference import messages as w
from rostra.conference.backplane import Backplane
from rostra.conference.director import MediaDirector
from rostra.conference.here import Here
from rostra.conference.picture import Program
from rostra.conference.state import Owner
from rostra.domain.backplane import Host
from rostra.domain.presenting import call_of, slides_of
from rostra.domain.service import ServiceDescription
from rostra.fabric.bus import Unreachable
from rostra.media.client import MediaFailure, Worker, WorkerLost
from rostra.media.messages import AudioRoute, Event, FirstPicture, Levels, StatisticsReply
from rostra.media.replies import CameraAsked, DtmfReceived, LegFailed, LegReport, LegTold, PictureWanted

logger = structlog.get_logger("rostra.conference")

LOOK = 2.0
"""Seconds between two looks for legs nobody knows of."""
ORPHANED = 10.0
"""Seconds a leg is kept whose node is gone."""
UNLISTED = 45.0
"""Seconds a leg is kept that its node does not list: a call may take that long to be answered."""
TELLING = 2.0
"""Seconds the other node may take to hear of it; tried twice."""
COUNTING = 0.6
"""Seconds a worker has to tell its counters."""
COUNTED = 10.0
"""Seconds after which they are asked for anew, in case that the worker dies."""


class HostingListener(Protocol):
    """The conference, as its media sees it. Nothing may block or raise."""

    @property
    def hosts(self) -> Mapping[str, Host]: ...

    def origin(self, source: str) -> str | None: ...

    def lists(self, call: str) -> bool:
        """Does a participant that is shown have this call here?"""
        ...

    def present(self, owner: Owner) -> bool: ...

    def carry(self, host: Host | None, pictures: frozenset[str]) -> None:
        """Tell all nodes what this one carries."""

    def levels(self, event: Levels) -> None: ...

    def leg_event(self, event: LegTold) -> None:
        """What a leg signalled here did."""

    def legs_lost(self, calls: tuple[str, ...], *, moving: bool, node: str) -> None:
        """Legs signalled here, which `node` carried, have to be set up again."""

    def leg_counted(self, call: str, report: LegReport) -> None:
        """What a leg was when its worker, that has died, told of it last."""

    def backplane_ended(self, peer: str, began: float, reports: Sequence[LegReport]) -> None:
        """Nothing is sent to a node any more."""

    def idle(self) -> None:
        """The last leg is gone."""


class _Booking(msgspec.Struct, kw_only=True):
    owner: Owner
    ticket: str
    unlisted: float = 0.0
    """Since when nobody lists it; 0: somebody does."""


class Hosting:
    """Owned by the conference instance; `worker` and what `Backplane` needs are its own."""

    def __init__(self, here: Here, key: str, service: ServiceDescription, listener: HostingListener) -> None:
        self._here = here
        self._key = key
        self._name = service.name
        self._listener = listener
        self._bookings: dict[str, _Booking] = {}
        self._pictures: frozenset[str] = frozenset()
        self._since = here.now()
        self._program: Program | None = None
        self._faces: Mapping[str, bytes] = {}
        self._director = MediaDirector(
            here.pool,
            key,
            service.name,
            self,
            lambda: here.themes(service.themes),
            service.quality,
            service.denoise,
        )
        self._backplane = Backplane(here.bus, key, here.node, here.boot, here.address, self, here.clock)
        self._told: StatisticsReply | None = None
        """What the worker has counted so far."""
        self._asked = here.clock()
        self._chains: dict[str, asyncio.Task[None]] = {}
        self._background = Background()
        self._looking = asyncio.get_running_loop().create_task(self._look(), name="orphans")
        self._closed = False

    # ---- legs

    @property
    def calls(self) -> list[str]:
        return list(self._bookings)

    @property
    def since(self) -> float:
        return self._since

    async def place(self, call: str, owner: Owner, ticket: str) -> Worker:
        """A leg will be opened here. Raises MediaFailure, WorkerLost; the booking goes with it."""
        self._bookings[call] = _Booking(owner=owner, ticket=ticket)
        try:
            worker = await self._director.worker()
        except (MediaFailure, WorkerLost):
            self.release(call, ticket)
            raise
        self._announce()
        return worker

    def release(self, call: str, ticket: str) -> None:
        """A leg is over (who signals it closes it at the worker). Unknown ones are fine."""
        booking = self._bookings.get(call)
        if booking is None or booking.ticket != ticket:
            return
        del self._bookings[call]
        self._here.ledger.release(self._key, call)
        self._pictures -= {call, slides_of(call)}
        if self._bookings:
            self._announce()
        else:
            self._listener.idle()

    def move_away(self) -> int:
        """Ask everybody to take their legs elsewhere; returns how many there are."""
        self._tell_owners(self._bookings, "moved by an administrator", moving=True)
        return len(self._bookings)

    def _announce(self) -> None:
        if not self._closed:
            host = Host(node=self._here.node, location=self._here.location(), since=self._since)
            self._listener.carry(host, self._pictures)

    # ---- wanted state

    @property
    def current(self) -> Worker | None:
        return self._director.current

    def want(self, program: Program, faces: Mapping[str, bytes]) -> None:
        """What the legs here shall see and hear; `faces`: JPEG of images that are in it, by name."""
        self._program, self._faces = program, faces
        self._backplane.need(program.elsewhere)
        self._compose()

    def hosts_changed(self) -> None:
        """Other nodes came or went."""
        self._backplane.changed()
        self._compose()

    async def statistics(self) -> StatisticsReply:
        """Counters of all streams of the worker; none when it does not tell at once."""
        worker = self._director.current
        nothing = StatisticsReply(streams=(), processor_seconds=0.0)
        if worker is None:
            return nothing
        try:
            async with asyncio.timeout(COUNTING):
                told = await worker.statistics()
        except (MediaFailure, WorkerLost, TimeoutError) as problem:
            logger.info("No statistics", conference=self._name, reason=str(problem))
            return nothing
        if worker is self._director.current:
            self._told, self._asked = told, self._here.clock()
        return told

    async def still(self, source: str, mark: bytes) -> w.Still | None:
        """The picture of a source carried here, unless it looks like that of `mark`; None: there is none."""
        worker = self._director.current
        if worker is None:
            return None
        try:
            taken = await worker.take_still(source, mark)
        except (MediaFailure, WorkerLost):
            return None
        return w.Still(mark=taken.mark, small=taken.small, large=taken.large)

    def backplanes(self) -> list[tuple[str, bool, list[tuple[w.StreamWant, bool]]]]:
        """For each other node: its id, whether it is in another location, and the streams (True: we send it)."""
        found: dict[str, list[tuple[w.StreamWant, bool]]] = {}
        for peer, want, sending in self._backplane.streams():
            found.setdefault(peer, []).append((want, sending))
        hosts, here = self._listener.hosts, self._here.location()
        return [
            (peer, peer in hosts and hosts[peer].location != here, streams) for peer, streams in sorted(found.items())
        ]

    async def serve(self, want: w.Want) -> w.Sending:
        """Streams for another node."""
        return await self._backplane.serve(want)

    def _compose(self) -> None:
        if self._program is None:
            return
        compose = self._program.compose
        audio = {**self._unlisted(), **compose.audio, **self._backplane.routes()}
        self._director.want(msgspec.structs.replace(compose, audio=audio), self._faces)

    def _unlisted(self) -> dict[str, AudioRoute]:
        """Legs whose participant is not shown (yet, or because its node is cut off) are not heard."""
        return {call: AudioRoute(speaks=False) for call in self._bookings}

    # ---- backplane.Stage

    @property
    def hosts(self) -> Mapping[str, Host]:
        return self._listener.hosts

    @property
    def worker(self) -> Worker | None:
        return self._director.current

    def origin(self, source: str) -> str | None:
        return self._listener.origin(source)

    def routes_changed(self) -> None:
        self._compose()

    def backplane_ended(self, peer: str, began: float, reports: Sequence[LegReport]) -> None:
        self._listener.backplane_ended(peer, began, reports)

    # ---- told by media (DirectorListener)

    def media_event(self, event: Event) -> None:
        match event:
            case Levels():
                self._listener.levels(event)
            case FirstPicture(leg=leg, width=width):
                if call_of(leg) in self._bookings and (width > 0) != (leg in self._pictures):
                    self._pictures = self._pictures | {leg} if width > 0 else self._pictures - {leg}
                    self._announce()
            case LegFailed() | DtmfReceived() | PictureWanted() | CameraAsked():
                booking = self._bookings.get(event.leg)
                if booking is not None:
                    self._leg_event(booking.owner, event)
            case _:
                logger.debug("Media event", conference=self._name, media_event=type(event).__name__)

    def media_lost(self) -> None:
        self._pictures = frozenset()
        told, self._told = self._told, None
        if told is not None:
            for call in self._bookings:
                if (report := _report(told, call)) is not None:
                    self._listener.leg_counted(call, report)
        self._backplane.lost(lambda leg: _report(told, leg) if told else None)
        self._announce()
        self._tell_owners(self._bookings, "the media process died")

    # ---- telling those who signal

    def _leg_event(self, owner: Owner, event: LegTold) -> None:
        if owner == (self._here.node, self._here.boot):
            self._listener.leg_event(event)
        elif isinstance(event, PictureWanted):
            self._tell(owner[0], w.PictureNeeded(key=self._key, call=event.leg))
        elif isinstance(event, CameraAsked):
            self._tell(owner[0], w.CameraMoves(key=self._key, event=event))
        else:
            self._tell(owner[0], w.LegEvent(key=self._key, event=event))

    def _tell_owners(self, bookings: Mapping[str, _Booking], reason: str, *, moving: bool = False) -> None:
        by_owner: dict[Owner, list[str]] = {}
        for call, booking in bookings.items():
            by_owner.setdefault(booking.owner, []).append(call)
        for owner, calls in by_owner.items():
            if owner == (self._here.node, self._here.boot):
                self._listener.legs_lost(tuple(calls), moving=moving, node=self._here.node)
            else:
                lost = w.LegsLost(
                    key=self._key, calls=tuple(calls), reason=reason, moving=moving, node=self._here.node
                )  # fmt: skip
                self._tell(owner[0], lost)

    def _tell(self, node: str, message: w.LegEvent | w.PictureNeeded | w.CameraMoves | w.LegsLost) -> None:
        """In order for each node; a node that is slow to hear holds up nobody else."""
        before = self._chains.get(node)

        async def tell() -> None:
            if before is not None:
                await asyncio.wait([before])
            for _ in range(2):
                try:
                    await self._here.bus.request(w.node_subject(node), w.encode(message), timeout=TELLING)
                    return
                except Unreachable as problem:
                    logger.info("Not told", conference=self._name, peer=node, problem=str(problem))

        self._chains[node] = self._background.spawn(tell())

    # ---- legs nobody knows of

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            for call in self.orphans(self._here.clock()):
                logger.warning("Leg without a call closed", conference=self._name, call=call)
                self._background.spawn(self._drop(call))
            if self._here.clock() - self._asked > COUNTED:
                self._asked = self._here.clock()
                self._background.spawn(self.statistics())

    def orphans(self, now: float) -> list[str]:
        """Calls that nobody has listed for too long."""
        found: list[str] = []
        for call, booking in self._bookings.items():
            if self._listener.lists(call):
                booking.unlisted = 0.0
                continue
            booking.unlisted = booking.unlisted or now
            if now - booking.unlisted > (UNLISTED if self._listener.present(booking.owner) else ORPHANED):
                found.append(call)
        return found

    async def _drop(self, call: str) -> None:
        worker, booking = self._director.current, self._bookings.get(call)
        if booking is not None:
            self.release(call, booking.ticket)
        if worker is not None and not self._closed:
            try:
                await worker.close_leg(call)
            except (MediaFailure, WorkerLost) as problem:
                logger.info("Leg not closed", call=call, reason=str(problem))

    async def close(self) -> None:
        """End all media of the conference here. Safe to repeat."""
        self._closed = True
        self._looking.cancel()
        for call in list(self._bookings):
            self._here.ledger.release(self._key, call)
        self._bookings.clear()
        await asyncio.gather(self._looking, return_exceptions=True)
        await self._backplane.close()
        await self._director.close()

    def debug_state(self) -> dict[str, object]:
        return {
            "bookings": sorted(self._bookings),
            "pictures": sorted(self._pictures),
            "media": self._director.debug_state(),
            "backplane": self._backplane.debug_state(),
        }


def _report(told: StatisticsReply, leg: str) -> LegReport | None:
    """What the counters of a worker say of one leg."""
    streams = tuple(stream for stream in told.streams if stream.leg == leg)
    quality = (told.quality[leg],) if leg in told.quality else ()
    return LegReport(streams=streams, quality=quality) if streams else None
