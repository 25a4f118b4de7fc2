"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket

_FIRST, _LAST = 10_000, 19_999
"""Below those the kernel gives to whoever connects (from 32768 on), and below the media of tests (from 20000 on): what
is free now is then still free when the server has started."""
_given: set[int] = set()


def free_port() -> int:
    """A TCP port nobody listens on now, another one each time."""
    while True:
        port = random.SystemRandom().randint(_FIRST, _LAST)  # hypothesis has a hold on the usual one
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
