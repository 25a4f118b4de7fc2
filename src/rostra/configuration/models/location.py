"""System locations: groups of nodes with common network settings."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import choice, flag, reference, text, whole


def _location(label: str, help_text: str) -> models.ForeignKey:
    return reference(label, "configuration.SystemLocation", help_text, related_name="+")


class SystemLocation(models.Model):
    """Where nodes are, and where their calls may overflow to."""

    name = text("Name", 250, "A name no other location has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    mtu = whole("MTU", 512, 1500, "Largest packet of the nodes' network interfaces, in bytes.", default=1500)
    media_qos = whole("DSCP value for media", 0, 63, "Marks media packets.", default=0, optional=True)
    signalling_qos = whole("DSCP value for signalling", 0, 63, "Marks signalling packets.", default=0, optional=True)
    overflow_location1 = _location("Primary overflow location", "Takes media first when this location is full.")
    overflow_location2 = _location("Secondary overflow location", "Takes media when the primary one is full as well.")
    local_mssip_domain = text("Skype for Business domain", 255, "Replaces the global domain for this location.")
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
