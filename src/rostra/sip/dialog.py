"""Dialogs: identities, sequence numbers, routes, and where the next request goes (RFC 3261 12)."""

from __future__ import annotations

import dataclasses

from rostra.domain import natting
from rostra.sip.flow import Flow, Transport, host_text
from rostra.sip.headers import Headers, quote
from rostra.sip.message import MAGIC_COOKIE, Request, Response, reason_phrase
from rostra.sip.uri import Uri, parse_name_addr, parse_uri, split_parameters

PRODUCT = "Rostra"
METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "REGISTER")
ALLOW = ", ".join(METHODS)
ACCEPT = "application/sdp, application/media_control+xml, application/dtmf-relay, application/dtmf, message/sipfrag"
FOCUS = ";isfocus"
EXTENSIONS = ("100rel", "from-change", "norefersub", "replaces", "timer")
EVENTS = "refer"
"""Event packages we take notifications of (RFC 6665)."""
SUPPORTED = ", ".join(EXTENSIONS)


@dataclasses.dataclass(slots=True)
class Dialog:
    """One dialog, from our point of view. The two addresses are From/To values without tags."""

    call_id: str
    local_address: str
    remote_address: str
    local_tag: str
    remote_tag: str
    local_sequence: int
    remote_sequence: int | None
    remote_target: Uri
    flow: Flow
    contact: str
    routes: tuple[str, ...] = ()
    behind_nat: bool = False
    """The far end's own idea of its address is not where its packets come from (RFC 3581)."""

    hops: int = 70
    """How often requests of ours may be passed on."""

    asserted: str = ""
    """P-Asserted-Identity as last seen."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.call_id, self.local_tag, self.remote_tag

    def told(self, branch: str, content_type: str, body: bytes) -> Request:
        """INFO with something for the far end."""
        request = self.request("INFO", branch)
        request.headers.add("Content-Type", content_type)
        request.body = body
        return request

    def request(self, method: str, branch: str, sequence: int | None = None) -> Request:
        """A request within the dialog (12.2.1.1). Without `sequence` (ACK has its INVITE's) the next number is used."""
        if sequence is None:
            self.local_sequence += 1
            sequence = self.local_sequence
        uri, routes = self._route()
        headers = Headers(
            [
                ("Via", via_value(self.flow, self.contact, branch)),
                *(("Route", route) for route in routes),
                ("Max-Forwards", str(self.hops)),
                ("From", f"{self.local_address};tag={self.local_tag}"),
                ("To", self.remote_address + (f";tag={self.remote_tag}" if self.remote_tag else "")),
                ("Call-ID", self.call_id),
                ("CSeq", f"{sequence} {method}"),
                ("User-Agent", PRODUCT),
            ]
        )
        if method in ("INVITE", "UPDATE"):
            headers.add("Contact", self.contact)
            headers.add("Allow", ALLOW)
            headers.add("Supported", SUPPORTED)
        return Request(headers, method=method, uri=uri)

    def respond(self, request: Request, status: int, reason: str = "", elsewhere: str = "") -> Response:
        """A response within the dialog; `elsewhere`: the address that a redirection names."""
        response = respond(request, status, self.local_tag, reason)
        if status < 300:
            response.headers.add("Contact", self.contact)
            response.headers.add("Allow", ALLOW)
            response.headers.add("Supported", SUPPORTED)
        elif elsewhere:
            response.headers.add("Contact", f"<{elsewhere}>")
        return response

    def meets(self, request: Request) -> bool:
        """Take over whom the far end says it is (RFC 4916 4.4); True: it is somebody else than before.

        A name alone makes nobody else: many write it now and then.
        """
        before, now = parse_name_addr(self.remote_address).uri, request.from_.uri
        asserted = request.headers.get("P-Asserted-Identity") or self.asserted
        changed = now.address != before.address or (bool(self.asserted) and asserted != self.asserted)
        if now.address != before.address:
            self.remote_address = without_tag(request.headers.get("From") or "")
        self.asserted = asserted
        return changed

    def focus(self) -> None:
        """We are a conference to the far end (RFC 3840, 4579)."""
        if not self.contact.endswith(FOCUS):
            self.contact += FOCUS

    def destination(self, connected: bool) -> Flow:
        """Where the next request goes.

        An open stream connection is used again. UDP goes to the first route or the remote target when that is
        an address we can believe, else to where the far end's last packets came from.
        """
        if connected and self.flow.transport.reliable:
            return self.flow
        hop = parse_name_addr(self.routes[0]).uri if self.routes else self.remote_target
        known = hop.is_sip and (bool(self.routes) or not self.behind_nat)
        believable = known and natting.believable(hop.bare_host, self.flow.remote[0])
        if believable:
            remote = (hop.bare_host, hop.port or self.flow.transport.default_port)
        elif self.flow.transport is Transport.UDP:
            remote = self.flow.remote
        else:
            remote = (self.flow.remote[0], hop.port or self.flow.transport.default_port)
        return dataclasses.replace(self.flow, remote=remote, connection=0)

    def _route(self) -> tuple[str, tuple[str, ...]]:
        """Request-URI and Route values: loose routing, or strict where the first route is an old proxy."""
        target = str(dataclasses.replace(self.remote_target, headers=""))
        if not self.routes:
            return target, ()
        first = parse_name_addr(self.routes[0]).uri
        if first.parameter("lr") is not None:
            return target, self.routes
        return str(first), (*self.routes[1:], f"<{target}>")


def calling_dialog(
    uri: str, local_uri: str, local_name: str, flow: Flow, contact: str, words: tuple[str, str]
) -> Dialog:
    """The dialog of a call of ours to `uri`, as far as it is known; `words` make its Call-ID and our tag."""
    return Dialog(
        call_id=words[0],
        local_address=f"{quote(local_name)} <{local_uri}>" if local_name else f"<{local_uri}>",
        remote_address=f"<{uri}>",
        local_tag=words[1],
        remote_tag="",
        local_sequence=0,
        remote_sequence=None,
        remote_target=parse_uri(uri),
        flow=flow,
        contact=contact,
    )


def dialog_of(request: Request, flow: Flow, tag: str, sequence: int, contact: str) -> Dialog:
    """The dialog that an INVITE which came by `flow` begins (12.1.1); `sequence` is where our own numbers start."""
    return Dialog(
        call_id=request.call_id,
        local_address=without_tag(request.headers.get("To") or ""),
        remote_address=without_tag(request.headers.get("From") or ""),
        local_tag=tag,
        remote_tag=request.from_.tag,
        local_sequence=sequence,
        remote_sequence=request.cseq[0],
        remote_target=request.contact or request.from_.uri,
        flow=flow,
        contact=contact,
        routes=tuple(request.headers.items("Record-Route")),
        behind_nat=request.via.host.strip("[]").lower() != flow.remote[0],
        asserted=request.headers.get("P-Asserted-Identity") or "",
    )


def via_value(flow: Flow, contact: str, branch: str) -> str:
    """Our Via: the address responses come back to is that of our Contact."""
    uri = parse_name_addr(contact).uri
    port = uri.port or flow.transport.default_port
    return f"SIP/2.0/{flow.transport} {uri.host};branch={MAGIC_COOKIE}{branch};rport".replace(
        f" {uri.host};", f" {uri.host}:{port};", 1
    )


def contact_value(flow: Flow, port: int, user: str, secure: bool, host: str) -> str:
    """Our Contact as the far end of `flow` reaches us: `host` is our address or DNS name there (NODE-073)."""
    scheme = "sips" if secure else "sip"
    transport = "" if flow.transport is Transport.UDP or secure else f";transport={flow.transport.lower()}"
    who = f"{user}@" if user else ""
    return f"<{scheme}:{who}{host_text(host)}:{port}{transport}>"


def respond(request: Request, status: int, tag: str = "", reason: str = "") -> Response:
    """A response as 8.2.6 wants it; `tag` goes into To unless the request had one or the response is 100."""
    to = request.headers.get("To") or ""
    if status != 100 and tag and not _has_tag(to):
        to = f"{to};tag={tag}"
    fields = [("Via", value) for value in request.headers.all("Via")]
    fields += [("From", request.headers.get("From") or ""), ("To", to)]
    fields += [("Call-ID", request.call_id), ("CSeq", request.headers.get("CSeq") or "")]
    if status == 100 and request.headers.get("Timestamp"):
        fields.append(("Timestamp", request.headers.get("Timestamp") or ""))
    if 100 < status < 300:
        fields += [("Record-Route", value) for value in request.headers.all("Record-Route")]
    fields.append(("Server", PRODUCT))
    if status == 405:
        fields.append(("Allow", ALLOW))
    if status == 415:
        fields.append(("Accept", ACCEPT))
    if status == 489:
        fields.append(("Allow-Events", EVENTS))
    fields = [(name, value) for name, value in fields if value]  # a damaged request may lack some
    return Response(Headers(fields), status=status, reason=reason or reason_phrase(status))


def _has_tag(to: str) -> bool:
    return ";tag=" in "".join(to.partition(">")[2].lower().split()) or (
        "<" not in to and ";tag=" in "".join(to.lower().split())
    )


def without_tag(value: str) -> str:
    """A From/To value as it goes into the other side's requests: the address alone. Raises RemoteError."""
    address, parameters = split_parameters(value)
    kept = "".join(f";{name}={text}" if text else f";{name}" for name, text in parameters.items() if name != "tag")
    return (address if address.endswith(">") else f"<{address}>") + kept
