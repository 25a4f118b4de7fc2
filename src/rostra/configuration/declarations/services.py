"""Services: what can be dialled, and whom it dials."""

from __future__ import annotations

from rostra.configuration.models import AutomaticParticipant, Conference, ConferenceAlias, GatewayRoutingRule
from rostra.configuration.resources import Resource, register

register.add(
    Resource(
        model=Conference,
        name="conference",
        section="Services",
        icon="video_camera_front",
        summary="Services that can be dialled: Virtual Meeting Rooms, auditoriums, receptions and test calls.",
        embedded=("aliases", "automatic_participants", "ivr_theme"),
        filtering=(
            "id",
            "aliases",
            "allow_guests",
            "automatic_participants",
            "creation_time",
            "description",
            "enable_chat",
            "enable_overlay_text",
            "guest_pin",
            "ivr_theme",
            "max_callrate_in",
            "max_callrate_out",
            "mssip_proxy",
            "name",
            "participant_limit",
            "pin",
            "primary_owner_email_address",
            "service_type",
            "sync_tag",
            "system_location",
            "tag",
            "two_stage_dial_type",
        ),
        ordering=(
            "id",
            "name",
            "tag",
            "description",
            "service_type",
            "pin",
            "allow_guests",
            "enable_chat",
            "guest_pin",
            "max_callrate_in",
            "max_callrate_out",
            "participant_limit",
            "primary_owner_email_address",
            "enable_overlay_text",
            "creation_time",
        ),
        columns=("name", "aliases", "service_type", "description", "tag", "ivr_theme", "creation_time"),
        search=("name", "description", "aliases__alias", "tag"),
        groups=(
            ("Who may enter", ("pin", "allow_guests", "guest_pin", "participant_limit")),
            ("Layout", ("host_view", "guest_view", "enable_overlay_text", "force_presenter_into_main")),
            ("Media", ("call_type", "max_callrate_in", "max_callrate_out", "max_pixels_per_second", "crypto_mode")),
        ),
        csv=(
            "name",
            "description",
            "pin",
            "allow_guests",
            "guest_pin",
            "alias_alias",
            "alias_description",
            "tag",
            "max_callrate_in",
            "max_callrate_out",
            "call_type",
            "host_view",
            "enable_overlay_text",
            "ivr_theme_name",
            "participant_limit",
            "primary_owner_email_address",
        ),
        csv_rows="aliases",
        csv_only=("service_type", "conference"),
    )
)
register.add(
    Resource(
        model=ConferenceAlias,
        name="conference_alias",
        section="Services",
        icon="alternate_email",
        summary="What is dialled to reach a service.",
        parent="conference",
        columns=("alias", "conference", "description", "creation_time"),
        search=("alias", "description"),
        csv_key="alias",
    )
)
register.add(
    Resource(
        model=AutomaticParticipant,
        name="automatic_participant",
        section="Services",
        icon="call_made",
        summary="Participants a service calls when its conference starts.",
        columns=("alias", "protocol", "role", "creation_time"),
        search=("alias", "description", "remote_display_name"),
        csv_key="alias",
    )
)
register.add(
    Resource(
        model=GatewayRoutingRule,
        name="gateway_routing_rule",
        section="Services",
        area="call_control",
        icon="fork_right",
        summary="Call Routing Rules: where calls go that no service answers.",
        embedded=("ivr_theme",),
        columns=("name", "priority", "enable", "match_string", "called_device_type", "outgoing_protocol"),
        search=("name", "description", "match_string", "tag"),
        groups=(
            (
                "Which calls",
                (
                    "match_incoming_calls",
                    "match_outgoing_calls",
                    "match_source_location",
                    "match_incoming_only_if_registered",
                    "match_incoming_webrtc",
                    "match_incoming_sip",
                    "match_incoming_mssip",
                    "match_incoming_h323",
                    "match_incoming_teams",
                ),
            ),
            ("Alias", ("match_string_full", "match_string", "replace_string")),
            (
                "Where to",
                (
                    "called_device_type",
                    "outgoing_location",
                    "outgoing_protocol",
                    "sip_proxy",
                    "h323_gatekeeper",
                    "mssip_proxy",
                    "turn_server",
                    "stun_server",
                    "treat_as_trusted",
                ),
            ),
            (
                "Media",
                (
                    "call_type",
                    "max_callrate_in",
                    "max_callrate_out",
                    "max_pixels_per_second",
                    "crypto_mode",
                    "disabled_codecs",
                    "denoise_audio",
                    "live_captions_enabled",
                ),
            ),
        ),
    )
)
