"""Far ends of RTP legs, in the test's own process: what they show and say is known, and so is what they get."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from rostra.domain.media import CodecParameters, MediaDescription, MediaKind, MediaStream
from rostra.media import codecs
from rostra.media.client import Worker
from rostra.media.engine import ports, stage
from rostra.media.engine.gst import Gst

OPUS = CodecParameters(name="OPUS", payload_type=111, clock_rate=48000, channels=2)
VP8 = CodecParameters(name="VP8", payload_type=98, clock_rate=90000, feedback=("nack pli",))
H264 = CodecParameters(
    name="H264",
    payload_type=97,
    clock_rate=90000,
    parameters={"profile-level-id": "42e01f", "packetization-mode": "1"},
    feedback=("nack pli",),
)
RATE = 48000


def describe(codec: CodecParameters, port: int, rtcp_port: int = 0, profile: str = "RTP/AVPF") -> MediaDescription:
    """One stream on this machine."""
    kind = MediaKind.VIDEO if codec.clock_rate == 90000 else MediaKind.AUDIO
    stream = MediaStream(
        kind=kind, address="127.0.0.1", port=port, rtcp_port=rtcp_port, codecs=(codec,), profile=profile
    )
    return MediaDescription(address="127.0.0.1", streams=(stream,))


class Far:
    """One far end: sends what `launch` makes, reads what comes."""

    def __init__(self, codec: CodecParameters, source: str) -> None:
        self.codec = codec
        self.asked = 0
        """Requests for key frames that have come."""
        self.running = threading.Event()
        """It has made more than its first picture, or block of sound."""
        self._coded = itertools.count(1)
        self._source = source
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for one in self._sockets:
            one.bind(("127.0.0.1", 0))
        self._port, self._control = (one.getsockname()[1] for one in self._sockets)
        self._pipeline: Any = None

    @property
    def video(self) -> bool:
        return self.codec.clock_rate == 90000

    def fragments(self) -> tuple[str, str, str, str]:
        """Encoder, payloader, depayloader and decoder."""
        row = codecs.BY_NAME[self.codec.name]
        return (
            row.encoder.format(bitrate=700_000, kilobits=700, mtu=1100),
            row.payloader.format(payload_type=self.codec.payload_type, mtu=1200),
            row.depayloader,
            row.decoder,
        )

    async def join(self, worker: Worker, leg: str) -> None:
        """Become the far end of a leg."""
        port = await self.reserve(worker, leg)
        await self.connect(worker, leg, port)
        self.play(port)

    async def reserve(self, worker: Worker, leg: str) -> int:
        kind = MediaKind.VIDEO if self.video else MediaKind.AUDIO
        return (await worker.reserve_rtp(leg, (kind,)))[1][0]

    @property
    def places(self) -> tuple[int, int]:
        """Its ports, of RTP and RTCP."""
        return self._port, self._control

    async def connect(
        self,
        worker: Worker,
        leg: str,
        port: int,
        profile: str = "RTP/AVPF",
        places: tuple[int, int] | None = None,
    ) -> None:
        """`places`: where the leg is told to send, instead of to its own ports."""
        ours, theirs = describe(self.codec, port, 0, profile), describe(self.codec, *(places or self.places), profile)
        await worker.connect_rtp(leg, ours, theirs)
        await worker.start(leg)

    def repeated(self) -> int:
        """Packets that it has sent again, with `rostraagain name=again` in its payloader."""
        return self._pipeline.get_by_name("again").get_property("repeated")

    def shut(self, shut: bool) -> None:
        """Keep what it makes from going out, or let it."""
        self._pipeline.get_by_name("gate").set_property("drop", shut)

    def play(self, port: int) -> None:
        video, codec = self.video, self.codec
        encoder, payloader, depayloader, decoder = self.fragments()
        caps = (
            f"application/x-rtp,media={'video' if video else 'audio'},encoding-name={codec.name},"
            f"clock-rate={codec.clock_rate},payload={codec.payload_type}"
            + "".join(f",{name}=(string){codec.parameters[name]}" for name in codecs.BY_NAME[codec.name].described)
        )
        out = (
            "videoconvert ! video/x-raw,format=I420"
            if video
            else f"audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate={RATE}"
        )
        sending = (
            f"rtpbin name=rtp rtp-profile=avpf {self._source} ! {encoder} ! "
            f"identity name=coded signal-handoffs=true ! {payloader} ! "
            "rtp.send_rtp_sink_0 rtp.send_rtp_src_0 ! valve name=gate ! "
            f"udpsink name=away host=127.0.0.1 port={port} sync=false async=false "
            "udpsrc name=control ! rtp.recv_rtcp_sink_0 "
        )
        self._pipeline = Gst.parse_launch(
            (sending if self._source else "") + f"udpsrc name=in caps={caps} ! "
            f"rtpjitterbuffer latency=40 ! {depayloader} ! {decoder} ! {out} ! "
            "appsink name=out sync=false max-buffers=100 drop=true"
        )
        for name, endpoint in zip(("in", "away", "control"), (*self._sockets[:1], *self._sockets), strict=True):
            element = self._pipeline.get_by_name(name)
            if element:
                element.set_property("socket", ports.shared(endpoint))
        coded = self._pipeline.get_by_name("coded")
        if coded:
            coded.get_static_pad("src").add_probe(Gst.PadProbeType.EVENT_UPSTREAM, self._event)
            coded.connect("handoff", self._made)
        self._pipeline.set_state(Gst.State.PLAYING)

    def _event(self, _: Any, info: Any) -> Any:
        structure = info.get_event().get_structure()
        self.asked += structure is not None and structure.get_name() == "GstForceKeyUnit"
        return Gst.PadProbeReturn.OK

    def _made(self, *_: Any) -> None:
        if next(self._coded) > 5:
            self.running.set()

    def renew(self) -> None:
        """Make a key frame, unasked."""
        wanted = Gst.Event.new_custom(
            Gst.EventType.CUSTOM_UPSTREAM, Gst.Structure.from_string("GstForceKeyUnit,all-headers=(boolean)true")[0]
        )
        self._pipeline.get_by_name("coded").get_static_pad("sink").push_event(wanted)

    async def sample(self, seconds: float = 5) -> Any:
        """The next of what comes, or None."""
        out = self._pipeline.get_by_name("out")
        return await asyncio.to_thread(out.emit, "try-pull-sample", int(seconds * Gst.SECOND))

    def forget(self) -> None:
        """Leave out what is waiting."""
        out = self._pipeline.get_by_name("out")
        while out.emit("try-pull-sample", 0):
            pass

    def close(self) -> None:
        if self._pipeline:
            self._pipeline.set_state(Gst.State.NULL)
        self._pipeline = None
        for one in self._sockets:
            one.close()


class Screen(Far):
    """Sends a picture of one colour and reads the one it gets."""

    look = 0.5
    """Where across the picture it looks."""

    def __init__(
        self, codec: CodecParameters = VP8, colour: int | None = None, size: tuple[int, int] = (640, 360)
    ) -> None:
        source = (
            f"videotestsrc is-live=true pattern=solid-color foreground-color={0xFF000000 | (colour or 0)} ! "
            f"video/x-raw,format=I420,width={size[0]},height={size[1]},framerate=30/1,colorimetry=bt601"
        )
        super().__init__(codec, source if colour is not None else "")

    async def shows(self, colour: int, seconds: float = 10) -> None:
        """Wait until the middle of the picture (or where it looks) has this colour."""
        await self.until(lambda found: bool((np.abs(found - yuv(colour)) < 14).all()), seconds, f"{colour:06x}")

    async def until(self, condition: Callable[[np.ndarray], bool], seconds: float, what: str) -> None:
        """Wait until Y, U and V in the middle of the picture are so."""
        found: np.ndarray | None = None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while loop.time() < deadline:
            found = await self.middle()
            if found is not None and condition(found):
                return
        pytest.fail(f"not {what} within {seconds} s, but YUV {found}")

    async def size(self) -> tuple[int, int] | None:
        """Width and height of the next picture."""
        sample = await self.sample(1)
        shape = sample.get_caps().get_structure(0) if sample else None
        return (shape.get_value("width"), shape.get_value("height")) if shape else None

    async def middle(self) -> np.ndarray | None:
        """Mean Y, U and V around the middle of the next picture."""
        sample = await self.sample(1)
        if sample is None:
            return None
        shape = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        buffer = sample.get_buffer()
        data = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        luma = data[: width * height].reshape(height, width)
        chroma = data[width * height : width * height * 3 // 2].reshape(2, height // 2, width // 2)
        x = int(width * self.look) // 2
        return np.array(
            [
                luma[height // 2 - 8 : height // 2 + 8, 2 * x - 8 : 2 * x + 8].mean(),
                *(plane[height // 4 - 4 : height // 4 + 4, x - 4 : x + 4].mean() for plane in chroma),
            ]
        )


class Voice(Far):
    """Hums, and reads what it hears."""

    def __init__(self, tone: int = 0, codec: CodecParameters = OPUS) -> None:
        wave = f"freq={tone} volume=0.2" if tone else "wave=silence"
        super().__init__(
            codec,
            f"audiotestsrc name=tone is-live=true samplesperbuffer=960 {wave} ! audio/x-raw,rate={RATE},channels=1",
        )

    def hush(self, *, silent: bool) -> None:
        self._pipeline.get_by_name("tone").set_property("volume", 0.0 if silent else 0.2)

    async def heard(self, seconds: float = 0.2) -> np.ndarray:
        """What comes in the next moment."""
        found = np.zeros(0, np.int16)
        while len(found) < seconds * RATE:
            sample = await self.sample(2)
            if sample is None:
                return np.zeros(int(seconds * RATE), np.int16)
            buffer = sample.get_buffer()
            found = np.concatenate((found, np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.int16)))
        return found[: int(seconds * RATE)]

    async def hears(self, *tones: int, never: tuple[int, ...] = (), seconds: float = 10) -> None:
        """Wait until these tones are heard clearly; the others are never heard, but at moments when a tone begins."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        strengths: dict[int, float] = {}
        traces = dict.fromkeys(never, 0)
        while loop.time() < deadline:
            samples = await self.heard()
            strengths = {tone: strength(samples, tone) for tone in (*tones, *never)}
            for tone in never:
                traces[tone] = traces[tone] + 1 if strengths[tone] >= 150 else 0
                assert traces[tone] < 3, f"{tone} Hz is heard: {strengths}"
            if all(strengths[tone] > 3000 for tone in tones) and not any(traces.values()):
                return
        pytest.fail(f"{tones} not heard within {seconds} s: {strengths}")


def strength(samples: np.ndarray, frequency: int) -> float:
    """Amplitude of a tone, 32768 at full scale."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) * 4 / len(samples)
    place = round(frequency * len(samples) / RATE)
    return float(spectrum[place - 1 : place + 2].max())


def yuv(rgb: int) -> np.ndarray:
    """BT.601 limited range."""
    r, g, b = (rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255
    return np.array(
        (
            16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255,
            128 + (-37.797 * r - 74.203 * g + 112 * b) / 255,
            128 + (112 * r - 93.786 * g - 18.214 * b) / 255,
        )
    )


@pytest.fixture
def ends() -> Iterator[list[Far]]:
    """Far ends to be closed after the test."""
    stage.load()
    made: list[Far] = []
    yield made
    for one in made:
        one.close()
