"""Messages of the Binary Floor Control Protocol: bytes to values and back (RFC 8855 5)."""

from __future__ import annotations

import dataclasses
import enum
import struct
from collections.abc import Iterator

RELIABLE, UNRELIABLE = 1, 2
"""Versions: over TCP, and over UDP with answers to everything, retransmission and fragments."""
HEADER = 12
FRAGMENT_HEADER = 4
LONGEST = 16 * 1024
"""Bytes of a message; real ones have less than 200."""
MOST_ATTRIBUTES = 64
DEEPEST = 4
"""Levels of attributes in attributes: the protocol has three."""


class Primitive(enum.IntEnum):
    FLOOR_REQUEST = 1
    FLOOR_RELEASE = 2
    FLOOR_REQUEST_QUERY = 3
    FLOOR_REQUEST_STATUS = 4
    USER_QUERY = 5
    USER_STATUS = 6
    FLOOR_QUERY = 7
    FLOOR_STATUS = 8
    CHAIR_ACTION = 9
    CHAIR_ACTION_ACK = 10
    HELLO = 11
    HELLO_ACK = 12
    ERROR = 13
    FLOOR_REQUEST_STATUS_ACK = 14
    FLOOR_STATUS_ACK = 15
    GOODBYE = 16
    GOODBYE_ACK = 17


class Kind(enum.IntEnum):
    """Attributes."""

    BENEFICIARY_ID = 1
    FLOOR_ID = 2
    FLOOR_REQUEST_ID = 3
    PRIORITY = 4
    REQUEST_STATUS = 5
    ERROR_CODE = 6
    ERROR_INFO = 7
    PARTICIPANT_PROVIDED_INFO = 8
    STATUS_INFO = 9
    SUPPORTED_ATTRIBUTES = 10
    SUPPORTED_PRIMITIVES = 11
    USER_DISPLAY_NAME = 12
    USER_URI = 13
    BENEFICIARY_INFORMATION = 14
    FLOOR_REQUEST_INFORMATION = 15
    REQUESTED_BY_INFORMATION = 16
    FLOOR_REQUEST_STATUS = 17
    OVERALL_REQUEST_STATUS = 18


_NUMBERS = frozenset({Kind.BENEFICIARY_ID, Kind.FLOOR_ID, Kind.FLOOR_REQUEST_ID, Kind.PRIORITY})
_GROUPS = frozenset(
    {
        Kind.BENEFICIARY_INFORMATION,
        Kind.FLOOR_REQUEST_INFORMATION,
        Kind.REQUESTED_BY_INFORMATION,
        Kind.FLOOR_REQUEST_STATUS,
        Kind.OVERALL_REQUEST_STATUS,
    }
)


class Status(enum.IntEnum):
    """Of a floor request."""

    PENDING = 1
    ACCEPTED = 2
    GRANTED = 3
    DENIED = 4
    CANCELLED = 5
    RELEASED = 6
    REVOKED = 7


class Code(enum.IntEnum):
    """Of an Error."""

    NO_CONFERENCE = 1
    NO_USER = 2
    UNKNOWN_PRIMITIVE = 3
    UNKNOWN_ATTRIBUTE = 4
    UNAUTHORIZED = 5
    NO_FLOOR = 6
    NO_REQUEST = 7
    TOO_MANY_REQUESTS = 8
    USE_TLS = 9
    UNPARSABLE = 10
    USE_DTLS = 11
    UNSUPPORTED_VERSION = 12
    INCORRECT_LENGTH = 13
    GENERIC = 14


class BadMessage(Exception):
    """Bytes that are no message; `code` is what the sender can be told, with the header where that was readable."""

    def __init__(self, reason: str, code: Code = Code.UNPARSABLE, header: Message | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.header = header


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; which members count depends on its kind."""

    kind: int
    number: int = 0
    """Of those that are a number, that head a group, or of a status with its place in the queue (`extra`)."""
    extra: int = 0
    content: bytes = b""
    parts: tuple[Attribute, ...] = ()
    mandatory: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    primitive: int
    conference: int
    transaction: int
    user: int
    attributes: tuple[Attribute, ...] = ()
    version: int = RELIABLE
    response: bool = False
    """It answers (in UNRELIABLE only is that said)."""

    def first(self, kind: Kind) -> Attribute | None:
        return next((one for one in self.attributes if one.kind == kind), None)

    def number(self, kind: Kind) -> int | None:
        found = self.first(kind)
        return found.number if found else None


# ---- writing ----------------------------------------------------------------------------------------------


def encode(message: Message) -> bytes:
    body = b"".join(_encode(one) for one in message.attributes)
    return _header(message, len(body) // 4) + body


def fragments(message: Message, size: int) -> list[bytes]:
    """The datagrams of a message, none with more than `size` bytes (RFC 8855 6.2.3)."""
    whole = encode(message)
    if len(whole) <= size or message.version != UNRELIABLE:
        return [whole]
    body, room = whole[HEADER:], (size - HEADER - FRAGMENT_HEADER) // 4 * 4
    found: list[bytes] = []
    for at in range(0, len(body), room):
        piece = body[at : at + room]
        head = bytearray(_header(message, len(body) // 4))
        head[0] |= 0x08
        found.append(bytes(head) + struct.pack("!HH", at // 4, len(piece) // 4) + piece)
    return found


def _header(message: Message, length: int) -> bytes:
    first = message.version << 5 | (0x10 if message.response and message.version == UNRELIABLE else 0)
    return struct.pack(
        "!BBHIHH", first, message.primitive, length, message.conference, message.transaction, message.user
    )


def _encode(attribute: Attribute) -> bytes:
    match attribute.kind:
        case Kind.REQUEST_STATUS:
            content = bytes((attribute.number, attribute.extra))
        case Kind.PRIORITY:
            content = bytes((attribute.number << 5, 0))
        case Kind.ERROR_CODE:
            content = bytes((attribute.number,)) + attribute.content
        case kind if kind in _NUMBERS:
            content = attribute.number.to_bytes(2, "big")
        case kind if kind in _GROUPS:
            content = attribute.number.to_bytes(2, "big") + b"".join(_encode(one) for one in attribute.parts)
        case _:
            content = attribute.content
    length = 2 + len(content)
    return bytes((attribute.kind << 1 | attribute.mandatory, length)) + content + bytes(-length % 4)


# ---- reading ----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a message: where it belongs, in bytes of the body."""

    header: Message
    total: int
    at: int
    piece: bytes


def decode(data: bytes) -> Message | Fragment:
    """A message, or a part of one. Raises BadMessage."""
    if len(data) < HEADER:
        raise BadMessage("shorter than a header")
    first, primitive, words, conference, transaction, user = struct.unpack_from("!BBHIHH", data)
    version = first >> 5
    response = version == UNRELIABLE and bool(first & 0x10)
    header = Message(primitive, conference, transaction, user, (), version, response)
    if version not in (RELIABLE, UNRELIABLE):
        raise BadMessage(f"version {version}", Code.UNSUPPORTED_VERSION, header)
    if words * 4 > LONGEST:
        raise BadMessage("too long", Code.INCORRECT_LENGTH, header)
    if first & 0x08 and version == UNRELIABLE:
        return _fragment(data, header, words * 4)
    body = data[HEADER : HEADER + words * 4]
    if len(body) != words * 4:
        raise BadMessage("shorter than it says", Code.INCORRECT_LENGTH, header)
    return complete(header, body)


def _fragment(data: bytes, header: Message, total: int) -> Fragment:
    if len(data) < HEADER + FRAGMENT_HEADER:
        raise BadMessage("shorter than the header of a fragment", Code.INCORRECT_LENGTH, header)
    at, length = (4 * words for words in struct.unpack_from("!HH", data, HEADER))
    piece = data[HEADER + FRAGMENT_HEADER : HEADER + FRAGMENT_HEADER + length]
    if len(piece) != length or at + length > total or not length:
        raise BadMessage("a fragment that does not fit", Code.INCORRECT_LENGTH, header)
    return Fragment(header, total, at, piece)


def complete(header: Message, body: bytes) -> Message:
    """The message of a header and all of its body. Raises BadMessage."""
    try:
        attributes = tuple(_attributes(body, 0))
    except ValueError as problem:
        raise BadMessage(str(problem), header=header) from None
    return dataclasses.replace(header, attributes=attributes)


def _attributes(body: bytes, depth: int) -> Iterator[Attribute]:
    at = count = 0
    while at < len(body):
        count += 1
        if at + 2 > len(body) or count > MOST_ATTRIBUTES:
            raise ValueError("attributes beyond the end")
        kind, length = body[at] >> 1, body[at + 1]
        if length < 2 or at + length > len(body):
            raise ValueError(f"an attribute of {length} bytes")
        yield _attribute(kind, bool(body[at] & 1), body[at + 2 : at + length], depth)
        at += length + -length % 4


def _attribute(kind: int, mandatory: bool, content: bytes, depth: int) -> Attribute:
    if (kind in _NUMBERS or kind in _GROUPS or kind == Kind.REQUEST_STATUS) and len(content) < 2:
        raise ValueError(f"attribute {kind} without a number")
    if kind == Kind.REQUEST_STATUS:
        return Attribute(kind, content[0], content[1], mandatory=mandatory)
    if kind == Kind.PRIORITY:
        return Attribute(kind, content[0] >> 5, mandatory=mandatory)
    if kind == Kind.ERROR_CODE:
        if not content:
            raise ValueError("an error without a code")
        return Attribute(kind, content[0], content=content[1:], mandatory=mandatory)
    if kind in _NUMBERS:
        return Attribute(kind, int.from_bytes(content[:2], "big"), mandatory=mandatory)
    if kind in _GROUPS:
        if depth >= DEEPEST:
            raise ValueError("attributes too deep in each other")
        # parts of a group begin after its number, and are padded as the outermost ones are
        parts = tuple(_attributes(content[2:], depth + 1))
        return Attribute(kind, int.from_bytes(content[:2], "big"), parts=parts, mandatory=mandatory)
    return Attribute(kind, content=content, mandatory=mandatory)


class Stream:
    """Messages out of the bytes of a TCP connection (RFC 8855 6.1)."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete by now. Raises BadMessage: the connection is of no use any more."""
        self._waiting += data
        found: list[Message] = []
        while len(self._waiting) >= HEADER:
            length = HEADER + 4 * int.from_bytes(self._waiting[2:4], "big")
            if length > HEADER + LONGEST:
                raise BadMessage("too long", Code.INCORRECT_LENGTH)
            if len(self._waiting) < length:
                break
            message = decode(self._waiting[:length])
            self._waiting = self._waiting[length:]
            if isinstance(message, Message):
                found.append(message)
        return found


class Assembly:
    """Messages out of datagrams that may be fragments; only the latest one in pieces is kept."""

    def __init__(self) -> None:
        self._of: tuple[Message, int] | None = None
        self._pieces: dict[int, bytes] = {}

    def feed(self, data: bytes) -> Message | None:
        """The message that is complete now. Raises BadMessage."""
        found = decode(data)
        if isinstance(found, Message):
            return found
        if self._of != (found.header, found.total):
            self._of, self._pieces = (found.header, found.total), {}
        self._pieces[found.at] = found.piece
        body, at = bytearray(), 0
        while at in self._pieces:
            body += self._pieces[at]
            at = len(body)
        if at < found.total:
            return None
        self._of, self._pieces = None, {}
        return complete(found.header, bytes(body[: found.total]))
