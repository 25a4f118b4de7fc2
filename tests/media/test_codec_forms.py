"""Forms of a codec: what encoders make is what receivers of each form take."""

from __future__ import annotations

from typing import Any

import pytest

from rostra.media import codecs
from rostra.media.engine import branches, stage
from rostra.media.engine.gst import Gst

FRAGMENT = 28
"""NAL unit type of a part of a unit (RFC 6184 5.2)."""


def packets(taken: dict[str, str]) -> tuple[set[int], int, bytes]:
    """NAL unit types and the greatest length of a restless picture as it is sent, and its sequence header."""
    stage.load()
    row = codecs.sent_as(codecs.BY_NAME["H264"], taken)
    encoder = row.encoder.format(bitrate=1_000_000, kilobits=1000, mtu=branches.PAYLOAD)
    pipeline: Any = Gst.parse_launch(
        f"videotestsrc pattern=snow num-buffers=8 ! video/x-raw,format=I420,width=320,height=180,framerate=30/1 ! "
        f"{encoder} ! {row.encoded} ! {row.payloader.format(payload_type=97, mtu=branches.PACKET)} ! "
        "appsink name=out sync=false"
    )
    pipeline.set_state(Gst.State.PLAYING)
    found: list[bytes] = []
    while (sample := pipeline.get_by_name("out").emit("pull-sample")) is not None:
        buffer = sample.get_buffer()
        found.append(buffer.extract_dup(0, buffer.get_size()))
    pipeline.set_state(Gst.State.NULL)
    header = next(one[12:] for one in found if one[12] & 31 == 7)
    return {one[12] & 31 for one in found}, max(map(len, found)), header


@pytest.mark.parametrize(("level", "profile"), [("42e01f", 0x42), ("64001f", 0x64)])
def test_parts_of_slices_go_only_to_who_takes_them(level: str, profile: int) -> None:
    whole, longest, header = packets({"profile-level-id": level, "packetization-mode": "0"})
    assert FRAGMENT not in whole
    assert longest <= branches.PACKET
    assert header[1] == profile
    parts, longest, header = packets({"profile-level-id": level, "packetization-mode": "1"})
    assert FRAGMENT in parts, "whole pictures: nothing is spent on slices"
    assert longest <= branches.PACKET
    assert header[1] == profile
