"""A SIP call that gets no licence for video is answered with audio alone (SYS-188)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import msgspec
import pytest

from rostra.calls.switchboard import CallRequest, ServiceDescription
from rostra.domain.media import Direction, MediaKind
from rostra.domain.vocabulary import CallProtocol
from rostra.sdp.reading import read
from rostra.sdp.session import parse
from rostra.sip.media import CallMedia
from tests.sip.fakes import FakeSession

OFFER = b"""v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
m=audio 5000 RTP/AVP 0
a=rtpmap:0 PCMU/8000
m=video 5002 RTP/AVP 97
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e01f;packetization-mode=1
""".replace(b"\n", b"\r\n")


@dataclasses.dataclass
class AudioOnly(FakeSession):
    """The platform has licences for audio only."""

    async def reserve_rtp(
        self, call: str, kinds: Sequence[MediaKind], *, full_hd: bool = False, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        self.service = msgspec.structs.replace(self.service, call_type="audio")
        return await super().reserve_rtp(call, [kind for kind in kinds if kind is MediaKind.AUDIO])


@pytest.fixture
def session() -> AudioOnly:
    request = CallRequest(alias="meet.demo", protocol=CallProtocol.SIP)
    return AudioOnly(None, request, ServiceDescription(id=1, name="Demo", service_type="conference"))  # type: ignore[arg-type] - tells nobody


@pytest.mark.spec("SYS-188")
async def test_video_of_an_offer_is_declined(session: AudioOnly) -> None:
    media = CallMedia(session, "c1", encrypt=False)
    for _ in range(2):  # again: it is not escalated
        answer = read(parse(await media.answer(OFFER)))
        assert [(one.kind, one.refused) for one in answer.streams] == [
            (MediaKind.AUDIO, False),
            (MediaKind.VIDEO, True),
        ]


@pytest.mark.spec("SYS-188")
async def test_our_own_offer_has_no_video(session: AudioOnly) -> None:
    media = CallMedia(session, "c1", encrypt=False)
    offer = read(parse(await media.offer()))
    assert [one.kind for one in offer.streams] == [MediaKind.AUDIO]


class Told(FakeSession):
    """The same, of a service with video: it may be sent a picture that says so."""

    async def reserve_rtp(
        self, call: str, kinds: Sequence[MediaKind], *, full_hd: bool = False, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        self.service = msgspec.structs.replace(self.service, call_type="audio")
        self.participant.no_video = True
        return await super().reserve_rtp(call, kinds)


@pytest.mark.spec("REF-046")
async def test_who_is_told_by_a_picture_sends_none() -> None:
    request = CallRequest(alias="meet.demo", protocol=CallProtocol.SIP)
    service = ServiceDescription(id=1, name="Demo", service_type="conference")
    media = CallMedia(Told(None, request, service), "c1", encrypt=False)  # type: ignore[arg-type] - tells nobody
    more = ("m=video 5004 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=content:slides", "")
    slides = OFFER + "\r\n".join(more).encode()
    for offered in (OFFER, slides):
        answer = read(parse(await media.answer(offered)))
        assert [(one.direction, one.refused) for one in answer.streams[:2]] == [
            (Direction.SENDRECV, False),
            (Direction.SENDONLY, False),
        ]
    assert answer.streams[2].refused
    own = CallMedia(Told(None, request, service), "c2", encrypt=False)  # type: ignore[arg-type] - tells nobody
    offer = read(parse(await own.offer()))
    assert [(one.kind, one.direction) for one in offer.streams] == [
        (MediaKind.AUDIO, Direction.SENDRECV),
        (MediaKind.VIDEO, Direction.SENDONLY),
    ]
