"""A SIP call that gets no licence for video is answered with audio alone (SYS-188)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import msgspec
import pytest

from rostra.calls.switchboard import CallRequest, ServiceDescription
from rostra.domain.media import MediaKind
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
        self, call: str, kinds: Sequence[MediaKind], *, full_hd: bool = False
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
