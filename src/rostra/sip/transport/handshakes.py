"""A TLS port: handshakes under way are limited, in all and of one source, so that those who begin many and end none
take neither the memory nor the places of others.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import functools
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

import structlog

from rostra.domain.abuse import source_of
from rostra.sip.limits import HANDSHAKE_SURE, HANDSHAKE_TIMEOUT, MAX_HANDSHAKES, MAX_HANDSHAKES_OF_ONE

log = structlog.get_logger("rostra.sip")

BACKLOG = 512
"""Connections that wait for us to accept them."""
HANDFUL = 32
"""Connections accepted in one turn: others have theirs in between."""
PAUSE = 1.0
"""Seconds until the next look when the system has no room for another connection."""
SILENCE = 10.0
"""Seconds between two log lines about those who were turned away."""


class Ending(Protocol):
    """A handshake that can be given up."""

    def cancel(self) -> object: ...


@dataclasses.dataclass(frozen=True, slots=True)
class _Begun:
    source: str
    when: float


class Handshakes:
    """Those under way on all ports of a node. Pure but for those it ends; time is seconds of any clock."""

    def __init__(self) -> None:
        self._all: dict[Ending, _Begun] = {}
        self._of: collections.defaultdict[str, dict[Ending, _Begun]] = collections.defaultdict(dict)

    def __len__(self) -> int:
        return len(self._all)

    def room(self, source: str, now: float) -> bool:
        """May one more of this source begin? The oldest makes way if it has had its time."""
        for begun, most in ((self._of.get(source, {}), MAX_HANDSHAKES_OF_ONE), (self._all, MAX_HANDSHAKES)):
            if len(begun) < most:
                continue
            oldest = next(iter(begun))
            if now - begun[oldest].when < HANDSHAKE_SURE:
                return False
            self.over(oldest)
            oldest.cancel()
        return True

    def begun(self, one: Ending, source: str, now: float) -> None:
        self._all[one] = self._of[source][one] = _Begun(source, now)

    def over(self, one: Ending) -> None:
        """It has succeeded, failed or was given up. Safe to repeat."""
        known = self._all.pop(one, None)
        if known is not None:
            of_source = self._of[known.source]
            del of_source[one]
            if not of_source:
                del self._of[known.source]


class SecureServer:
    """Accepts connections at one socket that listens, and gives those that are secured to protocols."""

    def __init__(
        self, endpoint: socket.socket, context: ssl.SSLContext, handshakes: Handshakes,
        protocol: Callable[[], asyncio.Protocol], welcomes: Callable[[str], bool],
    ) -> None:  # fmt: skip
        """`welcomes` says whether anybody at an address may connect now."""
        self.sockets = (endpoint,)
        self._context = context
        self._handshakes = handshakes
        self._protocol = protocol
        self._welcomes = welcomes
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._said = float("-inf")
        endpoint.listen(BACKLOG)
        self._go_on()

    def close(self) -> None:
        """Nothing more is accepted; handshakes under way are given up."""
        (endpoint,) = self.sockets
        if endpoint.fileno() >= 0:
            self._loop.remove_reader(endpoint.fileno())
            endpoint.close()
        if self._pause is not None:
            self._pause.cancel()
        for task in self._tasks:
            task.cancel()

    def _go_on(self) -> None:
        self._loop.add_reader(self.sockets[0].fileno(), self._accept)

    def _accept(self) -> None:
        (endpoint,) = self.sockets
        for _ in range(HANDFUL):
            try:
                accepted, address = endpoint.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as problem:  # no room for another open file, most likely
                log.error("sip_cannot_accept", problem=str(problem))
                self._loop.remove_reader(endpoint.fileno())
                self._pause = self._loop.call_later(PAUSE, self._go_on)
                return
            self._begin(accepted, address[0])

    def _begin(self, accepted: socket.socket, address: str) -> None:
        now, source = self._loop.time(), source_of(address)
        if not self._welcomes(address):
            accepted.close()
            return
        if not self._handshakes.room(source, now):
            accepted.close()
            if now - self._said >= SILENCE:
                self._said = now
                log.warning("sip_too_many_handshakes", source=source, under_way=len(self._handshakes))
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._secure(accepted, address))
        self._handshakes.begun(task, source, now)
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._over, accepted))

    def _over(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._handshakes.over(task)
        if task.cancelled():  # perhaps before it began
            accepted.close()

    async def _secure(self, accepted: socket.socket, address: str) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._protocol, accepted, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_TIMEOUT
            )
        except OSError as problem:  # of TLS and of time as well
            log.debug("sip_handshake_failed", address=address, problem=str(problem) or type(problem).__name__)
