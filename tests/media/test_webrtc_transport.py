"""One WebRTC connection of ours without a client: what stays the same from one answer to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rostra.environment import PortRange
from rostra.media.engine import stage
from rostra.media.engine.gst import Gst
from rostra.media.engine.webrtc_answer import repeats
from rostra.media.engine.webrtc_plan import plan
from rostra.media.engine.webrtc_transport import WebRtcTransport

OFFER = (Path(__file__).parent / "offers" / "chromium-audio-video-inactive.sdp").read_bytes().decode()


def retransmitted_as(element: Any, stream: str) -> int:
    """The source of retransmissions that the connection really uses for a stream, once its packets come."""
    found: list[Any] = []
    element.iterate_recurse().foreach(
        lambda one: found.append(one) if one.get_name().startswith("rtprtxsend") else None
    )
    [repeater] = found
    caps = f"application/x-rtp,media=video,clock-rate=90000,payload=96,ssrc=(uint){stream}"
    sink = repeater.get_static_pad("sink")
    sink.send_event(Gst.Event.new_stream_start("test"))
    sink.send_event(Gst.Event.new_caps(Gst.Caps.from_string(caps)))
    return repeater.get_static_pad("src").get_current_caps().get_structure(0).get_uint("rtx-ssrc")[1]


async def test_retransmissions_keep_their_number_from_answer_to_answer() -> None:
    stage.load()
    transport = WebRtcTransport("leg", PortRange(low=41000, high=41100), lambda _: None, lambda _: None)
    try:
        planned = plan(OFFER)
        answers = [await transport.negotiate(planned) for _ in range(3)]
        [(stream, repeat)] = repeats(answers[0]).items()
        for text in answers:
            assert repeats(text) == {stream: repeat}
            assert f"a=ssrc:{repeat} cname:" in text
        assert retransmitted_as(transport.element, stream) == int(repeat)
    finally:
        await transport.close()
