"""System: servers and routes that nodes make use of."""

from __future__ import annotations

from rostra.configuration.models import (
    AutoBackup,
    DiagnosticGraph,
    DnsServer,
    HostSystem,
    HttpProxy,
    LogLevel,
    NtpServer,
    SmtpServer,
    SnmpNetworkManagementSystem,
    SshAuthorizedKey,
    StaticRoute,
    SyslogServer,
)
from rostra.configuration.resources import Resource, register

register.add(
    Resource(
        model=DnsServer,
        name="dns_server",
        section="System",
        icon="travel_explore",
        summary="Resolvers that locations and the Management Node choose from.",
        columns=("address", "description"),
        search=("address", "description"),
        csv_key="address",
    )
)
register.add(
    Resource(
        model=NtpServer,
        name="ntp_server",
        section="System",
        icon="schedule",
        summary="Clocks that locations and the Management Node choose from; three different ones or more are best.",
        columns=("address", "key_id", "description"),
        search=("address", "description"),
        groups=(("Authentication", ("key_id", "key")),),
        csv_key="address",
    )
)
register.add(
    Resource(
        model=SyslogServer,
        name="syslog_server",
        section="System",
        icon="receipt_long",
        summary="Where nodes send their logs.",
        columns=("address", "port", "transport", "description"),
        search=("address", "description"),
        groups=(("Logs", ("support_log", "audit_log", "web_log", "syslog_log", "proto_format")),),
        csv_key="address",
    )
)
register.add(
    Resource(
        model=SnmpNetworkManagementSystem,
        name="snmp_network_management_system",
        section="System",
        icon="monitor_heart",
        summary="Receivers of SNMP traps.",
        columns=("name", "address", "port", "description"),
        search=("name", "address", "description"),
    )
)
register.add(
    Resource(
        model=SmtpServer,
        name="smtp_server",
        section="System",
        icon="mail",
        summary="Servers that send e-mail to owners of rooms and devices.",
        columns=("name", "address", "port", "from_email_address", "connection_security"),
        search=("name", "address", "description"),
        groups=(("Account", ("username", "password")),),
    )
)
register.add(
    Resource(
        model=StaticRoute,
        name="static_route",
        section="System",
        icon="alt_route",
        summary="Ways to other networks that can be assigned to nodes.",
        columns=("name", "address", "prefix", "gateway"),
        search=("name", "address", "gateway"),
    )
)
register.add(
    Resource(
        model=HttpProxy,
        name="http_proxy",
        section="System",
        icon="vpn_lock",
        summary="Web proxies for requests from nodes to the outside.",
        columns=("name", "address", "port"),
        search=("name", "address"),
        groups=(("Account", ("username", "password")),),
    )
)
register.add(
    Resource(
        model=HostSystem,
        name="host_system",
        section="System",
        icon="memory",
        summary="Managers of virtual machines that nodes can be deployed on.",
        columns=("name", "address", "description"),
        search=("name", "address", "description"),
    )
)
register.add(
    Resource(
        model=SshAuthorizedKey,
        name="ssh_authorized_key",
        section="System",
        icon="key",
        summary="Public keys that may log in to nodes over SSH.",
        reverse=("nodes",),
        columns=("comment", "keytype", "nodes"),
        search=("comment", "keytype"),
        csv_key="comment",
    )
)
register.add(
    Resource(
        model=LogLevel,
        name="log_level",
        section="Utilities",
        icon="tune",
        summary="What loggers let pass.",
        columns=("name", "level"),
        search=("name",),
    )
)
register.add(
    Resource(
        model=DiagnosticGraph,
        name="diagnostic_graphs",
        section="Utilities",
        icon="monitoring",
        summary="Graphs of measurements.",
        replicated=False,
        filtering=("id", "title", "order"),
        columns=("title", "order"),
        search=("title",),
        csv_key="title",
    )
)
register.add(
    Resource(
        model=AutoBackup,
        name="autobackup",
        section="Utilities",
        area="administrators",  # who has its passphrase and its files has every secret of the platform
        icon="backup",
        summary="When the configuration is backed up by itself, and where the files go.",
        singleton=True,
        replicated=False,
        groups=(("Upload", ("autobackup_upload_url", "autobackup_upload_username", "autobackup_upload_password")),),
    )
)
