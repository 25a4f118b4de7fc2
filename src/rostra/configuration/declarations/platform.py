"""Platform: nodes, locations, settings of the whole."""

from __future__ import annotations

from rostra.configuration.models import GlobalSettings, ManagementVM, SystemLocation, WorkerVM
from rostra.configuration.resources import Resource, register

_SNMP = (
    *("snmp_mode", "snmp_community", "snmp_username", "snmp_authentication_password", "snmp_privacy_password"),
    *("snmp_system_contact", "snmp_system_location"),
)

register.add(
    Resource(
        model=SystemLocation,
        name="system_location",
        section="Platform",
        icon="location_on",
        summary="Groups of nodes that share network settings.",
        embedded=("dns_servers", "ntp_servers", "syslog_servers", "event_sinks"),
        columns=("name", "description", "mtu", "overflow_location1", "overflow_location2"),
        search=("name", "description"),
        groups=(
            (
                "Servers",
                (
                    *("dns_servers", "ntp_servers", "syslog_servers", "event_sinks"),
                    *("snmp_network_management_system", "policy_server", "http_proxy"),
                ),
            ),
            ("Outbound calls", ("h323_gatekeeper", "sip_proxy", "mssip_proxy", "local_mssip_domain")),
            (
                "NAT and firewalls",
                (
                    *("turn_server", "stun_server", "client_turn_servers", "client_stun_servers"),
                    "use_relay_candidates_only",
                ),
            ),
            ("Overflow", ("overflow_location1", "overflow_location2", "transcoding_location")),
            ("Network", ("mtu", "media_qos", "signalling_qos")),
            (
                "Live captions",
                ("live_captions_dial_out_1", "live_captions_dial_out_2", "live_captions_dial_out_3"),
            ),
        ),
    )
)
register.add(
    Resource(
        model=ManagementVM,
        name="management_vm",
        section="Platform",
        icon="admin_panel_settings",
        summary="The machine the platform is administered from.",
        singleton=True,
        list_methods=("get", "post", "delete"),
        detail_methods=("get", "post", "patch", "delete"),
        embedded=("dns_servers", "ntp_servers", "static_routes", "syslog_servers", "event_sinks"),
        columns=("name", "address", "description"),
        groups=(
            ("Network", ("mtu", "ipv6_address", "ipv6_gateway", "static_nat_address", "static_routes", "http_proxy")),
            ("Servers", ("dns_servers", "ntp_servers", "syslog_servers", "event_sinks")),
            ("SNMP", (*_SNMP, "snmp_network_management_system")),
            ("SSH", ("enable_ssh", "ssh_authorized_keys", "ssh_authorized_keys_use_cloud")),
        ),
    )
)
_IDENTITY = (
    *("hostname", "domain", "address", "netmask", "gateway"),
    *("secondary_address", "secondary_netmask"),
)
"""Who a node is on the network: part of what it was deployed with."""
register.add(
    Resource(
        model=WorkerVM,
        name="worker_vm",
        section="Platform",
        icon="dns",
        summary="Conferencing Nodes: the machines that carry calls.",
        embedded=("static_routes",),
        fixed=_IDENTITY,
        fixed_in_site=("enable_distributed_database",),  # NODE-066
        columns=("name", "system_location", "address", "node_type", "maintenance_mode"),
        search=("name", "description", "address", "hostname"),
        write_only=("password",),
        groups=(
            (
                "Network",
                (*_IDENTITY, "static_nat_address", "ipv6_address", "ipv6_gateway", "alternative_fqdn", "static_routes"),
            ),
            ("Maintenance", ("maintenance_mode", "maintenance_mode_reason")),
            ("SNMP", _SNMP),
            ("SSH", ("password", "enable_ssh", "ssh_authorized_keys", "ssh_authorized_keys_use_cloud")),
        ),
    )
)
_SETTINGS = (
    (
        "Service configuration",
        (
            *("guests_only_timeout", "eject_last_participant_backstop_timeout", "waiting_for_chair_timeout"),
            *("pin_entry_timeout", "default_theme", "max_callrate_in", "max_callrate_out", "max_pixels_per_second"),
            *("max_presentation_bandwidth_ratio", "enable_chat", "enable_breakout_rooms", "enable_clock"),
            *("enable_denoise", "enable_softmute", "enable_mlvad", "enable_fecc", "live_captions_vmr_default"),
            *("external_participant_avatar_lookup", "teams_enable_powerpoint_render"),
        ),
    ),
    (
        "Connectivity",
        (
            *("enable_sip", "enable_sip_udp", "enable_h323", "enable_webrtc", "enable_rtmp", "enable_dialout"),
            *("enable_application_api", "enable_directory", "default_webapp_alias", "local_mssip_domain"),
            *("enable_lync_auto_escalate", "enable_lync_vbss", "enable_edge_non_mesh", "enable_legacy_dialout_api"),
            *("enable_turn_443", "management_qos"),
        ),
    ),
    ("Port ranges", ("signalling_ports_start", "signalling_ports_end", "media_ports_start", "media_ports_end")),
    ("Codecs", ("disabled_codecs",)),
    (
        "Security",
        (
            *("crypto_mode", "min_pin_length", "bdpm_pin_checks_enabled", "bdpm_max_pin_failures_per_window"),
            *("bdpm_scan_quarantine_enabled", "bdpm_max_scan_attempts_per_window", "sip_tls_cert_verify_mode"),
            *("ocsp_state", "ocsp_responder_url", "enable_ssh", "content_security_policy_header"),
            "content_security_policy_state",
        ),
    ),
    ("External system integration", ("legacy_api_username", "legacy_api_password")),
    (
        "Administrator interface configuration",
        (
            *("logon_banner", "site_banner", "site_banner_bg", "site_banner_fg", "management_start_page"),
            *("session_timeout_enabled", "management_session_timeout", "liveview_show_conferences"),
        ),
    ),
    (
        "Reporting",
        (
            *("error_reporting_enabled", "error_reporting_url", "contact_email_address", "enable_analytics"),
            *("logs_max_age", "es_connection_timeout", "es_initial_retry_backoff", "es_maximum_retry_backoff"),
            *("es_media_streams_wait", "es_metrics_update_interval", "es_short_term_memory_expiration"),
        ),
    ),
    (
        "Cloud bursting",
        (
            *("bursting_enabled", "bursting_threshold", "bursting_min_lifetime", "cloud_provider"),
            *("aws_access_key", "aws_secret_key", "azure_client_id", "azure_secret", "azure_subscription_id"),
            *("azure_tenant", "gcp_client_email", "gcp_private_key", "gcp_project_id"),
        ),
    ),
)
"""Sections of Global settings (SYS-093); automatic backups have a page of their own."""
register.add(
    Resource(
        model=GlobalSettings,
        name="global",
        section="Platform",
        icon="tune",
        summary="Settings of the whole platform.",
        singleton=True,
        embedded=("default_theme",),
        groups=_SETTINGS,
    )
)
