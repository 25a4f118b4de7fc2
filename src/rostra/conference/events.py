"""What happens in a conference, as told to those who watch it; every watcher sees the same order (API-015)."""

from __future__ import annotations

import msgspec

from rostra.conference.roster import ConferenceFlags, Participant


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="event"):
    pass


class SyncBegan(_Event, frozen=True, kw_only=True):
    """The snapshot of the roster follows."""


class SyncEnded(_Event, frozen=True, kw_only=True):
    """The snapshot is complete."""


class ParticipantCreated(_Event, frozen=True, kw_only=True):
    participant: Participant


class ParticipantUpdated(_Event, frozen=True, kw_only=True):
    participant: Participant


class ParticipantDeleted(_Event, frozen=True, kw_only=True):
    uuid: str


class ConferenceUpdated(_Event, frozen=True, kw_only=True):
    flags: ConferenceFlags


class StageEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One participant with video or audio, most recent speaker first."""

    participant: str
    stage_index: int
    vad: int
    """100 while speaking, else 0."""


class StageChanged(_Event, frozen=True, kw_only=True):
    entries: tuple[StageEntry, ...]


class LayoutChanged(_Event, frozen=True, kw_only=True):
    """What the watching participant's picture shows: layout name and the participants in it, main first."""

    view: str
    participants: tuple[str, ...]
    requested_for_hosts: str = ""
    """Names of the layouts that are chosen, whatever is drawn (POL-163)."""
    requested_for_guests: str = ""
    overlay_text: bool = False


class MessageReceived(_Event, frozen=True, kw_only=True):
    """Chat."""

    origin: str
    uuid: str
    type: str
    payload: str
    direct: bool = False


class PresentationStarted(_Event, frozen=True, kw_only=True):
    """Somebody else presents now (API-102)."""

    name: str
    uri: str
    uuid: str
    static: bool = False
    """Single pictures instead of video."""


class PresentationStopped(_Event, frozen=True, kw_only=True):
    """Nobody presents any more, or not to the watcher."""

    initial: bool = False
    """The last of a snapshot: nobody does at present."""


class PresentationFrame(_Event, frozen=True, kw_only=True):
    """Another still picture of the presentation can be fetched (API-110)."""

    number: int


class RoleChanged(_Event, frozen=True, kw_only=True):
    """The watcher's own role changed: it should refresh its token."""


class RoomsChanged(_Event, frozen=True, kw_only=True):
    """Breakout rooms were opened or closed; also the last of a snapshot while there are any."""


class RoomReferred(_Event, frozen=True, kw_only=True):
    """The watcher, a Host, shall move its media to another room (API-155)."""

    room: str
    """Uuid, or `main`."""
    name: str
    requester: str


class HoldChanged(_Event, frozen=True, kw_only=True):
    """The watcher's media is paused by somebody, or goes on."""

    held: bool


class CameraMove(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of a camera (API-120)."""

    axis: str
    """`pan`, `tilt` or `zoom`."""
    direction: str


class CameraMoved(_Event, frozen=True, kw_only=True):
    """Somebody moves the watcher's camera."""

    action: str
    """`start`, `stop` or `continue`."""
    movement: tuple[CameraMove, ...]
    timeout: float
    """Milliseconds after which it stops unless told to go on."""


class PeerSignal(msgspec.Struct, frozen=True, kw_only=True):
    """From one client with direct media to the other, or from the node about it; no event of the conference."""

    kind: str
    """`offer`, `update`, `answer` or `candidate` of the other client; `gone`, `notice` or `switch` of the node."""
    sender: str = ""
    call: str = ""
    """Of the client that began; answers repeat it."""
    sdp: str = ""
    ignored: bool = False
    """The offer collided and was dropped (API-160)."""
    candidate: str = ""
    mid: str = ""
    ufrag: str = ""
    pwd: str = ""
    target: str = ""
    """`direct` or `transcoded`: how it shall join anew."""
    screen: str = ""
    seconds: float = 0.0


class CallEnded(_Event, frozen=True, kw_only=True):
    """The platform ended one of the watcher's calls."""

    call: str
    reason: str


class Removed(_Event, frozen=True, kw_only=True):
    """The watcher was removed; the last event."""

    reason: str


ConferenceEvent = (
    SyncBegan
    | SyncEnded
    | ParticipantCreated
    | ParticipantUpdated
    | ParticipantDeleted
    | ConferenceUpdated
    | StageChanged
    | LayoutChanged
    | MessageReceived
    | PresentationStarted
    | PresentationStopped
    | PresentationFrame
    | RoleChanged
    | RoomsChanged
    | RoomReferred
    | HoldChanged
    | CameraMoved
    | CallEnded
    | Removed
)
