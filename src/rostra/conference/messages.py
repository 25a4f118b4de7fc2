"""What nodes say to each other about conferences: the closed set, one class each.

All are msgspec structs in MessagePack, tagged with their name; a new member has a default, so the previous version
understands it, and an unknown message is logged and left alone. Subjects carry the version of the set.
"""

from __future__ import annotations

import hashlib

import msgspec

from rostra.conference.events import CameraMoved, PeerSignal, RoomReferred
from rostra.conference.state import Delta
from rostra.dialplan.outward import Route
from rostra.domain.dialling import Wanted
from rostra.domain.media import CryptoAttribute, MediaKind
from rostra.domain.service import Service
from rostra.domain.vocabulary import Role
from rostra.fabric import subjects
from rostra.media.messages import CameraAsked, DtmfReceived, LegFailed, Quality


def key_of(name: str) -> str:
    """A conference's key on the fabric: its name may hold what a subject cannot."""
    return hashlib.sha256(name.encode()).hexdigest()[:20]


def change_subject(key: str) -> str:
    """What is said to all nodes that have the conference (`Shared`)."""
    return subjects.CONFERENCE.of(key)


def sync_subject(key: str) -> str:
    """Asks any node that has the conference for all of it; nobody listens where it does not run."""
    return subjects.SYNC.of(key)


def node_subject(node: str) -> str:
    """Requests to one node (`Request`)."""
    return subjects.ORDERS.of(node)


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of everything nodes say about conferences."""


# ---- to all nodes of a conference -------------------------------------------------------------------------


class _Shared(Message, frozen=True, kw_only=True):
    node: str
    boot: str


class Change(_Shared, frozen=True, kw_only=True):
    """A part of the state. `stamp` counts the sender's changes of this conference: a gap shows."""

    stamp: int
    delta: Delta


class Beat(_Shared, frozen=True, kw_only=True):
    """The sender has part in the conference, and has said this many changes."""

    stamp: int


class Left(_Shared, frozen=True, kw_only=True):
    """The sender has no more part in the conference."""


class Said(_Shared, frozen=True, kw_only=True):
    """Chat. `to` is empty for everybody."""

    sender: str
    sender_name: str
    content_type: str
    payload: str
    to: str = ""


class Heard(_Shared, frozen=True, kw_only=True):
    """How loud the participants are whose media the sender carries, dBov; the silent are left out."""

    levels: dict[str, float]


class Rang(_Shared, frozen=True, kw_only=True):
    """Everybody in the conference shall hear sounds of the theme, but for one participant (`without`)."""

    sounds: tuple[str, ...]
    without: str = ""


Shared = Change | Beat | Left | Said | Heard | Rang


# ---- to one node ------------------------------------------------------------------------------------------


class Sync(Message, frozen=True, kw_only=True):
    """Asks for all that is known of a conference. Reply: State, or Absent."""

    key: str


class State(Message, frozen=True, kw_only=True):
    """All that a node knows of a conference, and how many changes of its own that includes."""

    node: str
    boot: str
    stamp: int
    delta: Delta


class Absent(Message, frozen=True, kw_only=True):
    """The node has no part in that conference."""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """To which conference somebody goes."""

    alias: str
    role: Role | None = None
    """What it is there; None: as anybody who comes."""
    trusted: bool = True
    """Whoever wants it may use what is for registered callers only; else the one who is sent may not either."""
    call: Service | None = None
    """The gateway call it goes into, in the place of the party `place`."""
    place: str = ""


class DialOut(Message, frozen=True, kw_only=True):
    """Call somebody from the conference of a service. Reply: Dialling or NotDialling."""

    service: Service
    wanted: Wanted
    route: Route


class Dialling(Message, frozen=True, kw_only=True):
    """These participants are being called."""

    participants: tuple[str, ...]


class NotDialling(Message, frozen=True, kw_only=True):
    """The call cannot be placed. `status` is the client API's."""

    status: int
    reason: str


class Order(Message, frozen=True, kw_only=True):
    """Something to do with a participant, to the node that signals it. Reply: Done or Absent."""

    key: str
    participant: str
    mute: bool | None = None
    hold: bool | None = None
    role: Role | None = None
    members: dict[str, bool | str | float] = {}
    """Roster members that change nothing else."""
    admit: bool = False
    dtmf: str = ""
    camera: CameraMoved | None = None
    refer: RoomReferred | None = None
    signal: PeerSignal | None = None
    play: tuple[str, ...] = ()
    """Sounds of the theme."""
    remove: str | None = None
    """The reason."""
    transfer: Transfer | None = None


class Done(Message, frozen=True, kw_only=True):
    """It was done."""


class Place(Message, frozen=True, kw_only=True):
    """Carry the media of a call. Reply: Placed or NoRoom. Safe to repeat."""

    key: str
    service: Service
    call: str
    tokens: int
    owner: str
    """Id of the node that signals the call."""
    boot: str
    ticket: str = ""
    """Names this placing of the call: an earlier one may be released after it."""
    elsewhere: bool = False
    """Another node carries media of the same gateway call: there is a backplane to it."""
    notice: bool = False
    """Somebody is only told that there is no room: it is carried besides what is booked (`Ledger.notice`)."""


class Reserve(Message, frozen=True, kw_only=True):
    """Another node is about to carry media of a gateway call as well: book a backplane to it. Reply: Done or NoRoom.

    Safe to repeat."""

    key: str


class Placed(Message, frozen=True, kw_only=True):
    """The worker that will carry it."""

    worker: str
    process: int


class NoRoom(Message, frozen=True, kw_only=True):
    """It cannot be carried here: `reason` is for the log."""

    reason: str


class Release(Message, frozen=True, kw_only=True):
    """A call's media is not needed any more. Reply: Done."""

    key: str
    call: str
    ticket: str = ""


class LegEvent(Message, frozen=True, kw_only=True):
    """What a carried leg did, to the node that signals its call. Reply: Done, or Absent when it has no such call."""

    key: str
    event: LegFailed | DtmfReceived


class PictureNeeded(Message, frozen=True, kw_only=True):
    """The far end of a call should be asked for a key frame (`media.replies.PictureWanted`). Reply: Done or Absent."""

    key: str
    call: str


class CameraMoves(Message, frozen=True, kw_only=True):
    """The far end of a carried leg moves the camera of whom it sees. Reply: Done or Absent."""

    key: str
    event: CameraAsked


class LegsLost(Message, frozen=True, kw_only=True):
    """The media of these calls is gone, or (`moving`) has to go: set it up elsewhere. Reply: Done."""

    key: str
    calls: tuple[str, ...]
    reason: str
    moving: bool = False
    node: str = ""
    """Who carried them."""


class StreamWant(msgspec.Struct, frozen=True, kw_only=True):
    """One stream, and where it shall be sent. `key_out` encrypts it, `key_in` what comes back."""

    leg: str
    kind: MediaKind
    source: str
    quality: Quality
    address: str
    port: int
    key_out: CryptoAttribute
    key_in: CryptoAttribute


class Want(Message, frozen=True, kw_only=True):
    """All streams that a node wants of this one for a conference, stated again and again. Reply: Sending or Absent."""

    key: str
    node: str
    boot: str
    streams: tuple[StreamWant, ...]


class Sending(Message, frozen=True, kw_only=True):
    """The legs that are being sent; the others have to wait."""

    legs: tuple[str, ...]


class PresentationRoom(Message, frozen=True, kw_only=True):
    """Asks the node that carries a call whether somebody may present in it. Reply: Done, NoRoom or Absent."""

    key: str
    call: str
    tokens: int


class TakeStill(Message, frozen=True, kw_only=True):
    """The picture of a presentation carried there, unless it looks like that of `mark`. Reply: Still or Absent."""

    key: str
    source: str
    mark: bytes = b""


class Still(Message, frozen=True, kw_only=True):
    """A picture in two sizes, as JPEG; both empty: it looks the same."""

    mark: bytes
    small: bytes = b""
    large: bytes = b""


class RelayOpen(Message, frozen=True, kw_only=True):
    """Relay the media of a call through this edge node (POL-130, POL-131). Reply: RelayPlaces or NoRoom. Repeatable."""

    relay: str
    shapes: tuple[str, ...]
    """`RTP` or `ICE`, one for each stream."""
    tokens: int
    """What it costs here (POL-136)."""
    owner: str
    boot: str


class RelayAim(Message, frozen=True, kw_only=True):
    """Where the worker waits for each stream. Reply: RelayPlaces, as the worker sees them, or NoRoom."""

    relay: str
    targets: tuple[tuple[str, int], ...]


class RelayAnnounce(Message, frozen=True, kw_only=True):
    """Where signalling says each RTP stream's endpoint is: RTP address and port, RTCP address and port. Reply: Done."""

    relay: str
    endpoints: tuple[tuple[str, int, str, int] | None, ...]


class RelayClose(Message, frozen=True, kw_only=True):
    """The call needs it no more. Reply: Done."""

    relay: str


class RelayUsed(Message, frozen=True, kw_only=True):
    """Asks the node that signals a call whether it still uses a relay. Reply: Done or Absent."""

    relay: str


class RelayPlaces(Message, frozen=True, kw_only=True):
    """Addresses and ports, one for each stream."""

    places: tuple[tuple[str, int], ...]


RelayRequest = RelayOpen | RelayAim | RelayAnnounce | RelayClose
Request = (
    Sync
    | Order
    | Place
    | Reserve
    | Release
    | LegEvent
    | PictureNeeded
    | CameraMoves
    | LegsLost
    | Want
    | TakeStill
    | PresentationRoom
    | RelayOpen
    | RelayAim
    | RelayAnnounce
    | RelayClose
    | RelayUsed
    | DialOut
)
Reply = State | Absent | Done | Placed | NoRoom | Sending | Still | RelayPlaces | Dialling | NotDialling

shared_decoder = msgspec.msgpack.Decoder(Shared)
request_decoder = msgspec.msgpack.Decoder(Request)
reply_decoder = msgspec.msgpack.Decoder(Reply)
encode = msgspec.msgpack.Encoder().encode
