"""Two engines and the network between them, in virtual time."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
from collections.abc import Callable

from rostra.sip.engine import Engine
from rostra.sip.events import CallReceived, Event, OfferReceived, Transmission
from rostra.sip.flow import Flow, Transport
from rostra.sip.message import Request, Response, parse_message

ALICE = ("192.0.2.1", 5060)
BOB = ("192.0.2.2", 5060)
DELAY = 0.02

OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANSWER = OFFER.replace(b"4000", b"5000")


@dataclasses.dataclass
class Side:
    """One engine with what it told its application."""

    name: str
    engine: Engine
    flow: Flow
    events: list[Event] = dataclasses.field(default_factory=list)
    on_event: Callable[[Event], None] | None = None

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def last(self, kind: type) -> Event:
        return [event for event in self.events if isinstance(event, kind)][-1]


class Network:
    """Carries datagrams (or a stream) between `alice` and `bob`, losing some."""

    def __init__(self, transport: Transport = Transport.UDP, loss: float = 0.0, seed: int = 1) -> None:
        self.now = 0.0
        self.wire: list[tuple[float, str, Request | Response]] = []
        """Everything sent: time, sender, message."""
        self.lose: Callable[[str, Request | Response], bool] = lambda sender, message: False
        self._random = random.Random(seed)
        self._loss = loss
        self._order = itertools.count()
        self._queue: list[tuple[float, int, str, bytes]] = []
        connection = 1 if transport.reliable else 0
        ports = {transport: 5060}
        self.alice = Side("alice", Engine(random.Random(seed), ports), Flow(transport, BOB, ALICE, connection))
        self.bob = Side("bob", Engine(random.Random(seed + 1), ports), Flow(transport, ALICE, BOB, connection))
        if transport.reliable:
            self.alice.engine.connected(self.alice.flow)
            self.bob.engine.connected(self.bob.flow)

    def run(self, until: float) -> None:
        """Let time pass."""
        while True:
            self._collect()
            due = [side.engine.next_timer() for side in (self.alice, self.bob)]
            times = [time for time in due if time is not None] + [entry[0] for entry in self._queue[:1]]
            if not times or min(times) > until:
                self.now = until
                return
            self.now = max(self.now, min(times))
            while self._queue and self._queue[0][0] <= self.now:
                _, _, sender, data = heapq.heappop(self._queue)
                receiver = self.bob if sender == "alice" else self.alice
                receiver.engine.receive(data, receiver.flow, self.now)
            for side in (self.alice, self.bob):
                side.engine.handle_timer(self.now)

    def sent(self, sender: str, what: str) -> list[float]:
        """Times at which a method or status was sent."""
        return [time for time, who, message in self.wire if who == sender and describe(message) == what]

    def inject(self, to: Side, data: bytes) -> None:
        """A datagram from elsewhere on the same flow."""
        to.engine.receive(data, to.flow, self.now)
        self._collect()

    def _collect(self) -> None:
        for side in (self.alice, self.bob):
            while (item := side.engine.data_to_send()) is not None:
                if isinstance(item, Transmission):
                    self._carry(side.name, item.data)
            while (event := side.engine.next_event()) is not None:
                side.events.append(event)
                if side.on_event is not None:
                    side.on_event(event)
                    self._collect()

    def _carry(self, sender: str, data: bytes) -> None:
        message = parse_message(data)
        self.wire.append((self.now, sender, message))
        if self._random.random() < self._loss or self.lose(sender, message):
            return
        heapq.heappush(self._queue, (self.now + DELAY, next(self._order), sender, data))


def describe(message: Request | Response) -> str:
    """`INVITE`, or `200 INVITE`."""
    return message.method if isinstance(message, Request) else f"{message.status} {message.cseq[1]}"


def answering(network: Network, side: Side) -> None:
    """The application of `side` takes every call and offer."""

    def respond(event: Event) -> None:
        if isinstance(event, CallReceived | OfferReceived):
            side.engine.answer(event.call, ANSWER, network.now)

    side.on_event = respond


def refusing(network: Network, status: int) -> None:
    """Bob's application refuses every call and offer."""

    def respond(event: Event) -> None:
        if isinstance(event, CallReceived | OfferReceived):
            network.bob.engine.refuse(event.call, status, network.now)

    network.bob.on_event = respond


def dial(network: Network) -> str:
    """Alice calls bob; returns the name of her call."""
    return network.alice.engine.invite(
        "sip:bob@192.0.2.2", "sip:alice@192.0.2.1", network.alice.flow, OFFER, network.now
    )


def established(transport: Transport = Transport.UDP) -> tuple[Network, str, str]:
    """A network with a call in it: names of alice's and bob's sides of it."""
    network = Network(transport)
    answering(network, network.bob)
    call = dial(network)
    network.run(1.0)
    return network, call, network.bob.last(CallReceived).call
