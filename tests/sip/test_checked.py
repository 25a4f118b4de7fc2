"""ICE of calls on ordinary legs: taken, kept, restarted, or left alone."""

from __future__ import annotations

import base64

import msgspec
import pytest

from rostra.calls.switchboard import CallRequest, ServiceDescription
from rostra.domain.ice import IceSide
from rostra.domain.media import Direction
from rostra.domain.vocabulary import CallProtocol
from rostra.sdp.reading import read
from rostra.sip.media import CallMedia
from tests.sip.fakes import FakeSession

PASSWORD = "p" * 22
OFFER = f"""v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
a=ice-ufrag:abcd
a=ice-pwd:{PASSWORD}
m=audio 5000 RTP/AVP 0
a=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host
a=candidate:1 2 UDP 2130706430 192.0.2.1 5001 typ host
a=candidate:2 1 TCP 2130706431 192.0.2.1 9 typ host tcptype active
a=candidate:3 1 UDP 2130706431 somebody.local 5000 typ host
m=video 5002 RTP/AVP 97
a=rtpmap:97 VP8/90000
a=candidate:1 1 UDP 2130706431 192.0.2.1 5002 typ host
a=rtcp-mux
"""


CAMERAS = """m=application 5004 RTP/AVP 100
a=rtpmap:100 H224/4800
a=candidate:1 1 UDP 2130706431 192.0.2.1 5004 typ host
a=rtcp-mux
"""
SLIDES = """m=video 5006 RTP/AVP 98
a=rtpmap:98 VP8/90000
a=content:slides
a=candidate:1 1 UDP 2130706431 192.0.2.1 5006 typ host
a=rtcp-mux
"""


def sides(generation: str, components: tuple[int, ...]) -> tuple[IceSide, ...]:
    def candidates(index: int, count: int) -> tuple[str, ...]:
        port = 41000 + 10 * index
        own = [f"1 {n} UDP 2015363327 10.0.0.5 {port + n} typ host" for n in range(1, count + 1)]
        return (*own, f"2 1 UDP 1677721855 203.0.113.5 {port + 7} typ srflx raddr 10.0.0.5 rport {port}")

    return tuple(
        IceSide(ufrag=f"ours{generation}", password=PASSWORD, candidates=candidates(index, count))
        for index, count in enumerate(components)
    )


@pytest.fixture
def session() -> FakeSession:
    request = CallRequest(alias="meet.demo", protocol=CallProtocol.SIP)
    made = FakeSession(None, request, ServiceDescription(id=1, name="Demo", service_type="conference"))  # type: ignore[arg-type] - tells nobody
    made.sides = sides  # type: ignore[assignment] - a sequence is a tuple there
    return made


def asked(session: FakeSession) -> list[tuple[object, ...]]:
    return [entry[1:] for entry in session.log if entry[0] == "reserve ice"]


@pytest.mark.spec("REF-123")
async def test_an_answer_states_candidates_and_the_best_address(session: FakeSession) -> None:
    answered = read(await CallMedia(session, "c1", encrypt=False).answer(OFFER.encode()))
    assert asked(session) == [((2, 1), "0", False)]
    audio, video = answered.streams
    assert audio.ice is not None
    assert (audio.ice.ufrag, audio.ice.password) == ("ours0", PASSWORD)
    assert len(audio.ice.candidates) == 3
    assert (audio.address, audio.port, audio.rtcp_port) == ("203.0.113.5", 41007, 41002)
    assert (video.address, video.port, video.rtcp_mux) == ("203.0.113.5", 41017, True)
    assert session.remote is not None
    assert session.remote.streams[0].ice is not None
    assert len(session.remote.streams[0].ice.candidates) == 2, "only what can be tried"


@pytest.mark.parametrize(
    "offer",
    [
        OFFER.replace("ice-pwd", "x"),
        OFFER.replace("c=IN IP4 192.0.2.1", "c=IN IP4 192.0.2.99"),
        OFFER.replace(f"pwd:{PASSWORD}", "pwd:short"),
    ],
    ids=["no password", "the address was changed on the way", "weak password"],
)
async def test_ice_is_left_alone_where_it_cannot_work(session: FakeSession, offer: str) -> None:
    answered = read(await CallMedia(session, "c1", encrypt=False).answer(offer.encode()))
    assert [one.ice for one in answered.streams] == [None, None]
    assert session.remote is not None
    assert [one.ice for one in session.remote.streams] == [None, None]
    assert asked(session) == []


async def test_media_without_ice_is_answered_without(session: FakeSession) -> None:
    session.sides = None
    answered = read(await CallMedia(session, "c1", encrypt=False).answer(OFFER.encode()))
    assert [one.ice for one in answered.streams] == [None, None]
    assert answered.streams[0].port == 45000


async def test_a_lite_far_end_is_controlled(session: FakeSession) -> None:
    await CallMedia(session, "c1", encrypt=False).answer(OFFER.replace("t=0 0", "t=0 0\na=ice-lite").encode())
    assert asked(session) == [((2, 1), "0", True)]


async def test_other_credentials_restart_it(session: FakeSession) -> None:
    media = CallMedia(session, "c1", encrypt=False)
    first = read(await media.answer(OFFER.encode()))
    again = read(await media.answer(OFFER.encode()))
    assert again.streams == first.streams
    anew = read(await media.answer(OFFER.replace("ufrag:abcd", "ufrag:wxyz").encode()))
    assert anew.streams[0].ice is not None
    assert anew.streams[0].ice.ufrag == "ours1"
    plain = read(await media.answer(OFFER.replace("ice-pwd", "x").encode()))
    assert [one.ice for one in plain.streams] == [None, None], "it was connected to a system without"
    assert plain.streams[0].port == 45000
    back = read(await media.answer(OFFER.encode()))
    assert back.streams[0].ice is not None
    assert back.streams[0].ice.ufrag == "ours2"


async def test_our_offers_hold_and_move(session: FakeSession) -> None:
    media = CallMedia(session, "c1", encrypt=False)
    await media.answer(OFFER.encode())
    assert media.pause(True)
    held = read(await media.offer())
    assert [one.direction for one in held.streams] == [Direction.SENDONLY] * 2
    assert {one.ice.ufrag for one in held.streams if one.ice} == {"ours0"}
    await media.answered(OFFER.replace("m=video", "a=recvonly\nm=video").encode() + b"a=recvonly\n")
    assert session.remote is not None
    assert session.remote.streams[0].ice is not None

    moved = read(await media.offer(new_ports=True))
    assert asked(session)[-1] == ((2, 1), "1", True)
    assert {one.ice.ufrag for one in moved.streams if one.ice} == {"ours1"}
    answer = OFFER.replace("ufrag:abcd", "ufrag:wxyz").encode()
    await media.answered(answer)
    assert session.remote.streams[0].ice == msgspec.structs.replace(
        read(answer).streams[0].ice,  # type: ignore[type-var] - it is there
        ufrag="wxyz",
    )
    await media.answer(answer)
    assert asked(session)[-1] == ((2, 1), "1", False), "that was no restart of the far end's"


@pytest.mark.parametrize("ice", [True, False])
async def test_keys_of_ours_stay_as_long_as_the_call(session: FakeSession, ice: bool) -> None:
    """Some systems take no others within a call, and offer again as soon as ICE has found its way (RFC 8839 4.4.1)."""
    key = base64.b64encode(bytes(44)).decode()
    secured = OFFER.replace("RTP/AVP", "RTP/SAVP").replace("a=rtcp-mux\n", "")
    secured = secured.replace("a=candidate:1 1", f"a=crypto:7 AEAD_AES_256_GCM inline:{key}\na=candidate:1 1")
    offer = (secured if ice else secured.replace("ice-pwd", "x")).encode()
    media = CallMedia(session, "c1", encrypt=True)
    first = [one.crypto for one in read(await media.answer(offer)).streams]
    assert [one.crypto for one in read(await media.answer(offer)).streams] == first
    assert media.pause(True)
    assert [one.crypto for one in read(await media.offer()).streams] == first
    await media.answered(offer)
    assert [one.crypto for one in read(await media.offer(new_ports=True)).streams] == first, "media is elsewhere"


async def test_every_stream_keeps_its_way_whatever_it_carries(session: FakeSession) -> None:
    """What moves cameras is a stream of RTP among the others; the floor of slides is none."""
    media = CallMedia(session, "c1", encrypt=False)
    answered = read(await media.answer((OFFER + CAMERAS + SLIDES).encode()))
    assert media.pause(True)
    again = read(await media.offer())
    assert asked(session) == [((2, 1, 1, 1), "0", False)] * 2
    assert [one.port for one in answered.streams] == [41007, 41017, 41027, 41037]
    assert [one.port for one in again.streams if not one.refused] == [41007, 41017, 41027, 41037]


async def test_ice_is_asked_for_what_is_left_where_a_service_takes_less(session: FakeSession) -> None:
    """A call that was moved to a service without slides while it offered them."""
    real = session.reserve_rtp

    async def narrowed(*asked: object, **named: object) -> tuple[str, tuple[int, ...]]:
        session.service = msgspec.structs.replace(session.service, call_type="video-only")
        return await real(*asked, **named)  # type: ignore[arg-type] - as they came

    session.reserve_rtp = narrowed  # type: ignore[method-assign]
    answered = read(await CallMedia(session, "c1", encrypt=False).answer((OFFER + SLIDES + CAMERAS).encode()))
    assert [one.ice is not None for one in answered.streams] == [True, True, False, True]
