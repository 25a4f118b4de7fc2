"""What a new request must be before it reaches a call (RFC 3261 8.2, in its order)."""

from __future__ import annotations

from collections.abc import Callable

from rostra.sip.call import Call
from rostra.sip.dialog import EXTENSIONS, METHODS, respond
from rostra.sip.errors import RemoteError
from rostra.sip.message import Request, Response
from rostra.sip.replacing import of_request
from rostra.sip.session_timer import SessionTimer, too_brief
from rostra.sip.surroundings import CallState

KNOWN_METHODS = frozenset({*METHODS, "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"})
"""Methods of SIP at large: those outside METHODS are 405, all others 501."""

_REGISTERING = frozenset({"path", "outbound"})
"""Extensions that concern registrations alone (RFC 3327, 5626)."""

_BODIES = {
    "INVITE": {"application/sdp"},
    "UPDATE": {"application/sdp"},
    "PRACK": {"application/sdp"},
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


def newcomer(
    request: Request, tag: str, running: Callable[[tuple[str, str, str]], Call | None]
) -> tuple[Response | None, Call | None]:
    """What an INVITE for a new call is refused with, or the call of `running` whose place it takes (RFC 3891 3)."""
    if too_brief(request):
        response = respond(request, 422, tag)
        response.headers.add("Min-SE", str(SessionTimer.MINIMUM))
        return response, None
    if not (request.contact or request.from_.uri).is_sip:
        return respond(request, 400, tag, "Bad Request - no address to call back"), None
    try:
        replaces = of_request(request)
    except RemoteError:
        return respond(request, 400, tag, "Bad Request - unusable Replaces"), None
    if replaces is None:
        return None, None
    found = running(replaces.key)
    if found is None or found.state in (CallState.INCOMING, CallState.CANCELLING, CallState.CALLING):
        return respond(request, 481, tag), None
    if replaces.early_only:
        return respond(request, 486, tag), None
    return None, found


def _body_refusal(request: Request, tag: str) -> Response | None:
    accepted = _BODIES.get(request.method)
    if accepted is None:
        return None
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    if request.body and (request.content_type not in accepted or encoding != "identity"):
        response = respond(request, 415, tag)
        if encoding != "identity":
            response.headers.add("Accept-Encoding", "identity")
        return response
    wanted = {item.partition(";")[0].strip() for item in request.headers.tokens("Accept")}
    if wanted and not wanted & {"application/sdp", "application/*", "*/*"}:
        return respond(request, 406, tag)
    return None
