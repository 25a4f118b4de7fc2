"""Packets out of a socket: each as it was, whatever goes with it, and only where it shall."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from gi.repository import Gio, Gst

from .conftest import Bench

HOSTS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


@pytest.fixture(params=HOSTS, ids=["ipv4", "ipv6"])
def far(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with socket.socket(request.param, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        made.bind((HOSTS[request.param], 0))
        made.settimeout(2)
        yield made


class Way:
    """A pipeline that sends what it is given."""

    def __init__(self, bench: Bench, family: int) -> None:
        self.own = socket.socket(family, socket.SOCK_DGRAM)
        self.own.bind((HOSTS[socket.AddressFamily(family)], 0))
        pipeline = bench.launch("appsrc name=in format=time caps=application/x-rtp ! rostraaway name=away")
        self._bench = bench
        self._sent = 0  # lists
        self._source, self._sink = pipeline.get_by_name("in"), pipeline.get_by_name("away")
        self._sink.set_property("socket", Gio.Socket.new_from_fd(os.dup(self.own.fileno())))

    def aim(self, host: str, port: int) -> None:
        self._sink.set_property("host", host)
        self._sink.set_property("port", port)

    def send(self, *packets: bytes, parts: int = 1) -> None:
        """As a list, each packet in so many blocks of memory."""
        made = Gst.BufferList.new()
        for packet in packets:
            buffer = Gst.Buffer.new()
            size = -(-len(packet) // parts) or 1
            for at in range(0, len(packet), size):
                buffer = buffer.append(Gst.Buffer.new_wrapped(packet[at : at + size]))
            made.insert(made.length(), buffer)
        assert self._source.emit("push-buffer-list", made) == Gst.FlowReturn.OK
        self._sent += 1

    def settle(self) -> None:
        """Until nothing waits to be sent any more."""
        self._bench.until(lambda: self._sink.get_property("stats").get_value("rendered") == self._sent)


@pytest.fixture
def way(bench: Bench, far: socket.socket) -> Iterator[Way]:
    made = Way(bench, far.family)
    made.aim(*far.getsockname()[:2])
    yield made
    made.own.close()


def packets(*sizes: int) -> list[bytes]:
    made = random.Random(7)
    return [made.randbytes(size) for size in sizes]


@pytest.mark.parametrize(
    "sizes",
    [
        (1,),
        (1200,),
        (1200, 1200, 1200, 340),
        (1200, 340, 1200, 1200),
        (20, 30, 1200, 1200, 7, 7, 7, 6, 8),
        (1200,) * 150,
        tuple(range(200, 400)),
        (1400,) * 47 + (1401,) * 3,
    ],
    ids=lambda sizes: f"{len(sizes)} from {sizes[0]}",
)
@pytest.mark.parametrize("parts", [1, 2, 5])
def test_packets_arrive_as_they_were(way: Way, far: socket.socket, sizes: tuple[int, ...], parts: int) -> None:
    sent = packets(*sizes)
    way.send(*sent, parts=parts)
    assert [far.recv(65536) for _ in sent] == sent


def test_what_goes_by_no_piece_goes_one_by_one(way: Way, far: socket.socket) -> None:
    sent = packets(*(9000,) * 4, 100)  # more than one packet of the link, were it one of 1500
    way.send(*sent)
    assert [far.recv(65536) for _ in sent] == sent


def test_one_that_is_too_long_is_lost_alone(way: Way, far: socket.socket) -> None:
    before, behind = packets(100, 200)
    way.send(before, bytes(70000), behind)
    assert [far.recv(65536) for _ in range(2)] == [before, behind]


def test_nothing_goes_anywhere_before_it_is_aimed(bench: Bench, far: socket.socket) -> None:
    way = Way(bench, far.family)
    way.send(b"nowhere")
    way.settle()
    way.aim("no address", 9)
    way.send(b"nowhere")
    way.settle()
    way.aim(*far.getsockname()[:2])
    way.send(b"here")
    assert far.recv(65536) == b"here"
    way.own.close()


def test_what_is_not_taken_is_lost_and_the_rest_goes_on(way: Way, far: socket.socket) -> None:
    """Nobody listens any more, which the kernel tells the next one who sends by a socket that is bound to there."""
    place: Any = far.getsockname()[:2]
    with socket.socket(far.family, socket.SOCK_DGRAM) as gone:
        gone.bind((place[0], 0))
        nobody = gone.getsockname()[:2]
    way.own.connect(nobody)
    way.aim(*nobody)
    for _ in range(5):
        way.send(*packets(1200, 1200, 60))
    way.settle()
    way.aim(*place)
    sent = packets(1200, 1200, 60)
    way.send(*sent)
    way.send(*sent)
    got = [far.recv(65536) for _ in range(3)]
    assert set(got) <= set(sent)
