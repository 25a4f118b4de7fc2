"""The SIP stack without I/O: bytes and time in, bytes and events out.

Feed it with `receive`, `connected`/`disconnected` (streams) and `handle_timer`; after each, take everything from
`data_to_send` and `next_event`, and come back at `next_timer`. Time is seconds of any monotonic clock.
"""

from __future__ import annotations

import collections
import dataclasses
import random
from collections.abc import Callable, Mapping

from rostra.domain.abuse import Shield
from rostra.sip.call import Call
from rostra.sip.commands import Commands
from rostra.sip.counters import Counters
from rostra.sip.dialog import ALLOW, Dialog, calling_dialog, contact_value, dialog_of, respond
from rostra.sip.digest import Credentials
from rostra.sip.errors import RemoteError
from rostra.sip.events import CallReceived, Disconnection, Event, FlowLost, Happening, RegisterReceived, Transmission
from rostra.sip.flow import Flow, Transport
from rostra.sip.framing import StreamFramer
from rostra.sip.gate import Gate
from rostra.sip.inviting import SDP_TYPE
from rostra.sip.limits import MAX_CALLS, MAX_MESSAGE, MAX_TRANSACTIONS
from rostra.sip.message import Request, Response, parse_message
from rostra.sip.overload import Overload
from rostra.sip.replacing import Replaces
from rostra.sip.replying import record_source, to_malformed, to_options
from rostra.sip.reuse import Aliases
from rostra.sip.screening import newcomer, refusal
from rostra.sip.surroundings import CallState
from rostra.sip.timers import Timers
from rostra.sip.transactions import ClientTransaction, ClientUser, ServerTransaction, TransactionLayer
from rostra.sip.uri import parse_uri


class Engine(Commands):
    """All connections, transactions and calls of one node."""

    def __init__(self, generator: random.Random, ports: Mapping[Transport, int]) -> None:
        """`generator` makes tags, branches and call ids; `ports` are those we listen on, for Contact."""
        super().__init__()
        self.timers = Timers()
        self.counters = Counters()
        self.tls_name = ""
        """DNS name we go by over TLS; empty: our address (NODE-074)."""
        self.closed: frozenset[Transport] = frozenset()
        """Transports on which nothing new is taken."""
        self.address_for: Callable[[Flow], str] = lambda flow: flow.local[0]
        """Our address as the far end of a flow sees it."""
        self.objection: Callable[[Request, Flow], Response | None] = lambda *_: None
        """What keeps whoever is at the other end from sending this request, if anything does."""
        self.capabilities: Callable[[Flow], bytes] = lambda _: b""
        """What we can do, as SDP, for who asks by OPTIONS (RFC 3264 9)."""
        self.aliases = Aliases()
        """Connections that peers have offered."""
        self.keeps: Callable[[Flow], bool] = lambda _: False
        """Is a connection needed though no call runs over it?"""
        self._registering: dict[str, ServerTransaction] = {}
        self._generator = generator
        self._ports = dict(ports)
        self._framers: dict[Flow, StreamFramer] = {}
        self._transactions = TransactionLayer(self.timers, self.transmit)
        self._dialogs: dict[tuple[str, str, str], Call] = {}
        self.gate = Gate(Overload(), Shield(), self._dialogs.__contains__, self._transactions.clients.__contains__)
        self._out: collections.deque[Transmission | Disconnection] = collections.deque()
        self._events: collections.deque[Happening] = collections.deque()

    # ---- input ------------------------------------------------------------------------------------------------

    def connected(self, flow: Flow) -> None:
        """A stream connection was opened, by either side."""
        self._framers[flow] = StreamFramer()

    def disconnected(self, flow: Flow, now: float) -> None:
        """A stream connection is gone, or a UDP destination cannot be reached."""
        if self._framers.pop(flow, None) is not None:
            self._events.append(FlowLost(flow))
        self.aliases.forget(flow)
        self._transactions.broken(flow, now)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """A datagram, or the next bytes of a stream."""
        if not flow.transport.reliable:
            if data.strip(b"\r\n\0"):
                self._message(data, flow, now)
            return
        framer = self._framers.get(flow)
        if framer is None:
            return
        try:
            for message in framer.feed(data):
                if message:
                    self._message(message, flow, now)
                else:
                    self.transmit(flow, b"\r\n")
        except RemoteError:
            self.counters.malformed += 1
            self.gate.unreadable(flow, now)
            self._out.append(Disconnection(flow))
            self.disconnected(flow, now)

    def handle_timer(self, now: float) -> None:
        """Do what is due by `now`."""
        self.timers.run(now)

    # ---- output -----------------------------------------------------------------------------------------------

    def data_to_send(self) -> Transmission | Disconnection | None:
        """The next bytes to send, or connection to close; None when there is nothing more."""
        return self._out.popleft() if self._out else None

    def next_event(self) -> Happening | None:
        """The next event for the application; None when there is nothing more."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """When `handle_timer` must be called at the latest."""
        return self.timers.next()

    @property
    def load(self) -> tuple[int, int]:
        """Transactions and calls now."""
        return len(self._transactions), len(self._calls)

    @property
    def crowd(self) -> float:
        """Share of the room for transactions under way that is taken."""
        return self._transactions.under_way / MAX_TRANSACTIONS

    @property
    def unanswered(self) -> int:
        """Calls that wait for the application's answer."""
        return sum(call.state is CallState.INCOMING for call in self._calls.values())

    def port(self, transport: Transport) -> int:
        """The one we listen on."""
        return self._ports[transport]

    def silent(self, flow: Flow) -> bool:
        """No whole message has come over this connection yet."""
        framer = self._framers.get(flow)
        return framer is None or framer.messages == 0

    def uses(self, transport: Transport) -> bool:
        """A call or a transaction runs over this transport."""
        calls = any(call.dialog.flow.transport is transport for call in self._calls.values())
        return calls or self._transactions.uses(transport)

    def in_use(self, flow: Flow) -> bool:
        """A call runs over this connection, or a device that it belongs to can be called by it."""
        return self.keeps(flow) or any(call.dialog.flow == flow for call in self._calls.values())

    def debug_state(self) -> dict[str, object]:
        """Figures for people."""
        return {
            "calls": {call.name: call.state.value for call in self._calls.values()},
            "transactions": len(self._transactions),
            "connections": len(self._framers),
            "timers": len(self.timers),
            "requests": dict(self.counters.requests),
            "responses": dict(self.counters.responses),
            "malformed": self.counters.malformed,
            "dropped": self.gate.dropped,
            "overload": {"share": round(self.gate.overload.share, 3), "refused": self.gate.overload.refused},
        }

    # ---- commands -----------------------------------------------------------------------------------------------

    def replaced(self, replaces: Replaces) -> str | None:
        """The call that runs by this description; None: there is none."""
        found = self._dialogs.get(replaces.key)
        return found.name if found is not None and found.state is CallState.CONFIRMED else None

    def respond(self, name: str, response: Response, now: float) -> None:
        """Answer a REGISTER. Unknown names are fine."""
        serving = self._registering.pop(name, None)
        if serving is not None:
            serving.respond(response, now)

    def invite(
        self, uri: str, local_uri: str, flow: Flow, sdp: bytes, now: float, *, local_name: str = "",
        credentials: Credentials | None = None, routes: tuple[str, ...] = (), behind_nat: bool = False,
        headers: tuple[tuple[str, str], ...] = (), hops: int = 70, focus: bool = False,
    ) -> str:  # fmt: skip
        """Call `uri` by way of `flow` and the proxies of `routes`; returns the name of the call. Raises RemoteError.

        `credentials` answer challenges on the way; `headers` are sent as they are; `focus`: we are a conference."""
        secure = parse_uri(uri).scheme == "sips"
        port = self._ports.get(flow.transport, flow.local[1])
        contact = contact_value(flow, port, parse_uri(local_uri).user, secure, self._host(flow))
        dialog = calling_dialog(uri, local_uri, local_name, flow, contact, (self._word(), self._word()))
        dialog.routes, dialog.behind_nat, dialog.hops = routes, behind_nat, hops
        if focus:
            dialog.focus()
        request = dialog.request("INVITE", self.branch())  # a route that cannot be used leaves no call behind
        call = self._new_call(dialog, CallState.CALLING)
        request.body = sdp
        request.headers.add("Content-Type", SDP_TYPE)
        call.session_timer.ask(request.headers)
        for name, value in headers:
            request.headers.add(name, value)
        call.calling(self._transactions.begin(request, flow, call, now), credentials)
        return call.name

    def ask(self, request: Request, flow: Flow, user: ClientUser, now: float) -> None:
        """Send a request that belongs to no call."""
        self._transactions.begin(request, flow, user, now)

    # ---- what calls need (call.Surroundings) -----------------------------------------------------------------------

    def emit(self, event: Event) -> None:
        self._events.append(event)

    def transmit(self, flow: Flow, data: bytes) -> None:
        self._out.append(Transmission(self.aliases.over(flow), data))

    def route(self, dialog: Dialog) -> Flow:
        return dialog.destination(dialog.flow in self._framers)

    def request(self, call: Call, request: Request, now: float, flow: Flow | None = None) -> ClientTransaction:
        if request.method != "CANCEL":
            call.authorization.sign(request)
        return self._transactions.begin(request, flow or self.route(call.dialog), call, now)

    def word(self) -> str:
        return f"{self._generator.getrandbits(80):020x}"

    branch = _word = word

    def chance(self, low: float, high: float) -> float:
        return self._generator.uniform(low, high)

    def call_over(self, call: Call) -> None:
        self._calls.pop(call.name, None)
        self._forget_dialogs(call)

    def identify(self, call: Call, remote_tag: str) -> None:
        self._forget_dialogs(call)
        call.dialog.remote_tag = remote_tag
        self._dialogs[call.dialog.key] = call

    def expect(self, call: Call, remote_tag: str) -> None:
        self._dialogs[call.dialog.call_id, call.dialog.local_tag, remote_tag] = call

    def _forget_dialogs(self, call: Call) -> None:
        for tag in (call.dialog.remote_tag, *call.early_tags):
            self._dialogs.pop((call.dialog.call_id, call.dialog.local_tag, tag), None)

    # ---- inside -----------------------------------------------------------------------------------------------

    def _host(self, flow: Flow) -> str:
        """What we go by in Contact and Via."""
        return self.tls_name if self.tls_name and flow.transport is Transport.TLS else self.address_for(flow)

    def _message(self, data: bytes, flow: Flow, now: float) -> None:
        instead = self.gate.look(data, flow, now, self.keeps)
        if instead is not None:
            if instead[0]:
                self.transmit(dataclasses.replace(flow, remote=(flow.remote[0], instead[1])), instead[0])
            return
        try:
            message = parse_message(data, stream=flow.transport.reliable)
        except RemoteError as problem:
            self.counters.malformed += 1
            self.gate.unreadable(flow, now)
            self._refuse_malformed(problem, data, flow)
            return
        if isinstance(message, Response):
            self.counters.responses[message.status] += 1
            self._response(message, flow, now)
        else:
            self.counters.requests[message.method if message.method in ALLOW else "other"] += 1
            self._request(message, flow, now)

    def _refuse_malformed(self, problem: RemoteError, data: bytes, flow: Flow) -> None:
        request = problem.request
        if request is None or request.method == "ACK" or len(data) > MAX_MESSAGE:
            return
        try:
            reply_flow = record_source(request, flow)
        except RemoteError:
            reply_flow = flow
        self.transmit(reply_flow, to_malformed(problem, request, self._word()).encode())

    def _request(self, request: Request, flow: Flow, now: float) -> None:
        reply_flow = record_source(request, flow)
        if self._transactions.receive_request(request, now):
            return
        if request.method == "ACK":
            found = self._dialog_of(request)
            if found is not None:
                found.acknowledged(request, now)
            return
        begins = not request.to.tag and request.method != "CANCEL"
        if begins and flow.transport in self.closed and not flow.transport.reliable:
            return  # as if nobody listened
        if self._transactions.full(begins=begins):
            self.transmit(reply_flow, respond(request, 503, self._word()).encode())
            return
        merged = begins and self._transactions.merged(request)
        serving = self._transactions.serve(request, flow, reply_flow)
        try:
            self._serve(serving, now, begins=begins, merged=merged)
        except Exception as problem:
            remote = isinstance(problem, RemoteError)
            if serving.final is None:  # what is never answered would be kept for good
                serving.respond(respond(request, 400 if remote else 500, self._word()), now)
            if not remote:
                raise

    def _serve(self, serving: ServerTransaction, now: float, *, begins: bool, merged: bool) -> None:
        request, flow, tag = serving.request, serving.source, self._word()
        if begins and flow.transport in self.closed:
            refused = respond(request, 403, tag)
        elif not begins or (refused := self.objection(request, flow)) is None:
            refused = respond(request, 482, tag) if merged else refusal(request, tag)
            self.aliases.learn(request.via, flow)
        if refused is not None:
            serving.respond(refused, now)
        elif request.method == "CANCEL":
            self._cancel(serving, now)
        elif request.to.tag:
            self._within_dialog(serving, now)
        elif request.method == "INVITE":
            self._invite(serving, now)
        elif request.method == "OPTIONS":
            self._options(serving, tag, now)
        elif request.method == "REGISTER":
            self._register(serving)
        else:
            serving.respond(respond(request, 403 if request.method == "REFER" else 481, tag), now)

    def _response(self, response: Response, flow: Flow, now: float) -> None:
        if len(response.headers.items("Via")) == 1:  # more: meant for somebody before us (8.1.3.3)
            self._transactions.receive_response(response, flow, now)

    def _dialog_of(self, request: Request) -> Call | None:
        return self._dialogs.get((request.call_id, request.to.tag, request.from_.tag))

    def _cancel(self, serving: ServerTransaction, now: float) -> None:
        invite = self._transactions.invite_of(serving.request)
        if invite is None:
            serving.respond(respond(serving.request, 481, self._word()), now)
            return
        serving.respond(respond(serving.request, 200, invite.local_tag or self._word()), now)
        call = self._dialogs.get((invite.request.call_id, invite.local_tag, invite.request.from_.tag))
        if call is not None and invite.final is None:
            call.cancelled(serving.request, now)

    def _within_dialog(self, serving: ServerTransaction, now: float) -> None:
        call = self._dialog_of(serving.request)
        if call is None:
            serving.respond(respond(serving.request, 481), now)
            return
        serving.local_tag = call.dialog.local_tag
        call.receive(serving, now)

    def _invite(self, serving: ServerTransaction, now: float) -> None:
        request = serving.request
        tag = serving.local_tag = self._word()
        refused, replaced = newcomer(request, tag, self._dialogs.get) if len(self._calls) < MAX_CALLS else (
            respond(request, 503, tag), None
        )  # fmt: skip
        if refused is not None:
            serving.respond(refused, now)
            return
        serving.respond(respond(request, 100), now)
        call = self._new_call(self._dialog_for(serving, tag), CallState.INCOMING)
        call.invited(serving)
        name = replaced.name if replaced is not None else ""
        self.emit(CallReceived(call.name, request, serving.source, request.body or None, name))

    def _dialog_for(self, serving: ServerTransaction, tag: str) -> Dialog:
        request, flow = serving.request, serving.source
        port, secure = self._ports.get(flow.transport, flow.local[1]), request.target.scheme == "sips"
        contact = contact_value(flow, port, request.target.user, secure, self._host(flow))
        return dialog_of(request, flow, tag, self._generator.randrange(1, 2**16), contact)

    def _new_call(self, dialog: Dialog, state: CallState) -> Call:
        call = Call(self._word(), dialog, state, self)
        self._calls[call.name] = call
        self._dialogs[dialog.key] = call
        return call

    def _register(self, serving: ServerTransaction) -> None:
        name = self._word()
        self._registering[name] = serving
        self._events.append(RegisterReceived(name, serving.request, serving.source))

    def _options(self, serving: ServerTransaction, tag: str, now: float) -> None:
        """PLAT-023: answered at once, whatever the user part says."""
        request = serving.request
        sdp = self.capabilities(serving.source) if "application/sdp" in request.headers.tokens("Accept") else b""
        serving.respond(to_options(request, tag, sdp), now)
