"""Platform: nodes, locations, settings of the whole."""

from __future__ import annotations

from rostra.configuration.models import GlobalSettings, SystemLocation, WorkerVM
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
