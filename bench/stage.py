"""What composing costs: views of the native stage next to `compositor` and to producing the frames at all.

Eight sources of 1280x720 at 30/s are made once (left out of the figures: measured alone and subtracted); then
`views` distinct 1+7 pictures at 1280x720, 30/s are composed of seven sources each. Prints processor seconds per
second (cores) for each way, per view, and the ratios. Run: `python bench/stage.py [views] [seconds]`.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  (the version must be chosen first)

from rostra.domain.scene import Scene, Tile  # noqa: E402
from rostra.media.engine import stage  # noqa: E402

CAPS = "video/x-raw,format=I420,width=1280,height=720,framerate=30/1,colorimetry=bt601"
MAKE = f"videotestsrc is-live=true pattern=solid-color foreground-color=%d ! {CAPS}"
SOURCES = 8
REPEATS = 3


def scene(own: int) -> Scene:
    """One large picture and six small ones: everybody but oneself."""
    others = [i for i in range(SOURCES) if i != own]
    small = [Tile(source=f"s{other}", x=i * 213, y=600, width=212, height=120) for i, other in enumerate(others[1:])]
    return Scene(tiles=(Tile(source=f"s{others[0]}", x=106, y=0, width=1066, height=600), *small))


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cores(descriptions: list[str], seconds: float) -> float:
    """Processor seconds per second while these pipelines play."""
    playing = [Gst.parse_launch(description) for description in descriptions]
    try:
        for pipeline in playing:
            pipeline.set_state(Gst.State.PLAYING)
        time.sleep(0.7)
        begun, before = time.monotonic(), used()
        time.sleep(seconds)
        return (used() - before) / (time.monotonic() - begun)
    finally:
        for pipeline in playing:
            pipeline.set_state(Gst.State.NULL)


def sources(end: str) -> list[str]:
    return [f"{MAKE % (0xFF000000 | i * 1234567)} ! {end.format(i=i)}" for i in range(SOURCES)]


def stage_views(views: int) -> list[str]:
    for i in range(views):
        stage.set_view(f"bench{i}", scene(i % SOURCES))
    painted = [f"rostravideosrc view=bench{i} ! {CAPS} ! fakesink sync=false" for i in range(views)]
    return sources("rostravideosink source=s{i}") + painted


def compositor_views(views: int) -> list[str]:
    """The same pictures in one pipeline of tees and compositors, queues short and leaky."""
    parts: list[str] = []
    for i in range(views):
        tiles = scene(i % SOURCES).tiles
        pads = " ".join(
            f"sink_{n}::xpos={t.x} sink_{n}::ypos={t.y} sink_{n}::width={t.width} sink_{n}::height={t.height}"
            for n, t in enumerate(tiles)
        )
        parts.append(f"compositor name=mix{i} {pads} ! {CAPS} ! fakesink sync=false")
        queue = "queue max-size-buffers=2 leaky=downstream"
        parts += [f"tee{t.source}. ! {queue} ! mix{i}.sink_{n}" for n, t in enumerate(tiles)]
    feeds = [f"{MAKE % (0xFF000000 | i * 1234567)} ! tee name=tees{i} allow-not-linked=true" for i in range(SOURCES)]
    return [" ".join(feeds + parts)]


def changing(changes: int = 200) -> float:
    """Seconds until a view that is given another scene is painted with it, the middle of many."""
    took: list[float] = []
    stage.paint("bench0", 1280, 720)
    for at in range(changes):
        begun = time.perf_counter()
        stage.set_view("bench0", scene(at % SOURCES))
        stage.paint("bench0", 1280, 720)
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def main() -> None:
    views = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    stage.load()
    ways: dict[str, Callable[[], list[Any]]] = {
        "sources": lambda: sources("fakesink sync=false"),
        "stage": lambda: stage_views(views),
        "compositor": lambda: compositor_views(views),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, way in ways.items():
            found[name].append(cores(way(), seconds))
    middle = {name: statistics.median(values) for name, values in found.items()}
    base = middle["sources"]
    print(f"{SOURCES} sources alone: {base:.3f} cores")
    for name in ("stage", "compositor"):
        print(f"{name}: {(middle[name] - base) / views:.4f} cores a view over {views} views of 7 tiles, 720p30")
    print(f"another layout: {changing() * 1000:.2f} ms until it is painted, with the one before fading under it")
    print(f"compositor : stage = {(middle['compositor'] - base) / max(1e-6, middle['stage'] - base):.1f} : 1")
    print(f"stage view : one source = {(middle['stage'] - base) / views / (base / SOURCES):.2f} : 1")


if __name__ == "__main__":
    main()
