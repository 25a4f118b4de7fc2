"""Conferencing Nodes."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import choice, flag, ip_address, reference, text, whole


class WorkerVM(models.Model):
    """A machine that carries calls."""

    name = text("Name", 32, "A name no other node has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    hostname = text("Hostname", 63, "First part of the node's DNS name.", default=None)
    domain = text("Domain", 192, "Rest of the node's DNS name.", default=None)
    address = ip_address("IPv4 address", "Address of the first network interface.", unique=True)
    netmask = ip_address("Network mask", "IPv4 mask of the first network interface.")
    gateway = ip_address("Gateway IPv4 address", "Next hop for everything outside the local network.")
    secondary_address = ip_address("Secondary interface IPv4 address", "Second network interface.", optional=True)
    secondary_netmask = ip_address("Secondary interface network mask", "Second network interface.", optional=True)
    ipv6_address = ip_address("IPv6 address", "Address of the first interface.", optional=True, protocol="IPv6")
    ipv6_gateway = ip_address("Gateway IPv6 address", "Next hop for IPv6.", optional=True, protocol="IPv6")
    static_nat_address = ip_address("IPv4 static NAT address", "Address the outside sees.", optional=True)
    system_location = reference(
        "System location",
        "configuration.SystemLocation",
        "Where the node is.",
        optional=False,
        on_delete=models.PROTECT,
        related_name="worker_vms",
    )
    deployment_type = text("Deployment type", 50, "How the machine comes to be.", default="MANUAL-PROVISION-ONLY")
    vm_cpu_count = whole("Number of virtual CPUs", 2, 128, "CPUs of the machine.", default=4)
    vm_system_memory = whole("System memory", 2000, 64000, "Memory of the machine in MB.", default=4096)
    password = text("SSH password", 100, "For the operating system's user admin.", default=None)
    maintenance_mode = flag("Enable maintenance mode", "The node takes no new calls.", default=False)
    maintenance_mode_reason = text("Maintenance mode reason", 250, "Why the node takes no new calls.")
    alternative_fqdn = text("SIP TLS FQDN", 255, "DNS name shown to SIP peers over TLS.")
    enable_distributed_database = flag("Enable distributed database", "For nodes that are always on.", default=True)
    snmp_mode = choice("SNMP mode", vocabulary.SNMP_MODES, "SNMP version served.", default="DISABLED")
    snmp_community = text("SNMP community", 16, "Community of SNMPv2c.", default="public")
    snmp_username = text("SNMPv3 username", 100, "User of SNMPv3.")
    snmp_authentication_password = text("SNMPv3 authentication password", 100, "Proves who asks.")
    snmp_privacy_password = text("SNMPv3 privacy password", 100, "Encrypts what is asked.")
    snmp_system_contact = text("SNMP system contact", 70, "sysContact of this node.", default="admin@domain.com")
    snmp_system_location = text("SNMP system location", 70, "sysLocation of this node.", default="Virtual machine")
    node_type = choice("Role", vocabulary.NODE_TYPES, "What the node does with media.", default="CONFERENCING")
    transcoding = flag("Transcoding", "Older form of the role.", default=True, editable=False)
    cloud_bursting = flag("Cloud bursting node", "Started by bursting.", default=False, editable=False)
    enable_ssh = choice("Enable SSH", vocabulary.INHERITED_ON_OFF, "Log in over SSH.", default="GLOBAL")
    media_priority_weight = models.IntegerField(
        "Media priority weight", null=True, blank=True, default=0, help_text="Nodes with more are preferred for media."
    )
    ssh_authorized_keys_use_cloud = flag("Use SSH keys of the cloud", "Accept keys the cloud hands out.", default=True)
    service_manager = flag("Service manager", "Internal role.", default=True, editable=False)
    service_policy = flag("Service policy", "Internal role.", default=True, editable=False)
    signalling = flag("Signalling", "Internal role.", default=True, editable=False)
    managed = flag("Managed", "Internal role.", default=False, editable=False)

    class Meta:
        verbose_name = "Conferencing Node"
        verbose_name_plural = "Conferencing Nodes"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "hostname",
                "domain",
                name="worker_vm_fqdn",
                violation_error_message="Conferencing Node with this Hostname and Domain already exists.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.transcoding = self.node_type == "CONFERENCING"
        if self.secondary_address and not self.secondary_netmask:
            raise ValidationError({"secondary_netmask": "The secondary interface needs a network mask."})
