"""Packets that are sent again, and pictures that are held back for those."""

from __future__ import annotations

import struct
import time
from typing import Any

from gi.repository import Gst

from rostra.media.engine import feedback

from .conftest import Bench

CAPS = "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=98"


def packet(number: int) -> Any:
    return Gst.Buffer.new_wrapped(
        struct.pack("!BBHII", 0x80, 98, number & 0xFFFF, number * 3000 & 0xFFFFFFFF, 7) + b"x"
    )


def numbers(bench: Bench, pipeline: Any, count: int) -> list[int]:
    """Of the next packets that come out."""
    return [struct.unpack("!H", bench.content(bench.sample(pipeline))[2:4])[0] for _ in range(count)]


def ask(pipeline: Any, number: int) -> None:
    structure, _ = Gst.Structure.from_string(f"GstRTPRetransmissionRequest,seqnum=(uint){number},ssrc=(uint)7")
    pipeline.get_by_name("out").get_static_pad("sink").push_event(
        Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, structure)
    )


def begin(bench: Bench, count: int, first: int = 0) -> Any:
    """So many packets have gone out."""
    pipeline = bench.launch(
        f"appsrc name=in format=time caps={CAPS} ! rostraagain name=again ! "
        "appsink name=out sync=false max-buffers=5000"
    )
    for n in range(first, first + count):
        pipeline.get_by_name("in").emit("push-buffer", packet(n))
    assert numbers(bench, pipeline, count) == [n & 0xFFFF for n in range(first, first + count)]
    return pipeline


def test_what_is_asked_for_comes_again_also_where_numbers_begin_anew(bench: Bench) -> None:
    pipeline = begin(bench, 700, first=65000)
    for number in (65400, 65535, 0, 3):
        ask(pipeline, number)
    again = pipeline.get_by_name("again")
    assert again.get_property("repeated") == 4
    assert numbers(bench, pipeline, 4) == [65400, 65535, 0, 3]
    for unknown in (300, 64000):
        ask(pipeline, unknown)
    ask(pipeline, 3)  # the same request on its heels: the answer is on its way
    assert again.get_property("requests") == 7
    assert again.get_property("repeated") == 4


def test_requests_do_not_make_a_flood(bench: Bench) -> None:
    """Not more is sent again than was sent, whoever asks for it."""
    pipeline = begin(bench, 100)
    for _ in range(3):
        for number in range(100):
            ask(pipeline, number)
        time.sleep(0.02)  # longer than a packet is not sent again
    assert pipeline.get_by_name("again").get_property("repeated") == 100


TEN = 320_000
"""bit/s of which a third of a second's are ten packets, as they are counted."""


def answers(bench: Bench, pipeline: Any) -> list[bytes]:
    """The first ten of those to requests for twenty of the packets 0 to 29."""
    for n in range(30):
        pipeline.get_by_name("in").emit("push-buffer", packet(n))
    assert numbers(bench, pipeline, 30) == list(range(30))
    feedback.limit_repeats(pipeline.get_by_name("again").get_static_pad("src"), TEN)
    for n in range(20):
        ask(pipeline, n)
    return [bench.content(bench.sample(pipeline)) for _ in range(10)]


def test_what_is_asked_for_is_sent_twice_while_that_is_little(bench: Bench) -> None:
    pipeline = bench.launch(
        f"appsrc name=in format=time caps={CAPS} ! rostraagain name=again ! "
        "appsink name=out sync=false max-buffers=5000"
    )
    sent = [struct.unpack("!H", answer[2:4])[0] for answer in answers(bench, pipeline)]
    assert sent[:6] == [0, 0, 1, 1, 2, 2]
    assert len(set(sent)) > 5, "what is over half is kept for the first answers"


def test_a_browser_is_sent_twice_what_it_asks_for_while_that_is_little(bench: Bench) -> None:
    pipeline = bench.launch(
        f"appsrc name=in format=time caps={CAPS},ssrc=(uint)7 ! rtprtxsend name=again "
        'payload-type-map="map,98=(uint)99" ! appsink name=out sync=false max-buffers=5000'
    )
    sent = answers(bench, pipeline)
    originals = [struct.unpack("!H", answer[12:14])[0] for answer in sent]
    assert originals[:6] == [0, 0, 1, 1, 2, 2]
    assert len(set(originals)) > 5
    assert len({answer[2:4] for answer in sent}) == 10, "the same packet is no other one for who receives it"


def test_buffers_are_held_back_until_so_long_after_their_time(bench: Bench) -> None:
    pipeline = bench.launch(
        "appsrc name=in is-live=true do-timestamp=true format=time caps=video/x-h264 ! rostrapace name=pace ! "
        "appsink name=out sync=false"
    )
    source, pace = pipeline.get_by_name("in"), pipeline.get_by_name("pace")
    for delay, least, most in ((0, 0.0, 0.08), (150, 0.14, 0.3), (0, 0.0, 0.08)):
        pace.set_property("delay", delay)
        began = time.monotonic()
        source.emit("push-buffer", Gst.Buffer.new_wrapped(b"picture"))
        bench.sample(pipeline)
        assert least <= time.monotonic() - began < most


def test_behind_a_gap_nothing_goes_on_before_a_key_frame(bench: Bench) -> None:
    pipeline = bench.launch(
        "appsrc name=in format=time caps=video/x-h264 ! rostrapace name=pace keys=true ! appsink name=out sync=false"
    )
    asked: list[str] = []

    def told(_: Any, info: Any) -> Any:
        asked.append(info.get_event().get_structure().get_name())
        return Gst.PadProbeReturn.OK

    upstream = pipeline.get_by_name("in").get_static_pad("src")
    upstream.add_probe(Gst.PadProbeType.EVENT_UPSTREAM, lambda pad, info: told(pad, info))
    delta, gap = Gst.BufferFlags.DELTA_UNIT, Gst.BufferFlags.DISCONT
    for number, flags in enumerate([gap, delta, delta, delta | gap, delta, delta, gap, delta, 0]):
        buffer = Gst.Buffer.new_wrapped(bytes([number]))
        buffer.set_flags(Gst.BufferFlags(flags))
        pipeline.get_by_name("in").emit("push-buffer", buffer)
    assert [bench.content(bench.sample(pipeline))[0] for _ in range(6)] == [0, 1, 2, 6, 7, 8]
    assert asked.count("GstForceKeyUnit") == 1


def test_what_has_a_strange_time_is_not_held_longer_and_an_end_is_not_waited_for(bench: Bench) -> None:
    pipeline = bench.launch(
        "appsrc name=in is-live=true format=time caps=video/x-h264 ! rostrapace name=pace delay=100 ! "
        "appsink name=out sync=false"
    )
    buffer = Gst.Buffer.new_wrapped(b"picture")
    buffer.pts = 3600 * Gst.SECOND
    began = time.monotonic()
    pipeline.get_by_name("in").emit("push-buffer", buffer)
    bench.sample(pipeline)
    assert 0.09 < time.monotonic() - began < 0.5
    pipeline.get_by_name("pace").set_property("delay", 1000)
    buffer = Gst.Buffer.new_wrapped(b"picture")
    buffer.pts = 3600 * Gst.SECOND
    pipeline.get_by_name("in").emit("push-buffer", buffer)
    began = time.monotonic()
    pipeline.set_state(Gst.State.NULL)
    assert time.monotonic() - began < 0.5
