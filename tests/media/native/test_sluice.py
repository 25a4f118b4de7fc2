"""Pictures that nobody sees go no further than their RTP session."""

from __future__ import annotations

import itertools
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gi.repository import Gst

from rostra.domain.scene import Scene, Tile
from rostra.media import codecs
from rostra.media.engine import branches, rtp_statistics, sights, stage
from rostra.media.engine.repair import Repair
from rostra.media.engine.sluice import Sluice
from tests.media.wires import FEEDBACK, PICTURES, parts

from .conftest import Bench, close_to

RED, BLUE = 0xC02020, 0x2040C0
FULL = Scene(tiles=(Tile(source="far", x=0, y=0, width=1280, height=720),))
CHANNEL = "far-as-it-came"
CAPS = (
    "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=97,"
    "rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true"
)
UNSEEN = 200
"""Packets."""


class Call:
    """A far end whose packets are seen one by one, and what receives them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.loses: Callable[[int], bool] = lambda _: False
        """Whether a packet does not come, by how many have been sent before it."""
        self.sent, self.lost = 0, 0
        self.repeats = True
        self.asked: list[int] = []
        """Numbers of packets that were wanted again."""
        self.keys = 0
        """Requests for key frames."""
        self.reached: list[tuple[float, int]] = []
        """What reached the jitter buffer, with its number there."""
        self._kept: dict[int, bytes] = {}
        self._receiving = self._receiver()
        self.camera = bench.launch(
            f"videotestsrc name=camera is-live=true pattern=solid-color foreground-color={0xFF000000 | RED} ! "
            "video/x-raw,format=I420,width=640,height=360,framerate=60/1,colorimetry=bt601 ! "
            "x264enc name=coder tune=zerolatency speed-preset=ultrafast key-int-max=9000 bitrate=2000 "
            "option-string=slice-max-size=400 ! video/x-h264,alignment=au ! "
            "rtph264pay name=pay pt=97 mtu=500 config-interval=-1 aggregate-mode=none seqnum-offset=65000 ! "
            "appsink name=out sync=false emit-signals=true"
        )
        self.camera.get_by_name("out").connect("new-sample", self._send)

    def _receiver(self) -> Any:
        made = self.bench.launch(
            f"rtpbin name=rtp rtp-profile=avpf latency=80 do-lost=true autoremove=true "
            f"appsrc name=in is-live=true format=time do-timestamp=true caps={CAPS.replace(' ', '')} ! "
            "rtp.recv_rtp_sink_0 rtp.send_rtcp_src_0 ! appsink name=reports sync=false async=false emit-signals=true"
        )
        self.rtp = made.get_by_name("rtp")
        pad = self.rtp.emit("get-session", 0).get_static_pad("recv_rtp_src")
        self.sluice = Sluice(pad)
        self.rtp.connect("request-pt-map", lambda *_: Gst.Caps.from_string(CAPS))
        self.rtp.connect("pad-added", lambda _, new: self._attach(made, new))
        self.repair = Repair(self.rtp, lambda _: None, (0,))
        self._stamp = pad.add_probe(Gst.PadProbeType.BUFFER, self._came)
        made.get_by_name("reports").connect("new-sample", self._told)
        return made

    def _attach(self, container: Any, pad: Any) -> None:
        if not pad.get_name().startswith("recv_rtp_src_"):
            return
        self.branch = branches.receive_video(codecs.BY_NAME["H264"], "far", "receive", CHANNEL)
        container.add(self.branch)
        self.branch.sync_state_with_parent()
        pad.link(self.branch.get_static_pad("sink"))
        source = int(pad.get_name().split("_")[4])
        self.sluice.join(source, 97, self.branch.get_by_name("look"), CHANNEL)

    def _came(self, _: Any, info: Any) -> Any:
        octets = info.get_buffer().extract_dup(0, 12)
        self.reached.append((time.monotonic(), struct.unpack("!H", octets[2:4])[0]))
        return Gst.PadProbeReturn.OK

    def _send(self, out: Any) -> Any:
        buffer = out.emit("pull-sample").get_buffer()
        octets = buffer.extract_dup(0, buffer.get_size())
        self._kept[struct.unpack("!H", octets[2:4])[0]] = octets
        self.sent += 1
        if self.loses(self.sent):
            self.lost += 1
        else:
            self._bring(octets)
        return Gst.FlowReturn.OK

    def _bring(self, octets: bytes) -> None:
        buffer = Gst.Buffer.new_wrapped(octets)
        self._receiving.get_by_name("in").emit("push-buffer", buffer)

    def _told(self, out: Any) -> Any:
        buffer = out.emit("pull-sample").get_buffer()
        for kind, form, body in parts(buffer.extract_dup(0, buffer.get_size())):
            if (kind, form) == (PICTURES, 1):
                self.keys += 1
                self.camera.get_by_name("coder").get_static_pad("src").send_event(key_unit())
            for at in range(8, len(body), 4) if (kind, form) == (FEEDBACK, 1) else ():
                first, others = struct.unpack("!HH", body[at : at + 4])
                self._wanted([first, *(first + 1 + bit & 0xFFFF for bit in range(16) if others >> bit & 1)])
        return Gst.FlowReturn.OK

    def _wanted(self, numbers: list[int]) -> None:
        self.asked += numbers
        for number in numbers if self.repeats else ():
            if number in self._kept:
                self._bring(self._kept[number])

    def colour(self, rgb: int) -> None:
        self.camera.get_by_name("camera").set_property("foreground-color", 0xFF000000 | rgb)

    def key(self) -> None:
        self.camera.get_by_name("coder").get_static_pad("src").send_event(key_unit())

    def rest(self) -> None:
        """Until it is known, and nobody sees it."""
        self.bench.until(lambda: "far" in stage.pictures())
        before = self.sluice.dropped
        self.bench.until(lambda: self.sluice.dropped > before + UNSEEN, 10)
        self.repair.look(tuple)
        self.reached.clear()
        self.asked.clear()

    def counted(self) -> rtp_statistics.Received:
        return rtp_statistics.read(self.rtp, 0)[0][0]

    def in_a_row(self) -> bool:
        """Whether what reached the jitter buffer so far has numbers without a gap."""
        numbers = [number for _, number in self.reached]
        return all((after - before) & 0xFFFF == 1 for before, after in itertools.pairwise(numbers))


def key_unit() -> Any:
    return Gst.Event.new_custom(
        Gst.EventType.CUSTOM_UPSTREAM, Gst.Structure.from_string("GstForceKeyUnit,all-headers=(boolean)true")[0]
    )


def gate() -> sights.Gate:
    return next(one for one in sights.gates() if one.source == "far")


@pytest.fixture
def call(bench: Bench) -> Iterator[Call]:
    made = Call(bench)
    yield made
    made.repair.close()


def test_what_nobody_sees_does_not_reach_the_jitter_buffer(call: Call, bench: Bench) -> None:
    call.rest()
    before, sent, came = gate(), call.sent, call.counted().packets
    bench.until(lambda: call.sent > sent + 3 * UNSEEN, 10)
    assert len(call.reached) < UNSEEN / 10
    assert gate().dropped > before.dropped + 30, "pictures that were kept back are counted"
    assert gate().idle
    assert "far" in stage.pictures(), "it is there all the same"
    assert call.counted().packets >= came + 3 * UNSEEN
    assert call.counted().lost == 0
    assert not call.asked


def test_who_looks_sees_it_soon_and_whole(call: Call, bench: Bench) -> None:
    call.rest()
    call.colour(BLUE)
    sent = call.sent
    bench.until(lambda: call.sent > sent + UNSEEN, 10)
    began = time.monotonic()
    seen = bench.watch(bench.show(FULL), 320, 180)
    while not close_to(frame := bench.frame(seen, skip=0), BLUE, 14):
        assert close_to(frame, RED, 14), "never half of a picture"
        assert time.monotonic() - began < 1.5
    print(f"seen after {time.monotonic() - began:.2f} s")
    passed = gate().passed
    bench.until(lambda: gate().passed > passed + 30)
    assert call.in_a_row()
    assert not call.asked
    assert call.counted().lost == 0


def test_a_key_frame_passes_now_and_then(call: Call, bench: Bench) -> None:
    call.rest()
    passed = gate().passed
    call.colour(BLUE)
    bench.until(lambda: call.key() or gate().passed > passed, 10)
    bench.until(lambda: gate().idle)
    assert gate().passed == passed + 1
    assert call.in_a_row()
    count = len(call.reached)
    for _ in range(10):
        call.key()
        time.sleep(0.05)
    assert len(call.reached) == count, "not many"
    assert not call.asked


@pytest.mark.parametrize("last", [False, True], ids=["in the middle", "at the end"])
def test_what_is_lost_of_a_key_frame_is_asked_for_by_its_true_number(call: Call, bench: Bench, last: bool) -> None:
    call.rest()
    state = {"lost": 0}

    def loses(_: int) -> bool:
        """One packet of what passes."""
        number, octets = list(call._kept.items())[-1]
        ends, key = (
            bool(octets[1] & 0x80),
            octets[12] & 0x1F == 5 or (octets[12] & 0x1F == 28 and octets[13] & 0x1F == 5),
        )
        if state["lost"] or not key or not call.reached or ends != last:
            return False
        state["lost"] = number + 1
        return True

    for _ in range(3):
        passed = gate().passed
        call.loses = loses
        bench.until(lambda: call.key() or bool(call.reached), 10)
        bench.until(lambda: gate().passed > passed, 3)  # noqa: B023 - at once
        if state["lost"]:
            break
        call.loses = lambda _: False  # too late: one was on its way already
        call.rest()
    bench.until(lambda: call.asked)
    assert set(call.asked) == {state["lost"] - 1}


def test_what_is_lost_while_nobody_looks_is_reported_and_not_asked_for(call: Call, bench: Bench) -> None:
    call.rest()
    call.loses = lambda count: count % 10 == 0
    lost, sent = call.lost, call.sent
    bench.until(lambda: call.sent > sent + 2 * UNSEEN, 10)
    call.loses = lambda _: False
    assert not call.asked
    bench.until(lambda: abs(call.counted().lost - (call.lost - lost)) <= 1)
    seen = bench.watch(bench.show(FULL), 320, 180)
    bench.until(lambda: not gate().idle)
    bench.frame(seen)
    assert not call.asked


def test_what_is_passed_on_passes(call: Call, bench: Bench) -> None:
    call.rest()
    taken = bench.launch(
        f"rostrasub name=sub channel={CHANNEL} ! appsink name=out sync=false max-buffers=100 drop=true"
    )
    began = time.monotonic()
    first = bench.sample(taken).get_buffer()
    assert not first.has_flags(Gst.BufferFlags.DELTA_UNIT)
    assert time.monotonic() - began < 1.5
    for _ in range(20):
        bench.sample(taken)
    assert gate().idle, "nobody looks"
    bench.end(taken)
    dropped = call.sluice.dropped
    bench.until(lambda: call.sluice.dropped > dropped + UNSEEN, 10)


def test_to_and_fro(call: Call, bench: Bench) -> None:
    """With loss, and numbers that begin anew on the way."""
    call.rest()
    call.loses = lambda count: count % 50 == 0
    for colour in (BLUE, RED, BLUE):
        call.colour(colour)
        seen = bench.watch(bench.show(FULL), 320, 180)
        bench.until(lambda wanted=colour, out=seen: close_to(bench.frame(out, skip=0), wanted, 14), 3)
        bench.end(seen)
        dropped = call.sluice.dropped
        bench.until(lambda before=dropped: call.sluice.dropped > before + UNSEEN, 10)
    assert len(set(call.asked)) < 60


def test_garbage_is_no_matter(call: Call, bench: Bench) -> None:
    call.rest()
    source = call._kept[max(call._kept)][8:12]
    payloads = (
        *(b"", b"\x1c", b"\x1c\x85", b"\x18", b"\x18\xff", b"\x18\xff\xff", b"\x18\x00\x00", b"\x18\x00\x01"),
        *(b"\x18\x00\x01\x65\xff\xff\x65", b"\x1d\x85", b"\x00", b"\xff", b"\x65"),
    )
    for first in (b"\x80", b"\x8f", b"\x90", b"\xa0", b"\xbf"):  # contributing sources, an extension, padding
        for payload in payloads:
            number, octets = list(call._kept.items())[-1]
            head = first + b"\xe1" + struct.pack("!H", number + 1 & 0xFFFF) + octets[4:8] + source
            call._bring(head + payload)
            call._bring(head + b"\xff" * 6 + payload)
    call._bring(head[:7])
    seen = bench.watch(bench.show(FULL), 320, 180)
    bench.until(lambda: not gate().idle)
    bench.frame(seen)
