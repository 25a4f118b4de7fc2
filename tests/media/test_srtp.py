"""Packets whose numbers have rolled over before anybody listened, by a real far end."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pylibsrtp
import pytest

from rostra.domain.media import MediaKind
from rostra.media import bounds
from rostra.media.engine import rtp_parts, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.pipeline import Pipeline, make
from rostra.media.engine.srtp import Decryption
from tests.media.test_rtp_legs import PCMA, PCMU, SUITES, crypto, side

from .conftest import Driven

KEY = base64.b64decode(crypto(SUITES[0], 2)[0].key_salt).hex()


@contextlib.contextmanager
def voice(*ports: int) -> Iterator[Any]:
    """One source of sound in packets of 5 ms, the first of them just before numbers begin anew, to each of these."""
    Gst.init(None)
    clients = ",".join(f"127.0.0.1:{port}" for port in ports)
    running = Gst.parse_launch(
        "audiotestsrc is-live=true samplesperbuffer=40 ! audio/x-raw,rate=8000 ! alawenc ! rtppcmapay "
        "seqnum-offset=65400 ssrc=7 min-ptime=5000000 max-ptime=5000000 ! "
        f"srtpenc key={KEY} ! multiudpsink clients={clients}"
    )
    running.set_state(Gst.State.PLAYING)
    try:
        yield running
    finally:
        running.set_state(Gst.State.NULL)


@pytest.mark.spec("REF-109")
async def test_numbers_that_have_rolled_over_are_read_on_and_by_who_comes_late(driven: Driven) -> None:
    worker = driven.worker
    ports = {leg: (await worker.reserve_rtp(leg, (MediaKind.AUDIO,)))[1] for leg in ("one", "late")}

    async def connect(leg: str, *codecs: Any) -> None:
        ours = side(ports[leg], (codecs,), suite=SUITES[0], seed=1)
        theirs = side((9,), (codecs,), suite=SUITES[0], seed=2)
        await worker.connect_rtp(leg, ours, theirs)
        await worker.start(leg)

    await connect("one", PCMA)
    with voice(ports["one"][0], ports["late"][0]):
        for _ in range(15):  # ten times a second: by then 300 packets have come
            driven.events.clear()
            await driven.until(lambda: driven.level("one") > -127.0)
        driven.events.clear()
        await connect("one", PCMA, PCMU)  # another pipeline on the same sockets
        await driven.until(lambda: driven.level("one") > -127.0, 2)
        await connect("late", PCMA)
        await driven.until(lambda: driven.level("late") > -127.0, 5)


MEANWHILE = """
import asyncio, sys, threading, time
from rostra.environment import Environment
from rostra.media.engine import lines, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.ports import reserve
from tests.media.test_rtp_legs import PCMU, SUITES, crypto

stage.load()
pair = reserve(Environment().media_ports, ipv6=False)
key = crypto(SUITES[0], 2)[0]
plan = lines.Plan(receive=(PCMU,), send=PCMU, key_in=key, key_out=key)

async def call():
    loading = threading.Thread(target=Gst.Plugin.load_by_name, args=("srtp",))
    loading.start()
    time.sleep(int(sys.argv[1]) / 1000)
    while loading.is_alive():
        lines.Line("leg", plan, pair, lambda key: None).close()

asyncio.run(call())
"""


@pytest.mark.parametrize("milliseconds", [1, 4, 6, 8])
def test_keys_can_be_used_while_the_library_is_being_prepared_for_others(milliseconds: int) -> None:
    """A telephone calls while the first browser of its conference does."""
    subprocess.run([sys.executable, "-c", MEANWHILE, str(milliseconds)], check=True, timeout=30)


class Reader:
    """A decrypting element, with what is before it."""

    def __init__(self, rollovers: dict[int, int]) -> None:
        self.pipeline = Pipeline("reader", pytest.fail)
        self._into, self._socket = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self._into.bind(("127.0.0.1", 0))
        source = rtp_parts.source(self.pipeline, "in", self._into, "application/x-srtp")
        self.decryption = Decryption(self.pipeline, "decrypt", crypto(SUITES[0], 2)[0], rollovers)
        rtp_parts.link(source, "src", self.decryption.element, "rtp_sink")
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(5)
        media, control = self.pipeline.add(make("udpsink", "rtp")), self.pipeline.add(make("fakesink", "rtcp"))
        media.set_property("port", self._socket.getsockname()[1])
        media.set_property("host", "127.0.0.1")
        for kind, sink in (("rtp", media), ("rtcp", control)):
            sink.set_property("sync", False)
            sink.set_property("async", False)
            rtp_parts.link(self.decryption.element, f"{kind}_src", sink, "sink")
        self.pipeline.play()

    def push(self, packet: bytes) -> None:
        self._socket.sendto(packet, self._into.getsockname())

    def media(self) -> bytes:
        """The next packet that has come out."""
        return self._socket.recv(2048)

    async def close(self) -> None:
        await self.pipeline.close()
        self._socket.close()
        self._into.close()


def rtp(source: int, number: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 98, number & 0xFFFF, 0, source) + b"picture"


def far_end() -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=bytes.fromhex(KEY), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    return pylibsrtp.Session(policy)


async def test_what_is_forged_costs_nothing_and_what_is_genuine_is_read_whatever_its_count() -> None:
    """Pictures: 20,000 sources that nothing genuine came from between those of far ends that roll over, one of which
    has only reported before."""
    stage.load()
    reader, far = Reader({8: 1}), far_end()
    try:
        for source in (7, 8, 9):
            far.protect(rtp(source, 65535))
        reader.push(far.protect_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 9)))
        for number in range(4):
            for source in (7, 8, 9):
                reader.push(far.protect(rtp(source, number)))
        while reader.media() != rtp(9, 3):
            pass
        before = bounds.allocated()
        for number in range(4, 204):
            for source in range(100):
                reader.push(rtp(100 * number + source, number) + bytes(10))
            for source in (7, 8, 9):
                reader.push(far.protect(rtp(source, number)))
            assert [reader.media() for _ in (7, 8, 9)] == [rtp(source, number) for source in (7, 8, 9)]
        assert bounds.allocated() - before < 1 << 20
        assert reader.decryption.rollovers == {7: 1, 8: 1, 9: 1}
    finally:
        await reader.close()
