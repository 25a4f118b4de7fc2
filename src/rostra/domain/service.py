"""A service as a running conference knows it: taken from the configuration once, when the conference starts."""

from __future__ import annotations

import msgspec

from rostra.domain.admission import AccessRules


class ServiceDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant may know of the service it joined (fields of the management API's `conference`)."""

    id: int
    name: str
    service_type: str
    """`conference`, `lecture`, `two_stage_dialing` or `test_call`."""
    call_type: str = "video"
    """`video`, `video-only` or `audio`."""
    description: str = ""
    tag: str = ""
    allow_guests: bool = False
    has_host_pin: bool = False
    has_guest_pin: bool = False
    enable_chat: bool = True
    enable_overlay_text: bool = False
    max_callrate_in: int | None = None
    """bit/s the platform wants to receive at most."""
    max_callrate_out: int | None = None
    """bit/s the platform sends at most."""
    guests_can_present: bool = True
    host_view: str = "one_main_seven_pips"
    guest_view: str = "one_main_seven_pips"
    participant_limit: int | None = None
    mute_all_guests: bool = False
    guests_only_timeout: float = 60.0
    """Seconds Guests may stay after the last Host left (CONF-062)."""
    waiting_timeout: float = 900.0
    """Seconds in the waiting room (API-150)."""
    pin_entry_timeout: float = 120.0
    """Seconds at the PIN prompt."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service with its secrets; never leaves the node."""

    description: ServiceDescription
    access: AccessRules = AccessRules()
