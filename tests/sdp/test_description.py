"""Descriptions to and from the neutral form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.media import (
    CodecParameters,
    Content,
    CryptoAttribute,
    Direction,
    MediaDescription,
    MediaKind,
    MediaStream,
)
from rostra.sdp.errors import SdpError
from rostra.sdp.reading import parse_parameters, read
from rostra.sdp.session import parse
from rostra.sdp.writing import format_parameters, write
from tests.fuzzing import fuzzed
from tests.sdp.offers import BARESIP, ROOM_SYSTEM, SOFT_PHONE

HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\n"


def test_a_soft_endpoints_offer() -> None:
    audio, video = read(BARESIP).streams
    assert [codec.name for codec in audio.codecs] == ["OPUS", "G722", "PCMU", "PCMA", "TELEPHONE-EVENT"]
    assert audio.codecs[0].channels == 2
    assert audio.codecs[0].parameters == {"stereo": "1", "sprop-stereo": "1"}
    assert audio.codecs[4].parameters == {"": "0-15"}
    assert (audio.rtcp_port, audio.bandwidth, audio.ptime, audio.label) == (0, 128_000, 20, "1")
    assert video.codecs[1].parameters == {"packetization-mode": "1", "profile-level-id": "42001f"}
    assert all(codec.feedback == ("nack pli",) for codec in video.codecs)


def test_a_room_systems_offer() -> None:
    description = read(ROOM_SYSTEM)
    assert description.bandwidth == 1_920_000
    audio, video, floor, slides, camera = description.streams
    assert [line.tag for line in audio.crypto] == [0, 1]
    assert video.bandwidth == 1_920_000
    assert video.codecs[1].feedback == ("nack pli", "ccm fir")
    assert (floor.kind, floor.formats, floor.codecs) == (MediaKind.APPLICATION, ("*",), ())
    assert (slides.content, slides.label) == (Content.SLIDES, "12")
    assert camera.codecs[0].name == "H224"


def test_a_soft_phones_offer_over_ipv6() -> None:
    audio, video = read(SOFT_PHONE).streams
    assert audio.address == "2001:db8::30"
    assert audio.codecs[0].feedback == ("trr-int 5000",)
    assert [codec.name for codec in audio.codecs[3:5]] == ["PCMU", "PCMA"]
    assert video.codecs[0].feedback == ("trr-int 5000", "nack pli", "ccm fir")


@pytest.mark.parametrize(
    ("lines", "directions"),
    [
        ("m=audio 4 RTP/AVP 0\nm=video 6 RTP/AVP 31\na=recvonly\n", ["sendrecv", "recvonly"]),
        ("a=sendonly\nm=audio 4 RTP/AVP 0\nm=video 6 RTP/AVP 31\na=inactive\n", ["sendonly", "inactive"]),
    ],
)
def test_direction_at_session_and_media_level(lines: str, directions: list[str]) -> None:
    assert [stream.direction for stream in read(HEAD + lines).streams] == directions


@pytest.mark.parametrize(
    ("attribute", "port"),
    [("a=rtcp:5001", 5001), ("a=rtcp:4001 IN IP4 192.0.2.9", 0), ("", 0)],
)
def test_rtcp_port(attribute: str, port: int) -> None:
    assert read(f"{HEAD}m=audio 4000 RTP/AVP 0\n{attribute or 'a=x'}\n").streams[0].rtcp_port == port


@pytest.mark.parametrize(
    "lines",
    [
        "m=audio 4 RTP/AVP zero\n",
        "m=audio 4 RTP/AVP 128\n",
        "m=audio 4 RTP/AVP 96\na=rtpmap:96 opus\n",
        "m=audio 4 RTP/AVP 96\na=rtpmap:96 opus/0\n",
        "m=audio 4 RTP/AVP 0\na=rtcp:many\n",
        f"m=audio 4 RTP/AVP 0\na=rtcp:{'9' * 5000}\n",
        f"m=audio 4 RTP/AVP {'9' * 5000}\n",
    ],
)
def test_impossible_values_are_errors(lines: str) -> None:
    with pytest.raises(SdpError):
        read(HEAD + lines)


def test_a_section_in_use_needs_an_address() -> None:
    with pytest.raises(SdpError, match="c= line"):
        read("v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 4 RTP/AVP 0\n")


@pytest.mark.parametrize(
    "line",
    [
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJD|2^20|1:4",
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJD;inline:QUJD",
        "1 AES_CM_128_HMAC_SHA1_80 inline:QUJD UNENCRYPTED_SRTP",
        "one AES inline:QUJD",
        "1 AES_CM_128_HMAC_SHA1_80 uri:QUJD",
    ],
)
def test_crypto_lines_we_cannot_use_are_as_if_not_offered(line: str) -> None:
    assert read(f"{HEAD}m=audio 4 RTP/SAVP 0\na=crypto:{line}\n").streams[0].crypto == ()


def test_refused_sections_repeat_the_offers_line() -> None:
    offer = parse(HEAD + "m=text 11000 RTP/AVP 98 100\na=rtpmap:98 t140/1000\nm=audio 4 RTP/AVP 0\n")
    refused = MediaStream(kind=MediaKind.APPLICATION)
    taken = read(offer).streams[1]
    text = write(MediaDescription(streams=(refused, taken), address="192.0.2.2"), answering=offer)
    assert "m=text 0 RTP/AVP 98 100\r\nm=audio 4 RTP/AVP 0\r\n" in text


_word = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
_parameters = st.dictionaries(
    st.from_regex(r"[a-z][a-z\-]{0,10}", fullmatch=True), st.from_regex(r"[a-z0-9]{0,6}", fullmatch=True), max_size=4
)
_dynamic = st.builds(
    CodecParameters,
    name=st.sampled_from(["OPUS", "H264", "VP8", "TELEPHONE-EVENT"]),
    payload_type=st.integers(96, 127),
    clock_rate=st.sampled_from([8000, 48000, 90000]),
    channels=st.sampled_from([1, 2]),
    parameters=_parameters,
    feedback=st.lists(st.sampled_from(["nack", "nack pli", "ccm fir"]), unique=True, max_size=3).map(tuple),
)
_crypto = st.builds(
    CryptoAttribute,
    tag=st.integers(0, 999),
    suite=st.sampled_from(["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]),
    key_salt=st.from_regex(r"[A-Za-z0-9+/]{40}", fullmatch=True),
)
_stream = st.builds(
    MediaStream,
    kind=st.sampled_from([MediaKind.AUDIO, MediaKind.VIDEO]),
    content=st.sampled_from(Content),
    direction=st.sampled_from(Direction),
    address=st.sampled_from(["192.0.2.1", "2001:db8::1", "0.0.0.0"]),
    port=st.integers(1, 65533),
    rtcp_port=st.just(0),
    rtcp_mux=st.booleans(),
    profile=st.sampled_from(["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"]),
    codecs=st.lists(_dynamic, min_size=1, max_size=5, unique_by=lambda codec: codec.payload_type).map(tuple),
    crypto=st.lists(_crypto, max_size=2).map(tuple),
    bandwidth=st.none() | st.integers(0, 10**8),
    ptime=st.none() | st.integers(1, 200),
    label=st.just("") | _word,
    mid=st.just("") | _word,
)
_description = st.builds(
    MediaDescription,
    streams=st.lists(_stream, max_size=4).map(tuple),
    bandwidth=st.none() | st.integers(0, 10**8),
    address=st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    session_id=st.integers(0, 2**63),
    version=st.integers(0, 2**63),
)


@fuzzed(500)
@given(_description)
def test_what_is_written_is_read_again(description: MediaDescription) -> None:
    assert read(write(description)) == description


@fuzzed(2_000)
@given(_parameters)
def test_format_parameters_round_trip(parameters: dict[str, str]) -> None:
    assert parse_parameters(format_parameters(parameters)) == parameters
