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
from rostra.media.engine import images, text  # noqa: E402
from rostra.media.engine.bitmaps import Kept  # noqa: E402
from rostra.media.messages import EVERYBODY, AudioRoute  # noqa: E402

LIBRARY: Final = "librostrastage.so"
SAMPLE_RATE: Final = 48000
"""Hz of all audio on the stage: one channel of S16LE."""
_ID_SIZE: Final = 128
_TEXT_BYTES_KEPT: Final = 16 << 20
_IMAGE_BYTES_KEPT: Final = 48 << 20


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
        ("filled", ctypes.c_int32),
        ("colour", ctypes.c_uint32),
        ("frozen", ctypes.c_int32),
        ("delay", ctypes.c_double),
        ("image", ctypes.c_char_p),
        ("image_x", ctypes.c_int32),
        ("image_y", ctypes.c_int32),
        ("image_width", ctypes.c_int32),
        ("image_height", ctypes.c_int32),
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
            "coders",
            "ears",
            "talkers",
            "lines",
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
        "rostra_paint": (None, string, number, number, ctypes.c_void_p),
        "rostra_show": (None, string, number, number, data),
        "rostra_hide": (None, string),
        "rostra_pictures": (number, ctypes.POINTER(_Picture), number),
        "rostra_set_route": (None, string, number, number, real, number, number),
        "rostra_remove_route": (None, string),
        "rostra_play": (real, string, data, ctypes.c_size_t),
        "rostra_stop_playing": (None, string),
        "rostra_set_denoise": (None, ctypes.c_int),
        "rostra_levels": (number, ctypes.POINTER(_Level), number),
        "rostra_request_keyframe": (number, string),
        "rostra_state": (None, ctypes.POINTER(_State)),
    }
    for name, (result, *arguments) in declarations.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


# ---- pictures ---------------------------------------------------------------------------------------------


def set_view(view: str, scene: Scene, find: images.Find | None = None) -> None:
    """Show `scene` on every `rostravideosrc view=<view>`, from the next frame on.

    What was there before fades. `find` gives images of the theme; without it there are none.
    """
    tiles = (_Tile * max(1, len(scene.tiles)))()
    with _keeping:  # a bitmap must not be evicted between its making and the view holding it
        for i, tile in enumerate(scene.tiles):
            tiles[i] = _native(tile, find)
        load().rostra_set_view(view.encode(), scene.width, scene.height, scene.background, tiles, len(scene.tiles))
        _texts.trim()
        _images.trim()


def forget_images() -> None:
    """The theme is another: its images are read again."""
    with _keeping:
        _images.clear()


def paint(view: str, width: int, height: int) -> bytes:
    """A view as it is now: the Y, U and V planes without padding (chroma is half size, rounded up)."""
    size = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)
    room = ctypes.create_string_buffer(size)
    load().rostra_paint(view.encode(), width, height, room)
    return room.raw


def show(source: str, width: int, height: int, i420: bytes) -> None:
    """A still as the picture of a source, until it is hidden or too old. Width a multiple of 8, height even."""
    if width % 8 or height % 2 or len(i420) != width * height * 3 // 2:
        raise ValueError(f"{len(i420)} bytes are not a picture of {width}x{height}")
    load().rostra_show(source.encode(), width, height, i420)


def hide(source: str) -> None:
    """Withdraw a still."""
    load().rostra_hide(source.encode())


def remove_view(view: str) -> None:
    """Forget a view; elements still on it paint background."""
    load().rostra_remove_view(view.encode())


def set_picture_timeout(seconds: float) -> None:
    """A source whose latest frame is older than this (default 3) has no picture."""
    load().rostra_set_picture_timeout(seconds)


def pictures() -> dict[str, tuple[int, int]]:
    """Width and height of every source that has a picture now."""
    return {item.id.decode(): (item.width, item.height) for item in listed(load().rostra_pictures, _Picture)}


def set_bitmap(bitmap: str, width: int, height: int, rgba: bytes) -> None:
    """Keep a picture (R, G, B, A bytes, colours premultiplied by alpha) under an id, for views set afterwards."""
    if width <= 0 or height <= 0 or len(rgba) != width * height * 4:
        raise ValueError(f"{len(rgba)} bytes are not {width}x{height} RGBA")
    load().rostra_set_bitmap(bitmap.encode(), width, height, rgba)


def remove_bitmap(bitmap: str) -> None:
    """Forget a bitmap; views that were set with it keep it until they are replaced."""
    load().rostra_remove_bitmap(bitmap.encode())


def _native(tile: Tile, find: images.Find | None) -> _Tile:
    native = _Tile(
        source=tile.source.encode(),
        x=tile.x,
        y=tile.y,
        width=tile.width,
        height=tile.height,
        contain=tile.fit is Fit.CONTAIN,
        filled=tile.colour is not None,
        colour=tile.colour or 0,
        frozen=tile.frozen,
        delay=tile.delay,
    )
    if tile.width <= 0 or tile.height <= 0:
        return native
    if tile.image and find:
        _put_image(native, tile, find)
    if tile.text:
        _put_text(native, tile)
    return native


def _put_image(native: _Tile, tile: Tile, find: images.Find) -> None:
    covering = (tile.width, tile.height) if tile.fit is Fit.COVER and not tile.source else None

    def make() -> text.Image | None:
        image = find(tile.image)
        return images.cropped(image, tile) if image else None

    kept = _images.bitmap((tile.image, covering), make)
    if kept is not None:
        native.image = kept.id.encode()
        native.image_x, native.image_y, native.image_width, native.image_height = images.place(
            tile, kept.width, kept.height
        )


def _put_text(native: _Tile, tile: Tile) -> None:
    along = bool(tile.source) or tile.label
    left = tile.x - tile.x % 2 if along else tile.x  # colours are kept for every second pixel: begin on one, in the gap
    width = tile.width + tile.x - left
    size, colour = tile.text_size, tile.text_colour

    def make() -> text.Image:
        if tile.backdrop:
            return text.box(tile.text, width, tile.height, size, colour, tile.backdrop)
        return (text.label if along else text.title)(tile.text, width, tile.height, size, colour)

    kept = _texts.bitmap((tile.text, width, tile.height, along, size, colour, tile.backdrop), make)
    if kept is not None:
        native.bitmap = kept.id.encode()
        free = width - kept.width
        native.bitmap_x = left + (free if tile.at_right else 0 if along or tile.backdrop else free // 2)
        native.bitmap_y = tile.y + (tile.height - kept.height if along else (tile.height - kept.height) // 2)


_keeping = threading.RLock()
_texts = Kept("text", _TEXT_BYTES_KEPT, set_bitmap, remove_bitmap)
_images = Kept("image", _IMAGE_BYTES_KEPT, set_bitmap, remove_bitmap)


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


def denoise(*, wanted: bool) -> None:
    """Take background noise out of all voices from now on, or leave them as they are."""
    load().rostra_set_denoise(wanted)


def levels() -> dict[str, float]:
    """How loud every participant with an audio sink was over the last 100 ms, in dBov (-127 silence)."""
    return {item.id.decode(): round(item.level, 1) for item in listed(load().rostra_levels, _Level)}


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


def listed(function: Any, kind: Any) -> list[Any]:
    """All items a listing function of the library has; it returns how many there are, which may be more than fitted."""
    room = 64
    while True:
        items = (kind * room)()
        count = function(items, room)
        if count <= room:
            return list(items[:count])
        room = count + 16
