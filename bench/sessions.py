"""How many clients of the API one node serves: sessions with a stream each, refreshed in turn, told of what happens.

Against API-180: 500 sessions with refreshes every 40 s, events at all of them within 500 ms. Sessions are in
conferences of `TOGETHER` (an event goes to all of one), without media, over HTTPS; node and clients are two
processes on this machine. Reference in the same run: the same requests by one client alone.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import socket
import ssl
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
from tests import certificates
from tests.calls.network import Network, Node
from tests.calls.people import service

from rostra.clientapi.app import create_app
from rostra.clientapi.serving import serve
from rostra.environment import Environment
from rostra.tls import context_of

SESSIONS = 500
TOGETHER = 50
REFRESH = 40.0
"""Seconds between two refreshes of a session (API-019)."""
SECONDS = 20.0
LIMIT = 0.5
"""Seconds in which an event has to be everywhere (API-180)."""


def run_node(port: int, folder: str, ready: Connection) -> None:
    """A node without media, until the other end of `ready` says something; answers with the processor time used."""

    async def main() -> None:
        rooms = {f"room{number}": service(f"Room {number}") for number in range(SESSIONS // TOGETHER)}
        node = await Node(Network(), "n1", rooms.get).start()
        environment = Environment(node_https_port=port)
        server = serve(create_app(node.exchange, environment, Path(folder)), environment, context_of(*files))
        await server.start()
        ready.send("ready")
        await asyncio.get_running_loop().run_in_executor(None, ready.recv)
        used = resource.getrusage(resource.RUSAGE_SELF)
        ready.send((used.ru_utime + used.ru_stime, used.ru_maxrss // 1024))
        await server.stop()
        await node.exchange.close()

    made = certificates.made("localhost", hosts=["localhost"])
    files = Path(folder, "certificate.pem"), Path(folder, "key.pem")
    files[0].write_text(made.pem)
    files[1].write_text(made.key_pem)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(main())


class Session:
    """A client on two connections: one for requests, one for its stream."""

    def __init__(self, port: int, room: int, trust: ssl.SSLContext) -> None:
        self._port = port
        self._trust = trust
        self._path = f"/api/client/v2/conferences/room{room}/"
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self.token = ""
        self.uuid = ""
        self.expected: asyncio.Future[float] | None = None
        """Gets when the next message came."""
        self.ready = asyncio.Event()
        self._asking = asyncio.Lock()

    async def join(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("localhost", self._port, ssl=self._trust)
        granted = await self.post("request_token", {"display_name": "Load"})
        self.token, self.uuid = granted["token"], granted["participant_uuid"]

    async def post(self, path: str, body: object = None) -> object:
        """Result of a request; anything but 200 ends the run."""
        payload = json.dumps(body or {}).encode()
        head = f"POST {self._path}{path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(payload)}\r\n"
        async with self._asking:
            self._writer.write(f"{head}token: {self.token}\r\n\r\n".encode() + payload)
            answer = await self._reader.readuntil(b"\r\n\r\n")
            lines = answer.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            content = await self._reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(content.decode())
        return json.loads(content)["result"]

    async def refresh(self) -> None:
        self.token = (await self.post("refresh_token"))["token"]  # type: ignore[index]

    async def watch(self) -> None:
        """Note when messages arrive, until cancelled."""
        reader, writer = await asyncio.open_connection("localhost", self._port, ssl=self._trust, limit=1 << 20)
        writer.write(f"GET {self._path}events?token={self.token} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        event = b""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                event = line[7:].strip()
                if event == b"layout":
                    self.ready.set()
            elif event == b"message_received" and line.startswith(b"data: ") and self.expected is not None:
                self.expected.set_result(time.monotonic())
                self.expected = None
        raise RuntimeError("a stream ended")

    def close(self) -> None:
        self._writer.close()


async def refreshing(session: Session, first: float, took: list[float]) -> None:
    await asyncio.sleep(first)
    while True:
        begun = time.monotonic()
        await session.refresh()
        took.append(time.monotonic() - begun)
        await asyncio.sleep(REFRESH)


async def load(port: int, count: int) -> dict[str, float]:
    """Figures for `count` sessions."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    sessions = [Session(port, number // TOGETHER, trust) for number in range(count)]
    begun = time.monotonic()
    joins: list[float] = []
    for session in sessions:
        before = time.monotonic()
        await session.join()
        joins.append(time.monotonic() - before)
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(session.watch()) for session in sessions]
    for session in sessions:
        await asyncio.wait_for(session.ready.wait(), 60)
    joined = time.monotonic() - begun
    refreshes: list[float] = []
    tasks += [
        loop.create_task(refreshing(session, REFRESH * number / count, refreshes))
        for number, session in enumerate(sessions)
    ]
    delays: list[float] = []
    missed = 0
    end, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        talker = sessions[number * 7 % count]
        others = [one for one in sessions if one is not talker and one._path == talker._path]  # noqa: SLF001
        waits = []
        for one in others:
            one.expected = loop.create_future()
            waits.append(one.expected)
        sent = time.monotonic()
        await talker.post("message", {"type": "text/plain", "payload": "hello"})
        heard, late = await asyncio.wait(waits, timeout=5)
        delays += [one.result() - sent for one in heard]
        missed += len(late)
        number += 1
        await asyncio.sleep(0.1)
    broken = [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for session in sessions:
        await session.post("release_token")
        session.close()
    if broken:
        raise RuntimeError(f"{len(broken)} sessions broke: {broken[0].exception()!r}")
    centiles = statistics.quantiles(delays, n=100) if len(delays) > 1 else [0.0] * 99
    return {
        "join p50 ms": 1000 * statistics.median(joins), "all joined s": joined,
        "refresh p50 ms": 1000 * statistics.median(refreshes) if refreshes else 0.0,
        "refresh worst ms": 1000 * max(refreshes, default=0.0), "refreshes": len(refreshes),
        "event p50 ms": 1000 * centiles[49], "event p95 ms": 1000 * centiles[94],
        "event worst ms": 1000 * max(delays, default=0.0), "events": len(delays), "missed": missed,
    }  # fmt: skip


def measure(count: int) -> dict[str, float]:
    """Figures of a fresh node with `count` sessions."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        node = multiprocessing.get_context("spawn").Process(target=run_node, args=(port, folder, theirs), daemon=True)
        node.start()
        ours.recv()
        begun = time.monotonic()
        figures = asyncio.run(load(port, count))
        ours.send("end")
        seconds, memory = ours.recv()
        node.join(10)
    return {**figures, "processor %": 100 * seconds / (time.monotonic() - begun), "memory MB": memory}


def main() -> int:
    few, many = measure(2), measure(SESSIONS)
    print(f"{'':>18} {2:>10} {SESSIONS:>10} sessions")
    for name, value in many.items():
        print(f"{name:>18} {few[name]:>10.1f} {value:>10.1f}")
    good = many["missed"] == 0 and many["event worst ms"] < 1000 * LIMIT
    print(f"{'within 500 ms' if good else 'NOT within 500 ms'}: every event at all sessions (API-180)")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
