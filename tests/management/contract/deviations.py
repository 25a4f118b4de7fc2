"""Where we differ from the data on purpose, and why. The suite fails for a deviation that is none any more."""

from __future__ import annotations

ELSEWHERE = {
    "upgrade": "a command that takes a file; tests/management/upgrades",
    "upgrade_request": "a file sent in parts; tests/management/upgrades",
}
"""Resources that are no rows of a table."""

_TEAMS = "no connector for Microsoft Teams is built"
_MEET = "no connector for Google Meet is built"
_SCHEDULER = "no calendar scheduler is built"
_LIBRARY = "the media library is left out"

ABSENT: dict[str, dict[str, str]] = {
    "conference": {
        "gms_access_token": _MEET,
        "media_playlist": _LIBRARY,
        "scheduled_conferences": _SCHEDULER,
        "scheduled_conferences_count": _SCHEDULER,
        "teams_proxy": _TEAMS,
    },
    "gateway_routing_rule": {
        "gms_access_token": _MEET,
        "teams_proxy": _TEAMS,
        "telehealth_profile": "no telehealth system is connected",
    },
    "oauth2_client": {"private_key_jwt": "only in the answer to the creation; tests/management/accounts"},
    "system_location": {"teams_proxy": _TEAMS},
}
"""Fields that are not served, by resource."""

_VENDOR = "theirs names a service of its own"

DIFFERENT: dict[tuple[str, str], str] = {
    ("automatic_participant", "protocol"): _TEAMS,
    ("conference", "service_type"): _LIBRARY,
    ("gateway_routing_rule", "called_device_type"): _TEAMS,
    ("gateway_routing_rule", "max_callrate_out"): "empty is the default of the platform we follow (sheet 04)",
    ("gateway_routing_rule", "outgoing_protocol"): _TEAMS,
    ("global", "content_security_policy_header"): _VENDOR,
    ("global", "disabled_codecs"): "the same, in the form of the field",
    ("global", "error_reporting_url"): _VENDOR,
    ("global", "management_start_page"): "pages of our site have other addresses",
    ("ivr_theme", "conference"): "services can be given a theme from here, too",
    ("licence_request", "actions"): "made by adding and returning licences only",
    ("licence_request", "reference"): "made by adding and returning licences only",
    ("conference_sync_template", "max_pixels_per_second"): "may be null, as that of a conference",
    ("conference_alias", "view_order"): "may be null: no place of its own",
    ("ssh_authorized_key", "nodes"): "a list of addresses, described as the relation it is",
}
"""Defaults, choices and the like that are ours."""

FIXED: dict[str, dict[str, str]] = {
    "worker_vm": dict.fromkeys(
        ("hostname", "domain", "address", "netmask", "gateway", "secondary_address", "secondary_netmask"),
        "identity of a machine: set when the node is made (sheet 03)",
    ),
}
"""Fields that are written once, by resource."""

_BURSTING = "bursting into a cloud is not built"
_JOIN = "no calendars of rooms are connected"

NOT_SERVED: dict[str, str] = {
    "status/exchange_scheduler": _SCHEDULER,
    "status/mjx_endpoint": _JOIN,
    "status/mjx_meeting": _JOIN,
    "status/scheduling_operation": _SCHEDULER,
    "status/system_status": "in one client only, and unverified",
    "status/teamsnode": _TEAMS,
    "status/teamsnode_call": _TEAMS,
    "status/teamsnodedsc": _TEAMS,
}
"""Tables of status and history that there are not."""

EMPTY: dict[str, str] = {
    "status/cloud_monitored_location": _BURSTING,
    "status/cloud_node": _BURSTING,
    "status/cloud_overflow_location": _BURSTING,
}
"""Tables that never have rows."""

OF_OUR_OWN = {"history/login_history": "who signed in, which the platform we follow shows on a page only"}
"""Tables the sheet does not have."""

NO_COLUMN: dict[tuple[str, str], str] = {}
"""Fields of tables that are not served."""

ADDED_COLUMNS: dict[tuple[str, str], str] = {
    ("status/system_location/statistics", "time"): "without it a series of samples tells nothing",
    ("status/worker_vm/statistics", "time"): "without it a series of samples tells nothing",
}
"""Fields of tables that the sheet does not have."""

NO_COMMAND: dict[str, str] = {
    "platform/join_deployment": "parameters are not known; nodes join by their own way",
    "platform/promote_mgmtnode": "parameters are not known",
    "platform/software_bundle": "platform/upgrade takes bundles",
}
"""Commands that there are not."""

OWN_COMMANDS = {"platform/move_calls_away": "hands the calls of a node to others"}
"""Commands the sheet does not have."""
