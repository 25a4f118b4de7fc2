"""Servers and settings that nodes of the platform make use of: names, time, logs, mail, routes."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, MaxValueValidator, MinValueValidator
from django.db import models

from rostra.configuration import sealing, vocabulary
from rostra.configuration.addressing import route_problems
from rostra.configuration.fields import choice, flag, ip_address, paragraph, secret, text, whole
from rostra.configuration.secretfield import SecretField
from rostra.configuration.sshkeys import problems
from rostra.configuration.translating import gettext
from rostra.configuration.validators import host_or_address

_PORT = (1, 65535)
_DATASET = {
    "color": str,
    "graph": str,
    "graph_type": str,
    "metric_id": str,
    "metric_name": str,
    "multiplier": (int, float),
    "node": str,
    "resource_uri": str,
    "width": int,
}
"""Members of a dataset of a diagnostic graph, and their types."""


def _name(limit: int = 250) -> models.CharField:
    return text("Name", limit, "A name that no other one has.", default=None, unique=True)


def _description() -> models.CharField:
    return text("Description", 250, "A note for administrators.")


def _host(help_text: str, **more: Any) -> models.CharField:
    return text("Address", 255, help_text, default=None, validators=[host_or_address], **more)


class DnsServer(models.Model):
    """A resolver (SYS-005)."""

    address = ip_address(
        "IP address", "Where the server answers; a name would need a server to be resolved.", protocol="both",
        unique=True,
    )  # fmt: skip
    description = _description()

    class Meta:
        verbose_name = "DNS server"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return str(self.address)


class DigestField(SecretField):
    """A secret of which only the SHA-1 digest (hexadecimal) is kept, sealed."""

    def get_prep_value(self, value: Any) -> Any:
        if value and not sealing.is_sealed(str(value)):
            value = hashlib.sha1(str(value).encode(), usedforsecurity=False).hexdigest()
        return super().get_prep_value(value)


class NtpServer(models.Model):
    """A clock (SYS-009); with a key, one that has to prove who it is (SYS-013)."""

    address = _host("IP address or DNS name of a server, or the name of a pool of servers.", unique=True)
    description = _description()
    key_id = whole("Secure NTP key ID", 1, 65535, "Number of the key; goes with the key.", optional=True)
    key: models.TextField = DigestField(
        "Secure NTP key",
        limit=100,
        blank=True,
        default="",
        help_text="Enter it in plain text; its SHA-1 digest is kept and is the key of that number.",
    )

    class Meta:
        verbose_name = "NTP server"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        if self.key and self.key_id is None:
            raise ValidationError({"key_id": gettext("Give the number of the key as well.")})
        if self.key_id is not None and not self.key:
            raise ValidationError({"key": gettext("Give the key with this number as well.")})


class SyslogServer(models.Model):
    """Where nodes send their logs (SYS-036)."""

    address = _host("IP address or DNS name of the server.")
    description = _description()
    port = whole("Port", *_PORT, "Where it listens.", default=514)
    transport = choice("Transport", vocabulary.TRANSPORTS, "How it is reached.", default="udp")
    audit_log = flag("Audit log", "Send what programs of the operating system were asked to do.", default=False)
    support_log = flag("Support log", "Send the support and the administrator log.", default=False)
    web_log = flag("Web server log", "Send requests to the web servers.", default=False)
    syslog_log = flag("System log", "Send the operating system's log.", default=True)
    proto_format = choice("Format", vocabulary.SYSLOG_FORMATS, "Form of the messages.", default="rfc3164")

    class Meta:
        verbose_name = "Syslog server"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


class SnmpNetworkManagementSystem(models.Model):
    """Who receives traps (SYS-026)."""

    name = _name()
    description = _description()
    address = _host("IP address or DNS name to which traps go.")
    port = whole("Port", *_PORT, "Port to which traps go.", default=161)
    snmp_trap_community = text("SNMP trap community", 16, "Community the traps carry.", default="public")

    class Meta:
        verbose_name = "SNMP Network Management System"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class SmtpServer(models.Model):
    """Sends e-mail to owners of rooms and devices (SYS-038)."""

    name = _name()
    description = _description()
    address = _host("IP address or DNS name of the mail server.")
    port = whole("Port", *_PORT, "Where it takes mail.", default=587)
    username = text("Username", 100, "Account on the server; empty: none is needed.")
    password = secret("Password", 100, "Password of the account.", sent_to=("address",))
    from_email_address = text(
        "From e-mail address", 100, "Sender of the mails; the server has to allow it.", default=None,
        validators=[EmailValidator("Enter an e-mail address.")],
    )  # fmt: skip
    connection_security = choice(
        "Connection security", vocabulary.MAIL_SECURITY, "Encryption of the connection.", default="NONE"
    )

    class Meta:
        verbose_name = "SMTP server"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class StaticRoute(models.Model):
    """A way to a network other than through the default gateway; assigned to nodes (SYS-043)."""

    name = _name(32)
    address = ip_address("Destination network address", "The network that is reached.", protocol="both")
    prefix = models.IntegerField(
        "Network prefix",
        validators=[MinValueValidator(0), MaxValueValidator(128)],
        help_text="Bits of the network: 0-32 for IPv4, 0-128 for IPv6.",
    )
    gateway = ip_address("Gateway IP address", "Next hop on the way to it.", protocol="both")

    class Meta:
        verbose_name = "Static route"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.name}: {self.address}/{self.prefix}"

    def clean(self) -> None:
        if self.address and self.gateway and isinstance(self.prefix, int):
            try:
                found = route_problems(self.address, self.prefix, self.gateway)
            except ValueError:
                return  # told at the field already
            if found:
                raise ValidationError(found)


class HostSystem(models.Model):
    """A manager of virtual machines that nodes can be deployed on (SYS-039). Credentials are never kept."""

    name = _name()
    description = _description()
    address = _host("IP address or DNS name of the manager, or of a host that no manager looks after.")

    class Meta:
        verbose_name = "VM manager"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class HttpProxy(models.Model):
    """A web proxy for requests from nodes to the outside."""

    name = _name()
    address = _host("IP address or DNS name of the proxy.")
    port = whole("Port", *_PORT, "Where it listens.", default=8080, optional=True)
    protocol = choice("Protocol", vocabulary.WEB_PROXY_PROTOCOLS, "How it is spoken to.", default="http")
    username = text("Username", 100, "Account on the proxy; empty: none is needed.")
    password = secret("Password", 100, "Password of the account.", sent_to=("address",))

    class Meta:
        verbose_name = "Web proxy"
        verbose_name_plural = "Web proxies"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class SshAuthorizedKey(models.Model):
    """A public key that may log in to nodes over SSH."""

    keytype = text("Key type", 50, "First part of the public key, for example ssh-ed25519.", default=None)
    key = paragraph("Key", 8192, "Second part of the public key, in base64.", default=None)
    comment = paragraph("Comment", 8192, "Last part of the public key: whose it is.", default=None)

    class Meta:
        verbose_name = "SSH Authorized Key"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.keytype} {self.comment}"[:100]

    def clean(self) -> None:
        found = problems(self.keytype, self.key, self.comment)
        if found:
            raise ValidationError(found)


class LogLevel(models.Model):
    """What a logger lets pass."""

    name = text("Logger", 250, "Name of the logger, for example rostra.sip.", default=None, unique=True)
    level = choice("Level", vocabulary.LOG_LEVELS, "The least that is logged.", default="NOTSET")

    class Meta:
        verbose_name = "Log level"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.name}: {self.level}"


def check_datasets(value: Any) -> None:
    """Raises ValidationError for anything but a list of datasets."""
    if not isinstance(value, list):
        raise ValidationError(gettext("Give a list of datasets."))
    for dataset in value:
        if not isinstance(dataset, dict):
            raise ValidationError(gettext("A dataset is an object."))
        for name, item in dataset.items():
            kind: Any = _DATASET.get(name)
            if kind is None:
                raise ValidationError(gettext("A dataset has no member %(name)s.") % {"name": name})
            if item is not None and (not isinstance(item, kind) or isinstance(item, bool)):
                raise ValidationError(gettext("The member %(name)s of a dataset is of another type.") % {"name": name})


class DiagnosticGraph(models.Model):
    """A graph of measurements that administrators put together."""

    title = text("Title", 250, "Shown above the graph.", default=None)
    order = models.IntegerField("Order", validators=[MinValueValidator(0)], help_text="Place among the graphs.")
    datasets = models.JSONField(
        "Datasets", default=list, blank=True, validators=[check_datasets], help_text="The series that are plotted."
    )

    class Meta:
        verbose_name = "Diagnostic Graph"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.title
