"""Renditions: the shared encoders. One per distinct (view, codec, rung), counted by the legs that are sent it."""

from __future__ import annotations

import asyncio
import dataclasses

import structlog

from rostra.media.codecs.row import CodecRow
from rostra.media.engine import branches, rungs
from rostra.media.engine.pipeline import Pipeline
from rostra.media.engine.rungs import Rung

logger = structlog.get_logger("rostra.media")

RESTART_PAUSE = 1.0
"""Seconds before an encoder that failed is built again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """What makes two encoders the same."""

    view: str
    codec: str
    rung: Rung | None
    """None: sound; the view is then the leg whose mix it is."""


class Rendition:
    """One encoder at work; `channel` is where its output is."""

    def __init__(self, key: Key, row: CodecRow, channel: str) -> None:
        self.key = key
        self.channel = channel
        self.users = 0
        self._row = row
        self._pipeline = self._build()
        self._restart: asyncio.TimerHandle | None = None

    def _build(self) -> Pipeline:
        pipeline = Pipeline(f"encoder {self.channel}", self._failed)
        key = self.key
        if key.rung:
            pipeline.add(branches.encode_video(self._row, key.view, self.channel, key.rung))
        else:
            pipeline.add(branches.encode_audio(self._row, key.view, self.channel))
        pipeline.play()
        return pipeline

    def retune(self, key: Key) -> bool:
        """Go on at another bit rate; False: this codec's encoder cannot."""
        if key.rung is None or not branches.retune_video(self._row, self._pipeline.gst, key.rung):
            return False
        self.key = key
        return True

    def _failed(self, reason: str) -> None:
        logger.error("Encoder failed", channel=self.channel, reason=reason)
        if self._restart is None:
            self._restart = asyncio.get_running_loop().call_later(RESTART_PAUSE, self._again)

    def _again(self) -> None:
        self._restart = None
        closing = asyncio.ensure_future(self._pipeline.close())
        closing.add_done_callback(lambda _: None)
        self._pipeline = self._build()

    async def close(self) -> None:
        if self._restart:
            self._restart.cancel()
        await self._pipeline.close()


class Renditions:
    """All encoders of the worker."""

    def __init__(self) -> None:
        self.narrow: frozenset[str] = frozenset()
        """Views that are composed for 4:3."""
        self._by_key: dict[Key, Rendition] = {}
        self.started = 0
        """How many encoders have been started: one that begins costs a key frame to all that are sent it."""
        self._closing: set[asyncio.Task[None]] = set()

    def acquire(self, view: str, row: CodecRow, rung: Rung | None) -> Rendition:
        """The encoder for these, started when it is the first use; `rung` as for 16:9. Raises BadPipeline."""
        if rung and view in self.narrow:
            rung = rungs.narrow(rung)
        key = Key(view, row.made, rung)
        rendition = self._by_key.get(key)
        if rendition is None:
            self.started += 1
            rendition = self._by_key[key] = Rendition(key, row, f"{row.name.lower()}-{self.started}")
        rendition.users += 1
        return rendition

    def retune(self, rendition: Rendition, view: str, rung: Rung) -> bool:
        """Have the encoder of a single user make another bit rate, without a break; False: another one is needed."""
        if view in self.narrow:
            rung = rungs.narrow(rung)
        before = rendition.key
        if before.view == view and before.rung == rung:
            return True
        key = dataclasses.replace(before, view=view, rung=rung)
        if before.rung is None or rendition.users > 1 or (key in self._by_key and key != before):
            return False
        if dataclasses.replace(key, rung=dataclasses.replace(rung, bitrate=before.rung.bitrate)) != before:
            return False
        if key != before and not rendition.retune(key):
            return False
        self._by_key[key] = self._by_key.pop(before)
        return True

    def release(self, rendition: Rendition) -> None:
        """One user less; the encoder ends with the last."""
        rendition.users -= 1
        if rendition.users == 0:
            self._by_key.pop(rendition.key, None)  # gone already while everything is being closed
            task = asyncio.get_running_loop().create_task(rendition.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End all encoders."""
        for rendition in list(self._by_key.values()):
            await rendition.close()
        self._by_key.clear()
        await asyncio.gather(*self._closing)

    @property
    def running(self) -> list[Rendition]:
        """All encoders at work."""
        return list(self._by_key.values())

    def debug_state(self) -> dict[str, object]:
        encoders = [
            {
                "channel": r.channel,
                "view": k.view,
                "codec": k.codec,
                "rung": dataclasses.astuple(k.rung) if k.rung else (),
                "users": r.users,
            }
            for k, r in self._by_key.items()
        ]
        return {"encoders": encoders, "encoders_started": self.started}
