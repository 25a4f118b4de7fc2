"""A leg to an RTMP server: what is streamed or recorded of a conference, as H.264 and AAC (CONF-122…CONF-125).

One connection, or two: the second has the presentation, and a placeholder while there is none. When the server goes
away, the leg connects again, with longer and longer pauses, and fails when the server has been away for too long.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from pathlib import Path
from typing import IO, Any, Final

import structlog

from rostra.domain import splash, theme
from rostra.domain.media import StreamType
from rostra.domain.presenting import slides_of
from rostra.domain.scene import SCENE_HEIGHT, SCENE_WIDTH, Fit, Scene, Tile
from rostra.media.codecs import h264
from rostra.media.engine import branches, images, rungs, stage
from rostra.media.engine.gst import Gio, GLib
from rostra.media.engine.leg import Leg, LegContext
from rostra.media.engine.pipeline import BadPipeline, Pipeline, make_bin
from rostra.media.engine.rungs import Rung
from rostra.media.engine.video_feed import VideoFeed

logger = structlog.get_logger("rostra.media")

CONNECTING: Final = 6.0
"""Seconds the server has to take a stream."""
LOOK: Final = 0.05
BACKOFF: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before another try to connect; the last is repeated."""
AWAY: Final = 120.0
"""Seconds the server may be away."""
WATCH: Final = 1.0
"""Seconds between looks at what a server has taken."""
SYSTEM: Final = Path("/etc/ssl/certs/ca-certificates.crt")
"""Who vouches for servers on Debian."""
STALLED: Final = 10.0
"""Seconds after which a server that takes nothing is lost: its machine may be gone without a word."""
AUDIO_RATE: Final = 128_000
"""bit/s."""
_VIDEO: Final = f"{branches.SUBSCRIBE} ! h264parse ! queue max-size-time=3000000000 leaky=downstream ! mux.video "
_AUDIO: Final = (
    "rostraaudiosrc name=sound ! audioconvert ! audioresample quality=2 ! audio/x-raw,rate=48000,channels=2 ! "
    f"avenc_aac bitrate={AUDIO_RATE} ! aacparse ! queue max-size-time=3000000000 leaky=downstream ! mux.audio "
)
_OUT: Final = "flvmux name=mux streamable=true latency=200000000 ! rtmp2sink name=out sync=false async=false "


class StreamFailed(Exception):
    """The server cannot be reached, or does not take the stream."""


class _Line:
    """One connection to a server, set up again whenever it breaks."""

    def __init__(self, leg: StreamLeg, url: str, view: str, *, sound: bool) -> None:
        self.view = view
        self.rung: Rung = rungs.pick({}, leg.bandwidth)
        self._leg = leg
        self._url = url
        self._sound = sound
        self._pipeline: Pipeline | None = None
        self._feed: VideoFeed | None = None
        self._out: Any = None
        self._broken: asyncio.Future[str] | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and keep connected from then on. Raises StreamFailed, BadPipeline."""
        await self._connect()
        self._task = asyncio.get_running_loop().create_task(self._keep(), name="stream")

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        broken: asyncio.Future[str] = loop.create_future()

        def broke(reason: str) -> None:
            if not broken.done():
                broken.set_result(reason)

        pipeline = self._pipeline = Pipeline(f"stream {self._leg.id}", broke)
        made = make_bin(_OUT + _VIDEO + (_AUDIO if self._sound else ""), "stream")
        if self._sound:
            made.get_by_name("sound").set_property("leg", self._leg.id)
        self._out = made.get_by_name("out")
        self._out.set_property("location", self._url)
        self._feed = VideoFeed(self._leg.context, h264.STREAMED, made.get_by_name("stage"))
        self._feed.tune(self.view, self.rung)
        pipeline.add(made)
        self._broken = broken
        pipeline.play()
        end = loop.time() + CONNECTING
        while not broken.done() and not self._bytes():
            if loop.time() > end:
                broke("no answer")
            await asyncio.sleep(LOOK)
        if broken.done():
            raise StreamFailed(broken.result())

    async def _try_again(self) -> None:
        """Raises StreamFailed; nothing is left of it then."""
        try:
            await self._connect()
        except BadPipeline as problem:
            await self._drop()
            raise StreamFailed(str(problem)) from None
        except StreamFailed:
            await self._drop()
            raise

    async def _lost(self, broken: asyncio.Future[str]) -> str:
        """Why the connection is of no use any more."""
        loop = asyncio.get_running_loop()
        taken, since = -1, loop.time()
        while True:
            await asyncio.wait((broken,), timeout=WATCH)
            if broken.done():
                return broken.result()
            if (now := self._bytes()) != taken:
                taken, since = now, loop.time()
            elif loop.time() - since > STALLED:
                return "takes nothing"

    async def _keep(self) -> None:
        """CONF-127 says how a stream ends; a server that restarts does not end it."""
        loop = asyncio.get_running_loop()
        while self._broken is not None:
            reason = await self._lost(self._broken)
            logger.warning("Streaming server lost", leg=self._leg.id, reason=reason)
            await self._drop()
            since, tries = loop.time(), 0
            while self._pipeline is None:
                await asyncio.sleep(BACKOFF[min(tries, len(BACKOFF) - 1)])
                tries += 1
                try:
                    await self._try_again()
                except StreamFailed as problem:
                    logger.info("Streaming server not back", leg=self._leg.id, tries=tries, reason=str(problem))
                    if loop.time() - since > AWAY:
                        self._leg.context.failed(self._leg.id, "Streaming server lost")
                        return
            logger.info("Streaming server back", leg=self._leg.id, tries=tries)
            self.request_keyframe()

    def tune(self, view: str) -> None:
        self.view = view
        if self._feed:
            self._feed.tune(view)

    def request_keyframe(self) -> None:
        if self._feed:
            self._feed.request_keyframe()

    def _bytes(self) -> int:
        stats = self._out.get_property("stats") if self._out is not None else None
        found, value = stats.get_uint64("out-bytes-total") if stats is not None else (False, 0)
        return int(value) if found else 0

    async def _drop(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        feed, self._feed = self._feed, None
        self._out = None
        if pipeline:
            await pipeline.close()
        if feed:
            feed.close()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._drop()


@functools.lru_cache(maxsize=1)
def believe(authorities: str) -> IO[str] | None:
    """Over TLS, servers are also believed that these (PEM) vouch for; of this process, from now on.

    Returns the file, which is read anew for each connection and is gone with the object; None: it is unusable.
    """
    file = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115 - it stays open
    file.write(f"{SYSTEM.read_text() if SYSTEM.is_file() else ''}\n{authorities}\n")
    file.flush()
    try:
        database = Gio.TlsFileDatabase.new(file.name)
    except GLib.Error as problem:
        logger.warning("Certificates of authorities not taken", problem=problem.message)
        return None
    Gio.TlsBackend.get_default().set_default_database(database)
    return file


class StreamLeg(Leg):
    """What is sent to one or two RTMP addresses."""

    def __init__(self, context: LegContext, leg: str, find: images.Find, bandwidth: int | None = None) -> None:
        super().__init__(context, leg)
        self.bandwidth = bandwidth
        self._find = find
        self._lines: list[_Line] = []
        self._slides = ""
        self._icon = 0x000000

    async def open(self, url: str, presentation_url: str, background: int, authorities: str = "") -> None:
        """Connect to the server(s). Raises StreamFailed, BadPipeline; nothing is open then."""
        self._icon = background
        believe(authorities)
        self._lines = [_Line(self, url, self.view, sound=True)]
        if presentation_url:
            stage.set_view(self._slides_view, self._slides_scene(), self._find)
            self._lines.append(_Line(self, presentation_url, self._slides_view, sound=False))
        try:
            done = await asyncio.gather(*(line.open() for line in self._lines), return_exceptions=True)
            if failed := next((one for one in done if one is not None), None):
                raise failed
        except BaseException:
            await self.close()
            raise

    @property
    def _slides_view(self) -> str:
        return f"~{slides_of(self.id)}"

    def _slides_scene(self) -> Scene:
        """The presentation alone, or its placeholder (CONF-125)."""
        if not self._slides:
            return splash.stream_without(theme.NO_PRESENTATION, self._icon)
        tile = Tile(
            source=self._slides, x=0, y=0, width=SCENE_WIDTH, height=SCENE_HEIGHT, fit=Fit.CONTAIN, colour=0
        )  # fmt: skip
        return Scene(background=0, tiles=(tile,))

    @property
    def shows(self) -> str:
        return ""

    def watch(self, view: str) -> None:
        super().watch(view)
        if self._lines:
            self._lines[0].tune(view)

    def show_slides(self, source: str) -> None:
        if source == self._slides:
            return
        self._slides = source
        if len(self._lines) > 1:
            stage.set_view(self._slides_view, self._slides_scene(), self._find)

    def start(self, *, early: bool = False) -> None:
        """It has begun with the connection."""

    def request_keyframe(self) -> None:
        for line in self._lines:
            line.request_keyframe()

    def request_pictures(self) -> None:
        """Nothing comes from there."""

    async def close(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            await line.close()
        if len(lines) > 1:
            stage.remove_view(self._slides_view)

    def rtpbin(self) -> Any:
        return None

    def codecs(self) -> dict[StreamType, str]:
        return {StreamType.VIDEO: h264.ROW.name, StreamType.AUDIO: "AAC"}

    def sent_rung(self) -> Rung | None:
        return self._lines[0].rung if self._lines else None
