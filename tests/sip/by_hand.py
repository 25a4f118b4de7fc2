"""Messages made by hand, to and from an engine: what a far end sends that is no engine of ours."""

from __future__ import annotations

from rostra.sip.message import Request, Response
from tests.sip.network import OFFER, Network, Side, answering, describe


def request(
    method: str, *, cseq: int = 1, to_tag: str = "", extra: str = "", body: bytes = b"", branch: str = ""
) -> bytes:
    """A request of a caller called carol to bob."""
    to = f"<sip:bob@192.0.2.2>{f';tag={to_tag}' if to_tag else ''}"
    return (
        f"{method} sip:bob@192.0.2.2 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{branch or method}{cseq}\r\n"
        f"From: <sip:carol@192.0.2.1>;tag=carol\r\nTo: {to}\r\nCall-ID: by-hand\r\nCSeq: {cseq} {method}\r\n"
        f"Contact: <sip:carol@192.0.2.1>\r\nMax-Forwards: 70\r\n{extra}"
        + ("Content-Type: application/sdp\r\n" if body else "")
        + f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def replies(network: Network) -> list[str]:
    return [describe(message) for _, sender, message in network.wire if sender == "bob"]


def last_reply(network: Network) -> Response:
    message = network.wire[-1][2]
    assert isinstance(message, Response)
    return message


def by_hand() -> tuple[Network, str]:
    """A call from carol that bob has answered; bob's tag."""
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, request("INVITE", body=OFFER))
    tag = last_reply(network).to.tag
    network.inject(network.bob, request("ACK", to_tag=tag, branch="other"))
    return network, tag


def sent_by(network: Network, sender: str, method: str) -> list[Request]:
    """Requests of that method which have been sent, without those sent again."""
    found: dict[str, Request] = {}
    for _, who, message in network.wire:
        if who == sender and isinstance(message, Request) and message.method == method:
            found.setdefault(message.via.branch, message)
    return list(found.values())


def reply(
    network: Network, to: Side, asked: Request, status: int, *, tag: str = "", extra: str = "", body: bytes = b""
) -> None:
    """What a far end that is not there says to a request of `to`."""
    head = asked.encode().partition(b"\r\n\r\n")[0].decode().split("\r\n")
    copied = [line for line in head if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
    goal = asked.headers.get("To") or ""
    lines = [f"SIP/2.0 {status} Whatever", *copied, f"To: {goal}{f';tag={tag}' if tag else ''}", *extra.splitlines()]
    lines += ["Content-Type: application/sdp"] if body else []
    lines += [f"Content-Length: {len(body)}"]
    network.inject(to, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def alone() -> Network:
    """Alice speaks to nobody: what she sends is lost, and answered by `reply`."""
    network = Network()
    network.lose = lambda sender, message: sender == "alice"
    return network
