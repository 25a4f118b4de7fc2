"""Packets whose numbers have rolled over before anybody listened, by a real far end."""

from __future__ import annotations

import base64
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from rostra.domain.media import MediaKind
from rostra.media.engine.gst import Gst
from rostra.media.engine.srtp import rollover
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


@pytest.mark.parametrize("likely", [0, 3])
def test_which_counts_are_tried(likely: int) -> None:
    assert [rollover(trial, likely) - likely for trial in range(7)] == [0, 1, 0, 2, 0, 3, 0]
    assert {rollover(trial, likely) for trial in range(400)} == set(range(128))


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
