"""Packets of many sockets, read by few threads."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gi
import pytest

gi.require_version("GstNet", "1.0")
from gi.repository import Gst, GstNet  # noqa: E402

from rostra.media.engine import ports, stage  # noqa: E402

from .conftest import Bench  # noqa: E402

MANY = 60
THREADS = 3
"""Two that read, and one that looks after them."""


class Sockets:
    """Ports, who sends to them, and what reads them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.away = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.away.bind(("127.0.0.1", 0))
        self._made: list[socket.socket] = [self.away]

    def reader(self, rest: str = "appsink name=out sync=false") -> tuple[Any, int]:
        """A pipeline at work, and the port that it reads."""
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        endpoint.bind(("127.0.0.1", 0))
        self._made.append(endpoint)
        return self.read(endpoint, rest), endpoint.getsockname()[1]

    def read(self, endpoint: socket.socket, rest: str = "appsink name=out sync=false") -> Any:
        pipeline = Gst.parse_launch(f"rostrasocketsrc name=in caps=application/x-rtp ! {rest}")
        pipeline.get_by_name("in").set_property("socket", ports.shared(endpoint))
        return self.bench.play(pipeline)

    def send(self, port: int, octets: bytes) -> None:
        self.away.sendto(octets, ("127.0.0.1", port))

    def close(self) -> None:
        for one in self._made:
            one.close()


@pytest.fixture
def sockets(bench: Bench) -> Iterator[Sockets]:
    made = Sockets(bench)
    yield made
    bench.close()
    made.close()


def threads() -> list[str]:
    names = [path.joinpath("comm").read_text().strip() for path in Path("/proc/self/task").iterdir()]
    return [name for name in names if name == "rostra-sockets" or name.startswith("in:")]


def test_both_threads_read_packets_of_media(bench: Bench, sockets: Sockets) -> None:
    """Each leg has a socket for media and then one for reports: not all of a kind are with one thread."""
    legs = [sockets.reader("fakesink name=out sync=false async=false") for _ in range(40)]
    readers: dict[int, set[int]] = {}

    def came(kind: int) -> Any:
        readers.setdefault(kind, set()).add(threading.get_native_id())
        return Gst.PadProbeReturn.OK

    for number, (pipeline, port) in enumerate(legs):
        pad = pipeline.get_by_name("out").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, lambda _, __, kind=number % 2: came(kind))
        sockets.send(port, b"x" * 20)
    bench.until(lambda: len(readers) == 2 and all(len(threads) > 1 for threads in readers.values()))


def test_packets_come_in_order_with_their_time_and_where_they_are_from(bench: Bench, sockets: Sockets) -> None:
    pipeline, port = sockets.reader()
    before = pipeline.get_clock().get_time() - pipeline.get_base_time()
    for number in range(200):
        sockets.send(port, number.to_bytes(2, "big") * 600)
    times = []
    for number in range(200):
        sample = bench.sample(pipeline)
        buffer = sample.get_buffer()
        assert bench.content(sample) == number.to_bytes(2, "big") * 600
        assert GstNet.buffer_get_net_address_meta(buffer).addr.get_port() == sockets.away.getsockname()[1]
        times.append(buffer.pts)
    assert sample.get_caps().to_string() == "application/x-rtp"
    after = pipeline.get_clock().get_time() - pipeline.get_base_time()
    assert before <= times[0] <= times[-1] <= after
    assert times == sorted(times)
    query = Gst.Query.new_latency()
    assert pipeline.get_by_name("in").query(query)
    assert query.parse_latency()[:2] == (True, 0), "it is live"


def test_many_sockets_take_few_threads(bench: Bench, sockets: Sockets) -> None:
    made = [sockets.reader() for _ in range(MANY)]
    for number in range(20):
        for index, (_, port) in enumerate(made):
            sockets.send(port, bytes((index, number)))
        time.sleep(0.002)
    for index, (pipeline, _) in enumerate(made):
        assert [bench.content(bench.sample(pipeline)) for _ in range(20)] == [bytes((index, n)) for n in range(20)]
    bench.until(lambda: len(threads()) <= THREADS)  # on a busy machine one may have been given help


def test_one_that_waits_holds_up_no_other(bench: Bench, sockets: Sockets) -> None:
    """For long: three that wait hold both threads."""
    stuck = [sockets.reader("identity name=slow signal-handoffs=true ! fakesink async=false") for _ in range(4)]
    gate, waits = threading.Event(), threading.Semaphore(0)

    def wait(*_: Any) -> None:
        waits.release()
        gate.wait(5)

    try:
        for pipeline, port in stuck[:3]:
            pipeline.get_by_name("slow").connect("handoff", wait)
            sockets.send(port, b"x")
        others = [sockets.reader() for _ in range(4)]
        for _ in range(3):
            assert waits.acquire(timeout=3)
        began = time.monotonic()
        for pipeline, port in others:
            sockets.send(port, b"y")
            assert bench.content(bench.sample(pipeline)) == b"y"
        assert time.monotonic() - began < 1
    finally:
        gate.set()
    bench.until(lambda: stage.load().rostra_socket_readers() <= 2)


def test_it_ends_while_packets_come_and_begins_again(bench: Bench, sockets: Sockets) -> None:
    made = [sockets.reader("fakesink async=false") for _ in range(8)]
    running = threading.Event()

    def flood() -> None:
        while not running.is_set():
            for _, port in made:
                sockets.send(port, b"x" * 1000)

    sender = threading.Thread(target=flood)
    sender.start()
    try:
        for _ in range(30):
            for pipeline, _ in made:
                began = time.monotonic()
                for state in (Gst.State.PAUSED, Gst.State.PLAYING, Gst.State.NULL):
                    pipeline.set_state(state)
                assert time.monotonic() - began < 1
                pipeline.set_state(Gst.State.PLAYING)
    finally:
        running.set()
        sender.join()


def test_what_is_empty_or_too_long_is_no_matter(bench: Bench, sockets: Sockets) -> None:
    pipeline, port = sockets.reader()
    for octets in (b"", b"x" * 4000, b"", b"good"):
        sockets.send(port, octets)
    assert bench.content(bench.sample(pipeline)) == b"good"


def test_nobody_listens_where_something_was_sent_to(bench: Bench, sockets: Sockets) -> None:
    """Which Linux tells the socket, where it is joined to that address."""
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.bind(("127.0.0.1", 0))
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.bind(("127.0.0.1", 0))
    endpoint.connect(closed.getsockname())
    again = closed.getsockname()
    closed.close()
    pipeline = sockets.read(endpoint)
    for _ in range(20):
        with contextlib.suppress(ConnectionRefusedError):  # as it is told whoever asks first
            endpoint.send(b"x")
        time.sleep(0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(again)
        there.sendto(b"good", endpoint.getsockname())
        assert bench.content(bench.sample(pipeline)) == b"good"
    endpoint.close()
