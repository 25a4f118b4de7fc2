"""Single pictures of a presentation: made of what is on the stage, and put there where somebody posts them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from rostra.domain.jpeg import usable
from rostra.domain.media import StreamType
from rostra.domain.presenting import slides_of
from rostra.domain.scene import Fit, Scene, Tile
from rostra.media.engine import branches, sights, stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.leg import Leg, LegContext
from rostra.media.engine.pipeline import BadPipeline, Pipeline, make_bin
from rostra.media.engine.rungs import Rung
from rostra.media.engine.sections import BadDescription
from rostra.media.messages import StillTaken
from rostra.waiting import in_time

SMALL: Final = (640, 480)
LARGE: Final = (1920, 1080)
"""Widest and highest of the two sizes (API-111)."""
MARK: Final = (96, 54)
"""Pixels by which pictures are compared."""
VISIBLE: Final = 20
"""Levels of grey by which one of them must differ for the picture to look different."""
MAKING: Final = 3.0
DECODING: Final = 5.0
"""Seconds these may take."""
RENEWING: Final = 1.0
"""Seconds to wait for a new picture of a source that nobody has looked at."""
DECODED: Final = 0.05
"""Seconds in which a picture that has come is surely decoded."""
QUALITY: Final = 88
"""Of JPEG: text keeps its edges."""


def fitting(size: tuple[int, int], most: tuple[int, int]) -> tuple[int, int]:
    """The same shape within these bounds, in even numbers, never bigger than it is."""
    scale = min(1.0, most[0] / size[0], most[1] / size[1])
    return tuple(max(16, 2 * round(length * scale / 2)) for length in size)  # type: ignore[return-value]


def looks_different(before: bytes, now: bytes) -> bool:
    """Compares marks."""
    return len(before) != len(now) or any(abs(a - b) >= VISIBLE for a, b in zip(before, now, strict=True))


async def take(source: str, size: tuple[int, int], mark: bytes) -> StillTaken:
    """The present picture of a source, unless it looks like that of `mark`. Raises BadPipeline."""
    await _looked_at(source)
    now = await _frame(source, MARK, "videoconvert ! video/x-raw,format=GRAY8")
    if mark and not looks_different(mark, now):
        return StillTaken(mark=mark)
    encode = f"jpegenc quality={QUALITY}"
    small, large = fitting(size, SMALL), fitting(size, LARGE)
    return StillTaken(mark=now, small=await _frame(source, small, encode), large=await _frame(source, large, encode))


async def _looked_at(source: str) -> None:
    """When nobody else looks at it, what is there is old."""
    for _ in range(round(RENEWING / DECODED)):
        if sights.want(source):
            return
        await asyncio.sleep(DECODED)


async def _frame(source: str, size: tuple[int, int], convert: str) -> bytes:
    """One picture of a source at a size, converted."""
    view, loop = f"~still:{size[0]}x{size[1]}:{source}", asyncio.get_running_loop()
    tile = Tile(source=source, x=0, y=0, width=size[0], height=size[1], fit=Fit.CONTAIN, colour=0)
    stage.set_view(view, Scene(width=size[0], height=size[1], background=0, tiles=(tile,)))
    made: asyncio.Future[bytes] = loop.create_future()
    pipeline = Pipeline("still", lambda reason: _fail(made, reason))
    shot = make_bin(
        f"{branches.VIDEO_SOURCE} ! video/x-raw,format=I420,width={size[0]},height={size[1]},"
        f"framerate=30/1,pixel-aspect-ratio=1/1 ! {convert} ! fakesink name=out signal-handoffs=true sync=false",
        "shot",
    )
    shot.get_by_name("stage").set_property("view", view)

    def taken(_: Any, buffer: Any, __: Any) -> None:
        loop.call_soon_threadsafe(_done, made, bytes(buffer.extract_dup(0, buffer.get_size())))

    shot.get_by_name("out").connect("handoff", taken)
    pipeline.add(shot)
    try:
        pipeline.play()
        return await in_time(made, MAKING)
    except TimeoutError:
        raise BadPipeline(f"no still picture of {source}") from None
    finally:
        await pipeline.close()
        stage.remove_view(view)


def _done(made: asyncio.Future[bytes], picture: bytes) -> None:
    if not made.done():
        made.set_result(picture)


def _fail(made: asyncio.Future[bytes], reason: str) -> None:
    if not made.done():
        made.set_exception(BadPipeline(reason))


class StillLeg(Leg):
    """Somebody who presents by posting pictures, and has no other media here."""

    def __init__(self, context: LegContext, leg: str) -> None:
        super().__init__(context, leg)
        self._pipeline: Pipeline | None = None

    @property
    def shows(self) -> str:
        return ""

    @property
    def presents(self) -> str:
        return slides_of(self.id)

    async def show(self, jpeg: bytes) -> None:
        """Show this picture instead of the one before. Raises BadDescription when it is none."""
        if not usable(jpeg):
            raise BadDescription("not a JPEG picture of usable size")
        loop = asyncio.get_running_loop()
        made: asyncio.Future[bytes] = loop.create_future()

        def failed(reason: str) -> None:
            """Later: the end may be told in the moment in which the picture is, which comes first."""
            loop.call_soon(_fail, made, reason)

        pipeline = Pipeline(f"stills {self.id}", failed)
        branch = make_bin(
            "appsrc name=in caps=image/jpeg ! jpegdec ! videoconvert ! video/x-raw,format=I420 ! "
            f"identity name=seen signal-handoffs=true ! {branches.VIDEO_SINK}",
            "stills",
        )
        branch.get_by_name("stage").set_property("source", self.presents)
        branch.get_by_name("seen").connect("handoff", lambda *_: loop.call_soon_threadsafe(_done, made, b""))
        pipeline.add(branch)
        pipeline.play()
        branch.get_by_name("in").emit("push-buffer", Gst.Buffer.new_wrapped(jpeg))
        branch.get_by_name("in").emit("end-of-stream")
        try:
            await in_time(made, DECODING)
        except (TimeoutError, BadPipeline) as problem:
            await pipeline.close()
            raise BadDescription(f"not a JPEG picture: {problem}") from None
        before, self._pipeline = self._pipeline, pipeline
        if before:
            await before.close()

    def start(self, *, early: bool = False) -> None:
        return

    def request_keyframe(self) -> None:
        return

    def request_pictures(self) -> None:
        return

    async def close(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline:
            await pipeline.close()

    def rtpbin(self) -> Any:
        return None

    def codecs(self) -> dict[StreamType, str]:
        return {}

    def sent_rung(self) -> Rung | None:
        return None
