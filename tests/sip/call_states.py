"""What a call does with each request of the far end in each of its states, as found by trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rostra.sip.events import CallReceived
from rostra.sip.message import Request
from tests.sip.by_hand import alone, by_hand, last_reply, reply, request, sent_by
from tests.sip.network import ANSWER, OFFER, Network, Side, describe, dial

Ask = Callable[[str, str, bytes], bytes]
"""A request within the call by method, further headers and body."""
Set = Callable[[], tuple[Network, Side, Ask]]


def _from_carol(tag: str) -> Ask:
    return lambda method, extra, body: request(
        method, cseq=1 if method in ("ACK", "CANCEL") else 50, to_tag="" if method == "CANCEL" else tag,
        extra=extra, body=body, branch="INVITE" if method == "CANCEL" else "",
    )  # fmt: skip


def incoming(*, early: bool = False) -> tuple[Network, Side, Ask]:
    network = Network()
    network.inject(network.bob, request("INVITE", extra="Supported: 100rel\r\n", body=OFFER))
    received = network.bob.last(CallReceived)
    network.bob.engine.ring(received.call, network.now, ANSWER if early else b"")
    network.run(0.0)
    tag = last_reply(network).to.tag
    if early:
        rack = f"RAck: {last_reply(network).headers.get('RSeq')} 1 INVITE\r\n"
        network.inject(network.bob, request("PRACK", cseq=2, to_tag=tag, extra=rack))
    return network, network.bob, _from_carol(tag)


def answered() -> tuple[Network, Side, Ask]:
    network, bob, ask = incoming()
    bob.engine.answer(bob.last(CallReceived).call, ANSWER, network.now)
    network.run(0.0)
    return network, bob, ask


def confirmed(*, asked: bool = False, asking: bool = False) -> tuple[Network, Side, Ask]:
    network, tag = by_hand()
    if asked:
        network.bob.on_event = None
        network.inject(network.bob, request("INVITE", cseq=2, to_tag=tag, body=OFFER))
    if asking:
        network.lose = lambda sender, message: True
        network.bob.engine.offer(network.bob.last(CallReceived).call, OFFER, network.now)
        network.run(0.0)
    return network, network.bob, _from_carol(tag)


def calling(*, cancelled: bool = False) -> tuple[Network, Side, Ask]:
    network = alone()
    call = dial(network)
    network.run(0.0)
    (invite,) = sent_by(network, "alice", "INVITE")
    reply(network, network.alice, invite, 180, tag="far")
    if cancelled:
        network.alice.engine.hang_up(call, network.now)
        network.run(0.0)

    def ask(method: str, extra: str, body: bytes) -> bytes:
        lines = [
            f"{method} sip:alice@192.0.2.1 SIP/2.0", f"Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{method}",
            "From: <sip:bob@192.0.2.2>;tag=far", f"To: <sip:alice@192.0.2.1>;tag={invite.from_.tag}",
            f"Call-ID: {invite.call_id}", f"CSeq: 9 {method}", "Max-Forwards: 70", *extra.splitlines(),
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    return network, network.alice, ask


STATES: dict[str, Set] = {
    "it rings here": incoming,
    "early media": lambda: incoming(early=True),
    "answered, no ACK yet": answered,
    "up": confirmed,
    "up, their offer waits": lambda: confirmed(asked=True),
    "up, our offer waits": lambda: confirmed(asking=True),
    "it rings there": calling,
    "cancelled by us": lambda: calling(cancelled=True),
}
REQUESTS: dict[str, tuple[str, str, bytes]] = {
    "BYE": ("BYE", "", b""),
    "CANCEL": ("CANCEL", "", b""),
    "ACK": ("ACK", "", b""),
    "INVITE": ("INVITE", "", OFFER),
    "UPDATE with an offer": ("UPDATE", "", OFFER),
    "UPDATE without": ("UPDATE", "", b""),
    "PRACK of nothing": ("PRACK", "RAck: 1 1 INVITE\r\n", b""),
    "INFO": ("INFO", "", b""),
    "REFER": ("REFER", "Refer-To: <sip:c@192.0.2.9>\r\n", b""),
    "NOTIFY of nothing": ("NOTIFY", "Event: refer\r\n", b""),
}


def outcome(state: Set, asked: tuple[str, str, bytes]) -> str:
    """What is sent, and what the application is told."""
    network, side, ask = state()
    wire, events = len(network.wire), len(side.events)
    side.on_event = None
    network.inject(side, ask(*asked))
    sent = [message for _, who, message in network.wire[wire:] if who == side.name]
    said = [m.method if isinstance(m, Request) else describe(m) for m in sent]
    told = [event for event in side.kinds()[events:] if event != "CallConfirmed" or asked[0] == "ACK"]
    return "; ".join(filter(None, (", ".join(said), *told))) or "nothing"


def table() -> Iterator[str]:
    yield "| | " + " | ".join(STATES) + " |"
    yield "|---" * (len(STATES) + 1) + "|"
    for name, asked in REQUESTS.items():
        yield f"| {name} | " + " | ".join(outcome(state, asked) for state in STATES.values()) + " |"


if __name__ == "__main__":
    print("\n".join(table()))
