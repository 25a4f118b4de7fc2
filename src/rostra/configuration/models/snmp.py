"""SNMP settings that every node has, the Management Node and Conferencing Nodes alike (SYS-015)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import sealing, vocabulary
from rostra.configuration.fields import choice, secret, text
from rostra.configuration.secretfield import reveal

_SHORTEST = 8
"""Characters of a password, at least: SNMPv3 takes no shorter ones (RFC 3414, 11.2)."""


class SnmpSettings(models.Model):
    """Whether and to whom a node answers over SNMP."""

    snmp_mode = choice("SNMP mode", vocabulary.SNMP_MODES, "Version of SNMP served, for reading.", default="DISABLED")
    snmp_community = text("SNMP community", 16, "Community of SNMPv2c.", default="public")
    snmp_username = text("SNMPv3 username", 100, "User of SNMPv3.")
    snmp_authentication_password = secret(
        "SNMPv3 authentication password", 100, "Proves who asks, by SHA-1; 8 characters or more."
    )
    snmp_privacy_password = secret(
        "SNMPv3 privacy password", 100, "Encrypts what is asked, by AES; 8 characters or more."
    )
    snmp_system_contact = text("SNMP system contact", 70, "Whom to ask about this node.", default="admin@domain.com")
    snmp_system_location = text("SNMP system location", 70, "Place of this node.", default="Virtual machine")

    class Meta:
        abstract = True

    def snmp_problems(self) -> dict[str, str]:
        """What is wrong with these settings together, by field."""
        found: dict[str, str] = {}
        for name in ("snmp_authentication_password", "snmp_privacy_password"):
            if 0 < self._length(name) < _SHORTEST:
                found[name] = f"Use {_SHORTEST} characters or more."
        if self.snmp_mode == "AUTHPRIV":
            for name in ("snmp_username", "snmp_authentication_password", "snmp_privacy_password"):
                if not getattr(self, name):
                    found[name] = "SNMPv3 needs this."
        return found

    def clean(self) -> None:
        found = self.snmp_problems()
        if found:
            raise ValidationError(found)

    def _length(self, name: str) -> int:
        try:
            return len(reveal(self, name))
        except sealing.Locked:  # told at the field
            return 0
