"""Pictures of people that are drawn on others' pictures: decoded once, off the loop, and only so many (CONF-069)."""

from __future__ import annotations

import asyncio

from rostra.media.engine import images
from rostra.media.engine.sections import BadDescription
from rostra.media.engine.text import Image
from rostra.media.messages import FACES_KEPT


class Faces:
    """Those of a worker's conference, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Image] = {}

    async def keep(self, name: str, jpeg: bytes) -> None:
        """Raises BadDescription for what is no picture."""
        try:
            image = await asyncio.to_thread(images.decode, jpeg)
        except ValueError as problem:
            raise BadDescription(f"{name} {problem}") from None
        self._kept[name] = image
        while len(self._kept) > FACES_KEPT:
            del self._kept[next(iter(self._kept))]

    def of(self, name: str) -> Image | None:
        return self._kept.get(name)
