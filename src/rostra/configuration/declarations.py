"""Which models are resources. The order is that of snapshots and menus."""

from __future__ import annotations

from rostra.configuration.models import (
    AutomaticParticipant,
    Conference,
    ConferenceAlias,
    FabricMember,
    GlobalSettings,
    SystemLocation,
    WorkerVM,
)
from rostra.configuration.resources import Resource, register

register.add(
    Resource(
        model=SystemLocation,
        name="system_location",
        section="Platform",
        icon="location_on",
        summary="Groups of nodes that share network settings.",
        columns=("name", "description", "mtu", "overflow_location1", "overflow_location2"),
        search=("name", "description"),
        groups=(
            ("Overflow", ("overflow_location1", "overflow_location2", "transcoding_location")),
            ("Network", ("mtu", "media_qos", "signalling_qos", "local_mssip_domain", "use_relay_candidates_only")),
        ),
    )
)
register.add(
    Resource(
        model=WorkerVM,
        name="worker_vm",
        section="Platform",
        icon="dns",
        summary="Conferencing Nodes: the machines that carry calls.",
        columns=("name", "system_location", "address", "node_type", "maintenance_mode"),
        search=("name", "description", "address", "hostname"),
        write_only=("password",),
        groups=(
            ("Network", ("hostname", "domain", "address", "netmask", "gateway", "static_nat_address", "ipv6_address")),
            ("Maintenance", ("maintenance_mode", "maintenance_mode_reason")),
        ),
    )
)
register.add(
    Resource(
        model=GlobalSettings,
        name="global",
        section="Platform",
        icon="tune",
        summary="Settings of the whole platform.",
        singleton=True,
    )
)
register.add(
    Resource(
        model=Conference,
        name="conference",
        section="Services",
        icon="video_camera_front",
        summary="Services that can be dialled: Virtual Meeting Rooms, auditoriums, receptions and test calls.",
        embedded=("aliases", "automatic_participants"),
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
            "max_callrate_in",
            "max_callrate_out",
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
        columns=("name", "aliases", "service_type", "description", "tag", "creation_time"),
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
register.replicate(FabricMember, "fabric_member")
