"""Files of the conference's theme, as the worker takes them: from the first directory that has a good one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from rostra.domain import theme, themecheck
from rostra.media.engine import images
from rostra.media.engine.text import Image

logger = structlog.get_logger("rostra.media")

Result = TypeVar("Result")


class ThemeFiles:
    """The theme of a worker's conference; its last directory is the base theme."""

    def __init__(self, directories: Sequence[str] = ()) -> None:
        self._directories = [Path(directory) for directory in directories]
        self._sounds: dict[str, bytes] = {}

    def sound(self, name: str) -> bytes:
        """Samples of a sound (48 kHz mono S16LE), read once; empty when no theme has a good one."""
        found = self._sounds.get(name)
        if found is None:
            known = name in theme.SOUNDS
            found = self._sounds[name] = (self.first(name, themecheck.sound) if known else None) or b""
        return found

    def image(self, name: str) -> Image | None:
        """The pixels of an image; None when no theme has a good one."""
        return self.first(name, images.decode) if theme.FILES.get(name) else None

    def first(self, name: str, read: Callable[[bytes], Result]) -> Result | None:
        """What `read` makes of a file of the theme, which raises ValueError for a bad one: then the next theme's."""
        for directory in self._directories:
            try:
                return read((directory / name).read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as problem:
                logger.warning("Theme file cannot be used", file=name, directory=str(directory), problem=str(problem))
        if self._directories:
            logger.warning("No theme has this file", file=name)
        return None
