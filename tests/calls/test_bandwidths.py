"""How much the two sides of a call may send."""

from __future__ import annotations

import pytest

from rostra.calls.bandwidths import AUDIO, VIDEO, asked, capped, of_rtp, of_webrtc
from rostra.domain.media import Content, MediaDescription, MediaKind, MediaStream
from rostra.domain.service import ServiceDescription


def stream(
    kind: MediaKind, bandwidth: int | None = None, port: int = 9, content: Content = Content.MAIN
) -> MediaStream:
    return MediaStream(kind=kind, port=port, bandwidth=bandwidth, content=content)


def room(**limits: int) -> ServiceDescription:
    return ServiceDescription(id=1, name="meet", service_type="conference", **limits)  # type: ignore[arg-type]


SOUND = stream(MediaKind.AUDIO)


@pytest.mark.parametrize(
    ("description", "bandwidth"),
    [
        (MediaDescription(), 0),
        (MediaDescription(streams=(SOUND,)), AUDIO),
        (MediaDescription(streams=(SOUND, stream(MediaKind.VIDEO))), AUDIO + VIDEO),
        (MediaDescription(streams=(SOUND, stream(MediaKind.VIDEO, 500_000))), AUDIO + 500_000),
        (MediaDescription(streams=(SOUND, stream(MediaKind.VIDEO)), bandwidth=384_000), 384_000),
        (MediaDescription(streams=(SOUND, stream(MediaKind.VIDEO, port=0))), AUDIO),
        (MediaDescription(streams=(SOUND, stream(MediaKind.VIDEO, content=Content.SLIDES))), AUDIO),
    ],
)
def test_each_side_states_what_it_takes(description: MediaDescription, bandwidth: int) -> None:
    service = room()
    assert of_rtp(service, description, MediaDescription()) == {"rx_bandwidth": bandwidth, "tx_bandwidth": 0}
    assert of_rtp(service, MediaDescription(), description) == {"rx_bandwidth": 0, "tx_bandwidth": bandwidth}


OFFER = "v=0\r\nb=AS:1000\r\nm=audio 9 RTP/SAVPF 111\r\na=sendrecv\r\nm=video 9 RTP/SAVPF 96\r\nb=AS:2048\r\n"
ANSWER = "v=0\r\nm=audio 9 RTP/SAVPF 111\r\nm=video 9 RTP/SAVPF 96\r\nb=TIAS:700000\r\nb=AS:701\r\n"


def test_browsers_and_the_service_limit_too() -> None:
    assert of_webrtc(room(), OFFER, ANSWER) == {
        "rx_bandwidth": AUDIO + 700_000,
        "tx_bandwidth": 1_000_000,
    }
    limited = room(max_callrate_in=512_000, max_callrate_out=384_000)
    assert of_webrtc(limited, OFFER, ANSWER) == {"rx_bandwidth": 512_000, "tx_bandwidth": 384_000}
    assert of_webrtc(limited, OFFER, ANSWER.replace("b=TIAS:700000", "a=inactive"))["rx_bandwidth"] == AUDIO


@pytest.mark.parametrize(
    ("offer", "kilobits"),
    [
        ("", 0),
        (OFFER, 1000),
        (ANSWER, 700),
        (OFFER.replace("AS:1000", "CT:768"), 768),
        (OFFER.replace("b=AS:1000", "b=CT:768\r\nb=AS:384"), 384),
        (OFFER.replace("b=AS:1000", "b=RS:12"), 2048),
        (OFFER.replace("b=AS:1000\r\n", "").replace("sendrecv", "sendrecv\r\nb=AS:64"), 2112),
        (OFFER.replace("b=AS:1000\r\n", "").replace("video 9", "video 0"), 0),
        ("v=0\nm=audio 9 RTP/AVP 0\nb=AS:64\n", 64),
        ("v=0\r\nb=AS:99999999999999\r\nm=audio\r\nb=AS:x\r\n", 0),
    ],
)
def test_what_a_caller_asks_for(offer: str, kilobits: int) -> None:
    assert asked(offer) == kilobits


@pytest.mark.spec("CONF-143")
@pytest.mark.parametrize(
    ("stated", "limit", "sent"), [(None, None, None), (1, None, 1), (None, 2, 2), (3, 2, 2), (1, 2, 1)]
)
def test_nobody_is_sent_more_than_we_send(stated: int | None, limit: int | None, sent: int | None) -> None:
    assert capped(MediaDescription(streams=(), bandwidth=stated), limit).bandwidth == sent
