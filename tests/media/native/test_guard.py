"""What a far end may send at most."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import gi
import pytest

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from rostra.media.engine import guard  # noqa: E402

from .conftest import Bench  # noqa: E402

RATE = 300


def rtp(source: int, sequence: int = 0, payload_type: int = 97) -> bytes:
    return struct.pack("!BBHII", 0x80, payload_type, sequence, 0, source) + bytes(20)


def passed(
    bench: Bench, packets: Iterable[bytes], rate: float = RATE, own: Iterable[int] = ()
) -> tuple[list[bytes], list[int]]:
    """What comes through a guard when all of it comes at once; and what is said of that on the bus."""
    pipeline = bench.launch("appsrc name=in format=time ! appsink name=out sync=false async=false emit-signals=true")
    got: list[bytes] = []

    def take(out: Gst.Element) -> Gst.FlowReturn:
        buffer = out.emit("pull-sample").get_buffer()
        got.append(buffer.extract_dup(0, buffer.get_size()))
        return Gst.FlowReturn.OK

    pipeline.get_by_name("out").connect("new-sample", take)
    source = pipeline.get_by_name("in")
    guard.put(source.get_static_pad("src"), rate)
    for number in own:
        guard.own(source.get_static_pad("src"), number)
    for packet in packets:
        source.emit("push-buffer", Gst.Buffer.new_wrapped(packet) if packet else Gst.Buffer.new())
    source.emit("end-of-stream")
    bus, said = pipeline.get_bus(), []
    while (
        message := bus.timed_pop_filtered(5 * Gst.SECOND, Gst.MessageType.ELEMENT | Gst.MessageType.EOS)
    ) is not None:
        if message.type == Gst.MessageType.EOS:
            return got, said
        said.append(message.get_structure().get_uint64("dropped")[1])
    raise AssertionError("no end")


def test_a_call_passes(bench: Bench) -> None:
    packets = [rtp(source, number) for number in range(100) for source in (1, 2)]
    assert passed(bench, packets) == (packets, [])


def test_what_is_no_media_is_dropped(bench: Bench) -> None:
    good = [
        b"\x00\x01\x00\x00" + bytes(16),  # STUN
        b"\x16\xfe\xfd" + bytes(10),  # DTLS
        struct.pack("!BBHI", 0x81, 206, 2, 7) + bytes(4),  # RTCP
        rtp(7),
    ]
    bad = [b"", b"\x80", b"\x17", b"GET / HTTP/1.1\r\n\r\n", b"\x05" * 40, rtp(7)[:11], b"\xc0" + rtp(7)[1:]]
    got, said = passed(bench, [*good[:2], *bad, *good[2:]])
    assert got == good
    assert said == [1], "once, however much follows"


def test_so_many_packets_and_no_more(bench: Bench) -> None:
    got, _ = passed(bench, (rtp(7, number) for number in range(5 * RATE)))
    assert RATE <= len(got) < 2 * RATE


@pytest.mark.parametrize("among", [False, True], ids=["alone", "among media"])
def test_a_new_source_each_packet(bench: Bench, among: bool) -> None:
    """The one that was there before goes on."""
    packets = [rtp(1, 0)]
    for number in range(1000):
        packets.append(rtp(1000 + number))
        packets += [rtp(1, number + 1)] * among
    got, _ = passed(bench, packets, 1e6)
    sources = [struct.unpack("!I", packet[8:12])[0] for packet in got]
    assert 6 <= len(set(sources)) <= 10
    assert sources.count(1) == (1001 if among else 1)


def test_nobody_else_sends_from_sources_of_ours(bench: Bench) -> None:
    theirs = [rtp(3), struct.pack("!BBHI", 0x80, 201, 1, 3), rtp(9)]
    ours = [rtp(1), struct.pack("!BBHI", 0x80, 200, 1, 2), rtp(2)]
    assert passed(bench, [*ours, *theirs, *ours], own=(1, 2, 1))[0] == theirs


@pytest.mark.parametrize(("sources", "said"), [(guard.SOURCES, 0), (guard.SOURCES + 300, 1)])
def test_more_sources_than_any_call_has_are_told(bench: Bench, sources: int, said: int) -> None:
    """Once, and not for those that come again, as those of one call do."""
    pipeline = bench.launch("appsrc name=in format=time ! fakesink sync=false async=false")
    source = pipeline.get_by_name("in")
    guard.count_sources(source.get_static_pad("src"), guard.SOURCES)
    for number in range(sources):
        for one in (number, number - 3, number - 1, number):
            source.emit("push-buffer", Gst.Buffer.new_wrapped(rtp(max(0, one))))
    source.emit("end-of-stream")
    wanted, found = Gst.MessageType.ELEMENT | Gst.MessageType.EOS, 0
    while (message := pipeline.get_bus().timed_pop_filtered(5 * Gst.SECOND, wanted)).type != Gst.MessageType.EOS:
        found += message.has_name(guard.TOO_MANY)
    assert found == said
