"""The media side of one conference: gets a worker, keeps its picture and sound as wanted, survives its death.

What is wanted is always stated as a whole (`Compose`) and sent again to a new worker, so there is nothing to
replay. Requests of the protocol adapters pass through; they fail with `WorkerLost` when the worker dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import structlog

from rostra.media.client import MediaFailure, Worker, WorkerLost
from rostra.media.messages import FACES_KEPT, Compose, Event
from rostra.media.pool import WorkerPool

logger = structlog.get_logger("rostra.conference")

NO_IMAGES: Mapping[str, bytes] = MappingProxyType({})
COMPOSE_AGAIN = 0.5
"""Seconds before the picture is sent again to a worker that did not answer."""


class DirectorListener(Protocol):
    """What the conference is told by its media."""

    def media_event(self, event: Event) -> None: ...

    def media_lost(self) -> None:
        """The worker died; every leg must be set up anew."""


class MediaDirector:
    """Owner of at most one media worker at a time."""

    def __init__(
        self, pool: WorkerPool, conference: str, name: str, listener: DirectorListener,
        themes: Callable[[], Awaitable[tuple[str, ...]]], quality: str, denoise: bool = False,
    ) -> None:  # fmt: skip
        """`themes`: the directories of the conference's theme, asked for each worker; `quality`: its best picture;
        `denoise`: noise is taken out of voices."""
        self._quality, self._denoise = quality, denoise
        self._pool = pool
        self._themes = themes
        self._conference = conference
        self._name = name
        self._listener = listener
        self._worker: Worker | None = None
        self._acquiring = asyncio.Lock()
        self._wanted: Compose | None = None
        self._images = NO_IMAGES
        self._sent: dict[str, None] = {}
        """Images that the worker has, oldest first."""
        self._wake = asyncio.Event()
        self._closed = False
        self._composer: asyncio.Task[None] | None = None

    @property
    def current(self) -> Worker | None:
        """The worker at work now; None when there is none, so nothing to tell it either."""
        return self._worker

    async def worker(self) -> Worker:
        """The conference's worker, acquired when needed.

        Raises MediaFailure when none can be had, WorkerLost when the conference has ended.
        """
        async with self._acquiring:
            if not self._closed and self._worker is None:
                themes = await self._themes()
                worker = await self._pool.acquire(
                    self._conference,
                    self._name,
                    self._event,
                    self._lost,
                    themes,
                    self._quality,
                    denoise=self._denoise,
                )
                if self._closed:
                    await self._pool.release(worker)
                else:
                    self._worker, self._sent = worker, {}
                    self._composer = self._composer or asyncio.create_task(self._compose())
                    self._wake.set()
            if self._worker is None:
                raise WorkerLost("the conference has ended" if self._closed else "the worker has just died")
            return self._worker

    def want(self, compose: Compose, images: Mapping[str, bytes] = NO_IMAGES) -> None:
        """State what everybody shall see and hear from now on, with `images` (JPEG by name) beside the theme's."""
        self._wanted, self._images = compose, images
        self._wake.set()

    async def close(self) -> None:
        """Give the worker back. Safe to repeat."""
        self._closed = True
        if self._composer:
            self._composer.cancel()
            self._composer = None
        worker, self._worker = self._worker, None
        if worker:
            await self._pool.release(worker)

    async def _compose(self) -> None:
        """Send the latest wish; wishes stated while one is under way are merged into the next."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            worker, wanted = self._worker, self._wanted
            if worker is None or wanted is None:
                continue
            try:
                await self._send_images(worker, self._images)
                await worker.compose(wanted)
            except WorkerLost as problem:
                logger.warning("Picture not sent", conference=self._name, worker=worker.id, reason=str(problem))
                if worker is self._worker:  # it lives, but was not reached: the wish still holds
                    await asyncio.sleep(COMPOSE_AGAIN)
                    self._wake.set()
            except MediaFailure as failure:
                logger.error("Picture refused by the worker", conference=self._name, reason=str(failure))
            except Exception:  # whatever one picture meets, the next one must still be sent
                logger.exception("Picture failed", conference=self._name)

    async def _send_images(self, worker: Worker, images: Mapping[str, bytes]) -> None:
        """Those it has not got, before what shows them."""
        sent = self._sent
        for name, jpeg in images.items():
            if name not in sent:
                try:
                    await worker.keep_image(name, jpeg)
                except MediaFailure as failure:  # an icon is shown instead
                    logger.info("Picture of a participant refused", conference=self._name, reason=str(failure))
                sent[name] = None
                while len(sent) > FACES_KEPT:
                    del sent[next(iter(sent))]

    def _event(self, event: Event) -> None:
        if not self._closed:
            self._listener.media_event(event)

    def _lost(self, worker: Worker) -> None:
        if worker is not self._worker or self._closed:
            return
        logger.warning("Media process disconnected", conference=self._name, worker=worker.id)
        self._worker = None
        self._listener.media_lost()

    def debug_state(self) -> dict[str, object]:
        return {"worker": self._worker.id if self._worker else None, "wanted": self._wanted is not None}
