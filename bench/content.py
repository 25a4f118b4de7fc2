"""Can a shared screen be read? A page of 10-point text at 1920x1080, sent as slides through the engine at 1 Mbit/s.

Someone presents a page, and then another one; a viewer decodes what it gets. Once the presenter has the viewer's codec,
so the engine forwards what comes; once it has another, so the engine encodes. The page is judged as it is 1, 2 and 4
seconds after it was turned: SSIM of the text next to the page itself, and how many of its words a reader of Debian's
`tesseract-ocr` finds, next to those it finds in the page itself. Fails below an SSIM of 0.93 and 95 % of the words
after two seconds. Run: `python -m bench.content [directory for the pictures]`.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.load.pictures import similarity
from bench.media import processor_seconds, worker_pool
from bench.viewer import Viewer
from rostra.domain.media import CodecParameters, Content, Direction, MediaDescription, MediaKind, MediaStream
from rostra.media import codecs
from rostra.media import messages as m
from rostra.media.client import Worker
from rostra.media.engine import stage
from rostra.media.engine.gst import Gst

WIDTH, HEIGHT = 1920, 1080
POINTS: Final = 10
PIXELS: Final = round(POINTS * 96 / 72)
"""Of a letter's height on a screen of 96 dots an inch."""
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LIMIT = 1_000_000
"""bit/s that the viewer takes."""
PACING = 400
"""Microseconds between two packets of the presenter: buffers of sockets are not for whole pages."""
TURNED = 8.0
"""Seconds after which the page is turned."""
LOOKS = (1.0, 2.0, 4.0)
SSIM, WORDS = 0.93, 0.95
"""What it takes to be read, two seconds after."""
VP8 = CodecParameters(name="VP8", payload_type=98, clock_rate=90000, feedback=("nack pli",))
H264 = CodecParameters(
    name="H264",
    payload_type=97,
    clock_rate=90000,
    parameters={"profile-level-id": "42e028", "packetization-mode": "1"},
    feedback=("nack pli",),
)
HIGH = msgspec.structs.replace(H264, parameters={**H264.parameters, "profile-level-id": "640028"})
VOCABULARY = """
account active agree animal answer appear april area arrive autumn balance bank because before begin between
board border bottom bread bridge bring broad build business button capital careful carry centre chance change
circle clean clear coast coffee colour common company complete control corner cotton country course cover
current decide degree describe detail direct distance doctor double doubt during early earth education effect
engine enough evening example except explain family famous farmer father feather field figure finger finish
flower follow foreign forest forward friend future garden general gentle glass government ground growth hammer
happen harbour health heavy history holiday honest hospital however imagine important increase industry insect
interest island journey judge kitchen knowledge language laugh leather letter level library light limit listen
machine manager market material measure meeting memory middle minute mountain music narrow natural needle
north number observe office opinion orange order paper parallel payment pencil people picture plant pocket
position possible present private process produce promise property purpose quality question quick quiet
railway reason receipt record regular relation report request respect river school science season secret
separate serious service shoulder silver simple sister smooth society special square station steam stomach
story straight street strong structure sudden summer support surprise system teaching theory thought through
thunder together tomorrow travel trouble umbrella valley value voice water weather weight whistle window
winter wonder yellow yesterday
"""
LEFT, TOP, ACROSS, DOWN, COLUMNS = 40, 30, 620, 20, 3


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A page of text as a picture."""

    picture: Image.Image
    words: tuple[str, ...]
    """Of the first column."""

    @property
    def luma(self) -> np.ndarray:
        return self._planes()[0].round().astype(np.uint8)

    @property
    def frame(self) -> bytes:
        """I420, limited range."""
        luma, *chroma = self._planes()
        thinned = (plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3)) for plane in chroma)
        return b"".join(plane.round().astype(np.uint8).tobytes() for plane in (luma, *thinned))

    def _planes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        red, green, blue = np.moveaxis(np.asarray(self.picture).astype(float), 2, 0)
        return (
            16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255,
            128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255,
            128 + (112 * red - 93.786 * green - 18.214 * blue) / 255,
        )


def page(seed: int) -> Page:
    """Full of words, in three columns."""
    vocabulary, chance, font = VOCABULARY.split(), random.Random(seed), ImageFont.truetype(FONT, PIXELS)
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, words = ImageDraw.Draw(picture), list[str]()
    for column in range(COLUMNS):
        for top in range(TOP, HEIGHT - TOP, DOWN):
            line: list[str] = []
            while pen.textlength(" ".join(line), font=font) < ACROSS - 130:
                line.append(chance.choice(vocabulary))
            pen.text((LEFT + column * ACROSS, top), " ".join(line), font=font, fill=(20, 20, 30))
            words += line if column == 0 else ()
    return Page(picture, tuple(words))


class Presenter:
    """Shows one page and then the other, as fast as it is said to."""

    def __init__(self, codec: CodecParameters, frames: int, bitrate: int, pages: tuple[Page, Page], port: int) -> None:
        row = codecs.careful(codecs.sent_as(codecs.BY_NAME[codec.name], codec.parameters))
        encoder = row.encoder.format(bitrate=bitrate, kilobits=bitrate // 1000, mtu=1100)
        # as browsers do with a screen: a new page is sharp at once, however long it takes to send
        encoder = encoder.replace("static-threshold=100", "static-threshold=0 max-quantizer=52")
        self.turned, self.turning = 0.0, threading.Event()
        self._frames, self._pages = frames, [one.frame for one in pages]
        self._pipeline = Gst.parse_launch(
            "rtpbin name=rtp rtp-profile=avpf appsrc name=in is-live=true do-timestamp=true format=time max-buffers=2 "
            "leaky-type=downstream "
            f"caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={frames}/1 ! {encoder} ! "
            f"{f'{row.encoded} ! ' if row.encoded else ''}"
            f"{row.payloader.format(payload_type=codec.payload_type, mtu=1200)} ! rtp.send_rtp_sink_0 "
            f"rtp.send_rtp_src_0 ! identity sleep-time={PACING} ! udpsink host=127.0.0.1 port={port} "
            "sync=false async=false "
            "udpsrc name=control address=127.0.0.1 port=0 ! rtp.recv_rtcp_sink_0"
        )
        self._pipeline.set_state(Gst.State.PLAYING)
        self.control: int = self._pipeline.get_by_name("control").get_property("port")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._present, daemon=True)
        self._thread.start()

    def _present(self) -> None:
        source, began, number = self._pipeline.get_by_name("in"), time.monotonic(), 0
        while not self._ended.wait(max(0.0, began + number / self._frames - time.monotonic())):
            late = time.monotonic() - began >= TURNED
            if late and not self.turning.is_set():
                self.turned = time.monotonic()
                self.turning.set()
            source.emit("push-buffer", Gst.Buffer.new_wrapped(self._pages[late]))
            number += 1

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._pipeline.set_state(Gst.State.NULL)


def describe(codec: CodecParameters, port: int, direction: Direction, rtcp_port: int = 0) -> MediaDescription:
    """A side of a call that has slides only."""
    slides = MediaStream(
        kind=MediaKind.VIDEO,
        content=Content.SLIDES,
        direction=direction,
        address="127.0.0.1",
        port=port,
        rtcp_port=rtcp_port,
        codecs=(codec,),
        profile="RTP/AVPF",
        bandwidth=LIMIT if direction is Direction.RECVONLY else None,
    )
    return MediaDescription(address="127.0.0.1", streams=(slides,))


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """Who sends what to whom."""

    presented: CodecParameters
    viewed: CodecParameters
    frames: int

    @property
    def name(self) -> str:
        way = "forwarded" if self.presented == self.viewed else "encoded"
        return f"{self.presented.name} {self.frames}/s to {self.viewed.name}, {way}"


CASES = tuple(
    Case(presented, viewed, frames)
    for frames in (5, 30)
    for presented, viewed in ((HIGH, HIGH), (VP8, VP8), (VP8, H264), (H264, VP8))
)


def text_of(picture: np.ndarray) -> np.ndarray:
    """Only where text is."""
    return picture[TOP : HEIGHT - TOP, LEFT : LEFT + COLUMNS * ACROSS - 40]


def read(luma: np.ndarray, words: tuple[str, ...], name: Path) -> float:
    """The share of the words of the first column that are recognised; the picture stays in a file of this name."""
    Image.fromarray(luma).save(name.with_suffix(".png"))
    enlarged, column = name.with_suffix(".large.png"), luma[:, : LEFT + ACROSS - 20]
    Image.fromarray(column).resize((2 * column.shape[1], 2 * HEIGHT), Image.Resampling.LANCZOS).save(enlarged)
    found = subprocess.run(
        ["tesseract", str(enlarged), "-", "--psm", "6"],
        capture_output=True, text=True, check=True, timeout=120, env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    ).stdout.split()  # fmt: skip
    enlarged.unlink()
    return sum((collections.Counter(words) & collections.Counter(found)).values()) / len(words)


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What the viewer had."""

    looks: dict[float, np.ndarray]
    bitrate: float
    """Over the two seconds after the page was turned."""
    cores: float


async def watch(worker: Worker, case: Case, pages: tuple[Page, Page]) -> Seen:
    """Run a case."""
    await worker.compose(m.Compose(views={}, watching={}, slides={"bob": "ada:slides"}))
    ports = {leg: (await worker.reserve_rtp(leg, (MediaKind.VIDEO,)))[1][0] for leg in ("ada", "bob")}
    bitrate = LIMIT if case.presented == case.viewed else 2 * LIMIT
    viewer = Viewer(case.viewed, ports["bob"] + 1)
    presenter = Presenter(case.presented, case.frames, bitrate, pages, ports["ada"])
    try:
        sides = {
            "ada": (describe(case.presented, ports["ada"], Direction.RECVONLY),
                    describe(case.presented, 9, Direction.SENDONLY, presenter.control)),
            "bob": (describe(case.viewed, ports["bob"], Direction.SENDONLY),
                    describe(case.viewed, viewer.port, Direction.RECVONLY, 9)),
        }  # fmt: skip
        for leg, (ours, theirs) in sides.items():
            await worker.connect_rtp(leg, ours, theirs)
            await worker.start(leg)
        if not await asyncio.to_thread(presenter.turning.wait, 20):
            raise SystemExit(f"{case.name}: nothing is presented")
        began, used, octets = presenter.turned, processor_seconds(worker.process), viewer.octets
        looks: dict[float, np.ndarray] = {}
        rate = 0.0
        for after in LOOKS:
            await asyncio.sleep(began + after - time.monotonic())
            if not viewer.pictures:
                raise SystemExit(f"{case.name}: nothing came")
            looks[after] = viewer.luma
            rate = rate or (after == 2.0 and (viewer.octets - octets) * 8 / after) or 0.0
        cores = (processor_seconds(worker.process) - used) / LOOKS[-1]
        return Seen(looks, rate, cores)
    finally:
        presenter.close()
        viewer.close()
        for leg in ("ada", "bob"):
            await worker.close_leg(leg)


async def main(directory: Path) -> list[str]:
    """The cases that cannot be read."""
    stage.load()  # initialises GStreamer
    if shutil.which("tesseract") is None:
        raise SystemExit("tesseract is missing: apt-get install tesseract-ocr")
    pages = page(1), page(2)
    luma, words = pages[1].luma, pages[1].words
    ideal, failed = await asyncio.to_thread(read, luma, words, directory / "page"), list[str]()
    print(f"three columns of {len(words)} words of {POINTS} points at {WIDTH}x{HEIGHT}, {LIMIT / 1e6:g} Mbit/s")
    print(f"{'the page itself':34}  SSIM 1.000                words {ideal:.3f}")
    async with worker_pool() as pool:
        for case in CASES:
            worker = await pool.acquire("bench", "Bench", lambda _: None, lambda _: None)
            try:
                seen = await watch(worker, case, pages)
            finally:
                await pool.release(worker)
            if any(picture.shape != luma.shape for picture in seen.looks.values()):
                sizes = {picture.shape[::-1] for picture in seen.looks.values()}
                print(f"{case.name:34}  pictures of {sizes}")
                failed.append(case.name)
                continue
            sharp = [similarity(text_of(luma), text_of(picture)) for picture in seen.looks.values()]
            name = case.name.replace("/", " in ").replace(" ", "-").replace(",", "")
            found = await asyncio.to_thread(read, seen.looks[2.0], words, directory / name)
            print(
                f"{case.name:34}  SSIM {' '.join(f'{one:.3f}' for one in sharp)} after {LOOKS} s, words {found:.3f}, "
                f"{seen.bitrate / 1e6:.2f} Mbit/s, worker {seen.cores:.3f} core", flush=True,
            )  # fmt: skip
            if sharp[1] < SSIM or found < WORDS * ideal:
                failed.append(case.name)
    return failed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as kept:
        unread = asyncio.run(asyncio.wait_for(main(Path((sys.argv[1:] or [kept])[0])), 600))
    if unread:
        raise SystemExit(f"cannot be read well: {'; '.join(unread)}")
