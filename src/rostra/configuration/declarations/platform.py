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
register.add(
    Resource(
        model=GlobalSettings,
        name="global",
        section="Platform",
        icon="tune",
        summary="Settings of the whole platform.",
        singleton=True,
        embedded=("default_theme",),
    )
)
