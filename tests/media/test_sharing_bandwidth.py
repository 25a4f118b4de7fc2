"""Main video and slides share what a call may be sent, while both are."""

from __future__ import annotations

import pytest

from rostra.environment import Environment
from rostra.media.engine.leg import LegContext
from rostra.media.engine.renditions import Renditions
from rostra.media.engine.webrtc_leg import WebRtcLeg
from rostra.media.engine.webrtc_plan import plan
from rostra.media.messages import Slides

SECTION = "m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:{mid}\r\na=rtpmap:98 VP8/90000\r\na={direction}\r\n{more}"


HEAD = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:one\r\na=ice-pwd:password\r\n"
    "a=fingerprint:sha-256 AB\r\n"
)


def offer(slides: str, stated: str = "") -> str:
    main = SECTION.format(mid="0", direction="sendrecv", more="a=content:main\r\n")
    main = main.replace("a=mid", f"{stated}a=mid")
    return HEAD + main + (SECTION.format(mid="1", direction=slides, more="a=content:slides\r\n") if slides else "")


@pytest.mark.spec("API-109", "CONF-146", "CONF-143")
@pytest.mark.parametrize(
    ("slides", "shown", "stated", "most"),
    [
        ("recvonly", "presenter:slides", "", 468_000),
        ("sendrecv", "presenter:slides", "", 468_000),
        ("recvonly", "", "", 936_000),
        ("inactive", "presenter:slides", "", 936_000),
        ("", "presenter:slides", "", 936_000),
        ("recvonly", "presenter:slides", "b=AS:300\r\n", 300_000),
    ],
)
def test_half_goes_to_each_while_both_are_sent(slides: str, shown: str, stated: str, most: int) -> None:
    nothing = LegContext(Renditions(), lambda _: None, lambda *_: None, lambda *_: None)
    leg = WebRtcLeg(nothing, "leg", Environment())
    leg._planned, leg._limit = plan(offer(slides, stated), slides=Slides(receives=True)), 1_000_000
    leg.show_slides(shown)
    section = leg._planned.of_role("video")
    assert section
    assert leg._limit_of(section) == most
