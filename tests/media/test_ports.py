"""Ports of media: pairs, and what marks their packets."""

from __future__ import annotations

import socket

import pytest

from rostra.environment import PortRange
from rostra.media.engine import ports

RANGE = PortRange(40000, 49999)


@pytest.mark.spec("SYS-143", "PLAT-101")
def test_packets_are_marked_as_the_conference_was_told() -> None:
    ports.mark(46)
    try:
        pair = ports.reserve(RANGE)
        _, single = ports.reserve_one(RANGE)
        marks = {one.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) >> 2 for one in (pair.rtp, pair.rtcp, single)}
        assert marks == {46}
        pair.close()
        single.close()
    finally:
        ports.mark(0)
    pair = ports.reserve(RANGE)
    assert pair.rtp.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0
    assert pair.port % 2 == 0
    pair.close()
