"""Encoders and their settings next to each other: processor time for a picture, and how like the picture comes out.

Real footage, composed by our painter as everybody's picture of seven others (720p30), goes through each encoder as fast
as it will, at the same bit rate, several times over; the times are those of the process less those without an encoder.
The likeness is SSIM of the luma (mean of every fifth picture after the first second). The rows that are in use come
first. Run: `python -m bench.encoders [bit/s]` (docs/decisions/0041).
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from bench.capacity import floor
from bench.load.pictures import similarity
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH
from rostra.media.codecs import h264, vp8
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import branches, stage
from rostra.media.engine.gst import Gst

ROUNDS = 4
_RAW = f"video/x-raw,format=I420,width={SCENE_WIDTH},height={SCENE_HEIGHT},framerate=30/1"
_BYTES = SCENE_WIDTH * SCENE_HEIGHT * 3 // 2
_X264 = (
    "x264enc tune=zerolatency bitrate={kilobits} vbv-buf-capacity=400 key-int-max=300 bframes=0 sliced-threads=false "
    "threads=1 byte-stream=true aud=false "
)
_VP8 = vp8.ROW.encoder.replace("cpu-used=-10", "cpu-used={speed}")
_OPENH264 = (
    "openh264enc complexity={complexity} rate-control=bitrate bitrate={bitrate} gop-size=300 num-slices=1 "
    "multi-thread=1 ! h264parse"
)
OTHERS = {
    "x264 ultrafast, slices of a packet": (
        h264.ROW,
        _X264 + "speed-preset=ultrafast option-string=slice-max-size={mtu}",
    ),
    "x264 ultrafast": (h264.ROW, _X264 + "speed-preset=ultrafast"),
    "x264 ultrafast, deblocking": (h264.ROW, _X264 + "speed-preset=ultrafast option-string=no-deblock=0"),
    "x264 ultrafast, quarter pixels": (h264.ROW, _X264 + "speed-preset=ultrafast subme=1"),
    "x264 superfast": (h264.ROW, _X264 + "speed-preset=superfast"),
    "x264 veryfast": (h264.ROW, _X264 + "speed-preset=veryfast"),
    "OpenH264, low complexity": (h264.ROW, _OPENH264.replace("{complexity}", "low")),
    "OpenH264, medium complexity": (h264.ROW, _OPENH264.replace("{complexity}", "medium")),
    **{f"VP8, cpu-used={speed}": (vp8.ROW, _VP8.replace("{speed}", str(speed))) for speed in (16, 8, -16, -12, -8)},
}
IN_USE = {
    "H.264": (h264.ROW, h264.ROW.encoder),
    "H.264, high profile": (h264.HIGH, h264.HIGH.encoder),
    "H.264, whole slices": (h264.SLICED, h264.SLICED.encoder),
    "VP8": (vp8.ROW, vp8.ROW.encoder),
}


def run(pictures: list[bytes], launch: str) -> tuple[float, list[bytes]]:
    """Processor seconds of a pipeline, and what came out of it."""
    pipeline: Any = Gst.parse_launch(
        f"appsrc name=in format=time caps={_RAW} block=true max-bytes={4 * _BYTES} ! {launch} ! "
        "appsink name=out sync=false"
    )
    source, out = pipeline.get_by_name("in"), pipeline.get_by_name("out")
    buffers = [Gst.Buffer.new_wrapped(picture) for picture in pictures]
    began = time.process_time()
    pipeline.set_state(Gst.State.PLAYING)
    for number in range(len(buffers) * ROUNDS):
        made = buffers[number % len(buffers)].copy()
        made.pts = number * Gst.SECOND // 30
        source.emit("push-buffer", made)
    source.emit("end-of-stream")
    found: list[bytes] = []
    while (sample := out.emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        found.append(buffer.extract_dup(0, buffer.get_size()))
    used = time.process_time() - began
    pipeline.set_state(Gst.State.NULL)
    return used, found


def decoded(row: CodecRow, units: list[bytes]) -> list[np.ndarray]:
    """Luma of the pictures."""
    caps = "video/x-vp8" if row is vp8.ROW else "video/x-h264,stream-format=byte-stream,alignment=au"
    pipeline: Any = Gst.parse_launch(
        f"appsrc name=in format=time caps={caps} ! {row.decoder} ! videoconvert ! video/x-raw,format=I420 ! "
        "appsink name=out sync=false"
    )
    pipeline.set_state(Gst.State.PLAYING)
    for unit in units:
        pipeline.get_by_name("in").emit("push-buffer", Gst.Buffer.new_wrapped(unit))
    pipeline.get_by_name("in").emit("end-of-stream")
    found: list[np.ndarray] = []
    while (sample := pipeline.get_by_name("out").emit("pull-sample")) is not None:
        data: bytes = sample.get_buffer().extract_dup(0, SCENE_WIDTH * SCENE_HEIGHT)
        found.append(np.frombuffer(data, np.uint8).reshape(SCENE_HEIGHT, SCENE_WIDTH))
    pipeline.set_state(Gst.State.NULL)
    return found


def main(bitrate: int) -> None:
    stage.load()
    pictures = floor.compose(7)
    count = len(pictures) * ROUNDS
    luma = [np.frombuffer(one, np.uint8)[: SCENE_WIDTH * SCENE_HEIGHT].reshape(SCENE_HEIGHT, -1) for one in pictures]
    nothing, _ = run(pictures, "identity")
    print(f"720p30 composed of real footage at {bitrate / 1e6:.2f} Mbit/s, {count} pictures")
    print(f"{'encoder':42} ms a picture  Mbit/s   SSIM")
    for name, (row, encoder) in {**IN_USE, **OTHERS}.items():
        launch = encoder.format(bitrate=bitrate, kilobits=bitrate // 1000, mtu=branches.PAYLOAD)
        used, units = run(pictures, f"{launch} ! {row.encoded}" if row.encoded else launch)
        shown = decoded(row, units)
        alike = [similarity(luma[at % len(luma)], shown[at]) for at in range(30, len(shown), 5)]
        rate = sum(map(len, units)) * 8 * 30 / count / 1e6
        print(f"{name:42} {1000 * (used - nothing) / count:12.2f}  {rate:6.2f}  {np.mean(alike):5.3f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_436_000)
