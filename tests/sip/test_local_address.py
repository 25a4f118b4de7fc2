"""Which of our addresses a peer sees: machines get other addresses while they run."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from rostra.sip.transport import connection
from rostra.sip.transport.connection import ADDRESS_KEPT, local_address_towards


def test_a_network_that_comes_up_later_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    now, own, asked = 1000.0, "", 0

    class Probe(socket.socket):
        def connect(self, _: Any) -> None:
            nonlocal asked
            asked += 1
            if not own:
                raise OSError

        def getsockname(self) -> Any:
            return own, 40000

    monkeypatch.setattr(connection.socket, "socket", Probe)
    monkeypatch.setattr(connection.time, "monotonic", lambda: now)
    assert local_address_towards("203.0.113.77") == "127.0.0.1", "there is no network yet"
    own, now = "192.0.2.1", now + ADDRESS_KEPT
    assert [local_address_towards("203.0.113.77") for _ in range(10)] == ["192.0.2.1"] * 10
    assert asked == 2
    own, now = "192.0.2.2", now + ADDRESS_KEPT
    assert local_address_towards("203.0.113.77") == "192.0.2.2"
