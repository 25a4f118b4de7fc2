"""When the Management Node was last heard, also before this node's last start."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

logger = structlog.get_logger("rostra.node")

KEPT = 600.0
"""Seconds between two notes in the file."""


class Contact:
    """Keeps the time in a file; a clock that was set back counts as contact now."""

    def __init__(self, file: Path, silence: Callable[[], float], now: Callable[[], float] = time.time) -> None:
        """`silence`: seconds since the Management Node was heard, or since this process started."""
        self._file = file
        self._silence = silence
        self._now = now
        self._began = now()
        self._before = self._read()
        self._noted = 0.0

    def silent(self) -> float:
        """Seconds since the Management Node was last heard."""
        now, silence = self._now(), self._silence()
        heard = now - silence
        if heard <= self._began + 1.0:  # not heard since this process started
            return max(0.0, now - self._before)
        if heard - self._noted > KEPT:
            self._note(heard)
        return max(0.0, silence)

    def _read(self) -> float:
        try:
            return float(self._file.read_text())
        except (OSError, ValueError):
            return self._began

    def _note(self, heard: float) -> None:
        try:
            self._file.write_text(f"{heard:.0f}\n")
            self._noted = heard
        except OSError as problem:
            logger.warning("The time of contact is not kept", problem=str(problem))
