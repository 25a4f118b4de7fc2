"""What nobody looks at is not decoded."""

from __future__ import annotations

import numpy as np
import pytest

from rostra.domain.scene import Scene, Tile
from rostra.media.engine import sights, stage

from .conftest import Bench, close_to

RED, BLUE = 0xC02020, 0x2040C0
CODECS = {
    "H264": (
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=900 ! video/x-h264,alignment=au ! rtph264pay ! "
        "rtph264depay",
        "h264parse ! avdec_h264",
    ),
    "VP8": ("vp8enc deadline=1 cpu-used=16 keyframe-max-dist=900 ! rtpvp8pay ! rtpvp8depay", "vp8dec"),
}
FULL = Scene(tiles=(Tile(source="far", x=0, y=0, width=1280, height=720),))


def gate() -> sights.Gate:
    return next(one for one in sights.gates() if one.source == "far")


@pytest.mark.parametrize("codec", CODECS)
def test_only_what_is_looked_at_is_decoded(bench: Bench, codec: str) -> None:
    sent, decoder = CODECS[codec]
    running = bench.launch(
        f"videotestsrc name=camera is-live=true pattern=solid-color foreground-color={0xFF000000 | RED} ! video/x-raw,"
        f"format=I420,width=320,height=180,framerate=60/1,colorimetry=bt601 ! {sent} ! "
        f"rostravideogate name=look source=far ! {decoder} ! video/x-raw,format=I420 ! rostravideosink source=far"
    )
    bench.until(lambda: "far" in stage.pictures())
    bench.until(lambda: gate().dropped > 30)
    assert gate().idle
    assert gate().passed < 20, "the first until one was there, nothing after"
    assert stage.pictures()["far"] == (320, 180), "there is a picture all the same"
    running.get_by_name("camera").set_property("foreground-color", 0xFF000000 | BLUE)
    passed = gate().passed
    bench.until(lambda: gate().dropped > 60)
    assert gate().passed <= passed + 1, "a new scene may be a key frame"
    seen = bench.watch(bench.show(FULL), 320, 180)
    bench.until(lambda: close_to(bench.frame(seen)[20:-20, 20:-20], BLUE, 12))
    assert not gate().idle
    passed, dropped = gate().passed, gate().dropped
    bench.until(lambda: gate().passed > passed + 10)
    assert gate().dropped == dropped
    assert sights.scalings() == [], "shown as it came"
    small = bench.watch(bench.show(FULL), 160, 90)
    bench.until(lambda: sights.scalings() == [sights.Scaling("far", 160, 90)])
    bench.end(small)


def test_what_is_shut_stays_away_and_comes_back(bench: Bench) -> None:
    sent, decoder = CODECS["H264"]
    stage.set_picture_timeout(0.3)
    running = bench.launch(
        "videotestsrc is-live=true pattern=solid-color ! video/x-raw,format=I420,width=320,height=180,framerate=60/1 "
        f"! {sent} ! rostravideogate name=look source=far ! {decoder} ! video/x-raw,format=I420 ! "
        f"rostravideosink source=far"
    )
    look = running.get_by_name("look")
    bench.until(lambda: "far" in stage.pictures())
    look.set_property("shut", True)
    bench.until(lambda: "far" not in stage.pictures())
    look.set_property("shut", False)
    bench.until(lambda: "far" in stage.pictures())
    assert np.all(bench.frame(bench.watch(bench.show(FULL)), skip=1)[20:-20, 20:-20, 0] > 200)
    stage.set_picture_timeout(3)
