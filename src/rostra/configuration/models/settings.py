"""Global settings: one row for the whole platform."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import KnownListField, choice, flag, reference, whole
from rostra.configuration.models.connectivity import ConnectivitySettings
from rostra.configuration.models.platform import PlatformSettings, RetiredSettings, new_uuid
from rostra.configuration.translating import gettext

__all__ = ["GlobalSettings", "new_uuid"]

_DAY = 86400


def disabled_by_default() -> list[dict[str, str]]:
    """Codecs that are not offered unless an administrator says otherwise."""
    return [{"value": codec} for codec in ("MP4A-LATM_128", "H264_H_0", "H264_H_1")]


def check_codecs(value: Any) -> None:
    """Raises ValidationError for anything but a list of known codecs."""
    known = {codec for codec, _label in vocabulary.CODECS}
    if not isinstance(value, list) or any(
        not isinstance(item, dict) or item.get("value") not in known for item in value
    ):
        raise ValidationError(gettext('Give a list of {"value": codec}.'))


class ConferencingSettings(models.Model):
    """How conferences behave unless a service says otherwise."""

    guests_only_timeout = whole(
        "Guests-only timeout",
        0,
        _DAY,
        "How long Guests may stay once the last Host has left, in seconds (0 to 86400).",
        default=60,
    )
    eject_last_participant_backstop_timeout = whole(
        "Last participant backstop timeout",
        0,
        _DAY,
        "How long one participant may stay alone, in seconds: 60 to 86400, or 0 without limit.",
        default=0,
    )
    waiting_for_chair_timeout = whole(
        "Host wait timeout",
        0,
        _DAY,
        "How long Guests wait for a Host before they are sent away, in seconds (0 to 86400).",
        default=900,
    )
    pin_entry_timeout = whole(
        "PIN entry timeout",
        30,
        _DAY,
        "How long participants may take to enter a PIN, in seconds (30 to 86400).",
        default=120,
    )
    default_theme = reference(
        "Default theme",
        "configuration.IvrTheme",
        "What participants of services without a theme of their own see and hear. Empty: the built-in one.",
        related_name="+",
    )
    max_callrate_in = whole(
        "Maximum inbound call bandwidth",
        128,
        8192,
        "Most that each participant may send, in kbit/s (128 to 8192), where a service has no limit. Empty: no limit.",
        optional=True,
    )
    max_callrate_out = whole(
        "Maximum outbound call bandwidth",
        128,
        8192,
        "Most that is sent to each participant, in kbit/s (128 to 8192), where a service has "
        "no limit. Empty: no limit.",
        default=4128,
        optional=True,
    )
    enable_chat = flag(
        "Enable chat", "Participants may write to each other, where a service says nothing else.", default=True
    )
    crypto_mode = choice(
        "Media encryption",
        vocabulary.CRYPTO_MODES,
        "Required refuses devices without encryption, Best effort encrypts where a device can. Services may differ.",
        default="besteffort",
    )
    max_pixels_per_second = choice(
        "Maximum call quality",
        vocabulary.CALL_QUALITIES,
        "Highest resolution of pictures, where a service says nothing else. Full HD takes "
        "about twice the capacity of HD. It holds for conferences that begin later.",
        default="hd",
    )
    max_presentation_bandwidth_ratio = whole(
        "Maximum presentation bandwidth ratio",
        25,
        75,
        "How much of what a participant is sent may be shared content, in percent (25 to 75).",
        default=75,
    )
    min_pin_length = whole(
        "Minimum PIN length",
        4,
        20,
        "How many digits new PINs need at least (4 to 20). Kept for later: no node does it yet.",
        default=4,
    )
    enable_breakout_rooms = flag(
        "Enable breakout rooms", "Hosts may split conferences of services that allow it into groups.", default=False
    )
    enable_clock = flag(
        "Enable clock", "Show how long the conference has lasted. Kept for later: no node does it yet.", default=False
    )
    enable_denoise = flag(
        "Enable noise removal",
        "Services may remove background noise.",
        default=True,
    )
    enable_softmute = flag(
        "Enable softmute",
        "Services may make those quieter who do not speak. Kept for later: no node does it yet.",
        default=True,
    )
    enable_mlvad = flag(
        "Enable voice focus",
        "Tell speech from noise with more care. Kept for later: no node does it yet.",
        default=False,
    )
    enable_fecc = flag(
        "Enable far-end camera control", "Participants may move cameras of room systems that let them.", default=True
    )
    disabled_codecs = KnownListField(
        "Disabled codecs",
        known=vocabulary.CODECS,
        offered=("Codecs", "Calls use the chosen codecs. H.264 High takes mode 1; leave mode 0 unchosen."),
        default=disabled_by_default,
        blank=True,
        validators=[check_codecs],
        help_text="Codecs that calls do not use.",
    )
    live_captions_vmr_default = flag(
        "Live captions by default",
        "Show in writing what is said, unless a service says no. Kept for later: no node does it yet.",
        default=False,
    )
    teams_enable_powerpoint_render = flag(
        "Render PowerPoint Live",
        "Show slides that are shared live in meetings of Microsoft Teams. Kept for later: no node does it yet.",
        default=False,
    )
    external_participant_avatar_lookup = flag(
        "Look up avatars",
        "Show pictures that other systems have of their participants. Kept for later: no node does it yet.",
        default=True,
    )

    class Meta:
        abstract = True


class GlobalSettings(ConferencingSettings, ConnectivitySettings, PlatformSettings, RetiredSettings):
    """What holds for the whole platform; always the row with id 1."""

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - those of abstract models are no bases
        verbose_name = "Global settings"
        verbose_name_plural = "Global settings"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return "Global settings"

    def clean(self) -> None:
        found: dict[str, str] = {}
        if 0 < self.eject_last_participant_backstop_timeout < 60:
            found["eject_last_participant_backstop_timeout"] = "Use 0, or 60 seconds and more."
        if self.media_ports_end < self.media_ports_start + 99:
            found["media_ports_end"] = "The range of media ports must hold at least 100 ports."
        if self.signalling_ports_end < self.signalling_ports_start:
            found["signalling_ports_end"] = "The range of signalling ports must not end before it starts."
        if self.signalling_ports_start <= self.media_ports_end and self.media_ports_start <= self.signalling_ports_end:
            found.setdefault("media_ports_start", "The ranges of signalling and of media ports must not overlap.")
        if self.ocsp_state == "OVERRIDE" and not self.ocsp_responder_url:
            found["ocsp_responder_url"] = "Say which responder is asked instead."
        if self.bursting_enabled and self.bursting_threshold is None:
            found["bursting_threshold"] = "Say when nodes are started."
        if found:
            raise ValidationError(found)
