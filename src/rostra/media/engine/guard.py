"""What a far end may send us at most: packets (native/guard.c) and pictures (native/picture_guard.c)."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from rostra.media.engine import stage

RATE: Final = 2000
"""Packets a second on one port, with bursts of as many: several times what 1080p takes."""
FLOOD: Final = "rostra-flood"
"""Name of the message on a pipeline's bus, every few seconds while something is dropped; `dropped` counts all."""
TOO_LARGE: Final = "rostra-too-large"
"""Likewise, while pictures come that are larger than any that is shown; with `width` and `height`, 0 if unknown."""


def put(pad: Any, rate: float = RATE) -> None:
    """Let no more through a pad than a far end may send."""
    stage.load().rostra_guard(ctypes.c_void_p(hash(pad)), ctypes.c_double(rate))


def put_on_pictures(depayloader: Any, codec: str) -> None:
    """Let no pictures out of a depayloader that are larger than level 5.1 of H.264 has, 4096 by 2304, nor packets into
    it that are parts of an endless one."""
    pads = (ctypes.c_void_p(hash(depayloader.get_static_pad(name))) for name in ("sink", "src"))
    stage.load().rostra_picture_guard(*pads, codec.encode())
