"""What a node says when it is asked what it carries, and what it can be told to do.

A new member has a default, and values a later version may add to are plain text: nodes of two versions understand
each other. Times are Unix seconds, bandwidths bit/s, nodes are fabric ids.
"""

from __future__ import annotations

import msgspec

from rostra.domain.dialling import Wanted
from rostra.fabric import subjects


def status_subject(node: str) -> str:
    """Empty request; the answer is a NodeStatus."""
    return subjects.STATUS.of(node)


def command_subject(node: str) -> str:
    """The request is a Command, the answer a CommandReply."""
    return subjects.COMMAND.of(node)


class ParticipantStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A participant this node signals (sheet 10, status `participant`)."""

    uuid: str
    display_name: str = ""
    source_alias: str = ""
    destination_alias: str = ""
    protocol: str = ""
    """Value of `domain.vocabulary.CallProtocol`."""
    vendor: str = ""
    role: str = "unknown"
    call_direction: str = "in"
    connect_time: float = 0.0
    has_media: bool = False
    is_muted: bool = False
    is_client_muted: bool = False
    is_on_hold: bool = False
    is_presenting: bool = False
    is_streaming: bool = False
    is_presentation_supported: bool = False
    is_mute_supported: bool = True
    is_disconnect_supported: bool = True
    is_transfer_supported: bool = False
    is_audio_only: bool = False
    encrypted: bool = False
    bandwidth: int = 0
    rx_bandwidth: int = 0
    tx_bandwidth: int = 0
    media_node: str = ""
    """Empty: no media."""
    proxy_node: str = ""
    call_uuid: str = ""
    call_tag: str = ""
    conversation_id: str = ""
    service_type: str = ""
    """Where it is now: value of `domain.vocabulary.ServiceType`."""
    remote_address: str = ""
    remote_port: int = 0
    license_count: int = 1
    license_type: str = "port"
    idp: str = ""
    """Identity (uuid) of the identity provider that vouches for it."""
    is_direct: bool = False
    """Its media goes to another client directly (API-158)."""


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of one stream, between two nodes or between a participant and us."""

    source: str = ""
    """Participant whose picture it is; empty for a mix."""
    kind: str = "video"
    """`audio`, `video` or `presentation`."""
    quality: str = ""
    """`full` or `thumbnail` for pictures."""
    sending: bool = True
    """False: it comes in."""
    bitrate: int = 0
    codec: str = ""
    resolution: str = ""
    packets: int = 0
    packets_lost: int = 0
    jitter: float = 0.0
    """Milliseconds."""
    frame_rate: float = 0.0
    """Pictures a second."""
    since: float = 0.0
    """When it began; 0: with what it belongs to."""
    recent_loss: float = 0.0
    """Percent lost over the last 20 seconds."""


class BackplaneStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What this node exchanges with one other node for one conference."""

    peer: str
    scope: str = "local"
    """`local`: same location; `geo`: another one."""
    since: float = 0.0
    streams: tuple[StreamStatus, ...] = ()


class MediaStatus(msgspec.Struct, frozen=True, kw_only=True):
    """This node carries media of the conference."""

    worker: str = ""
    since: float = 0.0
    legs: int = 0
    tokens: int = 0
    """Capacity in use and reserved here for it."""
    backplanes: tuple[BackplaneStatus, ...] = ()
    quality: dict[str, int] = {}
    """By call carried here: value of `domain.quality.Quality` of its last 20 seconds that are over."""


class ConferenceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A conference this node signals for or carries."""

    id: str
    """Of the instance: a UUID, the same on every node."""
    name: str = ""
    service_type: str = ""
    tag: str = ""
    start_time: float = 0.0
    is_locked: bool = False
    guests_muted: bool = False
    is_started: bool = False
    participants: tuple[ParticipantStatus, ...] = ()
    """Only those this node signals."""
    media: MediaStatus | None = None
    direct_media_available: bool = False
    """Two clients that are alone may exchange their media directly."""


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a node has part in."""

    node: str
    boot: str = ""
    conferences: tuple[ConferenceStatus, ...] = ()
    cpu_count: int = 0
    cpu_model: str = ""
    cpu_capabilities: str = ""
    total_ram: int = 0
    """KB."""


class MoveCallsAway(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Hand every leg this node carries to other nodes; takes no new media until it is done."""


class OnConference(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Do something with a conference this node has part in. Reply: Obeyed, NotHere or Refused."""

    conference: str
    """Id of the instance."""
    action: str
    """`disconnect`, `lock`, `unlock`, `mute_guests`, `unmute_guests` or `transform_layout`."""
    transforms: tuple[tuple[str, bool | str | tuple[str, ...]], ...] = ()
    """For `transform_layout`: names and values of what to change (API-122)."""


class OnParticipant(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Do something with a participant this node signals. Reply: Obeyed, NotHere or Refused."""

    participant: str
    action: str
    """`disconnect`, `mute`, `unmute`, `unlock` (let in who waits), `role` or `transfer`."""
    role: str = ""
    """For `role` and `transfer`: value of `domain.vocabulary.Role`."""
    alias: str = ""
    """For `transfer`: where to."""


class DialOut(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Call somebody from the conference of a service, begun when there is none. Reply: Dialling or Refused."""

    alias: str
    """Of the service; also what the called party is shown."""
    wanted: Wanted


class TellStreams(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Tell what a call carried here sends and receives. Reply: LegStreams or NotHere."""

    call: str


class TellRegistrations(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Tell which devices are registered here, in the order of their ids. Reply: Registrations."""

    after: str = ""
    """Only those whose ids come after this one."""


class CheckCapacity(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Measure anew how many calls the node can take. Reply: Capacity, or Refused while calls are on."""


class TellMedia(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Tell how the media of a conference is made here. Reply: MediaGraph or NotHere."""

    conference: str
    """Id of the instance."""


OfCalls = MoveCallsAway | OnConference | OnParticipant | DialOut | TellStreams | TellRegistrations | TellMedia
Command = OfCalls | CheckCapacity


class Moved(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """Accepted; that many legs are being moved."""

    legs: int = 0


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """The node does not do it, for this reason."""

    reason: str


class Obeyed(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """It is done, or will be at once."""


class Dialling(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """These participants are being called."""

    participants: tuple[str, ...] = ()


class NotHere(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """The node has no such conference, participant or call."""


class LegStreams(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """The streams of a call."""

    streams: tuple[StreamStatus, ...] = ()


class RegistrationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A device that is registered at a node (sheet 10, status `registration_alias`)."""

    id: str
    alias: str = ""
    protocol: str = ""
    """Value of `domain.vocabulary.CallProtocol`."""
    username: str = ""
    remote_address: str = ""
    vendor: str = ""
    start_time: float = 0.0
    is_natted: bool = False


class Registrations(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """A page of them; as many as fit into a message."""

    rows: tuple[RegistrationStatus, ...] = ()
    more: bool = False


class Capacity(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """How many calls of each kind a node can take if there are no others."""

    cores: float = 0.0
    hd: int = 0
    sd: int = 0
    audio: int = 0
    full_hd: int = 0
    costs: dict[str, float] = {}
    """Cores that a call takes, by the same names; empty: they could not be measured."""
    crowded: bool = False
    """The machine had other work to do meanwhile."""
    stated: int = 0
    """HD calls that the node goes by instead, as its environment states them."""


class MediaNode(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a media worker has at work: what comes in, what is made of it, what goes out."""

    id: str
    kind: str = ""
    """`in`, `decoder`, `scaling`, `mix`, `composition`, `encoder`, `forwarded` or `out`."""
    name: str = ""
    """Of `in` and `out` the call; else for people."""
    running: bool = True
    users: int = 0
    """How many later ones take from it."""
    detail: dict[str, str | int | float | bool] = {}


class MediaGraph(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="reply"):
    """What the worker of a conference does; edges go from id to id, the way media goes."""

    worker: str = ""
    nodes: tuple[MediaNode, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    counts: dict[str, int] = {}


CommandReply = Moved | Refused | Obeyed | Dialling | NotHere | LegStreams | Registrations | Capacity | MediaGraph

encode_status = msgspec.msgpack.Encoder().encode
decode_status = msgspec.msgpack.Decoder(NodeStatus).decode
encode_command = msgspec.msgpack.Encoder().encode
decode_command = msgspec.msgpack.Decoder(Command).decode
encode_reply = msgspec.msgpack.Encoder().encode
decode_reply = msgspec.msgpack.Decoder(CommandReply).decode
