"""What a far end may send us at most; the rest is dropped where it comes in (native/guard.c)."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from rostra.media.engine import stage

RATE: Final = 2000
"""Packets a second on one port, with bursts of as many: several times what 1080p takes."""
FLOOD: Final = "rostra-flood"
"""Name of the message on a pipeline's bus, every few seconds while something is dropped; `dropped` counts all."""


def put(pad: Any, rate: float = RATE) -> None:
    """Let no more through a pad than a far end may send."""
    stage.load().rostra_guard(ctypes.c_void_p(hash(pad)), ctypes.c_double(rate))
