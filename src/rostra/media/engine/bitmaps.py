"""What has been turned into bitmaps of the stage, so that it is made once; views keep those alive that they use."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from rostra.media.engine.text import Image


class Bitmap(NamedTuple):
    """A picture the stage has."""

    id: str
    width: int
    height: int


class Kept:
    """Bitmaps by what they were made of, least recently used first. Not for several threads at once."""

    def __init__(
        self, name: str, most: int, put: Callable[[str, int, int, bytes], None], remove: Callable[[str], None]
    ) -> None:
        """`most` bytes are kept; `put` and `remove` are the stage's."""
        self._name = name
        self._most = most
        self._put = put
        self._remove = remove
        self._made: dict[Hashable, Bitmap | None] = {}
        self._count = 0
        self._bytes = 0

    def bitmap(self, key: Hashable, make: Callable[[], Image | None]) -> Bitmap | None:
        """The bitmap of what `key` names; None when it cannot be made."""
        if key in self._made:
            made = self._made.pop(key)
        else:
            image, made = make(), None
            if image is not None:
                self._count += 1
                made = Bitmap(f"{self._name}-{self._count}", image.width, image.height)
                self._put(made.id, image.width, image.height, image.rgba)
                self._bytes += len(image.rgba)
        self._made[key] = made
        return made

    def trim(self) -> None:
        """Forget those unused for longest when all together are too big."""
        while self._bytes > self._most:
            self._forget(next(iter(self._made)))

    def clear(self) -> None:
        """Forget all."""
        for key in list(self._made):
            self._forget(key)

    def _forget(self, key: Hashable) -> None:
        made = self._made.pop(key)
        if made is not None:
            self._bytes -= made.width * made.height * 4
            self._remove(made.id)
