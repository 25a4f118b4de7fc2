"""A UDP socket that is read in handfuls: under load one turn of the event loop is for many messages."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

import structlog

log = structlog.get_logger("rostra.sip")

HANDFUL = 256
"""Datagrams read in one turn,"""
LONGEST = 0.02
"""as far as that takes no more than these seconds: others have their turns in between."""
BUFFER = 4 * 1024 * 1024
"""Bytes asked for to hold what comes while the machine does something else, some thousand messages."""
_LARGEST = 65536
_MEMORY = 55
"""SO_MEMINFO of Linux: what a socket holds, and what it may."""
_FORCED = 33
"""SO_RCVBUFFORCE of Linux: beyond the system's limit, for those who may."""

Received = Callable[[bytes, tuple[str, int], float], None]


class Datagrams:
    """One bound socket, read as long as it is open."""

    def __init__(self, endpoint: socket.socket, received: Received, read: Callable[[], None]) -> None:
        """`received` gets each that has come, in order, with its source and when the turn began (seconds of the loop's
        clock); `read` is called at the end of a turn."""
        self._socket = endpoint
        self._received = received
        self._done = read
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(endpoint.fileno(), self._read)
        self.lost = 0
        """Datagrams that could not be sent at once."""
        try:
            endpoint.setsockopt(socket.SOL_SOCKET, _FORCED, BUFFER)
        except OSError:
            with contextlib.suppress(OSError):
                endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        with contextlib.suppress(OSError):
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    @property
    def socket(self) -> socket.socket:
        return self._socket

    @property
    def waiting(self) -> float:
        """Share of the buffer that is filled by what has not been read, 0 to 1; 0 where the system does not say."""
        try:
            held, room = struct.unpack("=II", self._socket.getsockopt(socket.SOL_SOCKET, _MEMORY, 8))
        except (OSError, struct.error):
            return 0.0
        return held / room if room else 0.0

    def sendto(self, data: bytes, remote: tuple[str, int]) -> None:
        """Send at once or not at all, as datagrams may be lost anyway."""
        try:
            self._socket.sendto(data, remote)
        except OSError as problem:
            self.lost += 1
            log.debug("sip_datagram_not_sent", problem=str(problem))

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _read(self) -> None:
        began = self._loop.time()
        for _ in range(HANDFUL):
            try:
                data, address = self._socket.recvfrom(_LARGEST)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as problem:  # of a datagram sent before: nobody there
                log.debug("sip_datagram_not_sent", problem=str(problem))
                continue
            self._received(data, (address[0], address[1]), began)
            if self._loop.time() >= began + LONGEST or self._socket.fileno() < 0:
                break
        self._done()
