"""Pictures that are too large are known by what they say, and stopped before anybody believes them."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable

import gi
import pytest
from hypothesis import given
from hypothesis import strategies as st

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from rostra.media import codecs  # noqa: E402
from rostra.media.engine import guard, stage  # noqa: E402
from tests.media.encoded import PPS, sps, vp8, vp9  # noqa: E402

from .conftest import Bench, resident  # noqa: E402

NOTHING, FITS, TOO_LARGE = range(3)
START = b"\0\0\0\1"
SLICE = b"\x65\x88\x80"


def says(codec: str, data: bytes) -> tuple[int, int, int]:
    width, height = ctypes.c_int(), ctypes.c_int()
    what = stage.load().rostra_picture_says(
        codec.encode(), data, ctypes.c_size_t(len(data)), ctypes.byref(width), ctypes.byref(height)
    )
    return what, width.value, height.value


def counted(*units: bytes) -> bytes:
    return b"".join(struct.pack("!I", len(unit)) + unit for unit in units)


SIZES = [
    ((4096, 2304), FITS), ((2304, 4096), FITS), ((16, 16), FITS), ((8688, 16), FITS), ((1920, 1088), FITS),
    ((4096, 2320), TOO_LARGE), ((8192, 4320), TOO_LARGE), ((16, 8704), TOO_LARGE),
]  # fmt: skip


@pytest.mark.parametrize(("size", "what"), SIZES)
def test_so_large_and_no_larger(size: tuple[int, int], what: int) -> None:
    found = what, *size
    assert says("H264 avc", counted(b"\x09\x10", sps(*size), SLICE)) == found
    assert says("H264", START + sps(*size) + START + SLICE) == found
    assert says("H264", START + sps(*size, profile=100) + START[1:] + SLICE) == found
    assert says("VP8", vp8(*size)) == found
    assert says("VP9", vp9(*size)) == found


def test_what_else_a_decoder_would_make_room_for() -> None:
    assert says("H264 avc", counted(sps(4096, 2304, kept=5)))[0] == FITS
    assert says("H264 avc", counted(sps(4096, 2304, kept=6)))[0] == TOO_LARGE
    assert says("H264 avc", counted(sps(1920, 1088, kept=16)))[0] == FITS
    assert says("H264 avc", counted(sps(320, 240, profile=100, chroma=3)))[0] == TOO_LARGE
    assert says("H264 avc", counted(sps(320, 240, profile=100, depth=10)))[0] == TOO_LARGE
    assert says("H264 avc", counted(sps(320, 240, profile=144)))[0] == TOO_LARGE
    assert says("H264 avc", counted(sps(2**32, 16)))[0] == TOO_LARGE
    assert says("H264 avc", counted(sps(320, 240)[:6]))[0] == TOO_LARGE, "who reads on finds anything"
    assert says("H264 avc", counted(sps(320, 240), sps(8192, 8192), SLICE))[0] == TOO_LARGE
    assert says("VP8", vp8(16383, 16383)) == (TOO_LARGE, 16383, 16383)
    assert says("VP8", vp8(320, 240)[:9])[0] == TOO_LARGE
    assert says("VP9", vp9(65536, 65536)) == (TOO_LARGE, 65536, 65536)
    assert says("VP9", vp9(8192, 4320, inter=True))[0] == TOO_LARGE
    small, large = vp9(320, 240), vp9(8192, 4320)
    index = bytes([0xC9, *struct.pack("<HH", len(small), len(large)), 0xC9])
    assert says("VP9", small + large + index)[0] == TOO_LARGE, "more than one in one"


@pytest.mark.parametrize(
    ("codec", "data"),
    [("H264 avc", counted(b"\x41\x9a")), ("H264", START + b"\x41"), ("H264", b""), ("VP8", b"\x31\x1a"), ("VP8", b""),
     ("VP9", b"\x86\x00\x40\x92"), ("VP9", vp9(320, 240, inter=True)), ("VP9", b"\x88"), ("VP9", b"")],
)  # fmt: skip
def test_most_pictures_say_nothing(codec: str, data: bytes) -> None:
    assert says(codec, data)[0] == NOTHING


@given(st.sampled_from(["H264", "H264 avc", "VP8", "VP9"]), st.binary(max_size=300), st.binary(max_size=8))
def test_whatever_comes_is_read(codec: str, data: bytes, more: bytes) -> None:
    for one in (data, counted(b"\x67" + data, more), START + b"\x67" + data, b"\x82\x49\x83\x42" + data):
        assert says(codec, one)[0] in (NOTHING, FITS, TOO_LARGE)


@pytest.mark.parametrize(("codec", "sizes"), [
    ("H264", [(16, 16), (320, 180), (1366, 768)]),
    ("VP8", [(2, 2), (17, 33), (1366, 768)]),
    ("VP9", [(2, 2), (17, 33), (320, 180)]),
])  # fmt: skip
def test_encoders_are_understood(bench: Bench, codec: str, sizes: list[tuple[int, int]]) -> None:
    row = codecs.BY_NAME[codec]
    encoder = row.encoder.format(bitrate=300_000, kilobits=300, mtu=1100)
    for width, height in sizes:
        pipeline = bench.launch(
            f"videotestsrc num-buffers=1 ! video/x-raw,format=I420,width={width},height={height} ! {encoder} ! "
            "appsink name=out sync=false"
        )
        buffer = pipeline.get_by_name("out").emit("pull-sample").get_buffer()
        what, *size = says(codec, buffer.extract_dup(0, buffer.get_size()))
        if codec == "H264":  # in macroblocks
            width, height = -(-width // 16) * 16, -(-height // 16) * 16
        assert (what, size) == (FITS, [width, height])


def packet(number: int, payload: bytes, stamp: int, *, marker: bool = False) -> bytes:
    return struct.pack("!BBHII", 0x80, 97 | marker << 7, number & 0xFFFF, stamp, 1) + payload


class Unpacker:
    """A depayloader behind a guard."""

    def __init__(self, bench: Bench, codec: str) -> None:
        self.got: list[bytes] = []
        self._pipeline = bench.launch(
            "appsrc name=in format=time block=true "
            f"caps=application/x-rtp,media=video,encoding-name={codec},clock-rate=90000 ! "
            f"{codecs.BY_NAME[codec].depayloader} name=packets ! "
            "appsink name=out sync=false async=false emit-signals=true"
        )
        self._pipeline.get_by_name("out").connect("new-sample", self._take)
        guard.put_on_pictures(self._pipeline.get_by_name("packets"), codec)

    def _take(self, out: Gst.Element) -> Gst.FlowReturn:
        buffer = out.emit("pull-sample").get_buffer()
        self.got.append(buffer.extract_dup(0, buffer.get_size()))
        return Gst.FlowReturn.OK

    def push(self, packets: Iterable[bytes]) -> None:
        source = self._pipeline.get_by_name("in")
        for one in packets:
            source.emit("push-buffer", Gst.Buffer.new_wrapped(one))

    def end(self) -> list[tuple[int, int]]:
        """The sizes that were said to be too large, when all that was pushed has been through."""
        self._pipeline.get_by_name("in").emit("end-of-stream")
        bus, said = self._pipeline.get_bus(), list[tuple[int, int]]()
        wanted = Gst.MessageType.ELEMENT | Gst.MessageType.EOS
        while (message := bus.timed_pop_filtered(5 * Gst.SECOND, wanted)) is not None:
            if message.type == Gst.MessageType.EOS:
                return said
            if message.has_name(guard.TOO_LARGE):
                width, height = (message.get_structure().get_int(side)[1] for side in ("width", "height"))
                said.append((width, height))
        raise AssertionError("no end")


def test_after_one_that_is_too_large_nothing_comes_until_one_fits(bench: Bench) -> None:
    delta = b"\x31" + bytes(20)
    pictures = [vp8(320, 240), delta, vp8(8192, 4320), delta, vp8(9000, 16), delta, vp8(640, 480), delta]
    packets = [packet(n, b"\x10" + one, 3000 * n, marker=True) for n, one in enumerate(pictures)]
    unpacker = Unpacker(bench, "VP8")
    unpacker.push(packets)
    said, got = unpacker.end(), unpacker.got
    assert got == [*pictures[:2], *pictures[6:]]
    assert said == [(8192, 4320)], "once in a while"


def test_what_sets_of_parameters_say_counts_too(bench: Bench) -> None:
    """Of H.264, which has them between pictures."""
    packets: list[bytes] = []
    for turn, size in enumerate(((320, 240), (8192, 4320), (640, 480))):
        units = [sps(*size), PPS, SLICE + bytes([turn] * 9), b"\x41\x9a" + bytes([turn] * 9)]
        for n, unit in enumerate(units):
            packets.append(packet(4 * turn + n, unit, 3000 * (2 * turn + (n > 2)), marker=n > 1))
    unpacker = Unpacker(bench, "H264")
    unpacker.push(packets)
    said, got = unpacker.end(), unpacker.got
    assert said == [(8192, 4320)]
    assert [{one[-1] for one in got if b"\x88\x80" in one}, {one[-1] for one in got}] == [{0, 2}, {0, 2}]


def test_a_length_that_looks_like_a_start_code_is_none(bench: Bench) -> None:
    units = [sps(320, 240), PPS, SLICE, *(b"\x41\x9a" + bytes([n]) * 261 for n in range(3))]  # 0x107 octets
    packets = [packet(n, unit, 3000 * max(0, n - 2), marker=n > 1) for n, unit in enumerate(units)]
    unpacker = Unpacker(bench, "H264")
    unpacker.push(packets)
    assert unpacker.end() == []
    assert [one[-1] for one in unpacker.got[-3:]] == [0, 1, 2]
    assert {says("H264 avc", counted(b"\x41" * length)) for length in range(256, 512)} == {(NOTHING, 0, 0)}


WHOLE = {
    "VP8": [b"\x10" + vp8(320, 240)],
    "VP9": [b"\x0c" + vp9(320, 240) + bytes(200)],
    "H264": [sps(320, 240), PPS, SLICE + bytes(200)],
}
"""Packets of a picture."""
ENDLESS = 40_000


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264"])
@pytest.mark.parametrize("stamps", [0, 1], ids=["one time", "many times"])
def test_a_picture_without_an_end_takes_so_much_and_no_more(bench: Bench, codec: str, stamps: int) -> None:
    first, middle = {"VP8": (b"\x10", b"\x00"), "VP9": (b"\x08", b"\x00"), "H264": (b"\x7c\x85", b"\x7c\x05")}[codec]
    head = {"VP8": vp8(320, 240), "VP9": vp9(320, 240), "H264": b"\x88\x80"}[codec]
    unpacker = Unpacker(bench, codec)
    unpacker.push([packet(0, first + head, 3000)])
    before = resident()
    unpacker.push(packet(n, middle + bytes(1400), 3000 + stamps * n) for n in range(1, ENDLESS))
    assert resident() - before < 20 << 20
    unpacker.push(packet(ENDLESS + n, one, 9_000_000 + n, marker=True) for n, one in enumerate(WHOLE[codec]))
    unpacker.end()
    assert max(len(one) for one in unpacker.got) < 5 << 20
    assert unpacker.got[-1][-200:] == WHOLE[codec][-1][-200:], "what comes after it is seen"


@pytest.mark.parametrize(("step", "marker"), [(3000, False), (0, True)], ids=["no ends", "no times"])
def test_senders_that_tell_less_lose_nothing(bench: Bench, step: int, marker: bool) -> None:
    """Some of H.264 do not mark the ends of pictures; one that counts no time can be understood as well."""
    packets = [sps(320, 240), PPS, *[SLICE + bytes(1400)] * 8000]
    unpacker = Unpacker(bench, "H264")
    unpacker.push(packet(n, one, step * max(2, n), marker=marker) for n, one in enumerate(packets))
    unpacker.end()
    assert len(unpacker.got) >= 7999
