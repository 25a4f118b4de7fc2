"""Pictures of sizes that nobody expects: what can be shown is shown in its shape, the rest is left out, and whoever
else is there notices nothing of either."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from rostra.domain.scene import Fit, Scene, Tile
from rostra.media import bounds
from rostra.media import messages as m
from rostra.media.engine.gst import Gst

from .conftest import Driven
from .encoded import PPS, idr, sps, vp8
from .endpoints import H264, VP8, CodecParameters, Far, Screen, Voice, ends, yuv
from .wires import Socketed

__all__ = ["ends"]

RED, GREEN, BARS = 0xC02020, 0x20C040, 0x1C2230
HALF = (640, 720)
"""Of the picture, each side."""
VIEW = Scene(
    tiles=(
        Tile(source="odd", x=0, y=0, width=HALF[0], height=HALF[1], fit=Fit.CONTAIN, colour=BARS),
        Tile(source="other", x=HALF[0], y=0, width=HALF[0], height=HALF[1]),
    )
)
VP9 = msgspec.structs.replace(VP8, name="VP9", payload_type=100)
SIZES = {
    "VP8": [(16, 16), (2, 2), (1366, 768), (17, 33), (4096, 32), (320, 180), (16, 2048)],
    "H264": [(320, 180), (16, 16), (1366, 768), (18, 34), (2048, 16), (640, 480)],
    "VP9": [(320, 180), (8, 8), (17, 33), (768, 1366), (2048, 16)],
}
MEBI = 1 << 20
LITTLE = 64 * MEBI


class Resizing(Far):
    """Sends one colour, in one size after another."""

    def __init__(self, codec: CodecParameters, colour: int) -> None:
        source = (
            f"videotestsrc is-live=true pattern=solid-color foreground-color={0xFF000000 | colour} ! "
            "capsfilter name=size caps=video/x-raw,format=I420,width=64,height=36,framerate=30/1,colorimetry=bt601"
        )
        super().__init__(codec, source)

    def resize(self, size: tuple[int, int]) -> None:
        caps = f"video/x-raw,format=I420,width={size[0]},height={size[1]},framerate=30/1,colorimetry=bt601"
        self._pipeline.get_by_name("size").set_property("caps", Gst.Caps.from_string(caps))


class Seen(NamedTuple):
    """Y, U and V at places of a picture: in the middle of each half, and where bars are."""

    middle: np.ndarray
    top: np.ndarray
    left: np.ndarray
    other: np.ndarray


class Watching(Screen):
    async def sees(self) -> Seen | None:
        sample = await self.sample(1)
        if sample is None:
            return None
        shape = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        buffer = sample.get_buffer()
        data = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        luma = data[: width * height].reshape(height, width)
        chroma = data[width * height : width * height * 3 // 2].reshape(2, height // 2, width // 2)

        def at(x: float, y: float) -> np.ndarray:
            column, row = int(width * x), int(height * y)
            return np.array([luma[row, column], *chroma[:, row // 2, column // 2]], float)

        return Seen(at(0.25, 0.499), at(0.25, 0.02), at(0.01, 0.5), at(0.75, 0.5))

    async def shows_in_shape(self, size: tuple[int, int]) -> None:
        """Wait until the left half holds the colour in the middle, and bars where a picture of this shape has them."""
        bars_above = size[0] * HALF[1] > size[1] * HALF[0] * 1.1
        bars_beside = size[1] * HALF[0] > size[0] * HALF[1] * 1.1
        seen: Seen | None = None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 10
        while loop.time() < deadline:
            seen = await self.sees()
            if seen is None:
                continue
            assert near(seen.other, GREEN), "whoever else is there is not seen any more"
            if (
                near(seen.middle, RED)
                and near(seen.top, BARS if bars_above else RED)
                and near(seen.left, BARS if bars_beside else RED)
            ):
                return
        pytest.fail(f"{size} is not seen in its shape, but {seen}")


def near(found: np.ndarray, colour: int) -> bool:
    return bool((np.abs(found - yuv(colour)) < 24).all())


async def meet(driven: Driven, ends: list[Far]) -> tuple[Watching, Voice]:
    """Somebody who watches and listens, and another who is seen and heard."""
    await driven.worker.compose(m.Compose(views={"v": VIEW}, watching={"watcher": "v"}))
    watcher, listener = Watching(VP8), Voice()
    other, speaker = Screen(VP8, GREEN, (640, 720)), Voice(440)
    for leg, far in (("watcher", watcher), ("listener", listener), ("other", other), ("speaker", speaker)):
        ends.append(far)
        await far.join(driven.worker, leg)
    await watcher.until(lambda found: True, 10, "anything")
    async with asyncio.timeout(10):
        while (seen := await watcher.sees()) is None or not near(seen.other, GREEN):
            pass
    await listener.hears(440)
    return watcher, listener


@pytest.mark.parametrize("codec", [VP8, H264, VP9], ids=lambda codec: codec.name)
async def test_any_size_is_shown_in_its_shape_and_may_change(
    driven: Driven, ends: list[Far], codec: CodecParameters
) -> None:
    watcher, listener = await meet(driven, ends)
    odd = Resizing(codec, RED)
    ends.append(odd)
    await odd.join(driven.worker, "odd")
    for size in SIZES[codec.name]:
        odd.resize(size)
        await watcher.shows_in_shape(size)
    await listener.hears(440)
    assert not [event for event in driven.events if isinstance(event, m.LegFailed)]


LARGEST = (4096, 2304)


def encoded(size: tuple[int, int], colour: int) -> list[bytes]:
    """Payloads of a key frame in VP8 (RFC 7741)."""
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers=1 pattern=solid-color foreground-color={0xFF000000 | colour} ! video/x-raw,"
        f"format=I420,width={size[0]},height={size[1]},colorimetry=bt601 ! vp8enc deadline=1 ! appsink name=out"
    )
    pipeline.set_state(Gst.State.PLAYING)
    try:
        buffer = pipeline.get_by_name("out").emit("pull-sample").get_buffer()
        frame = buffer.extract_dup(0, buffer.get_size())
    finally:
        pipeline.set_state(Gst.State.NULL)
    return [bytes([16 * (not at)]) + frame[at : at + 1100] for at in range(0, len(frame), 1100)]


async def test_the_largest_that_is_taken_is_shown(driven: Driven, ends: list[Far]) -> None:
    watcher, listener = await meet(driven, ends)
    far, units = Socketed(VP8), await asyncio.to_thread(encoded, LARGEST, RED)
    try:
        await far.join(driven.worker, "odd")
        sending = asyncio.create_task(bombard(far, [units], 300))
        try:
            await watcher.shows_in_shape(LARGEST)
            await driven.until(lambda: driven.told(m.FirstPicture(leg="odd", width=LARGEST[0], height=LARGEST[1])))
        finally:
            sending.cancel()
        await listener.hears(440)
    finally:
        far.close()


def bombs(codec: CodecParameters) -> list[list[bytes]]:
    """Payloads of pictures that say they are enormous."""
    sizes = ((8192, 4320), (16000, 16000))
    if codec.name == "VP8":
        return [[b"\x10" + vp8(*size)] for size in sizes]
    return [[sps(*size), PPS, idr()] for size in sizes]


async def bombard(far: Socketed, pictures: list[list[bytes]], times: int) -> None:
    number = 0
    for turn in range(times):
        units = pictures[turn % len(pictures)]
        for unit in units:
            far.send(number, unit, 3000 * turn, marker=unit is units[-1])
            number += 1
        await asyncio.sleep(max(0.01, len(units) / 500))  # a far end may send 2000 packets a second


@pytest.mark.parametrize("codec", [VP8, H264], ids=lambda codec: codec.name)
async def test_one_that_is_too_large_costs_nothing(driven: Driven, ends: list[Far], codec: CodecParameters) -> None:
    watcher, listener = await meet(driven, ends)
    far = Socketed(codec)
    try:
        await far.join(driven.worker, "odd")
        before = bounds.resident(driven.worker.process)
        await bombard(far, bombs(codec), 100)
        async with asyncio.timeout(10):  # all has been read
            while not any(
                one.leg == "odd" and one.packets >= 100 for one in (await driven.worker.statistics()).streams
            ):
                pass
        assert bounds.resident(driven.worker.process) - before < LITTLE
        seen = await watcher.sees()
        assert seen is not None
        assert near(seen.other, GREEN)
        assert near(seen.middle, BARS)
        await listener.hears(440)
        assert not [event for event in driven.events if isinstance(event, m.LegFailed)]
    finally:
        far.close()
