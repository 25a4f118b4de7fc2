"""What protocol adapters see of the platform: join a service, run media, act on a conference, be told.

These are interfaces (structural types) with their values; `calls.exchange` implements them. An adapter imports
this module and nothing else of the conference. All coroutines may be called from the node's event loop only.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

from rostra.calls.orders import CallOrder, CallRequest, Former
from rostra.calls.refusal import (
    CallRefused,
    ExtensionRequired,
    IdentityRequired,
    MediaRefused,
    NotDialled,
    PinRequired,
    Refusal,
)
from rostra.conference.events import CameraMoved, ConferenceEvent, PeerSignal, RoomReferred
from rostra.conference.roster import ConferenceFlags, Participant
from rostra.domain.dialling import Wanted
from rostra.domain.ice import IceSide
from rostra.domain.media import MediaDescription, MediaKind
from rostra.domain.rooms import Room
from rostra.domain.service import ServiceDescription
from rostra.domain.silence import SilenceRules
from rostra.domain.vocabulary import Role

__all__ = [
    "CallOrder",
    "CallRefused",
    "CallRequest",
    "Conference",
    "Dialler",
    "ExtensionRequired",
    "FarEnd",
    "Former",
    "IdentityRequired",
    "MediaRefused",
    "NotDialled",
    "OutgoingLeg",
    "PinRequired",
    "Refusal",
    "ServiceDescription",
    "Session",
    "SessionListener",
    "Switchboard",
]


class SessionListener(Protocol):
    """What an adapter is told about its participant. Must not block and must not raise."""

    def disconnected(self, reason: str) -> None:
        """The platform removed the participant (the exact reason strings of API-017). Nothing more follows."""

    def media_lost(self, call: str) -> None:
        """The media worker of the call died. SIP: negotiate anew by re-INVITE. WebRTC: the client will update."""

    def call_ended(self, call: str, reason: str) -> None:
        """The platform ended one call's media; the participant stays."""

    def picture_wanted(self, call: str) -> None:
        """Ask the far end, which takes no RTCP feedback, for a key frame by signalling, if there is a way."""

    def presentation_changed(self, presenter: str) -> None:
        """Who presents, as this participant may know it (itself included); empty: nobody."""

    def refer(self, alias: str, role: Role | None) -> bool:
        """Go to another conference by itself, where it shall be `role`; False: it has to be moved."""
        ...


class FarEnd(enum.Enum):
    """What is known of the other end of a gateway call before, and when, it is there."""

    RINGING = enum.auto()
    EARLY = enum.auto()
    """It is heard already (early media)."""
    ANSWERED = enum.auto()


class OutgoingLeg(SessionListener, Protocol):
    """A call an adapter is to place for a participant."""

    def begin(self, session: Session) -> None:
        """Place it. The adapter says `session.answered`, or `session.leave` with the reason."""


class Dialler(Protocol):
    """An adapter that can call somebody."""

    def leg(self, order: CallOrder) -> OutgoingLeg:
        """A call, not begun yet. Raises NotDialled for what cannot be called."""
        ...


class Session(Protocol):
    """One participant of one running conference, as its adapter holds it."""

    @property
    def participant(self) -> Participant: ...

    @property
    def service(self) -> ServiceDescription: ...

    @property
    def conference(self) -> Conference: ...

    on_hold: Callable[[bool], None] | None
    """Told when the participant is put on hold, or goes on, whoever does it."""

    on_tones: Callable[[str], bool] | None
    """Takes digits for the far end by another way than its media; False: media carries them."""

    on_far_end: Callable[[FarEnd], None] | None
    """Of a gateway call's caller: told of the other end; until it has answered there is nobody to talk to."""

    on_signal: Callable[[PeerSignal], None] | None
    """Told what the other client with direct media says (API-159 to API-162)."""

    async def open_webrtc(
        self, call: str, offer: str, *, media_type: str = "video", present: str = "", answered: bool = False
    ) -> str:
        """Set up or renegotiate WebRTC media; returns the complete SDP answer. Raises MediaRefused.

        `answered`: the offer is what the far end said to our last answer, as we offered it.
        """
        ...

    async def open_stream(self, call: str, url: str, presentation_url: str = "", authorities: str = "") -> None:
        """Send what it sees and hears to an RTMP server; returns when that takes it.

        `authorities` vouch for servers, beside those of the machine: PEM. Raises MediaRefused, CallRefused.
        """
        ...

    async def add_candidate(self, call: str, mid: str, candidate: str, ufrag: str = "") -> None: ...

    async def reserve_rtp(
        self, call: str, kinds: Sequence[MediaKind], *, full_hd: bool = False, ipv6: bool = False
    ) -> tuple[str, tuple[int, ...]]:
        """Local address and RTP ports (RTCP one higher), one per kind. Raises CallRefused when out of them.

        `full_hd`: the far end takes main video of 1080p, or may yet say so: its room is booked where there is any.

        Without a licence for video `service` has the call type `audio` from then on. Of a service with video the
        ports for it are there all the same: `participant.no_video` is told so by a picture, and sends none.
        """
        ...

    async def reserve_ice(
        self, call: str, components: Sequence[int], generation: str, *, controlling: bool = False
    ) -> tuple[IceSide, ...]:
        """Our sides of ICE, see media.messages.ReserveIce; none where the media worker has no ICE for this call."""
        ...

    async def connect_rtp(self, call: str, local: MediaDescription, remote: MediaDescription) -> None:
        """Run media as negotiated (see media.messages.ConnectRtp); again after each renegotiation."""
        ...

    async def confirm(self, call: str) -> None:
        """ACK: start sending media; the participant now has media."""
        ...

    async def ringing(self, *, early: bool = False) -> None:
        """The called party's end says that it rings. `early`: it sends media, which is set up, before it answers."""
        ...

    async def answered(self, vendor: str = "") -> None:
        """The called party has answered (and has its media): it comes in, and tones asked for are sent."""
        ...

    async def hold(self, call: str, held: bool) -> None: ...

    async def request_keyframe(self, call: str) -> None: ...

    async def take_floor(self) -> bool:
        """Present by the slides of the main call; False: it may not. Taking it again changes nothing."""
        ...

    async def release_floor(self) -> None:
        """Present no more; nothing when somebody else does (API-101)."""
        ...

    async def present_stills(self, call: str) -> None:
        """Present by pictures (API-113). Raises CallRefused when it may not."""
        ...

    async def show_still(self, jpeg: bytes) -> None:
        """Present this picture from now on. Raises CallRefused without the floor, MediaRefused for no JPEG."""
        ...

    def dtmf(self, call: str, digits: str) -> None:
        """Digits pressed by this participant (SIP INFO, KPML, client API): PIN entry and in-conference commands."""

    async def close_call(self, call: str) -> None:
        """End the media of one call; the participant stays. Unknown calls are fine."""
        ...

    async def leave(self, reason: str = "Call disconnected") -> None:
        """Leave for good. Safe to repeat."""
        ...


class Conference(Protocol):
    """One running conference, for those who look at it or act on it. Roles are checked by the caller."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def flags(self) -> ConferenceFlags: ...

    @property
    def participants(self) -> Sequence[Participant]:
        """In order of joining."""
        ...

    def participant(self, participant: str) -> Participant | None: ...

    async def theme_file(self, name: str) -> bytes | None:
        """A file of its theme, by its name (`domain.theme`)."""
        ...

    def subscribe(self, participant: str) -> AsyncIterator[ConferenceEvent]:
        """The snapshot (API-046) and then every event, in one common order, until the participant is gone.

        A slow reader is cut off (the iterator ends) after 1000 unread events; it may subscribe anew.
        """
        ...

    async def lock(self, locked: bool) -> None: ...

    async def start(self, by: str = "") -> None:
        """Admit waiting Guests although no Host has media. `by`: the Host, who counts as one from now on (CONF-160)."""
        ...

    async def mute_guests(self, muted: bool) -> None: ...

    async def transform_layout(self, transforms: Mapping[str, object]) -> None:
        """Change how the pictures look until the conference ends. Raises domain.look.IllegalValue."""
        ...

    async def override_layout(self, layouts: Sequence[object]) -> None:
        """Name who is shown, for Hosts and for all others. Raises domain.look.IllegalValue."""
        ...

    async def mute(self, participant: str, muted: bool) -> None: ...

    async def hold(self, participant: str, held: bool) -> None:
        """Pause a participant's media both ways, or let it go on."""
        ...

    async def move_camera(self, participant: str, move: CameraMoved) -> None:
        """Tell a participant to move its camera."""
        ...

    async def signal(self, participant: str, signal: PeerSignal) -> None:
        """Pass on to a client with direct media what the other one says."""
        ...

    async def detect_silence(self, rules: SilenceRules | None) -> None:
        """Mark those whose video has long been silent; None: nobody."""
        ...

    async def set_rules(self, **rules: bool) -> None:
        """What Guests may do: `guests_can_unmute`, `guests_can_present`."""
        ...

    @property
    def rooms(self) -> Sequence[Room]:
        """Breakout rooms that are open beside it."""
        ...

    async def open_room(self, room: Room) -> None: ...

    async def close_room(self, uuid: str) -> None:
        """Who is in goes back, or out, as the room says. Unknown ones are fine."""
        ...

    async def refer(self, participant: str, referral: RoomReferred) -> None:
        """Ask a Host to move its media to another room."""
        ...

    async def want_help(self, wanted: bool) -> None:
        """Of a breakout room: a Host shall come, or need not any more."""
        ...

    async def set_role(self, participant: str, role: Role) -> None: ...

    async def set_client_state(self, participant: str, **members: bool | str | float) -> None:
        """Roster members that change nothing else, such as `is_client_muted`, `buzz_time` or `overlay_text`."""
        ...

    async def spotlight(self, participant: str, on: bool) -> None: ...

    async def admit(self, participant: str) -> None:
        """Let in one waiting participant."""
        ...

    async def remove(self, participant: str, reason: str) -> None: ...

    async def remove_all(self, reason: str) -> None: ...

    async def message(self, sender: str, type: str, payload: str, to: str | None = None) -> None:
        """Chat: to everybody but the sender, or to one participant."""
        ...

    async def send_dtmf(self, participant: str, digits: str) -> None:
        """Tones to that participant's endpoint."""
        ...

    async def transfer(self, participant: str, alias: str, role: Role | None, *, trusted: bool = True) -> None:
        """Have a participant go to another conference; it is disconnected if that fails (CONF-120).

        `trusted`: who wants that is a registered caller, or the platform itself. Others send nobody by Call Routing
        Rules that are for registered callers.
        """
        ...

    async def still(self, *, large: bool = False, number: int = 0) -> bytes | None:
        """The presentation as a JPEG: the frame of that number where it is kept, else the latest, if any."""
        ...


class Switchboard(Protocol):
    """Where calls come in."""

    async def join(self, request: CallRequest, listener: SessionListener) -> Session:
        """Resolve the alias, check PIN and limits, put the caller into the conference.

        Raises CallRefused, PinRequired, IdentityRequired or ExtensionRequired. SIP callers are let in as `ivr` and
        asked for PINs and numbers on screen, and let in to be shown some refusals; only clients of the API get the
        exceptions.
        """
        ...

    async def dial(self, service: str, wanted: Wanted) -> tuple[str, ...]:
        """Call somebody from the conference of a service, given by one of its aliases; the uuids of who is called.

        Raises NotDialled.
        """
        ...

    async def avatar(self, viewer: str, participant: str, width: int, height: int) -> bytes | None:
        """The picture of somebody in the viewer's conference: a JPEG of that size; None: there is none (API-142)."""
        ...

    async def admits(self, alias: str, role: Role | None, pin: str | None) -> Role | bool | None:
        """May somebody be sent there? False: there is nothing, or the PIN is wrong; else as what (API-129)."""
        ...

    async def connect(self, first: str, second: str) -> bool:
        """Attended transfer: connect the other ends of two calls of one caller, of which one at least is a gateway
        call. They are named by their participants, signalled here; False: that cannot be, and nothing has changed."""
        ...

    def leads_on(self, alias: str, who: Participant, by: Participant | None) -> bool:
        """Does a Call Routing Rule take somebody who is sent there, and may be: by another one, or (None) by the
        platform?"""
        ...

    def lookup(self, alias: str) -> ServiceDescription | None:
        """The service an alias names, without joining. Case-insensitive (API-003)."""
        ...

    def room(self, alias: str) -> Room | None:
        """A breakout room, by its alias inside the platform (`Room.alias`)."""
        ...

    def session(self, participant: str) -> Session | None: ...

    @property
    def ready(self) -> bool:
        """Calls are accepted (healthz)."""
        ...
