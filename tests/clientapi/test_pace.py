"""Clients that ask too fast, and connections that only stay."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from rostra.clientapi import pace, serving
from rostra.clientapi.pace import Pace
from rostra.clientapi.serving import Server
from rostra.environment import Environment

from .driver import Api
from .fakes import FakeSwitchboard


def test_a_burst_is_answered_at_once_a_flood_is_not() -> None:
    asking = Pace()
    assert all(asking.delay(100.0) == 0 for _ in range(pace.BURST - 1))
    held = [asking.delay(100.0) for _ in range(200)]
    delays = [one for one in held if one is not None]
    assert delays == sorted(delays)
    assert delays[-1] == pytest.approx(pace.LONGEST, abs=0.1)
    assert held[-1] is None, "refused at last"
    assert asking.delay(200.0) == 0, "and forgiven"


async def test_who_floods_is_refused_and_may_still_leave(api: Api, switchboard: FakeSwitchboard) -> None:
    ada, bob = await api.join(name="Ada"), await api.join(name="Bob")
    asked = [ada.get("conference_status") for _ in range(pace.BURST + 400)]
    codes = {answer.status_code for answer in await asyncio.gather(*asked)}
    assert codes == {200, 403}
    assert (await bob.get("conference_status")).status_code == 200
    assert (await ada.post("refresh_token")).status_code == 200
    assert (await ada.post("release_token")).status_code == 200


async def test_connections_on_which_nothing_happens_are_closed(
    environment: Environment, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "STALLED", 0.2)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    half = b"POST /api/client/v2/conferences/x/request_token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"
    get = b"GET /healthz HTTP/1.1\r\nhost: x"
    for sent in (b"", get, get + b"\r\n\r\nG", half, half.replace(b"request_token", b"release_token")):
        reader, writer = await asyncio.open_connection("localhost", environment.node_https_port, ssl=trust)
        writer.write(sent)
        async with asyncio.timeout(3):
            await asyncio.gather(reader.read(), return_exceptions=True)
        writer.close()
    assert server.debug_state()["connections"] == 0
