"""Who calls, as the request and those on its way say it (RFC 3323, 3325)."""

from __future__ import annotations

import dataclasses

from rostra.sip.aliases import printable
from rostra.sip.errors import RemoteError
from rostra.sip.message import Request
from rostra.sip.uri import NameAddr, parse_name_addr

ANONYMOUS = "anonymous.invalid"
"""Host of those who do not say who they are (RFC 3323 4.1.1.3)."""
UNNAMED = "Anonymous"


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """What rosters, policy and history are told."""

    name: str
    address: str
    """Without scheme."""
    uri: str
    asserted: str | None = None
    """P-Asserted-Identity of a system that we believe, as text."""


def caller_of(request: Request, *, trusted: bool) -> Caller:
    """Who sends an INVITE; `trusted`: it came from a system of the administrator's own.

    What others say of the caller's identity counts for nothing (RFC 3325 9.1). A caller that hides itself in From is
    known by what is asserted, unless it asked for that to be kept from people too.
    """
    asserted = request.headers.get("P-Asserted-Identity") if trusted else None
    said = request.from_
    hidden = said.uri.bare_host == ANONYMOUS
    private = bool(request.headers.tokens("Privacy") & {"id", "user", "header"})
    if hidden and asserted is not None and not private:
        said = _asserted(request) or said
        hidden = said.uri.bare_host == ANONYMOUS
    uri = said.uri
    name = printable(said.display_name) or (UNNAMED if hidden else uri.decoded_user or uri.address)
    told = None if asserted is None else printable(asserted)
    return Caller(name, printable(uri.address), printable(f"{uri.scheme}:{uri.address}"), told)


def _asserted(request: Request) -> NameAddr | None:
    """The first asserted identity that is a SIP address."""
    try:
        found = [parse_name_addr(value) for value in request.headers.items("P-Asserted-Identity")]
    except RemoteError:
        return None
    return next((one for one in found if one.uri.is_sip), None)
