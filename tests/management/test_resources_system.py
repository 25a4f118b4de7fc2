"""Servers and routes of the platform, by the common suite."""

from __future__ import annotations

from typing import Any

from .conftest import Api
from .resource_suite import ResourceSuite


class TestDnsServer(ResourceSuite):
    name = "dns_server"
    example = {"address": "192.0.2.53"}
    change = {"address": "2001:db8::53", "description": "the other one"}
    refused = [
        ({"address": "dns.example.test"}, "address"),
        ({"address": "192.0.2"}, "address"),
        ({"address": "192.0.2.9"}, "address"),
        ({"description": "x" * 251}, "description"),
    ]
    list_queries = 3

    def prepare(self, api: Api) -> dict[str, Any]:
        api.create("dns_server", address="192.0.2.9")
        return {}


class TestNtpServer(ResourceSuite):
    name = "ntp_server"
    example = {"address": "clock.example.test"}
    change = {"address": "192.0.2.123", "description": "on the roof"}
    refused = [
        ({"address": "0.pool.ntp.org"}, "address"),
        ({"address": "a b"}, "address"),
        ({"key_id": 65536, "key": "k"}, "key_id"),
        ({"key_id": 0, "key": "k"}, "key_id"),
        ({"key_id": 7}, "key"),
        ({"key": "secret"}, "key_id"),
        ({"key_id": 7, "key": "x" * 101}, "key"),
    ]
    list_queries = 3


class TestSyslogServer(ResourceSuite):
    name = "syslog_server"
    example = {"address": "logs.example.test"}
    change = {"port": 6514, "transport": "tls", "audit_log": True, "proto_format": "rfc5424"}
    refused = [({"port": 65536}, "port"), ({"transport": "pigeon"}, "transport"), ({"address": ""}, "address")]
    list_queries = 3


class TestSnmpNetworkManagementSystem(ResourceSuite):
    name = "snmp_network_management_system"
    example = {"name": "Watch", "address": "192.0.2.161"}
    change = {"port": 162, "snmp_trap_community": "private"}
    refused = [({"snmp_trap_community": "x" * 17}, "snmp_trap_community"), ({"port": 0}, "port")]
    list_queries = 3


class TestSmtpServer(ResourceSuite):
    name = "smtp_server"
    example = {"name": "Mail", "address": "mail.example.test", "from_email_address": "rooms@example.test"}
    change = {"port": 25, "connection_security": "STARTTLS", "username": "rooms"}
    refused = [
        ({"from_email_address": "rooms"}, "from_email_address"),
        ({"connection_security": "SSL"}, "connection_security"),
        ({"password": "x" * 101}, "password"),
    ]
    list_queries = 3


class TestStaticRoute(ResourceSuite):
    name = "static_route"
    example = {"name": "Lab", "address": "10.20.0.0", "prefix": 16, "gateway": "192.0.2.1"}
    change = {"address": "2001:db8::", "prefix": 64, "gateway": "2001:db8:1::1"}
    refused = [
        ({"prefix": 33}, "prefix"),
        ({"prefix": -1}, "prefix"),
        ({"address": "2001:db8::"}, "gateway"),
        ({"gateway": "router"}, "gateway"),
        ({"name": "x" * 33}, "name"),
    ]
    list_queries = 3


class TestHttpProxy(ResourceSuite):
    name = "http_proxy"
    example = {"name": "Way out", "address": "proxy.example.test"}
    change = {"port": None, "username": "rostra"}
    refused = [({"protocol": "socks"}, "protocol"), ({"port": 0}, "port")]
    list_queries = 3


class TestHostSystem(ResourceSuite):
    name = "host_system"
    example = {"name": "Cluster", "address": "vcenter.example.test"}
    change = {"description": "two racks"}
    refused = [({"address": "https://vcenter"}, "address")]
    list_queries = 3


class TestSshAuthorizedKey(ResourceSuite):
    name = "ssh_authorized_key"
    example = {
        "keytype": "ssh-ed25519",
        "key": "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
        "comment": "ada@example.test",
    }
    change = {"comment": "grace@example.test"}
    refused = [
        ({"keytype": "ssh-dss"}, "keytype"),
        ({"keytype": "ssh-rsa"}, "key"),
        ({"key": "AAAA"}, "key"),
        ({"comment": "me\nssh-rsa AAAA"}, "comment"),
        ({"nodes": ["/api/admin/configuration/v1/worker_vm/999/"]}, "nodes"),
    ]
    list_queries = 4


class TestLogLevel(ResourceSuite):
    name = "log_level"
    example = {"name": "rostra.sip"}
    change = {"level": "DEBUG"}
    refused = [({"level": "LOUD"}, "level"), ({"name": ""}, "name")]
    list_queries = 3


class TestDiagnosticGraphs(ResourceSuite):
    name = "diagnostic_graphs"
    example = {"title": "Load", "order": 1}
    change = {"datasets": [{"metric_id": "load", "color": "#ff0000", "multiplier": 1.5, "width": 2}]}
    refused = [
        ({"order": -1}, "order"),
        ({"datasets": {}}, "datasets"),
        ({"datasets": [{"metric_id": 7}]}, "datasets"),
        ({"datasets": [{"shape": "round"}]}, "datasets"),
    ]
    list_queries = 3
