"""Pipelines come and go by the thousand; nothing of them stays."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import msgspec
import pytest
from gi.repository import Gst

from rostra.domain.scene import Scene, Tile
from rostra.media.engine import stage

from .conftest import Bench, resident

LEG = (
    "videotestsrc is-live=true ! video/x-raw,format=I420,width=160,height=90,framerate=30/1 ! "
    "rostravideosink source={n} "
    "audiotestsrc is-live=true ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! rostraaudiosink source={n} "
    "rostraaudiosrc leg={n} ! fakesink sync=false async=false "
    "rostrasub channel=all ! fakesink sync=false async=false "
    "rostrafan channel=all ! fakesink sync=false async=false "
    "rostravideosrc view=v{n} ! video/x-raw,width=320,height=180 ! rostrapub channel=c{n}"
)


def cycle(number: int) -> None:
    pipeline = Gst.parse_launch(LEG.format(n=f"leg{number}"))
    stage.set_view(
        f"vleg{number}", Scene(tiles=(Tile(source="leg1", x=0, y=0, width=640, height=360, text=f"{number % 9}"),))
    )
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_state(Gst.SECOND)
    stage.play(f"leg{number}", bytes(9600))
    begun = time.monotonic()
    pipeline.set_state(Gst.State.NULL)
    assert time.monotonic() - begun < 1.0, "a pipeline stops promptly"
    stage.remove_view(f"vleg{number}")
    stage.remove_route(f"leg{number}")


def test_nothing_grows_over_two_hundred_legs(bench: Bench) -> None:
    for number in range(300, 330):  # caches, allocator arenas and thread pools fill
        cycle(number)
    gc.collect()
    bench.until(lambda: stage.debug_state()["mixers"] == 0)
    before, memory = stage.debug_state(), resident()
    for number in range(200):
        cycle(number)
    gc.collect()
    bench.until(lambda: stage.debug_state()["mixers"] == 0)
    after = stage.debug_state()
    for name in before.keys() - {"threads"}:
        assert after[name] == before[name], name
    assert after["threads"] <= before["threads"] + 8  # pools of threads that are kept for a while
    assert resident() - memory < 8 << 20


def test_texts_are_kept_up_to_a_limit() -> None:
    tile = Tile(x=0, y=0, width=1280, height=720, text="")
    for number in range(120):
        stage.set_view("many", Scene(tiles=(msgspec.structs.replace(tile, text=f"{number}\n" * 8),)))
    stage.remove_view("many")
    most = (16 << 20) // (1280 * 8 * 66 * 4)
    assert stage.debug_state()["bitmaps"] <= most + 1


def test_pause_and_play_again(bench: Bench) -> None:
    pipeline = bench.launch(
        "rostravideosrc view=x ! video/x-raw,width=160,height=90,framerate=30/1 ! "
        "appsink name=out sync=false drop=true max-buffers=2"
    )
    bench.sample(pipeline)
    for _ in range(3):
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.set_state(Gst.State.PLAYING)
        bench.sample(pipeline)
        bench.sample(pipeline)


def test_a_missing_library_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stage, "__file__", str(tmp_path / "src" / "rostra" / "media" / "engine" / "stage.py"))
    with pytest.raises(stage.StageMissing, match="make native"):
        stage.library_path()
