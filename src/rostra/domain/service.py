"""A service as a running conference knows it: taken from the configuration once, when the conference starts."""

from __future__ import annotations

import msgspec

from rostra.domain.admission import AccessRules
from rostra.domain.dialling import Wanted
from rostra.domain.ending import Limits
from rostra.domain.gateway import Onward
from rostra.domain.reception import ReceptionRules
from rostra.domain.rooms import Room
from rostra.domain.signon import SignOnRules
from rostra.domain.theme import BASE_SETTINGS, ThemeSettings


class ServiceDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant may know of the service it joined (fields of the management API's `conference`)."""

    id: int
    name: str
    service_type: str
    """`conference`, `lecture`, `two_stage_dialing`, `test_call` or `gateway`."""
    call_type: str = "video"
    """`video`, `video-only` or `audio`."""
    description: str = ""
    tag: str = ""
    allow_guests: bool = False
    has_host_pin: bool = False
    has_guest_pin: bool = False
    enable_chat: bool = True
    enable_overlay_text: bool = False
    enable_active_speaker_indication: bool = False
    max_callrate_in: int | None = None
    """bit/s the platform wants to receive at most."""
    max_callrate_out: int | None = None
    """bit/s the platform sends at most."""
    denoise: bool = False
    """Background noise is taken out of what participants say."""
    quality: str = "hd"
    """The best picture it sends: `sd`, `hd` or `fullhd`."""
    disabled_codecs: tuple[str, ...] = ()
    """Switches of codecs that are not negotiated (SYS-117)."""
    crypto_mode: str = "besteffort"
    """`on`: calls without encrypted media are refused; `off`: none is encrypted; of browsers all always are."""
    guests_can_present: bool = True
    host_view: str = "one_main_seven_pips"
    guest_view: str = "one_main_seven_pips"
    force_presenter_into_main: bool = False
    """Of an auditorium: who presents has the main picture (SVC-042)."""
    guests_can_see_guests: str = "no_hosts"
    """Of an auditorium: `no_hosts`, `never` or `always`."""
    participant_limit: int | None = None
    mute_all_guests: bool = False
    locked: bool = False
    """It is locked when it begins."""
    guests_only_timeout: float = 60.0
    """Seconds Guests may stay after the last Host left (CONF-062)."""
    last_participant_timeout: float = 0.0
    """Seconds for which somebody stays alone after others have left (CONF-161); 0: for ever."""
    waiting_timeout: float = 900.0
    """Seconds in the waiting room (API-150)."""
    pin_entry_timeout: float = 120.0
    """Seconds at the PIN prompt, or without a valid number at a reception."""
    direct_media: str = "never"
    """`never`, `best_effort` or `always`: two clients of the API may send to each other directly."""
    direct_media_notification_duration: int = 0
    """Seconds of notice before media takes another way."""
    breakout_rooms: bool = False
    """Hosts may open rooms beside the conference."""
    breakout: Room | None = None
    """It is such a room."""
    reception: ReceptionRules = ReceptionRules()
    """Of a Virtual Reception."""

    @property
    def ending(self) -> Limits:
        return Limits(guests_only=self.guests_only_timeout, last_participant=self.last_participant_timeout)

    themes: tuple[str, ...] = ()
    """What its theme's files are taken from before the base theme, by the names nodes know them by (REF-002)."""
    theme: ThemeSettings = BASE_SETTINGS
    """What the service's theme sets."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service with its secrets; never leaves the node."""

    description: ServiceDescription
    access: AccessRules = AccessRules()
    sign_on: SignOnRules = SignOnRules()
    automatic: tuple[Wanted, ...] | None = None
    """Who is called when a conference of it starts, as policy says; None: as configured."""
    alias: str = ""
    """The alias by which policy gave it; empty: it is configured."""
    policy: str = ""
    """What policy said of it, in JSON; empty: it is configured."""
    onward: Onward | None = None
    """Of a gateway call: who is called."""
