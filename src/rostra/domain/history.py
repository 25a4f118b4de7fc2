"""What happened, as a Conferencing Node tells the Management Node: material of history and usage.

Values a later version may add to are plain text, so that nodes of two versions understand each other; every member
that is not needed to tell one event from another has a default.
"""

from __future__ import annotations

import msgspec

LOST = "Signaling node connection lost"
"""Disconnect reason of participants whose node vanished without a word; the true one replaces it if it comes."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="event"):
    time: float
    """When it happened, Unix seconds by the clock of the node that tells."""


class ConferenceStarted(_Event, frozen=True, kw_only=True):
    """A conference began, as this node sees it; every node that has part in it tells, the earliest counts."""

    id: str
    """Of the conference instance; all nodes use the same."""
    name: str
    service_type: str = ""
    tag: str = ""
    direct_media_available: bool = False


class ConferenceEnded(_Event, frozen=True, kw_only=True):
    """A node has no more part in a conference. The conference is over when its last participant is."""

    id: str
    name: str = ""
    service_type: str = ""
    tag: str = ""
    message_count: int = 0
    """Chat messages this node's participants sent."""


class StreamRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One stream over its life (sheet 10, history `media_stream`). Mean bit rates in bit/s, loss in percent."""

    id: str
    type: str = ""
    """`audio`, `video` or `presentation`."""
    node: str = ""
    """Fabric id of the node that carried it."""
    start_time: float = 0.0
    end_time: float = 0.0
    rx_codec: str = ""
    rx_bitrate: int = 0
    rx_resolution: str = ""
    rx_fps: float = 0.0
    rx_packets_received: int = 0
    rx_packets_lost: int = 0
    rx_packet_loss: float = 0.0
    tx_codec: str = ""
    tx_bitrate: int = 0
    tx_resolution: str = ""
    tx_fps: float = 0.0
    tx_packets_sent: int = 0
    tx_packets_lost: int = 0
    tx_packet_loss: float = 0.0


class ParticipantRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one participant (sheet 10, history `participant`). Bandwidths in bit/s."""

    uuid: str
    conference_id: str = ""
    conference_name: str = ""
    start_time: float = 0.0
    """When the call reached the platform, Unix seconds."""
    display_name: str = ""
    local_alias: str = ""
    """What was dialled."""
    remote_alias: str = ""
    """Who called, or was called."""
    protocol: str = ""
    vendor: str = ""
    role: str = "unknown"
    call_direction: str = "in"
    call_uuid: str = ""
    call_tag: str = ""
    conversation_id: str = ""
    service_type: str = ""
    service_tag: str = ""
    encrypted: bool = False
    has_media: bool = False
    is_streaming: bool = False
    bandwidth: int = 0
    rx_bandwidth: int = 0
    tx_bandwidth: int = 0
    remote_address: str = ""
    remote_port: int = 0
    location: int = 0
    """Of the node that signals."""
    media_node: str = ""
    """Fabric id of the node that carried its media last."""
    proxy_node: str = ""
    license_count: int = 1
    license_type: str = "port"
    av_id: str = ""
    presentation_id: str = ""
    idp: str = ""
    """Identity (uuid) of the identity provider that vouches for it."""
    is_direct: bool = False
    """Its media went to another client directly (API-158)."""


class ParticipantJoined(_Event, frozen=True, kw_only=True):
    """A call reached the platform."""

    participant: ParticipantRecord


class ParticipantEnded(_Event, frozen=True, kw_only=True):
    """A call ended; `time` is its end. Told exactly once by the node that signalled it."""

    participant: ParticipantRecord
    disconnect_reason: str = ""
    duration: float = 0.0
    """Seconds, by the node's own clock that never jumps; 0: the difference of the two times."""


class MediaNodeUsed(_Event, frozen=True, kw_only=True):
    """A participant's media is on this node from now on (PLAT-034...PLAT-040, PLAT-068)."""

    participant: str
    conference_id: str = ""
    media_node: str
    location: int = 0
    overflowed_from: int = 0
    """Location that was full; 0: none."""
    proxy_node: str = ""


class MediaEnded(_Event, frozen=True, kw_only=True):
    """A call's media left a node, because the call ended, before or after that is told, or because it moved."""

    participant: str
    call: str = ""
    streams: tuple[StreamRecord, ...] = ()
    quality: tuple[int, ...] = ()
    """Values of `domain.quality.Quality`, one for each 20 seconds there."""


class CapacityRefused(_Event, frozen=True, kw_only=True):
    """A call found no room."""

    participant: str = ""
    conference_name: str = ""
    alias: str = ""
    location: int = 0
    reason: str = ""


class BackplaneEnded(_Event, frozen=True, kw_only=True):
    """What one node sent to another for one conference (sheet 10, history `backplane`); `time` is the end."""

    id: str
    conference_id: str
    conference_name: str = ""
    service_tag: str = ""
    start_time: float = 0.0
    media_node: str = ""
    remote_media_node: str = ""
    proxy_node: str = ""
    scope: str = "local"
    location: int = 0
    disconnect_reason: str = ""
    streams: tuple[StreamRecord, ...] = ()


class RegistrationAdded(_Event, frozen=True, kw_only=True):
    """A device registered; refreshing is not told."""

    id: str
    alias: str = ""
    protocol: str = ""
    username: str = ""
    remote_address: str = ""
    is_natted: bool = False
    location: int = 0
    vendor: str = ""


class RegistrationDeleted(_Event, frozen=True, kw_only=True):
    """A device is not registered any more."""

    id: str
    alias: str = ""
    protocol: str = ""
    reason: str = ""
    location: int = 0


class RuleMatched(_Event, frozen=True, kw_only=True):
    """A Call Routing Rule took a call that came in."""

    name: str
    """Of the rule."""
    description: str = ""
    tag: str = ""
    alias: str = ""
    """As dialled."""
    parsed: str = ""
    full: bool = False
    """The whole alias was matched."""


class CallPlaced(_Event, frozen=True, kw_only=True):
    """A conference, or a gateway call, calls somebody."""

    conference: str
    alias: str = ""
    """What the called party is shown."""
    display_name: str = ""
    destination: str = ""
    protocol: str = ""


class NodeEvent(_Event, frozen=True, kw_only=True):
    """Something about the node itself."""

    kind: str
    """`started` or `stopped`."""
    details: str = ""


class AlarmChanged(_Event, frozen=True, kw_only=True):
    """A node raised an alarm about itself, or lowered it (sheet 07). Its next run begins with none of them up."""

    name: str
    """The kind; see `management.alarms.catalogue`."""
    up: bool = True
    instance: str = ""
    details: str = ""


Event = (
    ConferenceStarted
    | ConferenceEnded
    | ParticipantJoined
    | ParticipantEnded
    | MediaNodeUsed
    | MediaEnded
    | CapacityRefused
    | BackplaneEnded
    | RegistrationAdded
    | RegistrationDeleted
    | RuleMatched
    | CallPlaced
    | NodeEvent
    | AlarmChanged
)
