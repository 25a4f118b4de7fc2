"""What both roles have in common: transactions, and over UDP retransmission, answers and fragments (RFC 8855 8.3).

No sockets and no clocks: bytes come in with the time, what has to be sent goes out by `send`, and `wake` says when to
look again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from rostra.bfcp.message import (
    HEADER,
    UNRELIABLE,
    Assembly,
    Attribute,
    BadMessage,
    Code,
    Kind,
    Message,
    Primitive,
    Stream,
    encode,
    fragments,
)

T1 = 0.5
"""Seconds before the first retransmission; doubled each time."""
TRIES = 4
"""Transmissions in all."""
REMEMBERED = 16
"""Answers kept for requests that come again."""
AGAIN = 10.0
"""Seconds for which a request with the same number is the same one (T2 of RFC 8855 8.3.3): a far end that begins to
count anew later is heard."""
DATAGRAM = 1200

SUPPORTED_PRIMITIVES = tuple(Primitive)
SUPPORTED_ATTRIBUTES = tuple(Kind)
_ACKS = {
    Primitive.FLOOR_REQUEST_STATUS: Primitive.FLOOR_REQUEST_STATUS_ACK,
    Primitive.FLOOR_STATUS: Primitive.FLOOR_STATUS_ACK,
    Primitive.GOODBYE: Primitive.GOODBYE_ACK,
}
_ONLY_ANSWERS = frozenset({*_ACKS.values(), Primitive.ERROR, Primitive.HELLO_ACK, Primitive.CHAIR_ACTION_ACK})


@dataclasses.dataclass(slots=True)
class _Open:
    """A request of ours that has not been answered."""

    message: Message
    again: float
    tries: int = 1


class Association:
    """One side of the association of a call; subclasses say what requests mean.

    `version` tells the transport. Over UDP we write the version in which the far end does: those made to drafts of the
    standard write the first there too, where answers are not marked.
    """

    def __init__(self, conference: int, user: int, version: int, send: Callable[[bytes], None]) -> None:
        self.conference = conference
        self.user = user
        self.version = version
        self._reliable = version != UNRELIABLE
        self._send = send
        self._assembly = Assembly()
        self._stream = Stream()
        self._open: dict[int, _Open] = {}
        self._answered: dict[tuple[int, int], tuple[float, Message]] = {}
        self._next = 1
        self._now = 0.0
        self.lost = False
        """The far end does not answer."""

    # ---- in

    def addressed(self, data: bytes) -> bool:
        """Does the header name this conference and user? Who does not know them is not the far end."""
        return len(data) >= HEADER and data[4:8] == self.conference.to_bytes(4, "big") and (
            data[10:12] == self.user.to_bytes(2, "big")
        )  # fmt: skip

    def connected(self) -> None:
        """Over TCP, a connection begins: what was half said on the one before is void."""
        self._stream = Stream()
        self._open.clear()

    def receive(self, data: bytes, now: float) -> None:
        """A datagram, or some bytes of a connection. Over TCP raises BadMessage: the connection must end."""
        self._now = now
        if self._reliable:
            for message in self._stream.feed(data):
                self._take(message, now)
            return
        try:
            message = self._assembly.feed(data)
        except BadMessage as problem:
            if problem.header is not None and not problem.header.response:
                self._error(problem.header, problem.code)
            return
        if message is not None:
            if message.conference == self.conference:
                self.version = message.version
            self._take(message, now)

    def look(self, now: float) -> None:
        """Send again what is due."""
        self._now = now
        for transaction, waiting in list(self._open.items()):
            if waiting.again > now:
                continue
            if waiting.tries >= TRIES:
                del self._open[transaction]
                self.lost = True
                self.unanswered(waiting.message)
                continue
            waiting.again = now + T1 * 2**waiting.tries
            waiting.tries += 1
            self._transmit(waiting.message)

    @property
    def wake(self) -> float | None:
        """When to look again; None: not before something happens."""
        return min((waiting.again for waiting in self._open.values()), default=None)

    def _take(self, message: Message, now: float) -> None:
        if message.conference != self.conference:
            if not message.response and message.primitive != Primitive.ERROR:
                self._error(message, Code.NO_CONFERENCE)
            return
        waiting = self._open.get(message.transaction)
        marked = message.version == UNRELIABLE
        if waiting is not None and (message.response or not marked) and _answers(message, waiting):
            del self._open[message.transaction]
            self.lost = False
            self.answered(waiting.message, message, now)
            return
        if (marked and message.response) or message.primitive in _ONLY_ANSWERS:
            return  # of something that is over
        at, known = self._answered.get((message.primitive, message.transaction), (0.0, None))
        if known is not None and not self._reliable and message.transaction and now - at < AGAIN:
            self._transmit(known)  # our answer was lost
            return
        self.requested(message, now)

    # ---- out

    def ask(self, primitive: Primitive, *attributes: Attribute, now: float) -> None:
        """A request of ours; over UDP it is sent until it is answered."""
        if self._reliable and primitive in _ACKS:
            transaction = 0  # over TCP what a server says by itself is no transaction (RFC 8855 8.2)
        else:
            transaction, self._next = self._next, self._next % 0xFFFE + 1
        message = Message(primitive, self.conference, transaction, self.user, attributes, self.version)
        if not self._reliable or primitive not in _ACKS:
            self._open[transaction] = _Open(message, float("inf") if self._reliable else now + T1)
        self._transmit(message)

    def answer(self, request: Message, primitive: Primitive, *attributes: Attribute) -> None:
        """Answer a request of the far end."""
        message = Message(
            primitive, self.conference, request.transaction, request.user, attributes, self.version, response=True
        )
        self._answered.pop((request.primitive, request.transaction), None)
        self._answered[request.primitive, request.transaction] = self._now, message
        while len(self._answered) > REMEMBERED:
            del self._answered[next(iter(self._answered))]
        self._transmit(message)

    def acknowledge(self, request: Message) -> None:
        """Over UDP, what the far end says by itself is answered."""
        if not self._reliable:
            self.answer(request, _ACKS[Primitive(request.primitive)])

    def _error(self, request: Message, code: Code, detail: bytes = b"") -> None:
        attribute = Attribute(Kind.ERROR_CODE, code, content=detail)
        self._transmit(
            Message(
                Primitive.ERROR, request.conference, request.transaction, request.user, (attribute,), self.version,
                response=True,
            )
        )  # fmt: skip

    def refuse(self, request: Message, code: Code) -> None:
        detail = b""
        if code is Code.UNKNOWN_ATTRIBUTE:
            unknown = [one.kind for one in request.attributes if one.mandatory and one.kind not in tuple(Kind)]
            detail = bytes(kind << 1 for kind in unknown)
        self._error(request, code, detail)

    def _transmit(self, message: Message) -> None:
        if self._reliable:
            self._send(encode(message))
            return
        for datagram in fragments(message, DATAGRAM):
            self._send(datagram)

    def hello(self, request: Message) -> None:
        """HelloAck: what we can do."""
        self.answer(
            request, Primitive.HELLO_ACK,
            Attribute(Kind.SUPPORTED_PRIMITIVES, content=bytes(SUPPORTED_PRIMITIVES)),
            Attribute(Kind.SUPPORTED_ATTRIBUTES, content=bytes(kind << 1 for kind in SUPPORTED_ATTRIBUTES)),
        )  # fmt: skip

    # ---- what subclasses do

    def requested(self, message: Message, now: float) -> None:
        """Something the far end asks or says."""
        raise NotImplementedError

    def answered(self, request: Message, response: Message, now: float) -> None:
        """The answer to something of ours."""

    def unanswered(self, request: Message) -> None:
        """No answer came."""


def _answers(message: Message, waiting: _Open) -> bool:
    """Over TCP only the kind of message tells an answer from a request with the same number."""
    asked = waiting.message.primitive
    fitting = {
        Primitive.FLOOR_REQUEST: {Primitive.FLOOR_REQUEST_STATUS},
        Primitive.FLOOR_RELEASE: {Primitive.FLOOR_REQUEST_STATUS},
        Primitive.FLOOR_QUERY: {Primitive.FLOOR_STATUS},
        Primitive.HELLO: {Primitive.HELLO_ACK},
    }.get(Primitive(asked), {_ACKS.get(Primitive(asked))})
    return message.primitive == Primitive.ERROR or message.primitive in fitting


def request_information(request: int, status: int, floor: int, beneficiary: int, *, queue: int = 0) -> Attribute:
    """FLOOR-REQUEST-INFORMATION: which request, what became of it, for which floor, for whom (RFC 8855 5.2.15)."""
    overall = Attribute(Kind.OVERALL_REQUEST_STATUS, request, parts=(Attribute(Kind.REQUEST_STATUS, status, queue),))
    parts = [overall, Attribute(Kind.FLOOR_REQUEST_STATUS, floor)]
    if beneficiary:
        parts.append(Attribute(Kind.BENEFICIARY_INFORMATION, beneficiary))
    return Attribute(Kind.FLOOR_REQUEST_INFORMATION, request, parts=tuple(parts))


def status_of(message: Message) -> tuple[int, int, int] | None:
    """Of a message with request information: number of the request, its status, and for whom it is."""
    found = message.first(Kind.FLOOR_REQUEST_INFORMATION)
    if found is None:
        return None
    beneficiary = next((p.number for p in found.parts if p.kind == Kind.BENEFICIARY_INFORMATION), 0)
    for part in found.parts:
        if part.kind == Kind.OVERALL_REQUEST_STATUS:
            for inner in part.parts:
                if inner.kind == Kind.REQUEST_STATUS:
                    return found.number, inner.number, beneficiary
    return None
