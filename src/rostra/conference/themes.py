"""Files of a conference's theme on this node, whether or not it carries media."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog

from rostra.domain import themecheck

logger = structlog.get_logger("rostra.conference")


async def read(directories: Sequence[str], name: str) -> bytes | None:
    """A theme file (a name of `domain.theme.FILES`) from the first directory that has a good one."""
    return await asyncio.to_thread(_read, directories, name)


def _read(directories: Sequence[str], name: str) -> bytes | None:
    for directory in directories:
        try:
            data = (Path(directory) / name).read_bytes()
            themecheck.check(name, data)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as problem:
            logger.warning("Theme file cannot be used", file=name, directory=directory, problem=str(problem))
            continue
        return data
    return None
