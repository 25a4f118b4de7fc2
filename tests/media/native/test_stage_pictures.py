"""What is painted, and when: colours where the scene puts them, a frame every tick."""

from __future__ import annotations

import time

import numpy as np
import pytest
from gi.repository import Gst

from rostra.domain.scene import Fit, Scene, Tile
from rostra.media.engine import stage
from rostra.media.engine.text import Image

from .conftest import Bench, close_to, yuv

RED, GREEN, BLUE, GREY = 0xC02020, 0x20A040, 0x2040C0, 0x404040


def test_each_tile_shows_its_source(bench: Bench) -> None:
    bench.colour("red", RED)
    bench.colour("green", GREEN, 640, 360)
    bench.colour("blue", BLUE, 160, 90, form="NV12")
    view = bench.show(
        Scene(
            background=0x101010,
            tiles=(
                Tile(source="red", x=0, y=0, width=640, height=360),
                Tile(source="green", x=640, y=0, width=640, height=360),
                Tile(source="blue", x=320, y=180, width=640, height=360),
                Tile(source="nobody", x=0, y=540, width=320, height=180, colour=GREY),
            ),
        )
    )
    picture = bench.frame(bench.watch(view))
    assert close_to(picture[:180, :640], RED)
    assert close_to(picture[:180, 640:], GREEN)
    assert close_to(picture[180:540, 320:960], BLUE), "later tiles are over earlier ones"
    assert close_to(picture[540:, :320], GREY)
    assert close_to(picture[560:, 340:], 0x101010)


def test_scene_coordinates_scale_to_the_negotiated_size(bench: Bench) -> None:
    bench.colour("red", RED)
    view = bench.show(Scene(background=0, tiles=(Tile(source="red", x=640, y=360, width=640, height=360),)))
    for width, height in ((640, 360), (426, 240), (853, 479)):
        picture = bench.frame(bench.watch(view, width, height))
        assert close_to(picture[height // 2 + 2 : -3, width // 2 + 2 : -3], RED), "sizes are rounded down to even"
        assert close_to(picture[: height // 2 - 2], 0)
        assert close_to(picture[:, : width // 2 - 2], 0)


def test_contain_leaves_bars_and_cover_crops(bench: Bench) -> None:
    # 214 columns of blue, then red: cropping to a square takes 140 columns off either side
    still = np.empty((360, 640, 3))
    still[:, :214], still[:, 214:] = yuv(BLUE), yuv(RED)
    bench.still("split", still)
    tiles = (
        Tile(source="split", x=0, y=0, width=360, height=360, fit=Fit.COVER, colour=0x00FF00),
        Tile(source="split", x=400, y=0, width=360, height=360, fit=Fit.CONTAIN, colour=0x00FF00),
    )
    picture = bench.frame(bench.watch(bench.show(Scene(tiles=tiles))), skip=1)
    cover, contain = picture[:360, :360], picture[:360, 400:760]
    edge = 214 - 140  # pixels of blue left of the crop
    assert close_to(cover[:, : edge - 4], BLUE, 12)
    assert close_to(cover[:, edge + 4 :], RED, 12)
    assert close_to(contain[:76], 0x00FF00)
    assert close_to(contain[-76:], 0x00FF00)
    middle = contain[82:-82]
    assert close_to(middle[:, :112], BLUE, 12)
    assert close_to(middle[:, 128:], RED, 12)


def test_scaling_keeps_a_gradient(bench: Bench) -> None:
    """Neither shifted nor aliased: a ramp stays a ramp at every size."""
    bench.launch(
        "videotestsrc is-live=true pattern=gradient ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1,"
        "colorimetry=bt601 ! rostravideosink source=ramp"
    )
    bench.until(lambda: "ramp" in stage.pictures())
    for width, height in ((1280, 720), (1000, 562), (640, 360), (320, 180), (212, 120), (1920, 1080)):
        view = bench.show(Scene(tiles=(Tile(source="ramp", x=0, y=0, width=1280, height=720),)))
        watched = bench.watch(view, width, height)
        luma = bench.frame(watched)[:, :, 0].astype(float)
        bench.end(watched)
        wanted = luma[0].mean() + (luma[-1].mean() - luma[0].mean()) * np.arange(height) / (height - 1)
        assert np.abs(luma.mean(axis=1) - wanted).max() < 3
        assert abs(luma[0].mean() - 235) < 4 or abs(luma[0].mean() - 16) < 4


@pytest.mark.spec("CONF-072")
def test_a_source_without_new_frames_freezes_without_colours(bench: Bench) -> None:
    still = bench.launch(
        f"videotestsrc num-buffers=1 pattern=solid-color foreground-color={0xFF000000 | RED} ! "
        "video/x-raw,format=I420,width=320,height=180,colorimetry=bt601 ! rostravideosink source=still"
    )
    bench.until(lambda: stage.pictures().get("still") == (320, 180))
    watched = bench.watch(
        bench.show(Scene(tiles=(Tile(source="still", x=0, y=0, width=1280, height=720, colour=GREY),)))
    )
    assert close_to(bench.frame(watched), RED)
    stage.set_picture_timeout(0.2)
    try:
        bench.until(lambda: "still" not in stage.pictures())
        picture = bench.frame(watched, skip=6)
        assert np.abs(picture[:, :, 0].astype(int) - yuv(RED)[0]).max() <= 4, "it is still there"
        assert (picture[:, :, 1:] == 128).all(), "without its colours"
    finally:
        stage.set_picture_timeout(3)
    assert "still" in stage.pictures()
    bench.end(still)
    assert "still" not in stage.pictures()


def test_two_sinks_of_one_source_the_newer_wins_and_the_older_leaves_it_alone(bench: Bench) -> None:
    old = bench.launch(
        "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=64,height=64 ! rostravideosink source=twice"
    )
    bench.until(lambda: "twice" in stage.pictures())
    bench.colour("twice", RED, 320, 180)
    bench.until(lambda: stage.pictures()["twice"] == (320, 180))
    bench.end(old)
    assert stage.pictures()["twice"] == (320, 180)


def test_a_view_can_change_and_an_unknown_one_is_background(bench: Bench) -> None:
    watched = bench.watch("never-set", 320, 180)
    assert close_to(bench.frame(watched), Scene().background)
    view = bench.show(Scene(background=RED))
    source = watched.iterate_sources().next()[1]
    source.set_property("view", view)
    assert close_to(bench.frame(watched, skip=5), RED)
    stage.set_view(view, Scene(background=BLUE))
    assert close_to(bench.frame(watched, skip=5), BLUE)
    stage.remove_view(view)
    assert close_to(bench.frame(watched, skip=5), Scene().background)


@pytest.mark.parametrize("rate", [15, 30])
def test_frame_rate_is_kept(bench: Bench, rate: int) -> None:
    watched = bench.watch("steady", 320, 180, rate)
    stamps = [bench.sample(watched).get_buffer().pts]
    begun = time.monotonic()
    count = round(1.5 * rate)
    stamps += [bench.sample(watched).get_buffer().pts for _ in range(count)]
    took = time.monotonic() - begun
    assert took == pytest.approx((stamps[-1] - stamps[0]) / Gst.SECOND, abs=0.15), "as fast as time goes by"
    steps = np.diff(stamps) * rate / Gst.SECOND
    assert np.abs(steps - steps.round()).max() < 0.01, "every frame is on the grid"
    assert np.median(steps.round()) == 1, "and none left out, but where the machine had no time"


def test_a_stalled_reader_costs_frames_not_bursts(bench: Bench) -> None:
    pipeline = bench.launch(
        "rostravideosrc view=stalled ! video/x-raw,width=160,height=90,framerate=30/1 ! "
        "appsink name=out sync=false max-buffers=1"
    )
    first = bench.sample(pipeline).get_buffer().pts
    time.sleep(0.6)  # the stall itself is the subject
    for _ in range(2):  # one in the sink, one in the pushing thread
        bench.sample(pipeline)
    late = bench.sample(pipeline).get_buffer().pts
    assert late - first > 0.55 * Gst.SECOND
    begun = time.monotonic()
    for _ in range(15):
        bench.sample(pipeline)
    assert time.monotonic() - begun > 0.45


def test_one_rendition_serves_every_view(bench: Bench) -> None:
    bench.launch(
        "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=640,height=360 ! rostravideosink source=shared"
    )
    bench.until(lambda: "shared" in stage.pictures())
    before = stage.debug_state()["renditions"]
    tile = Tile(source="shared", x=0, y=0, width=320, height=180)
    watching = [bench.watch(bench.show(Scene(tiles=(tile,)))) for _ in range(4)]
    for pipeline in watching:
        bench.frame(pipeline)
    assert stage.debug_state()["renditions"] == before + 1


def test_text_is_a_label_over_a_source_and_centred_without(bench: Bench) -> None:
    bench.colour("named", RED)
    tiles = (
        Tile(source="named", x=0, y=0, width=640, height=360, text="Ada Lovelace"),
        Tile(x=640, y=0, width=640, height=360, text="Welcome\nสวัสดี", colour=0),
    )
    picture = bench.frame(bench.watch(bench.show(Scene(tiles=tiles))))
    assert close_to(picture[:300, :640], RED), "the label keeps to the bottom"
    label = picture[312:360, :640, 0]
    assert label.max() > 200, "white letters"
    assert label.min() < 60, "on a shade"
    title = picture[:360, 640:, 0]
    lit = np.argwhere(title > 180)
    assert len(lit) > 100
    top, left = lit.min(axis=0)
    bottom, right = lit.max(axis=0)
    assert abs((left + right) / 2 - 320) < 12
    assert abs((top + bottom) / 2 - 180) < 40
    assert bottom - top > 40, "two lines"


def test_bitmaps_outlive_their_removal_while_shown(bench: Bench) -> None:
    before = stage.debug_state()["bitmaps"]
    stage.set_bitmap("dot", 2, 2, bytes((255, 255, 255, 255)) * 4)
    stage.remove_bitmap("dot")
    assert stage.debug_state()["bitmaps"] == before
    with pytest.raises(ValueError, match="RGBA"):
        stage.set_bitmap("dot", 2, 2, b"short")


def test_a_tile_outside_the_picture_does_no_harm(bench: Bench) -> None:
    bench.colour("red", RED)
    tiles = tuple(
        Tile(source=source, x=x, y=y, width=width, height=height, text=content)
        for source in ("red", "")
        for content in ("", "far out")
        for x, y, width, height in (
            (-300, -200, 640, 360),
            (1200, 700, 640, 360),
            (5000, 5000, 10, 10),
            (0, 0, 0, 0),
            (10, 10, -5, -5),
            (3, 3, 1, 1),
        )
    )
    picture = bench.frame(bench.watch(bench.show(Scene(background=BLUE, tiles=tiles))))
    assert close_to(picture[300:600, 400:1100], BLUE)


def test_a_standby_shows_only_while_nobody_else_does(bench: Bench) -> None:
    """Small and full pictures of one source at once: the full one is shown, and the small one when it ends."""
    tile = Tile(source="both", x=0, y=0, width=1280, height=720)
    watching = bench.watch(bench.show(Scene(tiles=(tile,))), 320, 180)
    small = bench.launch(
        f"videotestsrc is-live=true pattern=solid-color foreground-color={0xFF000000 | BLUE} ! video/x-raw,"
        "format=I420,width=160,height=90,framerate=30/1,colorimetry=bt601 ! rostravideosink source=both standby=true"
    )
    bench.until(lambda: close_to(bench.frame(watching, skip=0), BLUE))
    full = bench.colour("both", RED)
    bench.until(lambda: close_to(bench.frame(watching, skip=0), RED))
    assert all(close_to(bench.frame(watching, skip=0), RED) for _ in range(20)), "they must not take turns"
    bench.end(full)
    assert all(close_to(bench.frame(watching, skip=0), BLUE) for _ in range(10)), "and there is no hole between"
    bench.end(small)
    assert "both" not in stage.pictures()


@pytest.mark.spec("CONF-072")
def test_a_picture_on_hold_has_no_colours_and_one_that_never_came_has_its_icon(bench: Bench) -> None:
    bench.still("held", np.broadcast_to(yuv(RED), (180, 320, 3)))
    tiles = (
        Tile(source="held", frozen=True, x=0, y=0, width=640, height=360),
        Tile(source="never", image="icon", x=640, y=0, width=640, height=360, colour=BLUE),
    )
    view = "icons"
    stage.set_view(view, Scene(tiles=tiles), lambda _: Image(2, 2, bytes((0, 255, 0, 255)) * 4))
    picture = np.frombuffer(stage.paint(view, 1280, 720), np.uint8)[: 1280 * 720].reshape(720, 1280)
    assert abs(int(picture[180, 320]) - yuv(RED)[0]) <= 4
    assert abs(int(picture[20, 660]) - yuv(BLUE)[0]) <= 4
    assert abs(int(picture[180, 960]) - yuv(0x00FF00)[0]) <= 4, "the icon is in the middle"
    colours = np.frombuffer(stage.paint(view, 1280, 720), np.uint8)[1280 * 720 :][: 640 * 360].reshape(360, 640)
    assert (colours[:180, :320] == 128).all()
    stage.remove_view(view)


def test_one_scene_fades_into_the_next_and_never_through_black(bench: Bench) -> None:
    view = bench.show(Scene(background=0xFFFFFF))
    stage.paint(view, 64, 36)
    stage.set_view(view, Scene(background=0xC0C0C0))
    seen = set()
    begun = time.monotonic()
    while time.monotonic() - begun < 0.25:
        seen.add(stage.paint(view, 64, 36)[0])
    assert min(seen) >= yuv(0xC0C0C0)[0] - 2
    assert len(seen) > 3, "in steps"
    assert abs(stage.paint(view, 64, 36)[0] - yuv(0xC0C0C0)[0]) <= 1


@pytest.mark.spec("SVC-117")
def test_a_picture_can_be_shown_late(bench: Bench) -> None:
    view = bench.show(Scene(tiles=(Tile(source="late", delay=0.3, x=0, y=0, width=1280, height=720, colour=GREY),)))
    shades: list[tuple[float, int]] = []
    begun = time.monotonic()
    while (now := time.monotonic() - begun) < 1.2:
        sent = min(235, 40 + int(now * 150))
        stage.show("late", 64, 36, bytes([sent]) * (64 * 36) + bytes([128]) * (64 * 18))
        shades.append((now, stage.paint(view, 64, 36)[100]))
        time.sleep(0.01)  # a camera has its rate
    stage.hide("late")
    late = [now - (shade - 40) / 150 for now, shade in shades if now > 0.6]
    assert all(0.27 < by < 0.5 for by in late), "by as much as was asked for"
