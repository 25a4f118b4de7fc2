"""What is looked at on the stage: what of it is decoded, and which sizes of it are made.

A source is looked at while a painted view shows it; what nobody looks at is not decoded (`native/video_gate.c`).
"""

from __future__ import annotations

import ctypes
import dataclasses
import functools
from typing import Any

from rostra.media.engine import stage

_ID_SIZE = 128


class _Gate(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_char * _ID_SIZE),
        ("idle", ctypes.c_int32),
        ("waits", ctypes.c_int32),
        ("passed", ctypes.c_int32),
        ("dropped", ctypes.c_int32),
    )


class _Scaling(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_char * _ID_SIZE),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """What reaches one decoder of pictures."""

    source: str
    idle: bool
    """It waits for a key frame: nobody looks, or somebody does from just now on."""
    waits: bool
    """Somebody looks, and what was asked for has not come yet."""
    passed: int
    dropped: int
    """Encoded pictures that went to the decoder, and that were kept from it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Scaling:
    """A size that a source's pictures were last made in."""

    source: str
    width: int
    height: int


@functools.cache
def _library() -> Any:
    library = stage.load()
    library.rostra_want.argtypes = (ctypes.c_char_p,)
    library.rostra_want.restype = ctypes.c_int32
    for name, kind in (("rostra_gates", _Gate), ("rostra_scalings", _Scaling)):
        function = getattr(library, name)
        function.argtypes = (ctypes.POINTER(kind), ctypes.c_int32)
        function.restype = ctypes.c_int32
    return library


def want(source: str) -> bool:
    """Somebody looks at a source, as if it were painted. False: its picture is an old one, a new one is on its way."""
    return bool(_library().rostra_want(source.encode()))


def gates() -> list[Gate]:
    """All decoders of pictures."""
    found = stage.listed(_library().rostra_gates, _Gate)
    return [Gate(one.id.decode(), bool(one.idle), bool(one.waits), one.passed, one.dropped) for one in found]


def waiting() -> set[str]:
    """Sources that are looked at, of which a key frame was asked for in vain so far."""
    return {one.source for one in gates() if one.waits}


def scalings() -> list[Scaling]:
    """Every size that the latest complete picture of a source was made in, its own left out."""
    found = stage.listed(_library().rostra_scalings, _Scaling)
    return [Scaling(one.id.decode(), one.width, one.height) for one in found]
