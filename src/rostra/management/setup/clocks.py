"""Does a time server answer (NODE-120)? One question of SNTP (RFC 4330)."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable

PORT = 123
_REQUEST = b"\x23" + bytes(47)
"""Version 4, from a client."""
_SINCE_1900 = 2_208_988_800


def offset(server: str, *, port: int = PORT, patience: float = 3.0) -> float:
    """Seconds by which the server's clock is ahead of ours. Raises OSError when it says nothing usable."""
    kind, _, _, _, place = socket.getaddrinfo(server, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(kind, socket.SOCK_DGRAM) as asking:
        asking.settimeout(patience)
        asking.connect(place)
        sent = time.time()
        asking.send(_REQUEST)
        answer = asking.recv(512)
        received = time.time()
    if len(answer) < 48 or answer[0] & 7 != 4 or not 1 <= answer[1] <= 15:
        raise OSError("it has no time to tell")
    seconds, fraction = struct.unpack(">II", answer[40:48])
    return seconds + fraction / 2**32 - _SINCE_1900 - (sent + received) / 2


def first_that_answers(servers: Iterable[str], *, port: int = PORT, patience: float = 3.0) -> tuple[str, float] | None:
    """A server that tells the time, and how far ahead of ours its clock is; None: none does."""
    for server in servers:
        try:
            return server, offset(server, port=port, patience=patience)
        except OSError:
            continue
    return None
