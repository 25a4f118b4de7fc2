"""Clients of the API that prove themselves by a signature (OAuth2), and the tokens they were given."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import models, transaction

from rostra.configuration import orm
from rostra.configuration.fields import reference, text


def new_client_id() -> str:
    """Identity of a new client."""
    return str(uuid.uuid4())


class OAuth2Client(models.Model):
    """A program that may use the API. Its private key is made with it, told once, and kept nowhere."""

    client_id = models.CharField(
        "Client ID",
        max_length=36,
        default=new_client_id,
        unique=True,
        editable=False,
        help_text="Its name when it asks for a token.",
    )
    client_name = text("Client name", 250, "A name no other client has.", default=None, unique=True)
    role = reference(
        "Role",
        "accounts.Role",
        "What the client may do.",
        optional=False,
        on_delete=models.PROTECT,
        related_name="+",
    )

    private_key_jwt: str | None = None
    """PEM (PKCS #8), in the object that has just been created only."""

    class Meta:
        verbose_name = "OAuth2 client"
        ordering: ClassVar = ["client_name"]

    def __str__(self) -> str:
        return self.client_name

    def save(self, *arguments: Any, **more: Any) -> None:
        """Save; a new client gets its keys."""
        if not orm.is_new(self):
            super().save(*arguments, **more)
            return
        key = ec.generate_private_key(ec.SECP256R1())
        with transaction.atomic():
            super().save(*arguments, **more)
            ClientKey.objects.create(client=self, public_key=_public(key))
        self.private_key_jwt = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


class ClientKey(models.Model):
    """What a client's signatures are checked with."""

    client = models.OneToOneField(OAuth2Client, models.CASCADE, related_name="key")
    public_key = models.TextField()


class AccessToken(models.Model):
    """A token in use; only its digest is kept. Gone with its client."""

    digest = models.CharField(max_length=64, unique=True)
    client = models.ForeignKey(OAuth2Client, models.CASCADE, related_name="+")
    expires = models.DateTimeField(db_index=True)


class UsedAssertion(models.Model):
    """An assertion that was good once, kept until it would have expired, so that it is not good twice."""

    client = models.ForeignKey(OAuth2Client, models.CASCADE, related_name="+")
    jti = models.CharField(max_length=255)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["client", "jti"], name="accounts_assertion_once")]
