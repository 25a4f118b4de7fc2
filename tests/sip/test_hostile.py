"""What somebody sends who means harm: nothing holds up the node, is left behind, or gets into messages of ours."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from rostra.sdp.reading import parse_parameters, read
from rostra.sip import digest
from rostra.sip.errors import RemoteError
from rostra.sip.info import digits
from rostra.sip.replacing import parse_replaces
from rostra.sip.uri import parse_uri

LONG = 30_000
_NUMBERS = range(128)
_FEEDBACK = "".join(
    [
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n",
        f"m=video 4000 RTP/AVPF {' '.join(map(str, _NUMBERS))}\r\n",
        *(f"a=rtpmap:{number} VP8/90000\r\n" for number in _NUMBERS),
        *(f"a=rtcp-fb:* {number}\r\n" for number in range(1850)),
    ]
)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda: parse_parameters("a" + " " * LONG + "b"), id="spaces within fmtp"),
        pytest.param(lambda: read(_FEEDBACK), id="feedback of every kind for every codec"),
        pytest.param(lambda: digest.parameters("Digest " + "a" * LONG), id="credentials without any end"),
        pytest.param(lambda: digits("application/dtmf-relay", b"\n" * LONG), id="an INFO of empty lines"),
    ],
)
def test_no_text_holds_up_the_node(work: Callable[[], object]) -> None:
    began = time.thread_time()
    work()
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("bad", ["\r\nX: y", " ", '"', "<", "\0"])
def test_headers_of_an_address_end_no_line_of_ours(bad: str) -> None:
    with pytest.raises(RemoteError):
        parse_uri(f"sip:a@example.com?subject=x{bad}")


def test_tags_of_a_call_to_replace_end_no_line_of_ours() -> None:
    with pytest.raises(RemoteError):
        parse_replaces('a;to-tag="\r\nP-Asserted-Identity: <sip:b@example.com>\r\nX: ";from-tag=c')
