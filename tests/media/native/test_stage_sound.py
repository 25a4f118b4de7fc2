"""What is heard: everybody else, never oneself, never distorted."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from gi.repository import Gst

from rostra.media.engine import stage
from rostra.media.messages import EVERYBODY, OTHER_LOCATION, PARTICIPANT, SAME_LOCATION, AudioRoute

from .conftest import RATE, Bench, strength

A, B, C = 440, 1000, 2500
LOUD = 0.2 * 32768
HALF = 0.5


def test_nobody_hears_himself(bench: Bench) -> None:
    for leg, tone in (("a", A), ("b", B), ("c", C)):
        bench.tone(leg, tone)
    ears = {leg: bench.listen(leg) for leg in ("a", "b", "c", "silent")}
    for leg, own in (("a", A), ("b", B), ("c", C), ("silent", 0)):
        bench.hears(ears[leg], {tone: 0 if tone == own else LOUD for tone in (A, B, C)})


def test_a_mix_is_the_sum(bench: Bench) -> None:
    """Two legs with constant samples: what the third hears is their sum to the last bit."""
    for leg, value in (("one", 1234), ("two", -4321)):
        push(bench, leg, np.full(RATE // 2, value, np.int16))
    heard = bench.sound(bench.listen("three"), 0.3, skip=0)
    assert -3087 in heard


def push(bench: Bench, leg: str, samples: np.ndarray) -> None:
    """Send samples at their own pace."""
    pipeline = bench.launch(
        f"appsrc name=in is-live=true format=time max-bytes=10000000 "
        f"caps=audio/x-raw,format=S16LE,rate={RATE},channels=1,layout=interleaved ! "
        f"identity sync=true ! rostraaudiosink source={leg}"
    )
    for i in range(0, len(samples), 960):
        buffer = Gst.Buffer.new_wrapped(samples[i : i + 960].tobytes())
        buffer.pts = i * Gst.SECOND // RATE
        pipeline.get_by_name("in").emit("push-buffer", buffer)


def test_loud_legs_never_wrap_around(bench: Bench) -> None:
    for leg in range(6):
        bench.tone(f"loud-{leg}", A, volume=1.0)
    heard = bench.sound(bench.listen("ear"), HALF, skip=0.5)
    assert heard.max() > 30000
    assert heard.min() < -30000
    # a wrap would be a jump of nearly the whole range between two samples
    assert np.abs(np.diff(heard)).max() < 24000
    assert strength(heard, A) > 30000


def test_muted_deaf_and_default_routes(bench: Bench) -> None:
    bench.tone("a", A)
    bench.tone("b", B)
    ear, own = bench.listen("ear"), bench.listen("a")
    bench.route("a", AudioRoute(speaks=False))
    bench.hears(ear, {A: 0, B: LOUD})
    assert stage.levels()["a"] > -40, "a muted leg's level is still known"
    bench.route("a", AudioRoute(hears=False))
    assert not bench.sound(own, 0.2, skip=0.2).any()
    stage.remove_route("a")
    bench.hears(ear, {A: LOUD, B: LOUD})
    bench.hears(own, {A: 0, B: LOUD})


def test_set_routes_replaces_the_previous_set(bench: Bench) -> None:
    bench.tone("a", A)
    ear = bench.listen("ear")
    stage.set_routes({"a": AudioRoute(speaks=False), "ear": AudioRoute()})
    try:
        bench.hears(ear, {A: 0})
    finally:
        stage.set_routes({})
    bench.hears(ear, {A: LOUD})


def test_loopback_is_oneself_delayed_and_nothing_else(bench: Bench) -> None:
    bench.tone("other", B)
    bench.route("caller", AudioRoute(loopback=0.5))
    heard_by_other = bench.listen("other")
    ear = bench.listen("caller")
    bench.tone("caller", A)
    heard = bench.sound(ear, 1.2, skip=0)
    loud = np.argwhere(np.abs(heard) > 500)
    assert len(loud)
    assert loud[0][0] / RATE > 0.5
    bench.hears(ear, {A: LOUD, B: 0}, skip=0)
    bench.hears(heard_by_other, {A: 0, B: 0})  # a test call is heard by nobody


def test_a_prompt_is_heard_by_its_leg_only(bench: Bench) -> None:
    bench.tone("a", A)
    ear, other = bench.listen("ear"), bench.listen("other")
    bench.sound(ear, 0.3)
    wave = (8000 * np.sin(2 * math.pi * B * np.arange(RATE * 20) / RATE)).astype("<i2")
    seconds = stage.play("ear", wave.tobytes())
    assert seconds == pytest.approx(20)
    bench.hears(ear, {A: LOUD, B: 8000}, skip=0)
    bench.hears(other, {A: LOUD, B: 0}, skip=0)
    stage.stop_playing("ear")
    bench.hears(ear, {A: LOUD, B: 0}, skip=0.1)


def test_levels_are_dbov(bench: Bench) -> None:
    bench.tone("full", A, volume=1.0)
    bench.tone("tenth", A, volume=0.1)
    bench.launch(
        f"audiotestsrc is-live=true wave=silence ! audio/x-raw,format=S16LE,rate={RATE},channels=1 ! "
        "rostraaudiosink source=silence"
    )
    # a sine's RMS is 3 dB below its peak
    bench.until(lambda: abs(stage.levels()["full"] + 3) < 0.5 and abs(stage.levels()["tenth"] + 23) < 0.5)
    assert stage.levels()["silence"] == -127


def test_blocks_come_every_20_ms_even_in_silence(bench: Bench) -> None:
    ear = bench.listen("alone")
    bench.sample(ear)
    begun = time.monotonic()
    stamps = [bench.sample(ear).get_buffer().pts for _ in range(76)]
    took = time.monotonic() - begun
    steps = [late - early for early, late in itertools.pairwise(stamps)]
    assert all(step % (20 * Gst.MSECOND) == 0 for step in steps)
    assert sorted(steps)[len(steps) // 2] == 20 * Gst.MSECOND
    assert took == pytest.approx(sum(steps) / Gst.SECOND, abs=0.15), "as fast as time goes by"


def test_a_burst_does_not_become_delay(bench: Bench) -> None:
    """Five seconds pushed at once: what is played is the end of it, within the ring's depth."""
    ear = bench.listen("ear")
    bench.sample(ear)
    ramp = np.arange(5 * 50, dtype=np.int16).repeat(960) + 100
    pipeline = bench.launch(
        f"appsrc name=in format=time caps=audio/x-raw,format=S16LE,rate={RATE},channels=1,layout=interleaved ! "
        "rostraaudiosink source=burst"
    )
    pipeline.get_by_name("in").emit("push-buffer", Gst.Buffer.new_wrapped(ramp.tobytes()))
    heard = bench.sound(ear, 0.4, skip=0)
    played = heard[heard > 99]
    assert len(played) <= 0.06 * RATE
    assert played.max() == 349


@pytest.mark.spec("PLAT-049")
def test_who_is_heard_by_groups(bench: Bench) -> None:
    """A participant, a mix of a node of our location and one of another: each listener hears its groups."""
    for source, tone, group in (("me", A, PARTICIPANT), ("mix:n2", B, SAME_LOCATION), ("mix:n3", C, OTHER_LOCATION)):
        bench.tone(source, tone)
        bench.route(source, AudioRoute(group=group))
    wanted = {
        "everybody": (EVERYBODY, {A: LOUD, B: LOUD, C: LOUD}),
        "here": (PARTICIPANT, {A: LOUD, B: 0, C: 0}),
        "location": (PARTICIPANT | SAME_LOCATION, {A: LOUD, B: LOUD, C: 0}),
        "proxy": (PARTICIPANT | OTHER_LOCATION, {A: LOUD, B: 0, C: LOUD}),
        "nobody": (0, {A: 0, B: 0, C: 0}),
    }
    ears = {}
    for leg, (listens, _) in wanted.items():
        bench.route(leg, AudioRoute(speaks=False, listens=listens))
        ears[leg] = bench.listen(leg)
    own = bench.listen("me")
    for leg, (_, tones) in wanted.items():
        bench.hears(ears[leg], tones)
    bench.hears(own, {A: 0, B: LOUD, C: LOUD})  # nobody hears himself, whatever else he hears
    bench.route("me", AudioRoute(listens=SAME_LOCATION))
    bench.hears(own, {A: 0, B: LOUD, C: 0})


def test_the_mix_for_a_node_has_nothing_that_came_from_there(bench: Bench) -> None:
    for leg, tone in (("here", A), ("mix:b", B)):
        bench.tone(leg, tone)
    bench.route("mix:b", AudioRoute(group=SAME_LOCATION))
    bench.route("to b", AudioRoute(speaks=False, listens=PARTICIPANT | OTHER_LOCATION))
    to_b = bench.launch('rostraaudiosrc leg="to b" ! appsink name=out sync=false max-buffers=100')
    bench.hears(to_b, {A: LOUD, B: 0})
    bench.hears(bench.listen("here"), {A: 0, B: LOUD})


def test_levels_are_those_of_participants(bench: Bench) -> None:
    bench.tone("here", A)
    bench.route("mix:b", AudioRoute(group=OTHER_LOCATION))
    bench.tone("mix:b", B)
    bench.until(lambda: stage.levels().get("here", -127) > -40)
    assert stage.levels().keys() == {"here"}


def test_silence_can_be_left_out_and_sound_comes_back_at_its_time(bench: Bench) -> None:
    ear = bench.launch("rostraaudiosrc leg=ear skip-silence=true ! appsink name=out sync=false max-buffers=500")
    out = ear.get_by_name("out")
    assert out.emit("try-pull-sample", Gst.SECOND // 2) is None, "there is nothing to hear yet"
    first = bench.tone("a", A)
    begun = bench.sample(ear).get_buffer()
    bench.hears(ear, {A: LOUD}, skip=0.1)
    bench.end(first)
    while out.emit("try-pull-sample", Gst.SECOND // 2):
        pass
    before = time.monotonic()
    bench.tone("a", B)
    again = bench.sample(ear).get_buffer()
    assert again.has_flags(Gst.BufferFlags.DISCONT)
    assert time.monotonic() - before < 0.5
    gap = (again.pts - begun.pts) / Gst.SECOND
    assert gap > 1.0, "time went on while nothing was sent"
    bench.hears(ear, {A: 0, B: LOUD}, skip=0.1)
