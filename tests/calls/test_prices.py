"""A call whose far end takes 1080p only later is priced anew (POL-113)."""

from __future__ import annotations

import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import Guest, service

from rostra.domain.capacity import CallClass
from rostra.domain.vocabulary import CallProtocol
from rostra.media.engine import rungs

HD, FULL_HD = (
    f"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 max-fs={blocks}\r\na=sendrecv\r\n"
    for blocks in (3600, 8160)
)


@pytest.mark.spec("POL-113")
@pytest.mark.parametrize("room", [True, False], ids=["room", "full"])
async def test_1080p_that_is_asked_for_later_is_paid_for_or_not_sent(room: bool) -> None:
    fine = service("Fine", quality="fullhd")
    capacity = CallClass.FULL_HD if room else CallClass.FULL_HD - 1
    node = await Node(Network(), "n1", {"fine": fine}.get, capacity=capacity, atlas=MapAtlas()).start()
    ada = await Guest(node.exchange).join("fine", protocol=CallProtocol.WEBRTC)
    sent: list[int | None] = []
    for offer, price in ((HD, CallClass.HD), (FULL_HD, capacity), (FULL_HD, capacity), (HD, capacity)):
        await ada.session.open_webrtc("ada", offer)
        sent.append(node.pool.workers[0].opened[-1].send_bandwidth)
        assert node.ledger.used == (price if room else CallClass.HD)  # what was paid for stays
    little = rungs.FULL_HD_CALL - 1
    assert sent == ([little, None, None, None] if room else [little] * 4)
    await ada.session.leave()
