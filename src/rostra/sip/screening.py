"""What a new request must be before it reaches a call (RFC 3261 8.2, in its order)."""

from __future__ import annotations

from rostra.sip.dialog import ACCEPT, EXTENSIONS, METHODS, respond
from rostra.sip.message import Request, Response

KNOWN_METHODS = frozenset({*METHODS, "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER", "PUBLISH", "PRACK"})
"""Methods of SIP at large: those outside METHODS are 405, all others 501."""

_REGISTERING = frozenset({"path", "outbound"})
"""Extensions that concern registrations alone (RFC 3327, 5626)."""

_BODIES = {
    "INVITE": {"application/sdp"},
    "UPDATE": {"application/sdp"},
}


def refusal(request: Request, tag: str) -> Response | None:
    """The response to a request we cannot take; None when it may go on."""
    if request.method not in METHODS:
        return respond(request, 405 if request.method in KNOWN_METHODS else 501, tag)
    if not request.target.is_sip:
        return respond(request, 416, tag)
    if request.method in ("CANCEL", "ACK"):
        return None
    known = {*EXTENSIONS, *(_REGISTERING if request.method == "REGISTER" else ())}
    unsupported = sorted(request.headers.tokens("Require") - known)
    if unsupported:
        response = respond(request, 420, tag)
        response.headers.add("Unsupported", ", ".join(unsupported))
        return response
    return _body_refusal(request, tag)


def _body_refusal(request: Request, tag: str) -> Response | None:
    accepted = _BODIES.get(request.method)
    if accepted is None:
        return None
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    if request.body and (request.content_type not in accepted or encoding != "identity"):
        response = respond(request, 415, tag)
        response.headers.add("Accept", ACCEPT)
        if encoding != "identity":
            response.headers.add("Accept-Encoding", "identity")
        return response
    wanted = {item.partition(";")[0].strip() for item in request.headers.tokens("Accept")}
    if wanted and not wanted & {"application/sdp", "application/*", "*/*"}:
        return respond(request, 406, tag)
    return None
