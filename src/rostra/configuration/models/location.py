"""System locations: groups of nodes with common network settings."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import orm, vocabulary
from rostra.configuration.fields import choice, flag, reference, several, text, whole
from rostra.configuration.models.call_control import StunServer
from rostra.configuration.validators import domain

SHIPPED_STUN = "stun.l.google.com"
"""Address of the STUN server that every platform has from the start."""


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
    event_sinks = several(
        "Event sinks", "configuration.EventSink", "Who is told what happens on the nodes here.", related_name="+"
    )
    h323_gatekeeper = reference(
        "H.323 gatekeeper", "configuration.H323Gatekeeper", "Takes outbound H.323 calls; empty: DNS tells.",
        related_name="+",
    )  # fmt: skip
    sip_proxy = reference(
        "SIP proxy", "configuration.SipProxy", "Takes outbound SIP calls; empty: DNS tells.", related_name="+"
    )
    mssip_proxy = reference(
        "Skype for Business server", "configuration.MssipProxy",
        "Takes outbound calls to Skype for Business; empty: DNS tells, as it has to in a public DMZ.",
        related_name="+",
    )  # fmt: skip
    turn_server = reference(
        "TURN server", "configuration.TurnServer", "Relays media of participants outside the firewall.",
        related_name="+",
    )  # fmt: skip
    stun_server = reference(
        "STUN server", "configuration.StunServer",
        "Tells nodes here their public address; empty: the TURN server does.", related_name="+",
    )  # fmt: skip
    client_stun_servers = several(
        "Client STUN servers", "configuration.StunServer",
        "Handed to web clients. Without any, calls of clients in the nodes' own network start faster; others can"
        " still use a TURN server, more slowly.", related_name="+",
    )  # fmt: skip
    client_turn_servers = several(
        "Client TURN servers",
        "configuration.TurnServer",
        "Relays that web clients are told to use where nothing else gets through. None: they use none.",
        related_name="+",
    )
    policy_server = reference(
        "Policy profile",
        "configuration.PolicyServer",
        "Is asked about calls to the nodes here. Empty: the platform decides by itself.",
        related_name="+",
    )
    http_proxy = reference(
        "Web proxy",
        "configuration.HttpProxy",
        "Nodes here send requests to the internet through it. Empty: directly.",
        related_name="+",
    )
    mtu = whole("MTU", 512, 1500, "Largest packet that nodes here send, in bytes (512 to 1500).", default=1500)
    media_qos = whole(
        "DSCP value for media",
        0,
        63,
        "Marks media packets for routers that sort by it (0 to 63). Empty or 0: no mark.",
        default=0,
        optional=True,
    )
    signalling_qos = whole(
        "DSCP value for signalling",
        0,
        63,
        "Marks signalling packets for routers that sort by it (0 to 63). Empty or 0: no mark.",
        default=0,
        optional=True,
    )
    overflow_location1 = _location("Primary overflow location", "Takes media first when this location is full.")
    overflow_location2 = _location("Secondary overflow location", "Takes media when the primary one is full as well.")
    local_mssip_domain = text(
        "Skype for Business domain",
        255,
        "Domain that calls to Skype for Business come from. Empty: that of Global settings. "
        "Kept for later: no node does it yet.",
        validators=[domain],
    )
    transcoding_location = _location("Transcoding location", "Where media is transcoded; empty: here.")
    use_relay_candidates_only = flag(
        "Relay candidates only",
        "Web clients send media through TURN servers only, never directly. Kept for later: no node does it yet.",
        default=False,
    )
    bdpm_pin_checks_enabled = choice(
        "PIN brute force resistance",
        vocabulary.INHERITED_ON_OFF,
        "Refuse entry to a service for some minutes once too many wrong PINs came in.",
        default="GLOBAL",
    )
    bdpm_scan_quarantine_enabled = choice(
        "VOIP scanner resistance",
        vocabulary.INHERITED_ON_OFF,
        "Refuse for some minutes who has tried too many aliases that do not exist.",
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

    def save(self, *arguments: Any, **more: Any) -> None:
        """A new location hands the shipped STUN server to web clients, as long as nothing else is said (SYS-145)."""
        is_new = orm.is_new(self)
        super().save(*arguments, **more)
        if is_new:
            self.client_stun_servers.set(StunServer.objects.filter(address=SHIPPED_STUN))

    def clean(self) -> None:
        found: dict[str, str] = {}
        for name in ("overflow_location1", "overflow_location2"):
            if self.pk is not None and getattr(self, f"{name}_id") == self.pk:
                found[name] = "A location cannot take over from itself."
        if found:
            raise ValidationError(found)
