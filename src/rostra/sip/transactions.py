"""Transactions: runs the tables over messages and timers (RFC 3261 17)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Protocol

from rostra.sip.errors import LocalError
from rostra.sip.flow import Flow, Transport
from rostra.sip.headers import Headers
from rostra.sip.limits import KEPT_FREE, MAX_REMAINS, MAX_TRANSACTIONS
from rostra.sip.message import MAGIC_COOKIE, Request, Response
from rostra.sip.replying import elsewhere
from rostra.sip.tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    LIMIT,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    T1,
    T2,
    Act,
    Input,
    Machine,
    Row,
    State,
)
from rostra.sip.timers import Timer, Timers

Send = Callable[[Flow, bytes], None]


class ClientUser(Protocol):
    """Who started a client transaction."""

    def responded(self, transaction: ClientTransaction, response: Response, now: float) -> None: ...

    def unanswered(self, transaction: ClientTransaction, reason: str, now: float) -> None:
        """Timeout (treat as 408) or transport error (treat as 503)."""
        ...


class _Transaction:
    """What all four kinds share: the interpreter of the tables."""

    def __init__(self, layer: TransactionLayer, machine: Machine, key: tuple[str, ...], request: Request, flow: Flow):
        self.request = request
        self.flow = flow
        self.key = key
        self.machine = machine
        self.state = machine.initial.state
        self._layer = layer
        self._last: bytes | None = None
        self._interval = T1
        self._timers: dict[Input, Timer] = {}

    @property
    def reliable(self) -> bool:
        return self.flow.transport.reliable

    def feed(self, what: Input, now: float, message: Request | Response | None = None) -> bool:
        """One step of the table; False when the input means nothing in this state."""
        row = self.machine.rows.get((self.state, what))
        if row is None:
            return False
        self._run(row, now, message)
        return True

    def _run(self, row: Row, now: float, message: Request | Response | None) -> None:
        self.state = row.state
        for act in row.acts:
            self._act(act, now, message)
        if self.state is State.TERMINATED:
            for timer in self._timers.values():
                timer.cancel()
            self._layer.forget(self)

    def abandon(self) -> None:
        """Nobody waits for it any more."""
        self.state = State.TERMINATED
        for timer in self._timers.values():
            timer.cancel()
        self._layer.forget(self)

    def _act(self, act: Act, now: float, message: Request | Response | None) -> None:
        if act is Act.SEND and message is not None:
            self._last = message.encode()
            self._layer.send(self.flow, self._last)
        elif act is Act.RESEND and self._last is not None:
            self._layer.send(self.flow, self._last)
        elif act in (Act.RETRANSMIT_SOON, Act.RETRANSMIT_LATER, Act.RETRANSMIT_SLOWLY):
            self._retransmission(act, now)
        elif act is Act.START_TIMEOUT:
            self._start(Input.TIMEOUT, now + LIMIT)
        elif act is Act.START_LINGER:
            self._start(Input.LINGER, now + self.machine.linger[self.state][self.reliable])
            self.settled()
        elif act in (Act.STOP_RETRANSMIT, Act.STOP_TIMEOUT):
            timer = self._timers.get(Input.RETRANSMIT if act is Act.STOP_RETRANSMIT else Input.TIMEOUT)
            if timer is not None:
                timer.cancel()
        else:
            self.tell(act, now, message)

    def _retransmission(self, act: Act, now: float) -> None:
        if act is Act.RETRANSMIT_LATER:
            self._interval = min(self._interval * 2, self.machine.slowest)
        elif act is Act.RETRANSMIT_SLOWLY:
            self._interval = T2
        if not self.reliable:
            self._start(Input.RETRANSMIT, now + self._interval)

    def _start(self, what: Input, when: float) -> None:
        if what in self._timers:
            self._timers[what].cancel()
        self._timers[what] = self._layer.timers.set(when, lambda now: void(self.feed(what, now)))

    def settled(self) -> None:
        """All is said; it stays for repetitions alone."""

    def tell(self, act: Act, now: float, message: Request | Response | None) -> None:
        """Act.DELIVER, SEND_ACK, TIMED_OUT, FAILED."""
        raise NotImplementedError


def void(_: object) -> None:
    """Drop a result on purpose."""


class ClientTransaction(_Transaction):
    """A request of ours and its responses."""

    def __init__(self, layer: TransactionLayer, request: Request, flow: Flow, user: ClientUser) -> None:
        machine = INVITE_CLIENT if request.method == "INVITE" else NON_INVITE_CLIENT
        super().__init__(layer, machine, client_key(request), request, flow)
        self._user = user

    def start(self, now: float) -> None:
        self._run(self.machine.initial, now, self.request)

    def tell(self, act: Act, now: float, message: Request | Response | None) -> None:
        if act is Act.SEND_ACK and isinstance(message, Response):
            self._layer.send(self.flow, _failure_ack(self.request, message).encode())
        elif act is Act.DELIVER and isinstance(message, Response):
            self._user.responded(self, message, now)
        elif act in (Act.TIMED_OUT, Act.FAILED):
            self._user.unanswered(self, act.value.rpartition(": ")[2], now)


class ServerTransaction(_Transaction):
    """A request of the far end and our responses."""

    def __init__(self, layer: TransactionLayer, request: Request, flow: Flow, reply_flow: Flow) -> None:
        machine = INVITE_SERVER if request.method == "INVITE" else NON_INVITE_SERVER
        super().__init__(layer, machine, server_key(request), request, reply_flow)
        self.source = flow
        self.local_tag = ""
        self.final: int | None = None
        """Status of the final response, once given."""
        self.on_ack: Callable[[Request, float], None] | None = None

    def respond(self, response: Response, now: float) -> None:
        """Send a response; a second final one is a LocalError."""
        if response.is_final:
            if self.final is not None:
                raise LocalError("the request has been answered")
            self.final = response.status
        what = Input.PROVISIONAL if not response.is_final else Input.SUCCESS if response.is_success else Input.FAILURE
        self.feed(what, now, response)

    def settled(self) -> None:
        self._layer.keep(self)

    def send_again(self, response: bytes) -> None:
        """A 2xx of an INVITE is retransmitted by its user, not by the transaction (13.3.1.4)."""
        self._layer.send(self.flow, response)

    def tell(self, act: Act, now: float, message: Request | Response | None) -> None:
        if act is Act.DELIVER and isinstance(message, Request) and self.on_ack is not None:
            self.on_ack(message, now)


def client_key(message: Request | Response) -> tuple[str, ...]:
    """What joins a response to its request (17.1.3)."""
    return message.via.branch, message.cseq[1]


def server_key(request: Request) -> tuple[str, ...]:
    """What joins a retransmission, ACK or CANCEL to its request (17.2.3); CANCEL has a method of its own."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    if via.branch.startswith(MAGIC_COOKIE) and len(via.branch) > len(MAGIC_COOKIE):
        return via.branch, via.sent_by, method
    number = str(request.cseq[0])
    return "2543", request.uri, request.from_.tag, request.call_id, number, via.sent_by, via.branch, method


def _identity(request: Request) -> tuple[str, ...]:
    number, method = request.cseq
    return request.call_id, str(number), method, request.from_.tag


def _failure_ack(invite: Request, response: Response) -> Request:
    """17.1.1.3: same branch, the response's To."""
    headers = Headers(
        [
            ("Via", str(invite.via)),
            ("From", invite.headers.get("From") or ""),
            ("To", response.headers.get("To") or ""),
            ("Call-ID", invite.call_id),
            ("CSeq", f"{invite.cseq[0]} ACK"),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in invite.headers.all("Route")),
        ]
    )
    return Request(headers, method="ACK", uri=invite.uri)


@dataclasses.dataclass(slots=True)
class TransactionLayer:
    """All transactions of one engine."""

    timers: Timers
    send: Send
    servers: dict[tuple[str, ...], ServerTransaction] = dataclasses.field(default_factory=dict)
    clients: dict[tuple[str, ...], ClientTransaction] = dataclasses.field(default_factory=dict)
    identities: dict[tuple[str, ...], tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Keys of server transactions by what stays the same when a request comes by two paths."""
    remains: dict[ServerTransaction, None] = dataclasses.field(default_factory=dict)
    """Server transactions that are kept for repetitions, the oldest first."""
    streams: dict[_Transaction, None] = dataclasses.field(default_factory=dict)
    """Those over connections: few, so that one which ends costs little while there are many by UDP."""

    def __len__(self) -> int:
        return len(self.servers) + len(self.clients)

    @property
    def under_way(self) -> int:
        return len(self) - len(self.remains)

    def full(self, *, begins: bool) -> bool:
        """No more is taken of what `begins` something, or else of what goes on."""
        return self.under_way >= MAX_TRANSACTIONS - (KEPT_FREE if begins else 0)

    def receive_request(self, request: Request, now: float) -> bool:
        """Give a request to the transaction it belongs to; False when it begins a new one (or is an ACK of a 2xx)."""
        found = self.servers.get(server_key(request))
        if found is None:
            return False
        if request.method == "ACK":
            return found.feed(Input.ACK, now, request)
        found.feed(Input.REQUEST, now, request)
        return True

    def receive_response(self, response: Response, flow: Flow, now: float) -> bool:
        """Give a response, which came by `flow`, to its request; False when there is none."""
        found = self.clients.get(client_key(response))
        if found is None:
            return False
        if found.reliable and flow.transport is found.flow.transport:
            found.flow = dataclasses.replace(flow, name=found.flow.name)  # the connection that was opened for it
        what = Input.PROVISIONAL if not response.is_final else Input.SUCCESS if response.is_success else Input.FAILURE
        found.feed(what, now, response)
        return True

    def serve(self, request: Request, flow: Flow, reply_flow: Flow) -> ServerTransaction:
        """Begin a server transaction."""
        transaction = ServerTransaction(self, request, flow, reply_flow)
        self.servers[transaction.key] = transaction
        self.identities[_identity(request)] = transaction.key
        if transaction.reliable:
            self.streams[transaction] = None
        return transaction

    def begin(self, request: Request, flow: Flow, user: ClientUser, now: float) -> ClientTransaction:
        """Send a request."""
        transaction = ClientTransaction(self, request, flow, user)
        self.clients[transaction.key] = transaction
        if transaction.reliable:
            self.streams[transaction] = None
        transaction.start(now)
        return transaction

    def keep(self, transaction: ServerTransaction) -> None:
        """It is there for repetitions from now on, as long as there is room."""
        self.remains[transaction] = None
        if len(self.remains) > MAX_REMAINS:
            next(iter(self.remains)).abandon()

    def invite_of(self, cancel: Request) -> ServerTransaction | None:
        """The INVITE a CANCEL is for (9.2)."""
        return self.servers.get((*server_key(cancel)[:-1], "INVITE"))

    def merged(self, request: Request) -> bool:
        """The same request arrived before by another path (8.2.2.2)."""
        return _identity(request) in self.identities

    def broken(self, flow: Flow, now: float) -> None:
        """The connection of a flow is gone, or its address cannot be reached."""
        if flow.transport is Transport.UDP:
            same = [t for t in self.clients.values() if t.flow.remote == flow.remote and not t.reliable]
        else:
            self._move(flow)
            place = dataclasses.replace(flow, connection=0)
            same = [t for t in self.streams if t.flow in (flow, place)]
        for transaction in same:
            transaction.feed(Input.BROKEN, now)

    def _move(self, flow: Flow) -> None:
        """Responses that are due over a connection that is gone take one of ours (18.2.2)."""
        for transaction in self.streams:
            if flow.connection and isinstance(transaction, ServerTransaction) and transaction.flow == flow:
                transaction.flow = elsewhere(transaction.request.via, flow)

    def uses(self, transport: Transport) -> bool:
        return any(t.flow.transport is transport for t in (*self.clients.values(), *self.servers.values()))

    def forget(self, transaction: _Transaction) -> None:
        self.streams.pop(transaction, None)
        if isinstance(transaction, ClientTransaction):
            self.clients.pop(transaction.key, None)
        elif isinstance(transaction, ServerTransaction):
            self.remains.pop(transaction, None)
            self.servers.pop(transaction.key, None)
            identity = _identity(transaction.request)
            if self.identities.get(identity) == transaction.key:
                del self.identities[identity]
