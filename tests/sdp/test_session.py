"""Session descriptions as text."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.sdp.errors import SdpError
from rostra.sdp.reading import read
from rostra.sdp.session import Attribute, Section, Session, parse, serialise
from tests.fuzzing import fuzzed

MINIMAL = b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"


def test_reads_what_endpoints_leave_out_or_disorder() -> None:
    session = parse(b"v=0\no=x 1 2 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1/127\nx=vendor\nm=audio 4000/2 rtp/avp 0 8\n\n")
    assert session.address == "192.0.2.1"
    assert session.sections == (Section("audio", 4000, "RTP/AVP", ("0", "8"), port_count=2),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"o=- 1 2 IN IP4 192.0.2.1\r\n",
        b"v=1\r\n",
        b"v=0\r\ns=-\r\n",
        b"v=0\r\nv=0\r\no=- 1 2 IN IP4 192.0.2.1\r\n",
        b"v=0\r\no=- 1 2 IN IP4\r\n",
        b"v=0\r\no=- x 2 IN IP4 192.0.2.1\r\n",
        MINIMAL + b"m=audio\r\n",
        MINIMAL + b"m=audio 99999 RTP/AVP 0\r\n",
        MINIMAL + b"m=audio -1 RTP/AVP 0\r\n",
        MINIMAL + b"c=IN IP4\r\n",
        MINIMAL + b"c=ATM NSAP 47.0091\r\n",
        MINIMAL + b"b=AS\r\n",
        MINIMAL + b"b=AS:much\r\n",
        MINIMAL + b"a=\r\n",
        MINIMAL + b"garbage\r\n",
        MINIMAL + b"a=x:\0\r\n",
        MINIMAL + b"m=audio 4000 RTP/AVP 0\r\n" * 33,
        MINIMAL + b"a=x\r\n" * 2001,
        b"v=0\r\n" + b"a=" + b"x" * 70000,
    ],
)
def test_garbage_is_an_error_that_says_what(data: bytes) -> None:
    with pytest.raises(SdpError, match=r"\w"):
        parse(data)


_token = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)
_value = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], blacklist_characters="\x85"), max_size=20
)
_attribute = st.builds(Attribute, _token, st.none() | _value)
_bandwidth = st.tuples(st.sampled_from(["AS", "TIAS", "CT"]), st.integers(0, 10**9))
_address = st.sampled_from(["192.0.2.1", "2001:db8::1", "host.example"])
_section = st.builds(
    Section,
    st.sampled_from(["audio", "video", "application", "text"]),
    st.integers(0, 65535),
    st.sampled_from(["RTP/AVP", "UDP/BFCP"]),
    st.lists(_token, min_size=1, max_size=5).map(tuple),
    port_count=st.integers(1, 4),
    address=st.just("") | _address,
    bandwidths=st.lists(_bandwidth, max_size=2).map(tuple),
    attributes=st.lists(_attribute, max_size=5).map(tuple),
)
_session = st.builds(
    Session,
    address=st.just("") | _address,
    bandwidths=st.lists(_bandwidth, max_size=2).map(tuple),
    attributes=st.lists(_attribute, max_size=5).map(tuple),
    sections=st.lists(_section, max_size=4).map(tuple),
)


@fuzzed(2_000)
@given(_session)
def test_what_is_written_is_read_again(session: Session) -> None:
    assert parse(serialise(session)) == session


@fuzzed(10_000, usual=300)
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: MINIMAL + tail))
def test_only_sdp_errors_escape(data: bytes) -> None:
    with contextlib.suppress(SdpError):
        read(data)


@fuzzed(10_000, usual=300)
@given(st.data())
def test_only_sdp_errors_escape_from_damaged_descriptions(data: st.DataObject) -> None:
    whole = (
        MINIMAL + b"c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0 96 101\r\na=rtpmap:96 opus/48000/2\r\na=rtcp:4001\r\n"
        b"a=fmtp:96 useinbandfec=1\r\na=fmtp:101 0-15\r\n"
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abcd|2^31\r\na=ptime:20\r\n"
    )
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 8)))
    with contextlib.suppress(SdpError):
        read(whole[:start] + data.draw(st.binary(max_size=6)) + whole[end:])
