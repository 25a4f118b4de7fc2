"""Far-end camera control in offers and answers of SIP calls (RFC 4573)."""

from __future__ import annotations

import pytest

from rostra.calls.switchboard import CallRequest, ServiceDescription
from rostra.configuration.rows import GlobalRow
from rostra.domain.media import MediaKind
from rostra.domain.vocabulary import CallProtocol
from rostra.sdp.reading import read
from rostra.sip.media import CallMedia
from tests.sip.fakes import FakeSession

SECTIONS = {
    MediaKind.AUDIO: "m=audio {} RTP/AVP 0\r\n",
    MediaKind.VIDEO: "m=video {} RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n",
    MediaKind.APPLICATION: "m=application {} RTP/AVP 100\r\na=rtpmap:100 H224/4800\r\na=sendrecv\r\n",
}


def described(*kinds: MediaKind, refused: tuple[MediaKind, ...] = ()) -> bytes:
    head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    ports = {kind: 0 if kind in refused else 5000 + 2 * index for index, kind in enumerate(kinds)}
    return (head + "".join(SECTIONS[kind].format(ports[kind]) for kind in kinds)).encode()


def call(**service: object) -> CallMedia:
    request = CallRequest(alias="meet.demo", protocol=CallProtocol.SIP)
    made = ServiceDescription(id=1, name="Demo", service_type="conference", **service)  # type: ignore[arg-type] - by name
    return CallMedia(FakeSession(None, request, made), "c1", encrypt=False)  # type: ignore[arg-type] - tells nobody


def used(sdp: bytes) -> list[tuple[MediaKind, bool]]:
    return [(stream.kind, not stream.refused) for stream in read(sdp).streams]


ALL = (MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.APPLICATION)


@pytest.mark.spec("API-120")
async def test_cameras_go_with_pictures_where_they_may_be_moved() -> None:
    taken = read(await call().answer(described(*ALL)))
    assert [stream.codecs[0].name for stream in taken.streams] == ["PCMU", "H264", "H224"]
    assert len({stream.port for stream in taken.streams}) == 3
    heard = used(await call(call_type="audio").answer(described(*ALL)))
    assert heard[1:] == [(MediaKind.VIDEO, False), (ALL[2], False)]
    assert used(await call().answer(described(*ALL, refused=(MediaKind.VIDEO,))))[2] == (MediaKind.APPLICATION, False)
    off = GlobalRow(enable_fecc=False).codecs_off
    assert used(await call(disabled_codecs=off).answer(described(*ALL)))[2] == (MediaKind.APPLICATION, False)
    assert MediaKind.APPLICATION not in [kind for kind, _ in used(await call(disabled_codecs=off).offer())]


async def test_what_was_refused_is_not_offered_again() -> None:
    media = call()
    assert used(await media.offer()) == [(kind, True) for kind in ALL]
    await media.answered(described(*ALL, refused=(MediaKind.APPLICATION,)))
    assert used(await media.offer()) == [(ALL[0], True), (ALL[1], True), (ALL[2], False)]
    kept = call()
    await kept.offer()
    await kept.answered(described(*ALL))
    assert used(await kept.offer()) == [(kind, True) for kind in ALL]
