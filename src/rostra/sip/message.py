"""SIP messages: values, parser and serialiser (RFC 3261 7, 18.3, 25.1)."""

from __future__ import annotations

import dataclasses
import functools
import re

from rostra.sip.errors import RemoteError
from rostra.sip.headers import TOKEN, Headers, parse_parameters, unsigned
from rostra.sip.limits import MAX_HEAD, MAX_HEADER_LINES, MAX_MESSAGE
from rostra.sip.remembering import remembered
from rostra.sip.uri import NameAddr, Uri, parse_name_addr, parse_uri

MAGIC_COOKIE = "z9hG4bK"
MAX_CSEQ = 2**31 - 1
MAX_EXPIRES = 2**32 - 1

_REQUEST_LINE = re.compile(r"(\S+) (\S+) SIP/([0-9]+\.[0-9]+)", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/([0-9]+\.[0-9]+) ([0-9]+) ?(.*)", re.IGNORECASE | re.DOTALL)
_HEADER = re.compile(r"([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*:(.*)", re.DOTALL)
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_\-.]+)\s*(?::\s*([0-9]{1,5})\s*)?(;.*)?",
    re.IGNORECASE | re.DOTALL,
)
_CSEQ = re.compile(r"\s*([0-9]+)\s+(\S+)\s*")
_ONCE = ("Call-ID", "CSeq", "From", "To", "Max-Forwards", "Content-Length", "Content-Type")


@dataclasses.dataclass(frozen=True, slots=True)
class Via:
    """One Via value."""

    transport: str
    host: str
    port: int | None
    parameters: tuple[tuple[str, str], ...] = ()

    def parameter(self, name: str) -> str | None:
        return dict(self.parameters).get(name)

    @property
    def branch(self) -> str:
        return self.parameter("branch") or ""

    @property
    def sent_by(self) -> str:
        return f"{self.host.lower()}:{self.port}" if self.port is not None else self.host.lower()

    def replaced(self, **parameters: str) -> Via:
        """With parameters set."""
        return dataclasses.replace(self, parameters=tuple({**dict(self.parameters), **parameters}.items()))

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        rest = "".join(f";{name}={value}" if value else f";{name}" for name, value in self.parameters)
        return f"SIP/2.0/{self.transport} {self.host}{port}{rest}"


@remembered
def parse_via(text: str) -> Via:
    """Read one Via value. Raises RemoteError."""
    match = _VIA.fullmatch(text.strip())
    if match is None or (match[3] is not None and not 0 < int(match[3]) < 65536):
        raise RemoteError(f"unusable Via {text[:60]!r}")
    parameters = parse_parameters(match[4] or "")
    return Via(match[1].upper(), match[2], int(match[3]) if match[3] else None, tuple(parameters.items()))


@dataclasses.dataclass(slots=True, eq=False)
class Message:
    """What requests and responses have in common."""

    headers: Headers
    body: bytes = b""

    @property
    def via(self) -> Via:
        """The topmost Via. Raises RemoteError."""
        items = self.headers.items("Via")
        if not items:
            raise RemoteError("Via is missing")
        return parse_via(items[0])

    @property
    def call_id(self) -> str:
        return (self.headers.get("Call-ID") or "").strip()

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method. Raises RemoteError."""
        match = _CSEQ.fullmatch(self.headers.get("CSeq") or "")
        if match is None:
            raise RemoteError("unusable CSeq")
        return unsigned(match[1], MAX_CSEQ, "CSeq"), match[2]

    @property
    def from_(self) -> NameAddr:
        return parse_name_addr(self.headers.get("From") or "")

    @property
    def to(self) -> NameAddr:
        return parse_name_addr(self.headers.get("To") or "")

    @property
    def contact(self) -> Uri | None:
        """URI of the first Contact; None without one or for `*`."""
        items = self.headers.items("Contact")
        return parse_name_addr(items[0]).uri if items and items[0] != "*" else None

    @property
    def content_type(self) -> str:
        """Media type in lower case without parameters; empty without a body."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    def check(self) -> None:
        """Everything every element relies on (8.1.1, 20). Raises RemoteError."""
        for name in _ONCE:
            if len(self.headers.all(name)) > 1:
                raise RemoteError(f"{name} more than once")
        for name in ("Call-ID", "CSeq", "From", "To", "Via"):
            if not (self.headers.get(name) or "").strip():
                raise RemoteError(f"{name} is missing")
        for value in self.headers.items("Via"):
            parse_via(value)
        _ = self.cseq, self.from_, self.to
        for name in ("Contact", "Route", "Record-Route"):
            for value in self.headers.items(name):
                if value != "*" or name != "Contact":
                    parse_name_addr(value)
        if self.headers.get("Max-Forwards") is not None:
            unsigned(self.headers.get("Max-Forwards"), 255, "Max-Forwards")
        if self.headers.get("Expires") is not None:
            unsigned(self.headers.get("Expires"), MAX_EXPIRES, "Expires")
        date = self.headers.get("Date")
        if date is not None and not date.rstrip().endswith("GMT"):
            raise RemoteError("Date is not in GMT")


@dataclasses.dataclass(slots=True, eq=False)
class Request(Message):
    """A request."""

    method: str = ""
    uri: str = ""

    @property
    def target(self) -> Uri:
        """The Request-URI. Raises RemoteError."""
        return parse_uri(self.uri)

    @property
    def hops(self) -> int:
        """How often it may still be passed on. Raises RemoteError."""
        return unsigned(self.headers.get("Max-Forwards") or "70", 255, "Max-Forwards")

    def encode(self) -> bytes:
        return _encode(f"{self.method} {self.uri} SIP/2.0", self)

    def check(self) -> None:
        super(Request, self).check()
        if not TOKEN.fullmatch(self.method):
            raise RemoteError("unusable method")
        if self.cseq[1] != self.method:
            raise RemoteError("CSeq names another method")
        if self.target.headers:
            raise RemoteError("the Request-URI has headers")


@dataclasses.dataclass(slots=True, eq=False)
class Response(Message):
    """A response."""

    status: int = 0
    reason: str = ""

    @property
    def is_final(self) -> bool:
        return self.status >= 200

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def encode(self) -> bytes:
        return _encode(f"SIP/2.0 {self.status} {self.reason}", self)


def _encode(start: str, message: Message) -> bytes:
    lines = [start, *(f"{name}: {value}" for name, value in message.headers if name != "Content-Length")]
    lines.append(f"Content-Length: {len(message.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + message.body


def parse_message(data: bytes, *, stream: bool = False) -> Request | Response:
    """Read one whole message. Raises RemoteError, with the request as far as it could be read.

    In a datagram, bytes after Content-Length are ignored and a missing Content-Length means "to the end"
    (18.3); a stream's framing has already cut exactly one message.
    """
    if len(data) > MAX_MESSAGE:
        raise RemoteError(f"longer than {MAX_MESSAGE} bytes", 513)
    head, separator, body = data.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    start, *lines = text.split("\r\n")
    if len(head) > MAX_HEAD or len(lines) > MAX_HEADER_LINES:
        raise RemoteError("too many header fields", 513, _guess(start, lines[:MAX_HEADER_LINES], keep_damaged=False))
    message = None
    try:
        headers = _headers(lines)
        message = _start(start, headers)
        if not separator:
            raise RemoteError("the headers have no end")
        message.body = _body(message.headers, body, stream)
        message.check()
    except RemoteError as problem:
        request = message if isinstance(message, Request) else _guess(start, lines, keep_damaged=True)
        raise RemoteError(problem.reason, problem.status, request) from None
    return message


def _body(headers: Headers, body: bytes, stream: bool) -> bytes:
    declared = headers.get("Content-Length")
    if declared is None:
        return b"" if stream else body
    if len(headers.all("Content-Length")) > 1:
        raise RemoteError("Content-Length more than once")
    length = unsigned(declared, MAX_MESSAGE, "Content-Length")
    if length > len(body):
        raise RemoteError("the body is shorter than Content-Length")
    return body[:length]


def _headers(lines: list[str]) -> Headers:
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t"):
            if not unfolded:
                raise RemoteError("a continuation line without a header")
            unfolded[-1] = f"{unfolded[-1].rstrip()} {line.strip()}"
        else:
            unfolded.append(line)
    fields: list[tuple[str, str]] = []
    for line in unfolded:
        match = _HEADER.fullmatch(line)
        if match is None or "\r" in line or "\n" in line:
            raise RemoteError(f"unusable header line {line[:40]!r}")
        fields.append((match[1], match[2].strip()))
    return Headers(fields)


def _start(line: str, headers: Headers) -> Request | Response:
    if line[:4].upper() == "SIP/":
        match = _STATUS_LINE.fullmatch(line)
        if match is None or len(match[2]) != 3 or not 100 <= int(match[2]) <= 699:
            raise RemoteError("unusable status line")
        if match[1] != "2.0":
            raise RemoteError("not SIP/2.0", 505)
        return Response(headers, status=int(match[2]), reason=match[3])
    match = _REQUEST_LINE.fullmatch(line)
    if match is None or "\n" in line:
        raise RemoteError("unusable request line")
    request = Request(headers, method=match[1], uri=match[2])
    if match[3] != "2.0":
        raise RemoteError("not SIP/2.0", 505, request)
    _ = request.target
    return request


def _guess(start: str, lines: list[str], *, keep_damaged: bool) -> Request | None:
    """As much of a damaged request as its reply needs; None for responses and what looks like no request at all."""
    words = start.split()
    if len(words) < 2 or words[0].upper().startswith("SIP/") or not words[-1].upper().startswith("SIP/"):
        return None
    found: list[tuple[str, str]] = []
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is not None:
            found.append((match[1], match[2].strip()))
        elif found and keep_damaged and line[:1] in (" ", "\t"):
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return Request(Headers(found), method=words[0], uri=words[1])


@functools.cache
def reason_phrase(status: int) -> str:
    """The usual words for a status code (21)."""
    return _PHRASES.get(status) or _PHRASES.get(status // 100 * 100, "Unknown")


_PHRASES = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    401: "Unauthorized",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
}
