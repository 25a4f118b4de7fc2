"""Processor time and memory of audio-only calls, next to their codecs alone in the same run.

A conference of RTP far ends, Opus and G.711 by turns. Three speak (a synthesiser's voices), of the others half send
a quiet room and half digital silence, nobody uses discontinuous transmission. Counted is the processor time of the
media worker alone and what its memory grows by per call; a run counts only if every far end is sent all its packets.
The floor is what libopus takes to decode what comes in Opus, and to encode once for each who speaks and once for all
others. Run: `python -m bench.audio [calls] [seconds] [secured]`; with `threads` it tells where the time goes.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.delay import Clicker
from bench.media import processor_seconds, worker_pool
from bench.peers import OPUS, packets
from rostra.domain.media import CodecParameters, CryptoAttribute, MediaDescription, MediaKind, MediaStream
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import stage

PCMU = CodecParameters(name="PCMU", payload_type=0, clock_rate=8000)
SPEAKERS = 3
STEP = 0.02
WARMING = 2.0
_HEADER = struct.Struct("!BBHII")
TEXT = (
    "The quarterly figures are in, and they are better than anybody here expected. We should talk about what comes "
    "next: the new building, the people who move there, and who looks after the old one until spring."
)
CODING = {
    "OPUS": "audio/x-raw,rate=48000,channels=1 ! opusenc bitrate=32000 audio-type=voice frame-size=20 ! rtpopuspay",
    "PCMU": "audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay min-ptime=20000000 max-ptime=20000000",
}
KEY = CryptoAttribute(tag=1, suite="AES_CM_128_HMAC_SHA1_80", key_salt="d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj")


def recordings() -> dict[tuple[str, str], list[bytes]]:
    """Payloads of packets of 20 ms by codec and by what is said."""
    found: dict[tuple[str, str], list[bytes]] = {}
    with tempfile.TemporaryDirectory() as directory:
        spoken = Path(directory) / "speech.wav"
        subprocess.run(["espeak-ng", "-s", "150", "-w", str(spoken), TEXT], check=True, timeout=20)
        test = "audiotestsrc samplesperbuffer=960 num-buffers=200 wave"
        for what, source in {
            "speech": f"filesrc location={spoken} ! wavparse ! audioconvert ! audioresample",
            "room": f"{test}=pink-noise volume=0.002 ! audio/x-raw,rate=48000 ! audioconvert ! audioresample",
            "silence": f"{test}=silence ! audio/x-raw,rate=48000 ! audioconvert ! audioresample",
        }.items():
            for codec, coding in CODING.items():
                found[codec, what] = [payload for _, payload in packets(f"{source} ! {coding}")]
    return found


class FarEnd:
    """Sends a recording in a loop and counts what comes."""

    def __init__(self, number: int, codec: CodecParameters, payloads: Sequence[bytes]) -> None:
        self.codec = codec
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]
        self.to: tuple[str, int] | None = None
        self.received = 0
        self.gap = self._last = 0.0
        """Seconds, the longest between two packets."""
        self._payloads = payloads
        self._number = number
        self._sent = 0
        self._began = 0.0

    def look(self, now: float) -> None:
        """Send what is due."""
        if self.to is None:
            return
        self._began = self._began or now + STEP * (self._number % 20) / 20
        while self._began + self._sent * STEP <= now:
            payload = self._payloads[(self._sent + 37 * self._number) % len(self._payloads)]
            stamp = self._sent * self.codec.clock_rate // 50
            head = _HEADER.pack(0x80, self.codec.payload_type, self._sent & 0xFFFF, stamp, 0x7000 + self._number)
            self.socket.sendto(head + payload, self.to)
            self._sent += 1

    def take(self, now: float) -> None:
        """Count what has come."""
        while True:
            try:
                data = self.socket.recv(2048)
            except BlockingIOError:
                return
            if data[1] & 0x7F == self.codec.payload_type:
                self.received += 1
                self.gap = max(self.gap, now - self._last)
                self._last = now

    def reset(self) -> None:
        self.received, self.gap, self._last = 0, 0.0, time.monotonic()


class FarEnds:
    """All of them, and the thread that plays them."""

    def __init__(self) -> None:
        self.all: list[FarEnd] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> FarEnds:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for one in self.all:
            one.socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            time.sleep(0.004)
            by_socket = {one.socket: one for one in self.all}
            now = time.monotonic()
            for one in by_socket.values():
                one.look(now)
            poll = select.poll()
            names = {one.fileno(): one for one in by_socket}
            for number in names:
                poll.register(number, select.POLLIN)
            for number, _ in poll.poll(0):
                by_socket[names[number]].take(now)


def describe(port: int, codec: CodecParameters, *, secured: bool) -> MediaDescription:
    """One stream of sound at a port of this machine."""
    stream = MediaStream(
        kind=MediaKind.AUDIO, port=port, address="127.0.0.1", codecs=(codec,), crypto=(KEY,) if secured else (),
        profile="RTP/SAVP" if secured else "RTP/AVP",
    )  # fmt: skip
    return MediaDescription(address="127.0.0.1", streams=(stream,))


def floor(recorded: dict[tuple[str, str], list[bytes]], calls: int) -> float:
    """Cores of a call if there were nothing but libopus."""
    opus = ctypes.CDLL("libopus.so.0")
    opus.opus_decoder_create.restype = opus.opus_encoder_create.restype = ctypes.c_void_p
    problem, sound, room = ctypes.c_int(), (ctypes.c_int16 * 5760)(), ctypes.create_string_buffer(1500)
    decoder = ctypes.c_void_p(opus.opus_decoder_create(48000, 1, ctypes.byref(problem)))
    encoder = ctypes.c_void_p(opus.opus_encoder_create(48000, 1, 2048, ctypes.byref(problem)))
    per_second: dict[str, float] = {}
    encoding = 0.0
    for what in ("speech", "room", "silence"):
        decoding, payloads = 0.0, recorded["OPUS", what]
        for payload in payloads:
            began = time.thread_time()
            opus.opus_decode(decoder, payload, len(payload), sound, 960, 0)
            then = time.thread_time()
            decoding += then - began
            if what == "speech":
                opus.opus_encode(encoder, sound, 960, room, 1500)
                encoding += time.thread_time() - then
        per_second[what] = decoding / len(payloads) / STEP
    encoding = encoding / len(recorded["OPUS", "speech"]) / STEP
    ours = [says(number) for number in range(0, calls, 2)]
    return (sum(per_second[what] for what in ours) + encoding * (1 + ours.count("speech"))) / calls


def says(number: int) -> str:
    return "speech" if number < SPEAKERS else "room" if number // 2 % 2 else "silence"


def proportional_kilobytes(process: int) -> int:
    """Memory of a process, with its share of what it shares (proc(5))."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise SystemExit("the kernel does not tell Pss")


def threads(process: int) -> Counter[str]:
    """Processor seconds by name of thread, without numbers."""
    found: Counter[str] = Counter()
    for task in Path(f"/proc/{process}/task").iterdir():
        name = (task / "comm").read_text().strip().rstrip("0123456789:-")
        found[name] += int((task / "schedstat").read_text().split()[0])
    return found


async def click(worker: Worker) -> Clicker:
    """A leg that clicks and one that listens to it."""
    clicker = Clicker(None)
    alone = {
        "mouth": m.AudioRoute(group=m.SAME_LOCATION, hears=False),
        "ear": m.AudioRoute(speaks=False, listens=m.SAME_LOCATION),
    }
    await worker.compose(m.Compose(views={}, watching={}, audio=alone))
    for leg, port in (("mouth", clicker.own), ("ear", clicker.port)):
        _, ports = await worker.reserve_rtp(leg, (MediaKind.AUDIO,))
        sides = (describe(one, PCMU, secured=False) for one in (ports[0], port))
        await worker.connect_rtp(leg, *sides)
        await worker.start(leg)
        if leg == "mouth":
            clicker.start(ports[0])
    return clicker


def thread_count(process: int) -> int:
    return len(list(Path(f"/proc/{process}/task").iterdir()))


async def add(
    worker: Worker, ends: FarEnds, number: int, recorded: dict[tuple[str, str], list[bytes]], *, secured: bool
) -> None:
    codec = PCMU if number % 2 else OPUS
    end = FarEnd(number, codec, recorded[codec.name, says(number)])
    leg = f"leg{number}"
    _, ports = await worker.reserve_rtp(leg, (MediaKind.AUDIO,))
    await worker.connect_rtp(
        leg, describe(ports[0], codec, secured=secured), describe(end.port, codec, secured=secured)
    )
    await worker.start(leg)
    end.to = ("127.0.0.1", ports[0])
    ends.all = [*ends.all, end]


async def main(calls: int, seconds: float, *, secured: bool, told: bool) -> None:
    stage.load()
    recorded = recordings()
    async with worker_pool() as pool:
        worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None)
        process = worker.process
        with FarEnds() as ends:
            few = min(8, calls // 2)
            for number in range(few):
                await add(worker, ends, number, recorded, secured=secured)
            await asyncio.sleep(WARMING)
            memory = proportional_kilobytes(process)
            for number in range(few, calls):
                await add(worker, ends, number, recorded, secured=secured)
            await asyncio.sleep(WARMING)
            memory = (proportional_kilobytes(process) - memory) / (calls - few) / 1024
            clicker = await click(worker)
            for end in ends.all:
                end.reset()
            before = threads(process)
            began, used = time.monotonic(), processor_seconds(process)
            await asyncio.sleep(seconds)
            took, used = time.monotonic() - began, processor_seconds(process) - used
            each = threads(process) - before
            least = min(end.received for end in ends.all) / took
            gap = sorted(end.gap for end in ends.all)
            count = thread_count(process)
            clicker.close()
        await pool.release(worker)
    alone, cost = floor(recorded, calls), used / took / calls
    print(f"{calls} calls{', SRTP' if secured else ''}, {SPEAKERS} speak, {seconds:g} s; {os.cpu_count()} cores")
    print(f"cores a call: {cost:.5f} ({1 / cost:.0f} per core); codecs alone {alone:.5f}; ratio {cost / alone:.1f}")
    print(f"memory a call: {memory:.2f} MB; {count} threads; packets/s at least {least:.1f}")
    print(f"longest gap: median {gap[len(gap) // 2] * 1e3:.0f} ms, worst {gap[-1] * 1e3:.0f} ms")
    took_all = sorted(took for _, took in clicker.travelled[10:])
    if took_all:
        median, late = took_all[len(took_all) // 2], took_all[int(0.95 * len(took_all))]
        print(f"mouth to ear through the engine: median {median * 1e3:.0f} ms, p95 {late * 1e3:.0f} ms")
    if told:
        for name, spent in each.most_common(14):
            print(f"{name:20} {spent / 1e9 / took / calls * 1e6:8.0f} us a second and call")


if __name__ == "__main__":
    words = [one for one in sys.argv[1:] if not one[0].isdigit()]
    figures = [float(one) for one in sys.argv[1:] if one[0].isdigit()]
    size, length, *_ = [*figures, *(40, 6.0)[len(figures) :]]
    asyncio.run(asyncio.wait_for(main(int(size), length, secured="secured" in words, told="threads" in words), 170))
