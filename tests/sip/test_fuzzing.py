"""Dialogs under whatever messages, in virtual time: nothing escapes or is left behind, what is sent can be read."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.sip.engine import Engine
from rostra.sip.errors import LocalError, RemoteError
from rostra.sip.events import CallReceived, OfferReceived, ReferReceived, Transmission
from rostra.sip.flow import Flow, Transport
from rostra.sip.message import Request, parse_message
from tests.fuzzing import fuzzed
from tests.sip.network import ALICE, ANSWER, BOB, OFFER

METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO", "REFER", "NOTIFY", "OPTIONS", "MESSAGE")
VALUES = {
    "Supported": ("100rel", "timer", "100rel, timer, replaces", ","),
    "Require": ("100rel", "timer", "replaces", "unknown", "100rel, 100rel"),
    "Session-Expires": ("90", "1800;refresher=uac", "90;refresher=uas", "1", "x", "99999999999999999999"),
    "Min-SE": ("90", "3600", "0", "x", "99999999999"),
    "RAck": ("1 1 INVITE", "2 1 INVITE", "0 0 X", "x", "99999999999 1 INVITE"),
    "RSeq": ("1", "2", "0", "x", "4294967296"),
    "Refer-To": ("<sip:c@192.0.2.9>", "<sip:c@d?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>", "<tel:1>", "<<", "*"),
    "Refer-Sub": ("false", "true", ""),
    "Replaces": ("a;to-tag=b;from-tag=c", "a", ";", "fuzz;to-tag={tag};from-tag=carol"),
    "Event": ("refer", "refer;id=1", "dialog", ";"),
    "Subscription-State": ("active", "terminated;reason=x", ""),
    "Allow": ("INVITE", "INVITE, REFER, UPDATE", ""),
    "Contact": ("<sip:x@192.0.2.7:5070>", "<sips:x@h>", "*", "<tel:1>"),
    "Record-Route": ("<sip:192.0.2.9;lr>", "<sip:192.0.2.9>", "<tel:1>", "<sip:[2001:db8::1];lr>"),
    "Reason": ('SIP;cause=200;text="x"', "Q.850;cause=16", '"'),
    "Content-Type": ("application/sdp", "message/sipfrag", "application/dtmf-relay", "text/plain", ""),
    "WWW-Authenticate": ('Digest realm="r", nonce="n"', "Basic", ""),
    "Content-Disposition": ("session", "render"),
}
BODIES = (b"", OFFER, ANSWER, b"SIP/2.0 200 OK\r\n", b"Signal=5", b"\x00\xff" * 40)
FIELDS = st.dictionaries(st.sampled_from(sorted(VALUES)), st.integers(0, 5), max_size=4)


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that happens."""

    kind: str
    what: int
    number: int
    fields: dict[str, int]
    body: bytes
    wait: float


STEPS = st.builds(
    Step,
    st.sampled_from(("request", "request", "request", "response", "response", "application", "raw")),
    st.integers(0, 40),
    st.integers(0, 4),
    FIELDS,
    st.sampled_from(BODIES),
    st.sampled_from((0.0, 0.0, 0.1, 0.6, 5.0, 33.0, 1000.0)),
)


class Fuzzed:
    """An engine that is called by carol and calls dave, and an application that does as it is told."""

    def __init__(self, transport: Transport) -> None:
        self.now = 0.0
        self.engine = Engine(random.Random(1), {transport: 5060})
        self.flow = Flow(transport, ALICE, BOB, 1 if transport.reliable else 0)
        self.calls: list[str] = []
        self.wishes: list[ReferReceived] = []
        self.sent: list[Request] = []
        self.tag = "none"
        if transport.reliable:
            self.engine.connected(self.flow)

    def collect(self) -> None:
        while (item := self.engine.data_to_send()) is not None:
            if isinstance(item, Transmission) and item.data != b"\r\n":
                try:
                    message = parse_message(item.data)
                except RemoteError:
                    assert item.data.startswith(b"SIP/2.0"), "requests of ours can be read"
                    assert self.engine.counters.malformed, "and responses, but to what cannot be read itself"
                    continue
                assert len(message.headers.all("Content-Length")) == 1
                if isinstance(message, Request):
                    self.sent.append(message)
                elif message.to.tag:
                    self.tag = message.to.tag
        while (event := self.engine.next_event()) is not None:
            if isinstance(event, CallReceived | OfferReceived):
                self.calls.append(event.call)
            if isinstance(event, ReferReceived):
                self.wishes.append(event)

    def run(self, until: float) -> None:
        while (due := self.engine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            self.engine.handle_timer(self.now)
            self.collect()
        self.now = until

    def take(self, step: Step) -> None:
        if step.kind == "request":
            self.engine.receive(self._request(step), self.flow, self.now)
        elif step.kind == "response" and self.sent:
            self.engine.receive(self._response(step), self.flow, self.now)
        elif step.kind == "raw":
            data = bytearray(self._request(step))
            data[step.what * 7 % len(data)] = step.number * 51
            self.engine.receive(bytes(data), self.flow, self.now)
        else:
            with contextlib.suppress(LocalError):
                self._application(step)
        self.collect()
        self.run(self.now + step.wait)

    def _lines(self, step: Step) -> list[str]:
        chosen = {name: VALUES[name][at % len(VALUES[name])] for name, at in step.fields.items()}
        if step.body and "Content-Type" not in chosen:
            chosen["Content-Type"] = "application/sdp"
        return [f"{name}: {value.replace('{tag}', self.tag)}" for name, value in chosen.items()]

    def _request(self, step: Step) -> bytes:
        method = METHODS[step.what % len(METHODS)]
        within = method not in ("INVITE", "OPTIONS", "CANCEL") or step.what % 3 == 0
        lines = [
            f"{method} sip:bob@192.0.2.2 SIP/2.0",
            f"Via: SIP/2.0/{self.flow.transport} 192.0.2.1:5060;branch=z9hG4bK{step.number}{method[:1]}",
            "From: <sip:carol@192.0.2.1>;tag=carol",
            f"To: <sip:bob@192.0.2.2>{f';tag={self.tag}' if within else ''}",
            "Call-ID: fuzz",
            f"CSeq: {step.number} {method}",
            *self._lines(step),
            f"Content-Length: {len(step.body)}",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + step.body

    def _response(self, step: Step) -> bytes:
        asked = self.sent[step.what % len(self.sent)]
        status = (100, 180, 183, 200, 202, 302, 401, 407, 408, 422, 481, 486, 491, 500, 503, 603)[step.what % 16]
        to = (asked.headers.get("To") or "") + ("" if asked.to.tag else f";tag=t{step.number}")
        lines = [
            f"SIP/2.0 {status} x",
            *(f"{n}: {v}" for n, v in asked.headers if n in ("Via", "From", "Call-ID", "CSeq")),
        ]
        lines += [f"To: {to}", *self._lines(step), f"Content-Length: {len(step.body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + step.body

    def _application(self, step: Step) -> None:
        engine, now = self.engine, self.now
        call = self.calls[step.number % len(self.calls)] if self.calls else "none"
        acts: list[Any] = [
            lambda: engine.ring(call, now),
            lambda: engine.ring(call, now, ANSWER),
            lambda: engine.answer(call, ANSWER, now),
            lambda: engine.answer(call, ANSWER, now),
            lambda: engine.refuse(call, 486, now),
            lambda: engine.offer(call, OFFER, now),
            lambda: engine.hang_up(call, now, "bye"),
            lambda: engine.inform(call, "application/dtmf-relay", b"Signal=1", now),
            lambda: engine.refer(call, "sip:x@y", "<sip:b@c>", now),
            lambda: engine.focus(call),
            lambda: self.wishes and engine.report(self.wishes[-1].call, self.wishes[-1].name, 100 * step.number, now),
            lambda: self.calls.append(engine.invite("sip:d@192.0.2.1", "sip:bob@192.0.2.2", self.flow, OFFER, now)),
            lambda: self.calls.append(engine.invite("sip:d@192.0.2.1", "sip:bob@192.0.2.2", self.flow, OFFER, now)),
            lambda: engine.disconnected(self.flow, now),
        ]
        acts[step.what % len(acts)]()


@pytest.mark.parametrize("transport", Transport)
@fuzzed(6_000, usual=35)
@given(steps=st.lists(STEPS, max_size=12))
def test_dialogs_under_arbitrary_messages(transport: Transport, steps: list[Step]) -> None:
    fuzzed = Fuzzed(transport)
    for step in steps:
        fuzzed.take(step)
    for name in list(fuzzed.engine._calls):
        fuzzed.engine.hang_up(name, fuzzed.now, "over")
        fuzzed.collect()
    fuzzed.run(fuzzed.now + 200.0)
    state = fuzzed.engine.debug_state()
    assert (state["calls"], state["transactions"], state["timers"]) == ({}, 0, 0)
    assert not fuzzed.engine._dialogs
