"""Floor control of one SIP call: the sockets and the clock of `rostra.bfcp`, and what it means for the participant."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from rostra.bfcp.client import FloorClient
from rostra.bfcp.message import HEADER, RELIABLE, UNRELIABLE, BadMessage
from rostra.bfcp.server import FloorServer
from rostra.domain import natting
from rostra.domain.media import FloorControl, MediaStream
from rostra.environment import Environment
from rostra.media import floors
from rostra.sip.transport.connection import local_address_towards

log = structlog.get_logger("rostra.sip")

TRIES = 100
"""Ports tried."""
CONNECTING = 5.0
"""Seconds the far end has to take a connection of ours."""
INTRODUCED = 10.0
"""Seconds somebody who connects to us has to show that it is the far end."""
CONNECTIONS = 4
"""To one call at once: the far end's, the one it replaces, and strangers'."""
UNREAD = 64 * 1024
"""Bytes the far end may leave unread."""
AGAIN = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each try to connect again when a connection of ours was lost."""

_NOWHERE = ("0.0.0.0", "::")  # noqa: S104
"""Of a far end that holds; sent there it would reach this machine."""

Wanted = Callable[[bool], Awaitable[bool]]
"""The far end wants to present (answer: it may), or no longer does."""


class NoPort(Exception):
    """No port of the media range is free for floor control."""


class FloorLine:
    """Owned by the call's agent; made when the far end offers floor control for the first time."""

    def __init__(self, environment: Environment, address: str, wanted: Wanted, peer: Callable[[], str]) -> None:
        """`address` is what we write as ours; `peer` tells where the far end signals from."""
        self._peer = peer
        self.address = address
        self.port = 0
        self.section: MediaStream | None = None
        """Our side of the section, as last answered."""
        self._environment = environment
        self._wanted = wanted
        self._floor: FloorServer | FloorClient | None = None
        self._conference = secrets.randbelow(0xFFFFFFFE) + 1
        self._way: Any = None
        """The datagram transport, or the server of connections."""
        self._out: Callable[[bytes], None] | None = None
        self._far: tuple[str, int] | None = None
        """Where datagrams go."""
        self._told: tuple[str, int] | None = None
        """Where the far end said it is."""
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._deciding = asyncio.Lock()
        self._connections = 0
        self._presented = (False, False)

    async def answer(self, theirs: MediaStream) -> MediaStream:
        """Our side of the far end's section. Raises NoPort."""
        if self.section is None:
            tcp = theirs.profile.startswith("TCP")
            await (self._listen() if tcp else self._bind())
        self.section = ours = floors.floor_answer(theirs, self.address, self.port, conference=self._conference)
        if ours.control is not None:
            self._run(ours.control, theirs)
        return ours

    async def offer(self) -> MediaStream:
        """Our section in an offer of ours, for `agreed` to take its answer. Raises NoPort."""
        if self.section is None:
            await self._bind()
            self.section = floors.floor_offer(self.address, self.port, conference=self._conference)
        return self.section

    def agreed(self, theirs: MediaStream) -> None:
        """The far end's answer to our section."""
        control = floors.floor_agreed(self.section, theirs) if self.section else None
        if control is not None:
            self._run(control, theirs)

    def _run(self, control: FloorControl, theirs: MediaStream) -> None:
        """Begin, once; of later descriptions of the same call only another address of datagrams counts.

        A far end that cannot be where it says can still come to us.
        """
        told, self._told = self._told, (theirs.address, theirs.port)
        reliable, there = theirs.profile.startswith("TCP"), may_be_at(theirs.address, self._peer())
        if not there and theirs.address not in _NOWHERE:
            log.warning("bfcp_not_sent_there", address=theirs.address, port=theirs.port)
        if self._floor is not None:
            if not reliable and there and self._told != told:
                self.aim(self._told)
            return
        kind = FloorClient if control.roles == ("c-only",) else FloorServer
        version = RELIABLE if reliable else UNRELIABLE
        self._floor = kind(control.conference, control.user, control.floor, version, self._send, self._asked)
        if not reliable:
            if there:
                self.aim(self._told)
            self._begin()
        elif control.setup == "active" and there:
            self._spawn(self._keep_connected(theirs.address, theirs.port))

    def presented(self, *, itself: bool, other: bool) -> None:
        """Who presents in the conference now."""
        self._presented = itself, other
        if self._floor is not None:
            self._floor.presented(itself=itself, other=other, now=self._now)
            self._schedule()

    async def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._way is not None:
            self._way.close()
        self._way = self._out = None

    # ---- the engine's world

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _begin(self) -> None:
        floor = self._floor
        if isinstance(floor, FloorClient):
            floor.begin(self._now)
        self.presented(itself=self._presented[0], other=self._presented[1])

    def _send(self, data: bytes) -> None:
        if self._out is not None:
            self._out(data)

    def take(self, data: bytes) -> None:
        """Bytes have come. Raises BadMessage over TCP."""
        if self._floor is not None:
            try:
                self._floor.receive(data, self._now)
            finally:
                self._schedule()

    def take_datagram(self, data: bytes, source: tuple[str, int]) -> None:
        """What comes from elsewhere counts, and answers go there from now on, if it is the far end's (RFC 8855 9)."""
        if self._floor is None:
            return
        if source != self._far:
            if not self._floor.addressed(data):
                return
            self.aim(source)
        self.take(data)

    def _schedule(self) -> None:
        if self._timer:
            self._timer.cancel()
        wake = self._floor.wake if self._floor else None
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(wake, self._look) if wake not in (None, float("inf")) else None

    def _look(self) -> None:
        if self._floor is not None:
            self._floor.look(self._now)
            self._schedule()

    def _asked(self, wants: bool) -> None:
        self._spawn(self._decide(wants))

    async def _decide(self, wants: bool) -> None:
        async with self._deciding:  # who gives the floor back at once has it first
            granted = await self._wanted(wants)
        if wants and self._floor is not None:
            self._floor.decide(granted, self._now)
            self._schedule()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            log.error("bfcp_failed", problem=repr(task.exception()))

    # ---- sockets

    def aim(self, far: tuple[str, int]) -> None:
        """Send datagrams there from now on."""
        way = self._way
        self._far = far

        def out(data: bytes) -> None:
            with contextlib.suppress(OSError, ValueError):
                way.sendto(data, far)

        self._out = out

    async def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        for port in self._ports():
            try:
                self._way, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self),
                    local_addr=("0.0.0.0", port),  # noqa: S104
                )
            except OSError:
                continue
            self.port = port
            return
        raise NoPort

    async def _listen(self) -> None:
        for port in self._ports():
            try:
                self._way = await asyncio.start_server(self._accepted, "0.0.0.0", port)  # noqa: S104
            except OSError:
                continue
            self.port = port
            return
        raise NoPort

    def _ports(self) -> list[int]:
        ports = self._environment.media_ports
        known = range(ports.low, ports.high + 1)
        return random.sample(known, min(TRIES, len(known)))

    async def _keep_connected(self, address: str, port: int) -> None:
        """The connection is ours to make: also again, when it was lost."""
        tried = 0
        while True:
            try:
                async with asyncio.timeout(CONNECTING):
                    reader, writer = await asyncio.open_connection(address, port)
            except (OSError, TimeoutError) as problem:
                log.info("bfcp_not_connected", address=address, port=port, problem=str(problem))
            else:
                before = self._now
                await self._serve(reader, writer, known=True)
                tried = 0 if self._now - before > AGAIN[-1] else tried
            if tried >= len(AGAIN):
                return
            await asyncio.sleep(AGAIN[tried])
            tried += 1

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= CONNECTIONS:
            writer.close()
            return
        # a far end that gives the floor waits for us to speak first
        self._spawn(self._serve(reader, writer, known=isinstance(self._floor, FloorClient) and self._out is None))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, known: bool) -> None:
        """One connection; a later one of the far end takes over. Others end before they have changed anything."""
        self._connections += 1
        mine = writer.write
        try:
            if known:
                self._take_over(mine)
            else:
                async with asyncio.timeout(INTRODUCED):
                    first = await reader.readexactly(HEADER)
                if self._floor is None or not self._floor.addressed(first):
                    raise BadMessage("not the far end")
                self._take_over(mine)
                self.take(first)
            while (data := await reader.read(4096)) and self._out == mine:
                self.take(data)
                if writer.transport.get_write_buffer_size() > UNREAD:
                    raise BadMessage("does not read")
        except (OSError, EOFError, TimeoutError, BadMessage) as problem:
            log.info("bfcp_connection_ended", problem=str(problem))
        finally:
            self._connections -= 1
            if self._out == mine:
                self._out = None
            writer.close()

    def _take_over(self, out: Callable[[bytes], None]) -> None:
        self._out = out
        if self._floor is not None:
            self._floor.connected()
        self._begin()


def may_be_at(claimed: str, source: str) -> bool:
    """Is what signals from `source` sent anything at the address it `claimed`? Not inside, when it is outside; and not
    at this machine, where it would speak to programs that hear nobody else."""
    if claimed == source:
        return True
    return natting.believable(claimed, source) and local_address_towards(claimed) != claimed


class _Datagrams(asyncio.DatagramProtocol):
    """What comes by UDP."""

    def __init__(self, line: FloorLine) -> None:
        self._line = line

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._line.take_datagram(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        log.debug("bfcp_unreachable", problem=str(exc))
