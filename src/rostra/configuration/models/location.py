"""System locations: groups of nodes with common network settings."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import choice, flag, reference, several, text, whole
from rostra.configuration.validators import domain


def _location(label: str, help_text: str) -> models.ForeignKey:
    return reference(label, "configuration.SystemLocation", help_text, related_name="+")


class SystemLocation(models.Model):
    """Where nodes are, and where their calls may overflow to."""

    name = text("Name", 250, "A name no other location has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    dns_servers = several(
        "DNS servers", "configuration.DnsServer", "Resolvers of the nodes here; one at least.", blank=False,
        related_name="+",
    )  # fmt: skip
    ntp_servers = several(
        "NTP servers", "configuration.NtpServer", "Clocks of the nodes here; one at least, better three.", blank=False,
        related_name="+",
    )  # fmt: skip
    syslog_servers = several(
        "Syslog servers", "configuration.SyslogServer", "Where the nodes here send their logs.", related_name="+"
    )
    snmp_network_management_system = reference(
        "SNMP Network Management System",
        "configuration.SnmpNetworkManagementSystem",
        "Receives the traps of nodes here in mode SNMPv2c.",
        related_name="+",
    )
    http_proxy = reference("Web proxy", "configuration.HttpProxy", "For requests to the outside.", related_name="+")
    mtu = whole("MTU", 512, 1500, "Largest packet of the nodes' network interfaces, in bytes.", default=1500)
    media_qos = whole("DSCP value for media", 0, 63, "Marks media packets.", default=0, optional=True)
    signalling_qos = whole("DSCP value for signalling", 0, 63, "Marks signalling packets.", default=0, optional=True)
    overflow_location1 = _location("Primary overflow location", "Takes media first when this location is full.")
    overflow_location2 = _location("Secondary overflow location", "Takes media when the primary one is full as well.")
    local_mssip_domain = text(
        "Skype for Business domain", 255, "Replaces the global domain for this location.", validators=[domain]
    )
    transcoding_location = _location("Transcoding location", "Where media is transcoded; empty: here.")
    use_relay_candidates_only = flag(
        "Relay candidates only", "Web clients send media through TURN only.", default=False
    )
    bdpm_pin_checks_enabled = choice(
        "PIN brute force resistance",
        vocabulary.INHERITED_ON_OFF,
        "Slows down those who guess PINs.",
        default="GLOBAL",
    )
    bdpm_scan_quarantine_enabled = choice(
        "VOIP scanner resistance",
        vocabulary.INHERITED_ON_OFF,
        "Keeps out those who try many aliases.",
        default="GLOBAL",
    )
    live_captions_dial_out_1 = _location("Live captions dial-out location 1", "First to dial the caption service.")
    live_captions_dial_out_2 = _location("Live captions dial-out location 2", "Second to dial the caption service.")
    live_captions_dial_out_3 = _location("Live captions dial-out location 3", "Third to dial the caption service.")

    class Meta:
        verbose_name = "System location"
        verbose_name_plural = "System locations"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        found: dict[str, str] = {}
        for name in ("overflow_location1", "overflow_location2"):
            if self.pk is not None and getattr(self, f"{name}_id") == self.pk:
                found[name] = "A location cannot take over from itself."
        if found:
            raise ValidationError(found)
