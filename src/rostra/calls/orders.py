"""A call as it is asked for: somebody wants in, or is to be called."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rostra.dialplan.outward import Hop
from rostra.domain.ending import KeepAlive
from rostra.domain.signon import Identity
from rostra.domain.sipheaders import Headers
from rostra.domain.vocabulary import CallDirection, CallProtocol, Role


class Former(msgspec.Struct, frozen=True):
    """Who a caller was before, as it can show."""

    participant: str
    mark: str


class CallRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to join what `alias` names."""

    alias: str
    protocol: CallProtocol
    display_name: str = ""
    remote_alias: str = ""
    """The caller's own address, without scheme."""
    vendor: str = ""
    remote_address: str = ""
    remote_port: int = 0
    pin: str | None = None
    """PIN given with the request; None: none was given (an empty string is a Guest's choice of no PIN)."""
    call_tag: str = ""
    direct_chat: bool = False
    """It takes messages meant for it alone."""
    attending: bool = False
    """A Host that follows a breakout room from the main conference."""
    encrypted: bool = False
    """Signalling is encrypted."""
    registered: str = ""
    """Alias under which the caller is a registered device (CONF-029); empty: it is none."""
    direction: CallDirection = CallDirection.IN
    extension: str | None = None
    """Where to go on from a Virtual Reception (`conference_extension`)."""
    role: Role | None = None
    """Decided by the platform itself: no PIN is asked for (CONF-099, API-027)."""
    keep_alive: KeepAlive | None = None
    """Of those the platform calls."""
    hops: int = 70
    """How often the call may still be passed on: what ends loops (RFC 3261 8.1.1.6)."""
    trail: tuple[str, ...] = ()
    """Through which gateways it has come already (`domain.gateway`)."""
    dialled: str = ""
    """The alias as signalling has it, with its scheme; empty: `alias` is that."""
    caller: str = ""
    """The same of `remote_alias`."""
    bandwidth: int = 0
    """kbit/s asked for; 0: it did not say."""
    asserted_identity: str | None = None
    """The header as received; None: there was none."""
    subnet: str | None = None
    """The same of `ms-subnet`."""
    direct_media: bool = False
    """Its client can send to another one directly."""
    readmitted: bool = False
    """It was in, and joins anew because its media takes another way: no lock holds it."""
    identity: Identity | None = None
    """Whom an identity provider vouches for."""
    mark: str = ""
    """By which it is known when it joins anew (`calls.rejoining`)."""
    former: Former | None = None
    replaces: str = ""
    """The participant whose place it takes (RFC 3891)."""


class CallOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A call to be placed."""

    destination: str
    hop: Hop | None = None
    """The system it goes through; None: straight to the destination."""
    source: str = ""
    """Alias that the called party is shown."""
    source_name: str = ""
    credentials: Callable[[str], tuple[str, str] | None] = lambda _: None
    """Name and password by the realm of a challenge."""
    headers: Headers = ()
    """More for the SIP request."""
    presentation_url: str = ""
    """Of a stream: where the presentation goes."""
    hops: int = 70
    """How often the call may still be passed on; one less than those of a call that it continues."""
    registration: str = ""
    """The registered device to call, instead of `destination`: id of a registration of this node."""
    conference: str = ""
    """Alias by which the called party joins, where it has to by itself (API-138)."""
    conference_name: str = ""
    service_type: str = "conference"
