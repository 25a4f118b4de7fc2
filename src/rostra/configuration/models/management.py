"""The Management Node."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import validators, vocabulary
from rostra.configuration.fields import choice, flag, ip_address, reference, secret, several, text, whole
from rostra.configuration.models.certificates import name_problem
from rostra.configuration.models.snmp import SnmpSettings
from rostra.configuration.translating import gettext


class ManagementVM(SnmpSettings):
    """The machine the platform is administered from; always the row with id 1.

    Who it is on the network is told by its machine at every start (SYS-090).
    """

    name = text("Name", 32, "Shown to administrators.", default=None)
    description = text("Description", 250, "A note for administrators.")
    address = ip_address("IPv4 address", "Address of the machine.", editable=False)
    netmask = ip_address("Network mask", "IPv4 mask of the machine's network.", editable=False)
    gateway = ip_address("Gateway IPv4 address", "Next hop for everything outside that network.", editable=False)
    hostname = text("Hostname", 63, "First part of the machine's DNS name.", editable=False)
    domain = text("Domain", 192, "Rest of the machine's DNS name.", editable=False)
    ipv6_address = ip_address("IPv6 address", "IPv6 address of the machine.", optional=True, protocol="IPv6")
    ipv6_gateway = ip_address(
        "Gateway IPv6 address", "Next hop for IPv6; empty: routers announce it.", optional=True, protocol="IPv6"
    )
    mtu = whole("MTU", 512, 1500, "Largest packet of the network interface, in bytes.", default=1500)
    static_nat_address = ip_address("IPv4 static NAT address", "Address the outside sees.", optional=True)
    dns_servers = several(
        "DNS servers", "configuration.DnsServer", "Resolvers of this machine.", blank=False, related_name="+"
    )
    ntp_servers = several(
        "NTP servers", "configuration.NtpServer", "Clocks of this machine.", blank=False, related_name="+"
    )
    static_routes = several("Static routes", "configuration.StaticRoute", "Ways to other networks.", related_name="+")
    syslog_servers = several(
        "Syslog servers", "configuration.SyslogServer", "Where this machine sends its logs.", related_name="+"
    )
    event_sinks = several(
        "Event sinks", "configuration.EventSink", "Who is told what happens on this machine.", related_name="+"
    )
    snmp_network_management_system = reference(
        "SNMP Network Management System",
        "configuration.SnmpNetworkManagementSystem",
        "Receives traps in mode SNMPv2c.",
        related_name="+",
    )
    http_proxy = reference("Web proxy", "configuration.HttpProxy", "For requests to the outside.", related_name="+")
    alternative_fqdn = text(
        "Web identity", 255, "DNS name of the site, if it is not hostname and domain.", validators=[validators.domain]
    )
    tls_certificate = reference(
        "TLS certificate",
        "configuration.TlsCertificate",
        "Presented over HTTPS; empty: one that the machine signed itself.",
        related_name="management_vms",
    )
    tls_client_certificate = reference(
        "TLS client certificate",
        "configuration.TlsCertificate",
        "Presented to servers that ask for one.",
        related_name="+",
    )
    enable_ssh = choice("Enable SSH", vocabulary.INHERITED_ON_OFF, "Log in over SSH.", default="GLOBAL")
    ssh_authorized_keys = several(
        "SSH authorized keys", "configuration.SshAuthorizedKey", "Keys that may log in.", related_name="+"
    )
    ssh_authorized_keys_use_cloud = flag("Use SSH keys of the cloud", "Accept keys the cloud hands out.", default=True)
    secondary_config_passphrase = secret(
        "Secondary configuration passphrase", 100, "Encrypts what a second Management Node is set up from."
    )
    initializing = flag("Initializing", "Its configuration is being made.", default=False, editable=False)
    primary = flag("Primary", "It is the Management Node in charge.", default=True, editable=False)

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - that of an abstract model is no base
        verbose_name = "Management Node"
        verbose_name_plural = "Management Node"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        found = self.snmp_problems()
        if self.ipv6_gateway and not self.ipv6_address:
            found["ipv6_address"] = "A gateway for IPv6 needs an IPv6 address."
        found |= name_problem(self)
        if found:
            raise ValidationError(found)


class AutoBackup(models.Model):
    """When the configuration is backed up by itself; always the row with id 1."""

    autobackup_enabled = flag("Enable automatic backups", "Back up in regular intervals.", default=False)
    autobackup_interval = whole("Interval", 1, 24, "Hours between backups.", default=24)
    autobackup_start_hour = whole("Start hour", 0, 23, "Hour of the first backup of a day, in UTC.", default=1)
    autobackup_passphrase = secret("Passphrase", 100, "Encrypts the backups; they cannot be restored without it.")
    autobackup_upload_url = text(
        "Upload URL", 255, "Server the backups are sent to, ftp:// or ftps://; empty: none.",
        validators=[validators.ftp_url],
    )  # fmt: skip
    autobackup_upload_username = text("Upload username", 100, "Account on that server.")
    autobackup_upload_password = secret(
        "Upload password", 100, "Password of the account.", sent_to=("autobackup_upload_url",)
    )

    class Meta:
        verbose_name = "Automatic backups"
        verbose_name_plural = "Automatic backups"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return "Automatic backups"

    def clean(self) -> None:
        if self.autobackup_enabled and not self.autobackup_passphrase:
            raise ValidationError({"autobackup_passphrase": gettext("Automatic backups need a passphrase.")})
