"""The roster: what every node and client knows of a participant, and the flags of the conference."""

from __future__ import annotations

import msgspec

from rostra.domain.ending import KeepAlive
from rostra.domain.presenting import CallContent
from rostra.domain.vocabulary import CallDirection, CallProtocol, Role, ServiceType

OUTSIDE = frozenset(
    {
        ServiceType.CONNECTING, ServiceType.WAITING_ROOM, ServiceType.IVR, ServiceType.INSUFFICIENT_CAPACITY,
        ServiceType.INSUFFICIENT_LICENSES, ServiceType.INVALID_LICENSE,
    }
)  # fmt: skip


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """The media of one call of a participant."""

    call: str
    node: str
    """Id of the node that carries it."""
    confirmed: bool = False
    """The far end has acknowledged: it counts."""
    proxy: str = ""
    """Id of the edge node that relays it."""
    content: CallContent = CallContent.MAIN
    slides: bool = False
    """It was agreed that slides may go beside main video, or alone."""


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One participant; member names follow the client API's participant object (API-057)."""

    uuid: str
    node: str
    """Id of the node that signals the call and owns this entry."""
    display_name: str
    overlay_text: str = ""
    local_alias: str
    uri: str = ""
    vendor: str = ""
    protocol: CallProtocol
    call_direction: CallDirection = CallDirection.IN
    role: Role
    service_type: ServiceType
    start_time: float
    """Unix seconds."""
    has_media: bool = False
    is_video_call: bool = False
    is_audio_only_call: bool = False
    encrypted: bool = False
    is_muted: bool = False
    is_presenting: bool = False
    presentation_supported: bool = False
    rx_presentation_allowed: bool = True
    bypass_lock: bool = False
    """A lock does not keep it out, as policy says."""
    fecc_supported: bool = False
    is_on_hold: bool = False
    spotlight: float = 0.0
    buzz_time: float = 0.0
    is_client_muted: bool = False
    is_video_muted: bool = False
    is_streaming: bool = False
    is_external: bool = False
    call_tag: str = ""
    keep_alive: KeepAlive | None = None
    """Of somebody the platform called: what it does for the conference's life (CONF-162 to CONF-165)."""
    automatic: int = 0
    """Number of the configured participant it was called as when the conference started; 0: it was not."""
    fork: str = ""
    """The same for all devices that were called at once, of which the first to answer comes in; empty: it was alone."""
    is_ringing: bool = False
    """It is being called, and its end says that it rings."""
    early: bool = False
    """It is being called, and sends media already, for its caller in a gateway call (early media)."""
    is_transferring: bool = False
    """It was told to go to another conference, and is expected to leave."""
    last_spoken_time: float = 0.0
    """Unix seconds; 0: it has said nothing yet."""
    is_video_silent: bool = False
    """It has long said nothing (`domain.silence`)."""
    attending: bool = False
    """A Host of the main conference that follows this room; others see it once it has media here (API-152)."""
    is_conjoined: bool = False
    """A Host whose media is in a breakout room at present (API-157)."""
    direct_chat: bool = False
    """Its client takes messages meant for it alone (API-117)."""
    mix_name: str = "main"
    """The composition it is sent: `main`, or one of its own (API-126)."""
    mix_since: float = 0.0
    mix_layout: str = ""
    """Layout of its own composition; empty: as all others see it."""
    aspect_ratio: float = 0.0
    """Width by height of the picture it would like; 0: it has not said."""
    idp: str = ""
    """Identity (uuid) of the provider that vouches for it; empty: none."""
    is_trusted: bool = False
    """It came in without signing on where only trusted callers may."""
    direct_capable: bool = False
    """Its client is able to send to another client directly."""
    is_direct: bool = False
    """It joined for direct media: none of its media comes to the platform (API-158)."""
    direct_call: str = ""
    """Its call with the other client; empty: there is none."""
    direct_waiting: bool = False
    """In that call it waits for the other one to make an offer."""
    presentation_in_mix: bool = False
    """It wants the presentation inside its main picture (`pres_in_mix`)."""
    mark: str = ""
    """By which its client is known when it joins anew: a digest of what only that has."""
    is_speaking: bool = False
    remote_address: str = ""
    """Where its signalling comes from."""
    remote_port: int = 0
    bandwidth: int = 0
    """Kbit/s that it asked for when it called; 0: it did not say."""
    rx_bandwidth: int = 0
    """Bit/s it may send us at most, as negotiated."""
    tx_bandwidth: int = 0
    """The same for what we send."""
    legs: tuple[Leg, ...] = ()
    no_video: bool = False
    """There was no licence for its video: it is heard only, and its own picture says so (REF-046)."""
    splash: str = ""
    """Theme image its picture shows instead of the conference; `prompt` is written on it (domain.splash)."""
    prompt: str = ""
    """Text its picture shows instead of the conference (PIN entry)."""

    @property
    def joined(self) -> bool:
        """In the conference itself: neither waiting, nor at a prompt, nor still being dialled."""
        return self.service_type not in OUTSIDE

    @property
    def heard(self) -> bool:
        """Others hear and see it: it is in, or sends early media."""
        return self.joined or (self.early and self.service_type is ServiceType.CONNECTING)


class ConferenceFlags(msgspec.Struct, frozen=True, kw_only=True):
    """State of the conference as a whole (`conference_update`, API-060)."""

    locked: bool = False
    guests_muted: bool = False
    started: bool = False
    presentation_allowed: bool = True
    guests_can_present: bool = True
    help_wanted: bool = False
    """Of a breakout room: a Host is asked to come (`breakoutbuzz`)."""
    help_since: float = 0.0
    """Unix seconds."""
    guests_can_unmute: bool = False
    """Guests may end their own mute (`set_guests_can_unmute`)."""
    chat_enabled: bool = True
