"""Calls that bring ICE and DTLS get the media of browsers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rostra.calls.switchboard import CallRequest, ServiceDescription
from rostra.domain.vocabulary import CallProtocol
from rostra.media.negotiation import NegotiationError
from rostra.sdp.session import parse
from rostra.sip.connectivity import for_browsers, on_hold, wanted
from rostra.sip.media import CallMedia
from tests.sip.fakes import FakeSession

TRANSPORT = """a=ice-ufrag:abcd
a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa
a=fingerprint:sha-256 {digest}
a=setup:actpass
a=rtcp-mux
""".format(digest=":".join(["AA"] * 32))
OFFER = f"""v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0
a=group:BUNDLE 0 1
m=audio 5000 UDP/TLS/RTP/SAVPF 96
a=rtpmap:96 opus/48000/2
a=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host
{TRANSPORT}m=application 5070 UDP/BFCP *
a=floorctrl:c-only
m=video 5002 UDP/TLS/RTP/SAVPF 97
a=rtpmap:97 VP8/90000
{TRANSPORT}"""
ANSWER = f"""v=0
o=- 7 1 IN IP4 0.0.0.0
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=rtpmap:96 opus/48000/2
a=mid:0
a=candidate:1 1 TCP 1 198.51.100.7 9 typ host tcptype active
a=candidate:2 1 UDP 2 198.51.100.7 40000 typ host
a=candidate:3 1 UDP 1 203.0.113.9 41000 typ srflx raddr 198.51.100.7 rport 40000
{TRANSPORT}a=sendrecv
m=application 9 UDP/BFCP *
c=IN IP4 0.0.0.0
a=inactive
m=video 9 UDP/TLS/RTP/SAVPF 97
c=IN IP4 0.0.0.0
a=rtpmap:97 VP8/90000
{TRANSPORT}a=inactive
"""
BARESIP = Path(__file__).parents[1] / "media/offers/baresip-ice.sdp"
CHROMIUM = Path(__file__).parents[1] / "media/offers/chromium-audio-video-inactive.sdp"


@dataclasses.dataclass
class LikeABrowser(FakeSession):
    offers: list[str] = dataclasses.field(default_factory=list)

    answer: str = ANSWER

    async def open_webrtc(
        self, call: str, offer: str, *, media_type: str = "video", present: str = "", answered: bool = False
    ) -> str:
        self.log.append(("open_webrtc", call, media_type, *(("answered",) if answered else ())))
        self.offers.append(offer)
        return self.answer


@pytest.fixture
def session() -> LikeABrowser:
    request = CallRequest(alias="meet.demo", protocol=CallProtocol.SIP)
    return LikeABrowser(None, request, ServiceDescription(id=1, name="Demo", service_type="conference"))  # type: ignore[arg-type] - tells nobody


@pytest.mark.spec("REF-123")
async def test_the_answer_names_an_address_and_refuses_by_port(session: LikeABrowser) -> None:
    media = CallMedia(session, "c1", encrypt=False)
    answered = parse(await media.answer(OFFER.encode()))
    assert [(one.media, one.address, one.port) for one in answered.sections] == [
        ("audio", "203.0.113.9", 41000), ("application", "", 0), ("video", "", 0),
    ]  # fmt: skip
    assert answered.sections[0].value("ice-ufrag") == "abcd"
    assert answered.sections[0].value("mid") is None, "it was not offered"
    assert session.log == [("open_webrtc", "c1", "video")]


async def test_hold_is_what_directions_say(session: LikeABrowser) -> None:
    media = CallMedia(session, "c1", encrypt=False)
    await media.answer(OFFER.encode())
    held = OFFER.replace("a=setup", "a=sendonly\na=setup")
    await media.answer(held.encode())
    assert session.log[-1] == ("hold", True)
    assert not media.pause(True), "it holds us already"
    assert not on_hold(parse(OFFER.replace("192.0.2.1\nt=", "0.0.0.0\nt=")))


async def test_a_host_holds_a_bundled_call_by_an_offer_on_the_same_connection(session: LikeABrowser) -> None:
    media = CallMedia(session, "c1", encrypt=False)
    first = parse(await media.answer(OFFER.encode()))
    with pytest.raises(NegotiationError):
        await media.answered(OFFER.encode())
    assert media.pause(True)
    held = parse(await media.offer())
    assert held.origin == dataclasses.replace(first.origin, version=first.origin.version + 1)
    audio = held.sections[0]
    assert [one.port for one in held.sections] == [one.port for one in first.sections]
    assert (audio.value("sendonly"), audio.value("sendrecv"), audio.value("setup")) == ("", None, "actpass")
    for name in ("ice-ufrag", "ice-pwd", "fingerprint"):
        assert audio.value(name) == first.sections[0].value(name)

    await media.answered(OFFER.replace("a=setup:actpass", "a=setup:active\na=recvonly").encode())
    [followed] = parse(session.offers[-1]).sections[:1]
    assert (followed.value("setup"), followed.value("recvonly")) == ("actpass", "")
    assert media.pause(False)
    resumed = parse(await media.offer()).sections[0]
    assert (resumed.value("sendonly"), resumed.value("sendrecv")) == (None, "")
    with pytest.raises(NegotiationError):
        await media.answered(OFFER.replace("a=group:BUNDLE 0 1\n", "").encode())


async def test_a_lost_media_node_restarts_a_bundled_call(session: LikeABrowser) -> None:
    """The offer is of the connection of another worker, which knows nothing of the far end but what it will answer."""
    media = CallMedia(session, "c1", encrypt=False)
    first = parse(await media.answer(OFFER.encode()))
    session.answer = ANSWER.replace("ufrag:abcd", "ufrag:anew").replace("setup:actpass", "setup:active")
    restarted = parse(await media.offer(new_ports=True))
    assert "candidate" not in session.offers[-1]
    assert session.log[-1] == ("open_webrtc", "c1", "video")
    assert restarted.origin == dataclasses.replace(first.origin, version=first.origin.version + 1)
    audio = restarted.sections[0]
    assert (audio.value("ice-ufrag"), audio.value("setup"), audio.value("sendrecv")) == ("anew", "active", "")
    assert audio.values("candidate")
    assert (audio.address, audio.port) == ("203.0.113.9", 41000)

    answer = OFFER.replace("ufrag:abcd", "ufrag:wxyz").replace("a=setup:actpass", "a=setup:passive")
    await media.answered(answer.encode())
    assert session.log[-1] == ("open_webrtc", "c1", "video", "answered")
    followed = parse(session.offers[-1]).sections[0]
    assert (followed.value("ice-ufrag"), followed.value("setup")) == ("wxyz", "actpass")
    assert followed.values("candidate")


@pytest.mark.parametrize(
    "offer",
    [
        OFFER.replace("a=rtcp-mux\n", "", 1),
        OFFER.replace("a=ice-pwd", "a=x", 1),
        OFFER.replace("UDP/TLS/RTP/SAVPF 97", "RTP/AVP 97"),
        OFFER.replace("m=audio 5000", "m=audio 0").replace("m=video 5002", "m=video 0"),
    ],
    ids=["two-ports", "no-ice", "one-plain", "nothing"],
)
def test_only_what_is_whole_is_taken_so(offer: str) -> None:
    assert not wanted(parse(offer))


def test_browsers_are() -> None:
    assert wanted(parse(CHROMIUM.read_bytes()))


def test_what_is_stated_once_is_stated_for_each() -> None:
    """baresip 1.0 states credentials, fingerprint and role for the session."""
    offer = parse(BARESIP.read_bytes())
    assert not wanted(offer), "it does not bundle: its keys are agreed on ordinary ports"
    for section in for_browsers(offer).sections:
        for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup"):
            assert section.value(name) == next(iter(offer.values(name)))
