"""Conferencing Nodes."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from rostra.configuration import validators, vocabulary
from rostra.configuration.addressing import check_netmask
from rostra.configuration.fields import choice, flag, ip_address, reference, secret, several, text, whole
from rostra.configuration.models.certificates import name_problem
from rostra.configuration.models.management import ManagementVM
from rostra.configuration.models.snmp import SnmpSettings
from rostra.configuration.translating import gettext


def check_memory(value: int) -> None:
    """Hypervisors hand out memory in steps of 4 MB (NODE-019). Raises ValidationError."""
    if value % 4:
        raise ValidationError(gettext("Use a multiple of 4."))


class WorkerVM(SnmpSettings):
    """A machine that carries calls."""

    name = text("Name", 32, "A name no other node has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    hostname = text(
        "Hostname", 63, "First part of the node's DNS name.", default=None,
        validators=[validators.hostname],
    )  # fmt: skip
    domain = text("Domain", 192, "Rest of the node's DNS name.", default=None, validators=[validators.domain])
    address = ip_address("IPv4 address", "Address of the first network interface.", unique=True)
    netmask = ip_address("Network mask", "IPv4 mask of the first network interface.", validators=[check_netmask])
    gateway = ip_address("Gateway IPv4 address", "Next hop for everything outside the local network.")
    secondary_address = ip_address("Secondary interface IPv4 address", "Second network interface.", optional=True)
    secondary_netmask = ip_address(
        "Secondary interface network mask", "Second network interface.", optional=True, validators=[check_netmask]
    )
    ipv6_address = ip_address(
        "IPv6 address", "Address of the first interface.", optional=True, protocol="IPv6", unique=True
    )
    ipv6_gateway = ip_address("Gateway IPv6 address", "Next hop for IPv6.", optional=True, protocol="IPv6")
    static_nat_address = ip_address(
        "IPv4 static NAT address",
        "Address the outside sees. The NAT device has to map it to the node's IPv4 address, ports unchanged; that is"
        " not done from here.", optional=True,
    )  # fmt: skip
    static_routes = several("Static routes", "configuration.StaticRoute", "Ways to other networks.", related_name="+")
    system_location = reference(
        "System location",
        "configuration.SystemLocation",
        "Decides which servers, proxies and neighbours the node uses. A change ends its calls.",
        optional=False,
        on_delete=models.PROTECT,
        related_name="worker_vms",
    )
    deployment_type = text(
        "Deployment type",
        50,
        "How the machine is set up; with the default, by the configuration file that this page offers.",
        default="MANUAL-PROVISION-ONLY",
    )
    vm_cpu_count = whole("Number of virtual CPUs", 2, 128, "CPUs of the machine.", default=4)
    vm_system_memory = models.IntegerField(
        "System memory",
        validators=[MinValueValidator(2000), MaxValueValidator(64000), check_memory],
        default=4096,
        help_text="Memory of the machine in MB, a multiple of 4.",
    )
    password = secret("SSH password", 100, "For the operating system's user admin.", default=None)
    maintenance_mode = flag("Enable maintenance mode", "The node takes no new calls.", default=False)
    maintenance_mode_reason = text("Maintenance mode reason", 250, "Why the node takes no new calls.")
    alternative_fqdn = text(
        "SIP TLS FQDN",
        255,
        "DNS name shown to SIP peers over TLS; no other node has it.",
        validators=[validators.domain],
    )
    tls_certificate = reference(
        "TLS certificate",
        "configuration.TlsCertificate",
        "Presented over HTTPS and SIP TLS; empty: one that the machine signed itself.",
        related_name="worker_vms",
    )
    tls_client_certificate = reference(
        "TLS client certificate",
        "configuration.TlsCertificate",
        "Presented to servers that ask for one.",
        related_name="+",
    )
    enable_distributed_database = flag("Enable distributed database", "For nodes that are always on.", default=True)
    node_type = choice(
        "Role",
        vocabulary.NODE_TYPES,
        "Whether the node composes media, or passes on that of others, as at the edge of a network.",
        default="CONFERENCING",
    )
    transcoding = flag("Transcoding", "Older form of the role.", default=True, editable=False)
    cloud_bursting = flag("Cloud bursting node", "Started by bursting.", default=False, editable=False)
    enable_ssh = choice("Enable SSH", vocabulary.INHERITED_ON_OFF, "Log in over SSH.", default="GLOBAL")
    media_priority_weight = models.IntegerField(
        "Media priority weight", null=True, blank=True, default=0, help_text="Nodes with more are preferred for media."
    )
    ssh_authorized_keys = several(
        "SSH authorized keys", "configuration.SshAuthorizedKey", "Keys that may log in.", related_name="nodes"
    )
    ssh_authorized_keys_use_cloud = flag("Use SSH keys of the cloud", "Accept keys the cloud hands out.", default=True)
    service_manager = flag("Service manager", "Internal role.", default=True, editable=False)
    service_policy = flag("Service policy", "Internal role.", default=True, editable=False)
    signalling = flag("Signalling", "Internal role.", default=True, editable=False)
    managed = flag("Managed", "Internal role.", default=False, editable=False)

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - that of an abstract model is no base
        verbose_name = "Conferencing Node"
        verbose_name_plural = "Conferencing Nodes"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("hostname"), name="worker_vm_hostname"),
            models.UniqueConstraint(
                Lower("alternative_fqdn"), condition=~models.Q(alternative_fqdn=""), name="worker_vm_sip_tls_fqdn"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.transcoding = self.node_type == "CONFERENCING"
        found = self.snmp_problems()
        if bool(self.secondary_address) != bool(self.secondary_netmask):
            missing = "secondary_netmask" if self.secondary_address else "secondary_address"
            found[missing] = "A secondary interface has an address and a network mask."
        if self.ipv6_gateway and not self.ipv6_address:
            found["ipv6_address"] = "A gateway for IPv6 needs an IPv6 address."
        found |= self._taken_names() | name_problem(self)
        if found:
            raise ValidationError(found)

    def _taken_names(self) -> dict[str, str]:
        """Names that another machine of the platform has, whatever the case of their letters (NODE-002, NODE-003)."""
        found: dict[str, str] = {}
        others = WorkerVM.objects.exclude(pk=self.pk).annotate(host=Lower("hostname"), fqdn=Lower("alternative_fqdn"))
        if self.hostname and others.filter(host=self.hostname.lower()).exists():
            found["hostname"] = "Conferencing Node with this Hostname already exists."
        # A node on the Management Node's own machine goes by that machine's name.
        managers = ManagementVM.objects.values_list("hostname", "address")
        if any(name.lower() == self.hostname.lower() and self.address != address for name, address in managers):
            found["hostname"] = "This is the hostname of the Management Node."
        if self.alternative_fqdn and others.filter(fqdn=self.alternative_fqdn.lower()).exists():
            found["alternative_fqdn"] = "Conferencing Node with this SIP TLS FQDN already exists."
        return found
