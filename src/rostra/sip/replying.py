"""Where a response goes (RFC 3261 18.2, RFC 3581), and what is said to a message that cannot be read."""

from __future__ import annotations

import dataclasses

from rostra.sip.dialog import ACCEPT, ALLOW, EVENTS, SUPPORTED, respond
from rostra.sip.errors import RemoteError
from rostra.sip.flow import Flow
from rostra.sip.locating import is_address
from rostra.sip.message import Request, Response, Via


def record_source(request: Request, flow: Flow) -> Flow:
    """Complete the topmost Via (18.2.1, RFC 3581) and say where responses go (18.2.2). Raises RemoteError."""
    items = request.headers.items("Via")
    via = request.via
    address, port = flow.remote
    if via.parameter("rport") is not None:
        via = via.replaced(rport=str(port), received=address)
    elif via.host.strip("[]").lower() != address:
        via = via.replaced(received=address)
    request.headers.replace("Via", [str(via), *items[1:]])
    if flow.transport.reliable or via.parameter("rport"):
        return flow
    return dataclasses.replace(flow, remote=(address, via.port or flow.transport.default_port))


def elsewhere(via: Via, flow: Flow) -> Flow:
    """Where responses go once the connection a request came by is gone: one of ours, to where the peer listens.

    That is its address, at the port of the Via (18.2.2); failing that, what DNS says of the host in the Via.
    """
    port = via.port or flow.transport.default_port
    host = via.host.strip("[]")
    sent_by = None if is_address(host) else (host, via.port)
    return dataclasses.replace(flow, remote=(flow.remote[0], port), connection=0, sent_by=sent_by)


def to_options(request: Request, tag: str, sdp: bytes) -> Response:
    """What we can do (11.2); `sdp` says it of media."""
    response = respond(request, 200, tag)
    for name, value in (("Allow", ALLOW), ("Accept", ACCEPT), ("Supported", SUPPORTED), ("Allow-Events", EVENTS)):
        response.headers.add(name, value)
    if sdp:
        response.headers.add("Content-Type", "application/sdp")
        response.body = sdp
    return response


def to_malformed(problem: RemoteError, request: Request, tag: str) -> Response:
    """A stateless reply to what is a request at least as far as replying goes (RFC 4475)."""
    reason = "".join(c for c in problem.reason if " " <= c <= "~")
    return respond(request, problem.status, tag, f"{_phrase(problem.status)} - {reason}"[:120])


def _phrase(status: int) -> str:
    return {400: "Bad Request", 505: "Version Not Supported", 513: "Message Too Large"}.get(status, "Error")
