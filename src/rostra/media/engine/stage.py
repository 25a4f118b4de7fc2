"""The stage: the native library that joins the pipelines of one media worker.

Legs and encoders are independent pipelines. They meet only here, by name: `rostravideosink` publishes a leg's
latest picture, `rostravideosrc` paints a view from them, `rostraaudiosink` and `rostraaudiosrc` meet in the
N-1 mixer, `rostrapub` and `rostrasub` fan encoded media out. This module loads the library and states what the
elements shall show and play. Every function is thread-safe, quick, and releases the interpreter lock.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  (the version must be chosen first)

from rostra.domain.scene import Fit, Scene, Tile  # noqa: E402
from rostra.media.engine import text  # noqa: E402
from rostra.media.messages import EVERYBODY, AudioRoute  # noqa: E402

LIBRARY: Final = "librostrastage.so"
SAMPLE_RATE: Final = 48000
"""Hz of all audio on the stage: one channel of S16LE."""
_ID_SIZE: Final = 128
_TEXT_BYTES_KEPT: Final = 16 << 20


class StageMissing(Exception):
    """The native library is not there or cannot be loaded. The text names the command that builds it."""


class _Tile(ctypes.Structure):
    _fields_ = (
        ("source", ctypes.c_char_p),
        ("x", ctypes.c_int32),
        ("y", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("contain", ctypes.c_int32),
        ("colour", ctypes.c_uint32),
        ("bitmap", ctypes.c_char_p),
        ("bitmap_x", ctypes.c_int32),
        ("bitmap_y", ctypes.c_int32),
    )


class _Level(ctypes.Structure):
    _fields_ = (("id", ctypes.c_char * _ID_SIZE), ("level", ctypes.c_float))


class _Picture(ctypes.Structure):
    _fields_ = (("id", ctypes.c_char * _ID_SIZE), ("width", ctypes.c_int32), ("height", ctypes.c_int32))


class _State(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_int32)
        for name in (
            "sources",
            "pictures",
            "renditions",
            "views",
            "scenes",
            "bitmaps",
            "legs",
            "speakers",
            "listeners",
            "mixers",
            "channels",
            "publishers",
            "subscribers",
        )
    )


def library_path() -> Path:
    """Where the library is. Raises StageMissing."""
    here = Path(__file__).resolve()
    candidates = (here.parents[4] / "build" / "native" / LIBRARY, here.parents[1] / "native" / LIBRARY)
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise StageMissing(f"{LIBRARY} is not at {candidates[0]}: build it with `make native`")


@functools.cache
def load() -> ctypes.CDLL:
    """Register the stage's elements with GStreamer (initialising it); repeatable. Raises StageMissing."""
    path = library_path()
    if not Gst.is_initialized():
        Gst.init(None)
    try:
        Gst.Plugin.load_file(str(path))
        library = ctypes.CDLL(str(path))
    except Exception as problem:  # GLib.Error and OSError: whatever the loader says, the remedy is the same
        raise StageMissing(f"{path} cannot be loaded ({problem}): build it with `make native`") from problem
    _declare(library)
    return library


def _declare(library: ctypes.CDLL) -> None:
    string, number, real, data = ctypes.c_char_p, ctypes.c_int32, ctypes.c_double, ctypes.c_char_p
    declarations: dict[str, tuple[Any, ...]] = {
        "rostra_set_view": (None, string, number, number, ctypes.c_uint32, ctypes.POINTER(_Tile), number),
        "rostra_remove_view": (None, string),
        "rostra_set_bitmap": (None, string, number, number, data),
        "rostra_remove_bitmap": (None, string),
        "rostra_set_picture_timeout": (None, real),
        "rostra_pictures": (number, ctypes.POINTER(_Picture), number),
        "rostra_set_route": (None, string, number, number, real, number, number),
        "rostra_remove_route": (None, string),
        "rostra_play": (real, string, data, ctypes.c_size_t),
        "rostra_stop_playing": (None, string),
        "rostra_levels": (number, ctypes.POINTER(_Level), number),
        "rostra_request_keyframe": (number, string),
        "rostra_state": (None, ctypes.POINTER(_State)),
    }
    for name, (result, *arguments) in declarations.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


# ---- pictures ---------------------------------------------------------------------------------------------


def set_view(view: str, scene: Scene) -> None:
    """Show `scene` on every `rostravideosrc view=<view>`, from the next frame on."""
    tiles = (_Tile * max(1, len(scene.tiles)))()
    with _texts.lock:  # a bitmap must not be evicted between its making and the view holding it
        for i, tile in enumerate(scene.tiles):
            tiles[i] = _native(tile)
        load().rostra_set_view(view.encode(), scene.width, scene.height, scene.background, tiles, len(scene.tiles))
        _texts.trim()


def remove_view(view: str) -> None:
    """Forget a view; elements still on it paint background."""
    load().rostra_remove_view(view.encode())


def set_picture_timeout(seconds: float) -> None:
    """A source whose latest frame is older than this (default 3) has no picture."""
    load().rostra_set_picture_timeout(seconds)


def pictures() -> dict[str, tuple[int, int]]:
    """Width and height of every source that has a picture now."""
    return {item.id.decode(): (item.width, item.height) for item in _listed(load().rostra_pictures, _Picture)}


def set_bitmap(bitmap: str, width: int, height: int, rgba: bytes) -> None:
    """Keep a picture (R, G, B, A bytes, colours premultiplied by alpha) under an id, for views set afterwards."""
    if width <= 0 or height <= 0 or len(rgba) != width * height * 4:
        raise ValueError(f"{len(rgba)} bytes are not {width}x{height} RGBA")
    load().rostra_set_bitmap(bitmap.encode(), width, height, rgba)


def remove_bitmap(bitmap: str) -> None:
    """Forget a bitmap; views that were set with it keep it until they are replaced."""
    load().rostra_remove_bitmap(bitmap.encode())


def _native(tile: Tile) -> _Tile:
    native = _Tile(
        source=tile.source.encode(),
        x=tile.x,
        y=tile.y,
        width=tile.width,
        height=tile.height,
        contain=tile.fit is Fit.CONTAIN,
        colour=tile.colour,
    )
    if tile.text and tile.width > 0 and tile.height > 0:
        label = bool(tile.source)
        bitmap, width, height = _texts.bitmap(tile.text, tile.width, tile.height, label)
        native.bitmap = bitmap.encode()
        native.bitmap_x = tile.x + (0 if label else (tile.width - width) // 2)
        native.bitmap_y = tile.y + (tile.height - height if label else (tile.height - height) // 2)
    return native


class _Texts:
    """Texts already turned into bitmaps, least recently used first; views keep those they use alive."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._made: dict[tuple[str, int, int, bool], tuple[str, int, int]] = {}
        self._count = 0
        self._bytes = 0

    def bitmap(self, content: str, width: int, height: int, label: bool) -> tuple[str, int, int]:
        """Id, width and height of the bitmap of a text; call with the lock held."""
        key = (content, width, height, label)
        made = self._made.pop(key, None)
        if made is None:
            image = text.label(content, width, height) if label else text.title(content, width, height)
            self._count += 1
            made = (f"text-{self._count}", image.width, image.height)
            set_bitmap(made[0], image.width, image.height, image.rgba)
            self._bytes += len(image.rgba)
        self._made[key] = made
        return made

    def trim(self) -> None:
        """Forget the texts unused for longest when all together are too big; call with the lock held."""
        while self._bytes > _TEXT_BYTES_KEPT:
            oldest, width, height = self._made.pop(next(iter(self._made)))
            self._bytes -= width * height * 4
            remove_bitmap(oldest)


_texts = _Texts()


# ---- sound ------------------------------------------------------------------------------------------------


def set_route(leg: str, route: AudioRoute) -> None:
    """What a leg contributes and hears from the next 20 ms on; holds until changed, also before it has audio."""
    load().rostra_set_route(
        leg.encode(), route.speaks, route.hears, route.loopback, route.group & EVERYBODY, route.listens & EVERYBODY
    )


def remove_route(leg: str) -> None:
    """Back to the default route, and drop what was queued for it; call it when the leg is gone."""
    load().rostra_remove_route(leg.encode())


def set_routes(routes: Mapping[str, AudioRoute]) -> None:
    """Set these routes; legs routed by an earlier call and not named now go back to the default."""
    with _routed_lock:
        for leg in _routed - routes.keys():
            remove_route(leg)
        for leg, route in routes.items():
            set_route(leg, route)
        _routed.clear()
        _routed.update(routes)


_routed: set[str] = set()
_routed_lock = threading.Lock()


def play(leg: str, pcm: bytes) -> float:
    """Queue sound (48 kHz mono S16LE) that only this leg hears, over its mix.

    Returns the seconds until all that is queued has been played.
    """
    return load().rostra_play(leg.encode(), pcm, len(pcm) // 2)


def stop_playing(leg: str) -> None:
    """Drop what is queued for a leg."""
    load().rostra_stop_playing(leg.encode())


def levels() -> dict[str, float]:
    """How loud every participant with an audio sink was over the last 100 ms, in dBov (-127 silence)."""
    return {item.id.decode(): round(item.level, 1) for item in _listed(load().rostra_levels, _Level)}


# ---- encoded media and state ------------------------------------------------------------------------------


def request_keyframe(channel: str) -> bool:
    """Ask the publisher of a channel for a key frame (at most one per 300 ms). False: nobody publishes there."""
    return bool(load().rostra_request_keyframe(channel.encode()))


def debug_state() -> dict[str, int]:
    """What the stage holds at the moment, for people and leak tests."""
    state = _State()
    load().rostra_state(ctypes.byref(state))
    found = {name: int(getattr(state, name)) for name, *_ in _State._fields_}
    return found | {"threads": sum(1 for _ in Path("/proc/self/task").iterdir())}


def _listed(function: Any, kind: Any) -> list[Any]:
    """All items a listing function has; it returns how many there are, which may be more than fitted."""
    room = 64
    while True:
        items = (kind * room)()
        count = function(items, room)
        if count <= room:
            return list(items[:count])
        room = count + 16
