"""Gateway calls: two parties through the platform, without a service of their own (SVC-077…SVC-082). Pure.

A gateway call is a conference of two, known by the name of its rule and a unique suffix (DIAG-021): who called, and
who is called as the rule says. It ends when either leaves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import msgspec

from rostra.domain import dialling
from rostra.domain.dialling import Wanted
from rostra.domain.vocabulary import CallProtocol

GATEWAY = "gateway"
"""`service_type`."""
FAILED = "Gateway dial out failed"
"""What a client of the API is told of a called party that is not there (API-079)."""
ENDED = "Call disconnected"
TRAIL = "X-Rostra-Trail"
"""Header of SIP calls that says through which gateways they have come already."""
MOST_PASSED = 20
"""Gateways that a call may come through, whatever was dialled at each."""


EXTERNAL = "external"
"""Target of a rule: registered devices first, else an external system."""
ONLY_REGISTERED = "registration"
"""Target of a rule that leads to registered devices and nowhere else. Others are Skype for Business systems."""


def by_target(target: str, protocol: CallProtocol) -> CallProtocol:
    """By what a target is called: the protocol of a rule is that of external systems (SVC-103, SVC-104, SVC-106)."""
    return protocol if target in (EXTERNAL, ONLY_REGISTERED) else CallProtocol.MSSIP


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """A system that takes outgoing calls on (SYS-146)."""

    address: str
    port: int | None = None
    transport: str = "tls"
    """`udp`, `tcp` or `tls`."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How a call is placed."""

    protocol: CallProtocol
    destination: str
    location: int = 0
    """Where it is placed from; 0: here."""
    hop: Hop | None = None
    """Through what; None: straight to the destination."""
    call_type: str = "video"
    rate_out: int | None = None
    """bit/s sent at most."""
    registration: str = ""
    """The registered device that is called (id of its registration); empty: what `destination` says."""
    node: str = ""
    """Who has to call: the node that holds the registration (CONF-024); empty: as `location` says."""
    fork: str = ""
    """The same for all calls of which the first that is answered ends the others (CONF-025); empty: it is alone."""


class Onward(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a gateway call is placed to, and how."""

    alias: str
    """As dialled."""
    wanted: Wanted
    routes: tuple[Route, ...]
    mirrors: bool = False
    """The called party is offered what the caller has (`auto`)."""
    rate_in: int | None = None
    """bit/s that the caller sends at most (SVC-098)."""
    rule: int = 0
    """The Call Routing Rule that says so; 0: policy does."""
    stun: int | None = None
    """Of policy: the server that media asks for our public address, by id; None: that of the location."""
    turn: int | None = None
    """Likewise the one that relays."""


_STATUSES = {
    "Called party busy": 486,
    "Called party not found": 404,
    "Called party not available": 480,
    "Call cancelled": 487,
    "No common media": 488,
    dialling.NO_ANSWER: 408,
    dialling.NOT_REACHED: 480,
    dialling.REJECTED: 603,
    "Neither conference nor gateway found": 404,
    "Disabled": 403,
    "Insufficient licenses": 503,
    "Out of resource": 503,
    "System in maintenance mode": 503,
}


def sip_status(reason: str) -> int:
    """The status by which a SIP caller is told why a called party is not there: the counterpart of
    `dialling.reason`."""
    return _STATUSES.get(reason, 480)


def told(reason: str, protocol: CallProtocol) -> str:
    """Why the caller's call ends when the called party has given `reason` before it answered.

    Clients of the API know two reasons (API-079); other protocols have more to say.
    """
    if protocol is not CallProtocol.API:
        return reason
    return reason if reason == dialling.REJECTED else FAILED


# ---- loops


def mark(platform: str, alias: str) -> str:
    """By which a platform knows a call that it has passed on once already, to the same alias."""
    return hashlib.sha256(f"{platform}\0{alias.casefold()}".encode(errors="replace")).hexdigest()[:16]


def trail(header: str) -> tuple[str, ...]:
    """The marks in a header as received; what is none is left out."""
    found = (one.strip() for one in header[:1000].split(","))
    return tuple(one for one in found if one.isascii() and one.isalnum() and len(one) <= 32)


def loops(passed: Collection[str], mark: str) -> bool:
    """Has the call been here before (CONF-028)?"""
    return mark in passed or len(passed) >= MOST_PASSED
