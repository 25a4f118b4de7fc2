"""Sound that goes out twice, and requests that go out at once."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from gi.repository import Gst

from rostra.media.engine import feedback

from .conftest import Bench

CAPS = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111"
EXTENSION = struct.pack("!HHI", 0xBEDE, 1, 0x30000700)


def packet(number: int, *, step: int = 960, extended: bool = False) -> bytes:
    head = struct.pack("!BBHII", 0x90 if extended else 0x80, 111, number & 0xFFFF, number * step & 0xFFFFFFFF, 7)
    return head + (EXTENSION if extended else b"") + bytes([number & 0xFF] * (20 + number % 7))


def sent(bench: Bench, packets: list[bytes], *, active: bool = True) -> list[bytes]:
    pipeline = bench.launch(
        f"appsrc name=in format=time caps={CAPS} ! rostrared payload-type=63 active={str(active).lower()} ! "
        "appsink name=out sync=false max-buffers=500"
    )
    for one in packets:
        pipeline.get_by_name("in").emit("push-buffer", Gst.Buffer.new_wrapped(one))
    return [bench.content(bench.sample(pipeline)) for _ in packets]


def test_while_active_each_packet_carries_the_one_before(bench: Bench) -> None:
    """RFC 2198 3, by hand: one block of 20 ms ago, of this length, then the present one; the header stays."""
    packets = [packet(n, extended=True) for n in range(65534, 65540)]
    out = sent(bench, packets)
    assert out[0] == packets[0], "there was none before"
    for before, now, found in zip(packets, packets[1:], out[1:], strict=False):
        assert found[:20] == now[:1] + bytes([63]) + now[2:20]
        blocks = struct.pack("!BBH", 0x80 | 111, 960 >> 6, (960 << 10 | len(before) - 20) & 0xFFFF) + bytes([111])
        assert found[20:] == blocks + before[20:] + now[20:]


@pytest.mark.parametrize(
    "packets",
    [
        [packet(1), packet(3)],  # one is missing
        [packet(1), packet(2, step=30_000)],  # further apart than can be said
        [packet(1) + bytes(1100), packet(2)],  # longer than can be said
        [b"\x80\x6f\0\1", b"\xff" * 40, b"\x9f" + bytes(11), b"\x90" + bytes(12)],  # no packets at all
    ],
)
def test_what_cannot_be_said_goes_out_alone(bench: Bench, packets: list[bytes]) -> None:
    assert sent(bench, packets) == packets


def test_nothing_is_added_while_it_is_not_active(bench: Bench) -> None:
    packets = [packet(n) for n in range(5)]
    assert sent(bench, packets, active=False) == packets


def test_what_was_lost_is_there_before_the_next(bench: Bench) -> None:
    """Every third packet gets lost; what another's element restores passes as any other packet."""
    pipeline = bench.launch(
        f"appsrc name=in format=time caps={CAPS} ! rostrared payload-type=63 active=true name=red ! "
        "rtpreddec pt=63 name=restores ! appsink name=out sync=false max-buffers=500"
    )
    pipeline.get_by_name("red").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, every_third_lost())
    feedback.pass_restored(pipeline.get_by_name("restores").get_static_pad("src"))
    for n in range(30):
        pipeline.get_by_name("in").emit("push-buffer", Gst.Buffer.new_wrapped(packet(n)))
    samples = [bench.sample(pipeline) for _ in range(29)]
    assert [bench.content(one) for one in samples] == [packet(n) for n in range(29)]
    marks = int(Gst.BufferFlags.LAST) << 1
    assert not any(int(one.get_buffer().get_flags()) & marks for one in samples)


def every_third_lost() -> Any:
    count = 0

    def passed(_: Any, __: Any) -> Any:
        nonlocal count
        count += 1
        return Gst.PadProbeReturn.OK if count % 3 else Gst.PadProbeReturn.DROP

    return passed


def test_requests_go_out_at_once_but_not_as_a_flood(bench: Bench) -> None:
    """RFC 4585 6.2.1 after an empty report and a name; what is too much is left to the session."""
    left: list[int] = []
    media = bench.launch(f"appsrc name=in format=time caps={CAPS} ! identity name=session ! fakesink name=wants")
    reports = bench.launch("appsrc name=out format=time caps=application/x-rtcp ! appsink name=sink sync=false")
    for pipeline, name in ((media, "in"), (reports, "out")):
        pipeline.get_by_name(name).emit("push-buffer", Gst.Buffer.new_wrapped(packet(1)))
    reports.get_by_name("sink").emit("pull-sample")
    session, out = media.get_by_name("session"), reports.get_by_name("out").get_static_pad("src")
    bench.until(lambda: session.get_static_pad("src").get_current_caps() is not None)

    def passed(_: Any, info: Any) -> Any:
        structure = info.get_event().get_structure()
        if structure is not None and structure.get_name() == "GstRTPRetransmissionRequest":
            left.append(structure.get_uint("seqnum")[1])
        return Gst.PadProbeReturn.OK

    session.get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_UPSTREAM, passed)
    feedback.ask_at_once(session.get_static_pad("src"), out, 5, "us")
    for n in range(100):
        structure, _ = Gst.Structure.from_string(f"GstRTPRetransmissionRequest,seqnum=(uint){n},ssrc=(uint)7")
        event = Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, structure)
        media.get_by_name("wants").get_static_pad("sink").push_event(event)
    assert len(left) > 50
    asked = sorted(set(range(100)) - set(left))
    assert asked[:5] == list(range(5))
    for n in asked:
        sample = reports.get_by_name("sink").emit("pull-sample")
        assert bench.content(sample) == (
            struct.pack("!BBHI", 0x80, 201, 1, 5)
            + struct.pack("!BBHIBB2s4x", 0x81, 202, 3, 5, 1, 2, b"us")
            + struct.pack("!BBHIIHH", 0x81, 205, 3, 5, 7, n, 0)
        )
