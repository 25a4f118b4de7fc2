"""The fields of service configurations by type of service, one row each (sections 4.1 to 4.7 of the sheet). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from rostra.domain import layouts
from rostra.policy.checking import Field, Thing, Type, choice, flag, named, required, text, whole

CALL_TYPES = ("video", "video-only", "audio")
_THREE = ("default", "yes", "no")
_CRYPTO = ("besteffort", "on", "off")
_QUALITIES = ("sd", "hd", "fullhd")
_PROTOCOLS = ("h323", "sip", "mssip", "rtmp")
SPEAKER = "one_main_seven_pips"
VIEWS = tuple(layout.key for layout in layouts.LAYOUTS)
LECTURE_VIEWS = tuple(layout.key for layout in layouts.LAYOUTS if layouts.allowed(layout, lecture=True))
LEAST_RATE, MOST_RATE = 128_000, 8_192_000
"""bit/s."""

_IDENTITY = (required("name"), required("service_type"), required("service_tag"))
_RATE_IN = whole("max_callrate_in", LEAST_RATE, MOST_RATE)
_RATE_OUT = whole("max_callrate_out", LEAST_RATE, MOST_RATE)
_SHOWN = (
    text("description"),
    named("ivr_theme_name", Thing.THEME),
    text("local_display_name"),
    flag("bypass_proxy"),
    choice("crypto_mode", _CRYPTO, None),
    choice("max_pixels_per_second", _QUALITIES, None),
)
_CAPTIONS = (
    choice("live_captions_enabled", _THREE, "default"),
    text("live_captions_language"),
    text("source_language"),
)

_MEETING = (
    *_IDENTITY,
    *_SHOWN,
    *_CAPTIONS,
    _RATE_IN,
    _RATE_OUT,
    flag("allow_guests"),
    text("pin"),
    text("guest_pin"),
    Field("automatic_participants", Type.LIST, ()),
    flag("breakout_rooms"),
    choice("call_type", CALL_TYPES, "video"),
    flag("denoise_enabled"),
    choice("direct_media", ("never", "best_effort", "always"), "never"),
    whole("direct_media_notification_duration", 0, 30, 0),
    flag("enable_active_speaker_indication"),
    choice("enable_chat", _THREE, "default"),
    flag("enable_overlay_text"),
    text("guest_identity_provider_group"),
    text("host_identity_provider_group"),
    flag("guests_can_present", True),
    flag("locked"),
    flag("mute_all_guests"),
    choice("non_idp_participants", ("disallow_all", "allow_if_trusted"), "disallow_all"),
    whole("participant_limit", 0, 1_000_000),
    text("pinning_config", None, nullable=True),  # type: ignore[arg-type] - null is its default
    choice("prefer_ipv6", _THREE, "default"),
    text("primary_owner_email_address"),
    flag("softmute_enabled"),
    flag("breakout"),
    text("breakout_uuid"),
)
CONFERENCE = (*_MEETING, choice("view", VIEWS, SPEAKER))
LECTURE = (
    *_MEETING,
    choice("host_view", LECTURE_VIEWS, SPEAKER),
    choice("guest_view", LECTURE_VIEWS, SPEAKER),
    flag("force_presenter_into_main"),
    choice("guests_can_see_guests", ("no_hosts", "always", "never"), "no_hosts"),
)
GATEWAY = (
    *_IDENTITY,
    *_SHOWN,
    *_CAPTIONS,
    _RATE_IN,
    _RATE_OUT,
    required("local_alias"),
    required("remote_alias"),
    required("outgoing_protocol", choices=_PROTOCOLS),
    choice("call_type", (*CALL_TYPES, "auto"), "video"),
    choice("called_device_type", ("external", "registration", "mssip_conference_id", "mssip_server"), "external"),
    flag("denoise_audio", True),
    text("dtmf_sequence"),
    flag("enable_active_speaker_indication"),
    flag("enable_overlay_text"),
    choice("external_participant_avatar_lookup", _THREE, "default"),
    named("gms_access_token_name", Thing.GMS),
    named("h323_gatekeeper_name", Thing.GATEKEEPER),
    named("mssip_proxy_name", Thing.MSSIP_PROXY),
    named("outgoing_location_name", Thing.LOCATION),
    choice("prefer_ipv6", _THREE, "default"),
    named("sip_proxy_name", Thing.SIP_PROXY),
    named("stun_server_name", Thing.STUN),
    named("turn_server_name", Thing.TURN),
    named("teams_proxy_name", Thing.TEAMS),
    flag("transcoding_enabled", True),
    flag("treat_as_trusted"),
    choice("view", VIEWS, SPEAKER),
)
RECEPTION = (
    *_IDENTITY,
    *_SHOWN,
    _RATE_IN,
    _RATE_OUT,
    choice("call_type", CALL_TYPES, "video"),
    text("match_string"),
    text("replace_string"),
    text("post_match_string"),
    text("post_replace_string"),
    named("gms_access_token_name", Thing.GMS),
    named("mssip_proxy_name", Thing.MSSIP_PROXY),
    named("system_location_name", Thing.LOCATION),
    named("teams_proxy_name", Thing.TEAMS),
    choice("two_stage_dial_type", ("regular", "mssip", "gms", "teams"), "regular"),
)
TEST_CALL = (*_IDENTITY, *_SHOWN, _RATE_IN, choice("call_type", CALL_TYPES, "video"))

SERVICES: Mapping[str, tuple[Field, ...]] = {
    "conference": CONFERENCE,
    "lecture": LECTURE,
    "gateway": GATEWAY,
    "two_stage_dialing": RECEPTION,
    "test_call": TEST_CALL,
}
"""By `service_type`."""

AUTOMATIC = (
    required("local_alias"),
    required("remote_alias"),
    required("protocol", choices=_PROTOCOLS),
    required("role", choices=("chair", "guest")),
    choice("call_type", CALL_TYPES, "video"),
    text("description"),
    text("dtmf_sequence"),
    choice(
        "keep_conference_alive",
        ("keep_conference_alive_if_multiple", "keep_conference_alive", "keep_conference_alive_never"),
        "keep_conference_alive_if_multiple",
    ),
    text("local_display_name"),
    text("presentation_url"),
    text("remote_display_name"),
    choice("routing", ("manual", "routing_rule"), "manual"),
    flag("streaming"),
    named("system_location_name", Thing.LOCATION),
)
"""Of a participant that is called automatically (section 4.6)."""

LOCATION = (
    required("location", thing=Thing.LOCATION),
    Field("primary_overflow_location", Type.TEXT, None, nullable=True, thing=Thing.LOCATION),
    Field("secondary_overflow_location", Type.TEXT, None, nullable=True, thing=Thing.LOCATION),
    Field("overflow_locations", Type.LIST, None, nullable=True),
)
"""Of a media location (section 6)."""
