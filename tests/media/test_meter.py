"""What a leg sent and received over its life, whatever its sessions do with their counters."""

from __future__ import annotations

import pytest

from rostra.domain.media import StreamType
from rostra.media.engine.meter import Count, Facts, Meter, Reading
from rostra.media.replies import StreamStatistics

FACTS = Facts({StreamType.AUDIO: "opus", StreamType.VIDEO: "VP8"}, {(StreamType.VIDEO, False): (640, 360, 0.0)})


def heard(packets: int, lost: int = 0, *, source: int = 1, octets: int = 0) -> Reading:
    count = Count(packets, lost, octets or packets * 100)
    return Reading(StreamType.AUDIO, False, {(0, source): count}, bitrate=40_000.0, jitter=0.003)


def told(meter: Meter, now: float) -> StreamStatistics:
    (stream,) = meter.report("leg", FACTS, now, 1_000.0 + now)
    return stream


def test_a_stream_from_its_beginning() -> None:
    meter = Meter()
    assert meter.report("leg", FACTS, 0.0, 0.0) == []
    meter.count(10.0, [heard(100)])
    assert told(meter, 10.0).mean_bitrate == 40_000.0, "one count tells no mean"
    meter.count(14.0, [heard(300, 3)])
    meter.count(20.0, [heard(300, 3)])
    assert told(meter, 20.0).bitrate == 0.0, "nothing came in the last seconds"
    meter = Meter()
    meter.count(10.0, [heard(100)])
    meter.count(14.0, [heard(300, 3)])
    stream = told(meter, 14.0)
    assert (stream.since, stream.codec, stream.packets, stream.lost) == (1_010.0, "opus", 300, 3)
    assert (stream.mean_bitrate, stream.bitrate, stream.jitter) == (200 * 100 * 8 / 4, 40_000.0, 0.003)


def test_what_is_sent_again_and_a_new_source_in_the_middle_of_a_call() -> None:
    """Repairs have a source of their own that counts for bandwidth only; a far end that begins anew goes on."""
    meter = Meter()
    stream, repairs = Count(1000, 10, 100_000), Count(50, 0, 5_000)
    meter.count(0.0, [Reading(StreamType.VIDEO, False, {(1, 7): stream, (1, 8): repairs})])
    assert (told(meter, 0.0).packets, told(meter, 0.0).lost) == (1000, 10)
    meter.count(2.0, [Reading(StreamType.VIDEO, False, {(1, 7): stream, (1, 9): Count(400, 1, 40_000)})])
    assert (told(meter, 2.0).packets, told(meter, 2.0).lost, told(meter, 2.0).width) == (1400, 11, 640)
    meter.count(4.0, [Reading(StreamType.VIDEO, False, {(1, 9): Count(30, 0, 3_000)})])
    assert told(meter, 4.0).packets == 1430, "a session that began anew has the same source"


def test_a_packet_that_comes_late_was_not_lost() -> None:
    meter = Meter()
    meter.count(0.0, [heard(100, 5)])
    meter.count(2.0, [heard(200, 3)])
    assert told(meter, 2.0).lost == 3


@pytest.mark.spec("DIAG-048")
def test_a_stream_that_stopped_is_off_after_a_while() -> None:
    meter = Meter()
    for now in (0.0, 2.0, 4.0):
        meter.count(now, [heard(100)])
    assert not told(meter, 10.0).idle
    stream = told(meter, 10.1)
    assert stream.idle
    assert stream.bitrate == 0.0


def test_recent_loss_forgets() -> None:
    meter = Meter()
    meter.count(0.0, [heard(0)])
    meter.count(2.0, [heard(50, 50)])
    assert told(meter, 2.0).recent_loss == 50.0
    for now in range(4, 26, 2):
        meter.count(now, [heard(50 + 100 * now, 50)])
    assert told(meter, 24.0).recent_loss == 0.0
    assert told(meter, 24.0).lost == 50


@pytest.mark.spec("DIAG-046")
def test_a_presentation_is_a_stream_of_its_own() -> None:
    meter = Meter()
    for now, packets in ((0.0, 100), (2.0, 300)):
        meter.count(now, [
            Reading(StreamType.VIDEO, False, {(0, 7): Count(packets, 0, packets)}),
            Reading(StreamType.PRESENTATION, False, {(0, 8): Count(5 * packets, 0, packets)}),
        ])  # fmt: skip
    facts = Facts({StreamType.PRESENTATION: "H264"}, {(StreamType.PRESENTATION, False): (1920, 1080, 0.0)})
    video, slides = meter.report("leg", facts, 2.0, 1_000.0)
    assert (video.kind, video.packets, video.width) == (StreamType.VIDEO, 300, 0)
    assert (slides.kind, slides.packets, slides.width, slides.codec) == ("presentation", 1500, 1920, "H264")


def test_quality_of_each_twenty_seconds_is_that_of_the_worst_stream() -> None:
    meter = Meter()
    sent = Reading(StreamType.AUDIO, True, {(0, 2): Count(100, 0, 100)})
    meter.count(0.0, [heard(0), sent])
    meter.count(18.0, [heard(900), sent])
    assert meter.quality == []
    meter.count(20.0, [heard(1000), Reading(StreamType.AUDIO, True, {(0, 2): Count(1100, 20, 100)})])
    assert meter.quality == [2]
    meter.count(40.0, [heard(1900, 200)])
    meter.count(60.0, [heard(1900, 200)])
    assert meter.quality == [2, 4, 0], "nothing came in the last one"
