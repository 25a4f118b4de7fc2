"""The parsers: whole, in pieces, with trailing bytes, under fuzzing."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rostra.sip.errors import RemoteError
from rostra.sip.framing import StreamFramer
from rostra.sip.headers import Headers, parse_parameters, quote, split_list, unquote
from rostra.sip.info import digits, wants_keyframe
from rostra.sip.limits import MAX_HEADER_LINES, MAX_MESSAGE
from rostra.sip.message import Request, parse_message, parse_via
from rostra.sip.uri import parse_name_addr, parse_uri
from tests.fuzzing import fuzzed
from tests.sip.test_calls import request
from tests.sip.torture.table import VECTORS

BODY = b"v=0\r\n\r\nbinary \x00\xff"
WHOLE = request("INVITE", body=BODY)


def test_whole_and_with_trailing_bytes() -> None:
    message = parse_message(WHOLE)
    assert isinstance(message, Request)
    assert (message.method, message.uri, message.body) == ("INVITE", "sip:bob@192.0.2.2", BODY)
    assert parse_message(WHOLE + b"more").body == BODY
    assert parse_message(message.encode()).body == BODY


@fuzzed(4_000)
@given(st.lists(st.integers(1, 400), max_size=30))
@example([len(WHOLE) + 2])
@example([len(WHOLE) + 1, 2])
@example([len(WHOLE) + 2, 1])
def test_a_stream_cut_anywhere_gives_the_same_messages(cuts: list[int]) -> None:
    stream = WHOLE + b"\r\n\r\n" + WHOLE + b"\r\n" + request("OPTIONS")
    framer = StreamFramer()
    found: list[bytes] = []
    for cut in [*cuts, len(stream)]:
        found.extend(framer.feed(stream[:cut]))
        stream = stream[cut:]
    assert found == [WHOLE, b"", WHOLE, request("OPTIONS")]
    assert framer.pending == 0


def test_a_stream_byte_by_byte() -> None:
    framer = StreamFramer()
    found = [message for byte in WHOLE * 2 for message in framer.feed(bytes([byte]))]
    assert found == [WHOLE, WHOLE]


@st.composite
def _spoilt_stream(draw: st.DrawFn) -> bytes:
    data = bytearray(
        b"\r\n\r\n".join(draw(st.lists(st.sampled_from([WHOLE, request("OPTIONS")]), min_size=1, max_size=3)))
    )
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data) - 1))
        pieces = st.sampled_from([b"\r\n", b"\r", b"\n", b"\0", b"l: 3\r\n", b"Content-Length: 99999", b" ", b":"])
        data[at : at + draw(st.integers(0, 5))] = draw(pieces | st.binary(max_size=4))
    return bytes(data)


def _framed(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    """The messages, without keep-alives, and whether the stream could be followed to its end."""
    framer, found = StreamFramer(), list[bytes]()
    try:
        for piece in pieces:
            found.extend(one for one in framer.feed(piece) if one)
            assert framer.pending <= MAX_MESSAGE
    except RemoteError:
        return found, False
    return found, True


@fuzzed(10_000)
@given(_spoilt_stream(), st.integers(1, 200))
def test_a_spoilt_stream_is_the_same_in_any_pieces(stream: bytes, size: int) -> None:
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert _framed(pieces) == _framed([stream])


class Looked(bytearray):
    """Counts the bytes among which something was looked for."""

    count = 0

    def find(self, what: bytes, start: int = 0) -> int:  # type: ignore[override]
        found = super().find(what, start)
        self.count += (found if found >= 0 else len(self)) - start
        return found

    def search(self, buffer: bytearray, start: int = 0) -> None:
        self.count += len(buffer) - start


HEAD = b"INVITE sip:a@b SIP/2.0\r\n"


@pytest.mark.parametrize(
    "data",
    [b"I" * 20_000, HEAD + b"X: " + b"y" * 20_000, HEAD + b"X: y\r\n" * 3000, HEAD + b"l: 9999\r\n\r\n" + b"x" * 9000],
    ids=["a first line", "a line", "lines", "a body"],
)
def test_a_stream_in_small_pieces_is_looked_through_once(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    framer = StreamFramer()
    looked = framer._buffer = Looked()
    monkeypatch.setattr("rostra.sip.framing._CONTROL", looked)
    for at in range(len(data)):
        assert list(framer.feed(data[at : at + 1])) == []
    assert looked.count <= 5 * len(data)


@fuzzed(20_000, usual=300)
@given(st.sampled_from(VECTORS), st.integers(0, 2000), st.integers(0, 10), st.binary(max_size=10))
def test_only_remote_errors_leave_the_parser(vector: object, at: int, cut: int, put: bytes) -> None:
    data: bytes = vector.data  # type: ignore[attr-defined]
    with contextlib.suppress(RemoteError):
        parse_message(data[:at] + put + data[at + cut :])


@fuzzed(15_000, usual=300)
@given(st.text(max_size=60))
def test_only_remote_errors_leave_the_field_parsers(text: str) -> None:
    for parser in (parse_uri, parse_name_addr, parse_via, parse_parameters, split_list):
        with contextlib.suppress(RemoteError):
            parser(text)


@fuzzed(5_000)
@given(st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=30))
def test_quoting_round_trips(text: str) -> None:
    assert unquote(quote(text)) == text
    assert parse_name_addr(f"{quote(text)} <sip:a@b>").display_name == text


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:192.0.2.1", "", "192.0.2.1", None),
        ("sips:alice:secret@example.com:5061;transport=tcp", "alice", "example.com", 5061),
        ("sip:a;x=y?z@[2001:db8::1]:5070;lr", "a;x=y?z", "2001:db8::1", 5070),
        ("SIP:%61%20b@Example.COM?subject=x", "%61%20b", "example.com", None),
    ],
)
def test_uris(text: str, user: str, host: str, port: int | None) -> None:
    uri = parse_uri(text)
    assert (uri.user, uri.bare_host, uri.port) == (user, host, port)
    assert parse_uri(str(uri)) == uri


@pytest.mark.parametrize(
    "text",
    ["", "sip:", "sip:@host", "sip:a b@host", "sip:a@host:0", "sip:a@host:99999", "sip:a@-", "nothing", "sip:<a>@b"],
)
def test_unusable_uris(text: str) -> None:
    with pytest.raises(RemoteError):
        parse_uri(text)


def test_parameters_outside_brackets_belong_to_the_header() -> None:
    assert parse_name_addr("sip:a@b;tag=1").tag == "1"
    assert parse_name_addr("<sip:a@b;tag=1>").tag == ""
    assert parse_name_addr('"a <b>, c" <sip:a@b>;tag=2').tag == "2"


def test_lists_are_split_outside_quotes_and_brackets() -> None:
    assert split_list('"a, b" <sip:x,y@z>;q=1, <sip:b@c>') == ['"a, b" <sip:x,y@z>;q=1', "<sip:b@c>"]
    with pytest.raises(RemoteError):
        split_list("a,,b")


def test_compact_forms_and_replacing_in_place() -> None:
    headers = Headers([("v", "1"), ("V", "2"), ("i", "x"), ("CSEQ", "1 A")])
    assert (headers.all("Via"), headers.get("Call-ID"), headers.get("CSeq")) == (["1", "2"], "x", "1 A")
    headers.replace("via", ["3"])
    assert list(headers) == [("Via", "3"), ("Call-ID", "x"), ("CSeq", "1 A")]


@pytest.mark.parametrize(
    "data",
    [
        request("INVITE", extra="X: " + "y" * MAX_MESSAGE + "\r\n"),
        request("INVITE", extra="X: y\r\n" * MAX_HEADER_LINES),
        request("INVITE", extra="X: " + "y" * 40_000 + "\r\n"),
    ],
)
def test_too_large_is_513(data: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        parse_message(data)
    assert caught.value.status == 513


@pytest.mark.parametrize(
    ("content_type", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Duration=160\nsignal = #\n", "#"),
        ("application/dtmf-relay", b"Signal=11", "#"),
        ("application/dtmf", b"*", "*"),
        ("application/dtmf", b"nonsense", ""),
        ("text/plain", b"5", ""),
        ("application/dtmf-relay", b"\xff\xfe", ""),
    ],
)
def test_digits_in_info(content_type: str, body: bytes, digit: str) -> None:
    assert digits(content_type, body) == digit


def test_a_keyframe_request_in_info() -> None:
    assert wants_keyframe("application/media_control+xml", b"<media_control><picture_fast_update/></media_control>")
    assert not wants_keyframe("application/media_control+xml", b"<media_control/>")
