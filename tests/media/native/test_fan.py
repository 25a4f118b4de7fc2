"""One channel to many pipelines by few threads: all get everything, in order, and one that ends disturbs nobody."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from gi.repository import Gst

from rostra.media.engine import stage

from .conftest import Bench

MANY = 60


def publish(bench: Bench, channel: str, pictures: int = -1, pace: str = "") -> Any:
    return bench.launch(
        f"videotestsrc is-live=true num-buffers={pictures} ! video/x-raw,width=16,height=16,framerate=100/1 ! {pace} "
        f"rostrapub channel={channel}"
    )


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


class Taken:
    """What came out of a fan: times of pictures, as its pipeline has them."""

    def __init__(self, bench: Bench, channel: str) -> None:
        self.stamps: list[int] = []
        self.threads: set[int] = set()
        self.pipeline = bench.launch(f"rostrafan name=fan channel={channel} ! fakesink name=out sync=false async=false")
        self.pipeline.get_by_name("out").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, self._came)

    def _came(self, _: Any, info: Any) -> Any:
        self.threads.add(threading.get_native_id())
        self.stamps.append(info.get_buffer().pts)
        return Gst.PadProbeReturn.OK


def test_few_threads_serve_many_and_in_order(bench: Bench) -> None:
    before = threads()
    all_of_them = [Taken(bench, "many") for _ in range(MANY)]
    assert threads() - before < 10
    publish(bench, "many", pictures=80)
    bench.until(lambda: all(len(one.stamps) >= 70 for one in all_of_them), 10)
    for one in all_of_them:
        assert one.stamps == sorted(set(one.stamps)), "in order, and none twice"
    assert len(set().union(*(one.threads for one in all_of_them))) <= 4


def test_nobody_is_forgotten_however_fast_they_come(bench: Bench) -> None:
    """What comes in the moment in which a thread has done is what the next picture must not have to wait for."""
    hasty = [Taken(bench, "hasty") for _ in range(2)]
    for _ in range(6):
        flood = bench.launch("fakesrc num-buffers=40000 sizetype=fixed sizemax=4 ! rostrapub channel=hasty")
        assert flood.get_bus().timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.EOS)
        bench.end(flood)
        bench.until(lambda: stage.debug_state()["publishers"] == 0)
    known = [len(one.stamps) for one in hasty]
    publish(bench, "hasty", pictures=3)
    bench.until(lambda: all(len(one.stamps) >= before + 2 for one, before in zip(hasty, known, strict=True)), 5)


def test_those_that_end_while_pictures_come_disturb_nobody(bench: Bench) -> None:
    publish(bench, "busy")
    stays = Taken(bench, "busy")
    bench.until(lambda: len(stays.stamps) > 5)
    for _ in range(40):
        leaving = [Taken(bench, "busy") for _ in range(3)]
        begun = time.monotonic()
        for one in leaving:
            one.pipeline.set_state(Gst.State.NULL)
        assert time.monotonic() - begun < 1
        counts, known = [len(one.stamps) for one in leaving], len(stays.stamps)
        bench.until(lambda: len(stays.stamps) > known + 1)  # noqa: B023 - at once
        assert [len(one.stamps) for one in leaving] == counts, "nothing comes after the end"
    known = len(stays.stamps)
    bench.until(lambda: len(stays.stamps) > known + 20)
    gaps = [b - a for a, b in zip(stays.stamps, stays.stamps[1:], strict=False)]
    assert max(gaps) < Gst.SECOND


def test_those_that_pause_hold_up_nobody(bench: Bench) -> None:
    """A pipeline that hangs on its way down has sinks that are paused, as long as it takes."""
    publish(bench, "halted")
    taken = Taken(bench, "halted")
    for _ in range(4):  # as many as there are threads at most
        paused = bench.launch("rostrafan channel=halted ! rostraaway name=away")
        paused.get_by_name("away").set_state(Gst.State.PAUSED)
    known = len(taken.stamps)
    bench.until(lambda: len(taken.stamps) > known + 20, 3)


def test_it_begins_anew_after_a_pause(bench: Bench) -> None:
    publish(bench, "paused")
    taken = Taken(bench, "paused")
    bench.until(lambda: len(taken.stamps) > 5)
    taken.pipeline.set_state(Gst.State.READY)
    taken.pipeline.get_state(Gst.SECOND)
    known = len(taken.stamps)
    taken.pipeline.set_state(Gst.State.PLAYING)
    bench.until(lambda: len(taken.stamps) > known + 5)
    assert taken.stamps[known] < Gst.SECOND, "times of the new beginning"


def test_a_pipeline_that_cannot_take_it_says_so_and_the_others_go_on(bench: Bench) -> None:
    publish(bench, "refused")
    refusing = bench.launch("rostrafan channel=refused ! audioconvert ! fakesink sync=false async=false")
    taken = Taken(bench, "refused")
    message = refusing.get_bus().timed_pop_filtered(5 * Gst.SECOND, Gst.MessageType.ERROR)
    assert message is not None
    known = len(taken.stamps)
    bench.until(lambda: len(taken.stamps) > known + 5)
    told = 1
    while refusing.get_bus().pop_filtered(Gst.MessageType.ERROR):
        told += 1
    assert told <= 2, "once by the fan, and once by whoever refuses"
