"""What a far end may send us at most: packets (native/guard.c) and pictures (native/picture_guard.c)."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from rostra.media.engine import stage

RATE: Final = 2000
"""Packets a second on one port, with bursts of as many: several times what 1080p takes."""
FLOOD: Final = "rostra-flood"
"""Name of the message on a pipeline's bus, every few seconds while something is dropped; `dropped` counts all."""
SOURCES, SOURCES_SWITCHED = 250, 2000
"""Sources that a far end may have in one life, as each is remembered: browsers, which get new ones when they begin to
share a picture (and take 200 kB for each), and others, some of which get one for each hold or speaker (30 kB)."""
TOO_MANY: Final = "rostra-too-many-sources"
"""Name of the message when there have been more."""
TOO_LARGE: Final = "rostra-too-large"
"""Likewise, while pictures come that are larger than any that is shown; with `width` and `height`, 0 if unknown."""


def put(pad: Any, rate: float = RATE) -> None:
    """Let no more through a pad than a far end may send."""
    stage.load().rostra_guard(_address(pad), ctypes.c_double(rate))


def own(pad: Any, source: int) -> None:
    """Let nothing through a pad with a guard that says it is of a source of ours: the session would give that up."""
    stage.load().rostra_guard_own(_address(pad), ctypes.c_uint32(source))


def count_sources(pad: Any, most: int) -> None:
    """Of what has been decrypted, say so (`TOO_MANY`) when it has come of more sources (SSRC) than these."""
    stage.load().rostra_count_sources(_address(pad), ctypes.c_uint32(most))


def put_on_pictures(depayloader: Any, codec: str) -> None:
    """Let no pictures out of a depayloader that are larger than level 5.1 of H.264 has, 4096 by 2304, nor packets into
    it that are parts of an endless one."""
    pads = (_address(depayloader.get_static_pad(name)) for name in ("sink", "src"))
    stage.load().rostra_picture_guard(*pads, codec.encode())


def _address(made: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(hash(made))
