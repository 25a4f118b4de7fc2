"""Encoded media to many: key frame first, nobody held up, requests reach the encoder but do not flood it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from gi.repository import Gst

from rostra.domain.scene import Scene
from rostra.media.engine import stage

from .conftest import Bench, close_to

ENCODERS = {
    "h264": (
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=3000 byte-stream=true ! "
        "video/x-h264,profile=constrained-baseline",
        "h264parse ! avdec_h264",
    ),
    "vp8": ("vp8enc deadline=1 cpu-used=16 keyframe-max-dist=3000", "vp8dec"),
}
RED, BLUE = 0xC02020, 0x2040C0

Subscribe = Callable[..., Any]


def encode(bench: Bench, channel: str, codec: str, colour: int, size: str = "width=320,height=180") -> Any:
    view = bench.show(Scene(background=colour))
    return bench.launch(
        f"rostravideosrc view={view} ! video/x-raw,{size},framerate=30/1 ! {ENCODERS[codec][0]} ! "
        f"identity name=coded ! rostrapub channel={channel}"
    )


@pytest.fixture(params=["rostrasub", "rostrafan"])
def subscribe(request: pytest.FixtureRequest, bench: Bench) -> Subscribe:
    """Takes a channel, through a chain of elements, with a thread of its own or by one of few for many."""

    def subscribed(channel: str, chain: str = "") -> Any:
        return bench.launch(f"{request.param} name=sub channel={channel} ! {chain} appsink name=out sync=false")

    return subscribed


def is_key(sample: Any) -> bool:
    return not sample.get_buffer().has_flags(Gst.BufferFlags.DELTA_UNIT)


class Requests:
    """Key unit requests that reached an encoder's pipeline; the first `lost` ones get no further."""

    def __init__(self, pipeline: Any, lost: int = 0) -> None:
        self.times: list[float] = []
        self._lost = lost
        pad = pipeline.get_by_name("coded").get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.EVENT_UPSTREAM, self._seen)

    def _seen(self, _pad: Any, info: Any) -> Any:
        structure = info.get_event().get_structure()
        if structure is not None and structure.get_name() == "GstForceKeyUnit":
            self.times.append(time.monotonic())
            if len(self.times) <= self._lost:
                return Gst.PadProbeReturn.DROP
        return Gst.PadProbeReturn.OK


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_late_subscriber_starts_with_a_key_frame_at_once(bench: Bench, subscribe: Subscribe, codec: str) -> None:
    encode(bench, "late", codec, RED)
    first = subscribe("late")
    assert is_key(bench.sample(first))
    quiet, deadline = 0, time.monotonic() + 5  # the key frame that the first one asked for may still be to come
    while quiet < 15:
        quiet = 0 if is_key(bench.sample(first)) else quiet + 1
        assert time.monotonic() < deadline, "there is always a key frame anyway"
    begun = time.monotonic()
    second = subscribe("late")
    assert is_key(bench.sample(second))
    assert time.monotonic() - begun < 0.5
    third = subscribe("late")  # too soon for another request: it waits, and sees no half of a picture
    assert is_key(bench.sample(third))
    assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize("codec", ENCODERS)
def test_switching_channels_decodes_cleanly(bench: Bench, subscribe: Subscribe, codec: str) -> None:
    encode(bench, "red", codec, RED)
    encode(bench, "blue", codec, BLUE, "width=640,height=360")
    watcher = subscribe("red", ENCODERS[codec][1] + " ! ")
    assert close_to(bench.frame(watcher, skip=2), RED, 12)
    watcher.get_by_name("sub").set_property("channel", "blue")
    deadline = time.monotonic() + 2
    while (picture := bench.frame(watcher, skip=0)).shape[0] != 360:
        assert close_to(picture, RED, 12)
        assert time.monotonic() < deadline
    assert close_to(picture, BLUE, 12)


def test_times_are_those_of_the_subscriber(bench: Bench, subscribe: Subscribe) -> None:
    encode(bench, "clock", "vp8", RED)
    early = subscribe("clock")
    for _ in range(20):
        bench.sample(early)
    late = subscribe("clock")
    stamps = [bench.sample(late).get_buffer().pts for _ in range(20)]
    assert stamps[0] < 0.6 * Gst.SECOND, "running time of a pipeline that has just started"
    steps = [round((b - a) * 30 / Gst.SECOND, 2) for a, b in itertools.pairwise(stamps)]
    assert all(step == round(step) >= 1 for step in steps), "the encoder's own spacing, without jitter"


def test_requests_are_coalesced_and_the_last_is_not_lost(bench: Bench, subscribe: Subscribe) -> None:
    encoder = encode(bench, "asked", "vp8", RED)
    subscribers = [subscribe("asked") for _ in range(4)]
    for subscriber in subscribers:
        assert is_key(bench.sample(subscriber))
    requests = Requests(encoder)
    begun = time.monotonic()
    while time.monotonic() - begun < 1.0:
        for subscriber in subscribers:
            pad = subscriber.get_by_name("out").get_static_pad("sink")
            structure = Gst.Structure.new_from_string("GstForceKeyUnit, all-headers=(boolean)true")
            pad.push_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, structure))
            bench.sample(subscriber)
    assert 2 <= len(requests.times) <= 5
    gaps = [b - a for a, b in itertools.pairwise(requests.times)]
    assert min(gaps) > 0.28
    # one more inside the interval, and silence: it is sent when the interval ends, unless a key frame came anyway
    bench.until(lambda: time.monotonic() - requests.times[-1] > 0.35)
    assert stage.request_keyframe("asked")
    bench.until(lambda: is_key(bench.sample(subscribers[0])))
    known = len(requests.times)
    assert stage.request_keyframe("asked")
    assert len(requests.times) == known
    bench.until(lambda: len(requests.times) > known, 2)
    assert not stage.request_keyframe("nobody")


def test_who_waits_for_a_key_frame_asks_again_when_the_request_is_lost(bench: Bench, subscribe: Subscribe) -> None:
    encoder = encode(bench, "lossy", "vp8", RED)
    first = subscribe("lossy")
    assert is_key(bench.sample(first))
    quiet, deadline = 0, time.monotonic() + 5
    while quiet < 15:
        quiet = 0 if is_key(bench.sample(first)) else quiet + 1
        assert time.monotonic() < deadline, "there is always a key frame anyway"
    requests = Requests(encoder, lost=1)
    second = subscribe("lossy")
    assert is_key(bench.sample(second))
    assert len(requests.times) == 2
    assert requests.times[1] - requests.times[0] > 0.9, "a far end on a slow path is not asked twice"


def test_a_stalled_subscriber_holds_up_nobody_and_recovers_with_a_key_frame(bench: Bench, subscribe: Subscribe) -> None:
    encode(bench, "busy", "vp8", RED)
    stalled = bench.launch("rostrasub channel=busy ! appsink name=out sync=false max-buffers=1")
    live = subscribe("busy")
    begun = time.monotonic()
    for _ in range(50):
        bench.sample(live)
    assert time.monotonic() - begun < 2.2
    seen = [bench.sample(stalled) for _ in range(2)]  # what was in the sink and on its way
    samples = [bench.sample(stalled) for _ in range(40)]
    broken = next(i for i, s in enumerate(samples) if s.get_buffer().has_flags(Gst.BufferFlags.DISCONT))
    assert is_key(samples[broken])
    assert seen


def test_a_publisher_can_be_replaced(bench: Bench, subscribe: Subscribe) -> None:
    first = encode(bench, "renewed", "vp8", RED)
    watcher = subscribe("renewed", "vp8dec ! ")
    assert close_to(bench.frame(watcher), RED, 12)
    bench.end(first)
    encode(bench, "renewed", "vp8", BLUE)
    bench.until(lambda: close_to(bench.frame(watcher, skip=0), BLUE, 12))


def test_audio_goes_through_unchanged(bench: Bench, subscribe: Subscribe) -> None:
    bench.tone("someone", 440)
    bench.launch("rostraaudiosrc leg=ear ! opusenc frame-size=20 ! rostrapub channel=opus")
    watcher = subscribe("opus", "rtpopuspay ! ")
    bench.sample(watcher)  # shorter: the encoder's look-ahead is cut off
    first, second = bench.sample(watcher), bench.sample(watcher)
    stamps = [int.from_bytes(bench.content(s)[4:8], "big") for s in (first, second)]
    assert (stamps[1] - stamps[0]) % 960 == 0
