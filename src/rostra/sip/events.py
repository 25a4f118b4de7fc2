"""What the engine tells the application."""

from __future__ import annotations

import dataclasses

from rostra.sip.flow import Flow
from rostra.sip.message import Request
from rostra.sip.replacing import Replaces
from rostra.sip.uri import Uri


@dataclasses.dataclass(frozen=True, slots=True)
class CallReceived:
    """An INVITE for a new call. `sdp` None: the caller wants our offer. Answer with `ring`, `answer` or `refuse`."""

    call: str
    request: Request
    flow: Flow
    sdp: bytes | None
    replaces: str = ""
    """The call of ours whose place it takes (RFC 3891)."""


@dataclasses.dataclass(frozen=True, slots=True)
class CallProgressed:
    """Our INVITE rings, or is otherwise under way; `sdp` is what the far end sends already, if anything."""

    call: str
    status: int
    sdp: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class CallAnswered:
    """The far end accepted our INVITE; `sdp` is its answer. ACK has been sent."""

    call: str
    sdp: bytes
    product: str = ""
    """What the far end says it is."""


@dataclasses.dataclass(frozen=True, slots=True)
class CallConfirmed:
    """ACK of a call we answered; `sdp` is the caller's answer where we made the offer."""

    call: str
    sdp: bytes | None


@dataclasses.dataclass(frozen=True, slots=True)
class OfferReceived:
    """A re-INVITE or UPDATE within a call; `sdp` None: our offer is wanted. Answer with `answer` or `refuse`."""

    call: str
    sdp: bytes | None


@dataclasses.dataclass(frozen=True, slots=True)
class OfferAnswered:
    """The answer to an offer of ours within a call (in a response to our re-INVITE, or in an ACK)."""

    call: str
    sdp: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class OfferRefused:
    """The far end does not take our offer; what was agreed before goes on."""

    call: str
    status: int


@dataclasses.dataclass(frozen=True, slots=True)
class InfoReceived:
    """INFO within a call; it has been answered."""

    call: str
    content_type: str
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class PartyChanged:
    """Somebody else is at the far end from now on, as `request` says (RFC 4916)."""

    call: str
    request: Request


@dataclasses.dataclass(frozen=True, slots=True)
class ReferReceived:
    """The far end wants us to call `target`. Say by `report` what comes of it."""

    call: str
    name: str
    target: Uri
    replaces: Replaces | None = None
    """The call of the target's that ours shall replace."""
    by: str = ""
    """Referred-By, as received (RFC 3892)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Referred:
    """What has become of a REFER of ours; `status` 0: nobody can say."""

    call: str
    status: int
    over: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over; nothing more follows. `status` is the final response to our INVITE, or 0."""

    call: str
    reason: str
    status: int = 0
    contact: str = ""
    """URI to try instead, of a 3xx response."""
    heard: bool = dataclasses.field(default=False, compare=False)
    """The far end had said something to our INVITE before."""
    said: str = dataclasses.field(default="", compare=False)
    """Why, in the far end's words (RFC 3326)."""


@dataclasses.dataclass(frozen=True, slots=True)
class RegisterReceived:
    """A REGISTER. Answer with `respond`."""

    name: str
    request: Request
    flow: Flow


Event = (
    CallReceived
    | CallAnswered
    | CallConfirmed
    | OfferReceived
    | OfferAnswered
    | OfferRefused
    | InfoReceived
    | CallProgressed
    | PartyChanged
    | ReferReceived
    | Referred
    | CallEnded
)
"""What concerns a call."""


@dataclasses.dataclass(frozen=True, slots=True)
class FlowLost:
    """A stream connection is gone."""

    flow: Flow


Happening = Event | RegisterReceived | FlowLost


@dataclasses.dataclass(frozen=True, slots=True)
class Transmission:
    """Bytes to send on a flow."""

    flow: Flow
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Disconnection:
    """Close this stream connection."""

    flow: Flow
