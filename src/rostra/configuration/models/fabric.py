"""Who belongs to the fabric, and what a node that is to join has to prove."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class FabricMember(models.Model):
    """A machine whose NATS server the others let in. Replicated; made by enrolment, gone with its node."""

    node = models.OneToOneField(
        "configuration.WorkerVM", null=True, on_delete=models.CASCADE, related_name="fabric_member"
    )
    """None: the machine of the Management Node."""
    fingerprint = models.CharField(max_length=64)
    """SHA-256 of the certificate's public key, hexadecimal."""
    address = models.GenericIPAddressField()
    port = models.IntegerField()

    class Meta:
        ordering: ClassVar = ["id"]


class Enrolment(models.Model):
    """A configuration file that was handed out for a node. Known to the Management Node alone."""

    node = models.OneToOneField("configuration.WorkerVM", on_delete=models.CASCADE, related_name="enrolment")
    verifier = models.CharField(max_length=64)
    """Public half (Ed25519, hexadecimal) of the secret in the file; the secret itself is not kept."""
    created = models.DateTimeField(auto_now_add=True)
    used = models.DateTimeField(null=True)
