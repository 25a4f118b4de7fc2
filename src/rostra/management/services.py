"""The kinds of service: each has pages, fields and CSV columns of its own (sheets 03 and 04)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.db import models

from rostra.configuration.models import Conference
from rostra.configuration.resources import Resource, register
from rostra.management.models import TestCallService, VirtualAuditorium, VirtualReception

Groups = tuple[tuple[str, tuple[str, ...]], ...]

PARTICIPANTS = "automatic_participants"
"""The relation that rooms and auditoriums have a field for."""
_PINS = ("pin", "allow_guests", "guest_pin", "participant_limit")
_SIGN_ON = ("host_identity_provider_group", "guest_identity_provider_group", "non_idp_participants")
_CALLS = ("call_type", "max_callrate_in", "max_callrate_out", "max_pixels_per_second", "crypto_mode")
_ROOM_CALLS = (PARTICIPANTS, *_CALLS, "direct_media", "direct_media_notification_duration")
_SOUND = ("denoise_enabled", "softmute_enabled", "live_captions_enabled")
_SHOWN = ("enable_overlay_text", "enable_active_speaker_indication", "guests_can_present", "enable_chat")
_RECORDED = ("sync_tag", "creation_time")

_VMR: Groups = (
    ("Who may enter", (*_PINS, *_SIGN_ON)),
    ("What participants see", ("ivr_theme", "host_view", *_SHOWN, "pinning_config", "breakout_rooms")),
    ("Calls", _ROOM_CALLS),
    ("Sound", _SOUND),
    ("Administration", ("tag", "primary_owner_email_address", *_RECORDED)),
)
_VA: Groups = (
    ("Who may enter", (*_PINS, *_SIGN_ON, "mute_all_guests")),
    (
        "What participants see",
        (
            *("ivr_theme", "host_view", "guest_view", "force_presenter_into_main", "guests_can_see_guests"),
            *(*_SHOWN, "pinning_config"),
        ),
    ),
    ("Calls", _ROOM_CALLS),
    ("Sound", _SOUND),
    ("Administration", ("tag", "creation_time")),
)
_VR: Groups = (
    ("Destination", ("two_stage_dial_type", "match_string", "replace_string")),
    (
        "Meetings elsewhere",
        ("mssip_proxy", "system_location", "post_match_string", "post_replace_string"),
    ),
    ("Calls", ("ivr_theme", *_CALLS)),
    ("Administration", ("tag", "creation_time")),
)
_TEST: Groups = (("Calls", ("ivr_theme", "call_type", "max_callrate_in")), ("Administration", ("tag",)))

_FIRST = ("name", "description")
_NAMED = (*_FIRST, "pin", "allow_guests", "guest_pin", "alias_alias", "alias_description", "tag")
_RATES = ("max_callrate_in", "max_callrate_out", "call_type")
_VA_FILE = (
    *(*_NAMED, *_RATES, "host_view", "guest_view", "force_presenter_into_main", "enable_overlay_text"),
    *("ivr_theme_name", "participant_limit", "mute_all_guests"),
)
_VR_FILE = (
    *(*_FIRST, "alias_alias", "alias_description", "tag", *_RATES, "ivr_theme_name", "mssip_proxy_name"),
    *("match_string", "replace_string", "system_location_name"),
)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of service."""

    service_type: str
    model: type[models.Model]
    """What its pages are registered for; its rows are those of `Conference`."""
    icon: str
    summary: str
    groups: Groups
    csv: tuple[str, ...] | None
    """Columns of its files; None: those of the declaration."""
    place: int
    """In the menu."""
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    """Where they differ from those of the fields."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of the form."""
        return (*_FIRST, *(name for _, names in self.groups for name in names))

    @property
    def resource(self) -> Resource:
        """The declaration of services as it is for this kind."""
        declared = register.of(Conference)
        return dataclasses.replace(
            declared,
            icon=self.icon,
            summary=self.summary,
            groups=self.groups,
            columns=tuple(name for name in declared.columns if name != "service_type"),
            csv=declared.csv if self.csv is None else self.csv,
            csv_only=("service_type", self.service_type),
            csv_defaults=self.defaults,
        )


KINDS = (
    Kind(
        service_type="conference",
        model=Conference,
        icon="video_camera_front",
        summary="Rooms that people meet in; everybody sees the same.",
        groups=_VMR,
        csv=None,
        place=10,
    ),
    Kind(
        service_type="lecture",
        model=VirtualAuditorium,
        icon="podium",
        summary="Rooms for few speakers and many listeners, who see different things.",
        groups=_VA,
        csv=_VA_FILE,
        place=11,
        defaults={"guest_view": "one_main_seven_pips"},
    ),
    Kind(
        service_type="two_stage_dialing",
        model=VirtualReception,
        icon="dialpad",
        summary="Services that ask callers for the number of the meeting they want.",
        groups=_VR,
        csv=_VR_FILE,
        place=12,
    ),
    Kind(
        service_type="test_call",
        model=TestCallService,
        icon="troubleshoot",
        summary="Services that show and play to callers what they send.",
        groups=_TEST,
        csv=(),
        place=13,
    ),
)


def kind_of(service_type: str) -> Kind:
    """The kind with this `service_type`; KeyError for none."""
    return {kind.service_type: kind for kind in KINDS}[service_type]
