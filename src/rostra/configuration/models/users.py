"""People and the devices that may register."""

from __future__ import annotations

import re
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models

from rostra.configuration import orm, resources, validators
from rostra.configuration.fields import created, flag, reference, secret, several, text
from rostra.configuration.models.themes import new_uuid
from rostra.configuration.translating import gettext
from rostra.configuration.validation import any_case, taken

_ADDRESS = re.compile(r"/api/admin/configuration/v1/(?P<name>[a-z0-9_]+)/(?P<key>[^/]{1,250})/")


class Device(models.Model):
    """An alias that a device may register with (CONF-011…CONF-034)."""

    alias = text(
        "Alias", 250, "The whole alias a device registers with.", default=None, validators=[validators.dialled]
    )
    description = text("Description", 250, "A note, shown in directories.")
    username = text("Username", 100, "Asked for at registration; case matters. Empty: nothing is asked for.")
    password = secret("Password", 100, "Asked for at registration; case matters.")
    primary_owner_email_address = text(
        "Owner's e-mail address", 100, "Receives provisioning mail.", validators=[EmailValidator()]
    )
    tag = text("Service tag", 250, "Copied to status, history and call records.")
    sync_tag = text("Origin", 250, "Synchronisation template that owns this alias.", editable=False)
    enable_sip = flag("Enable SIP", "SIP devices may register.", default=True)
    enable_h323 = flag("Enable H.323", "H.323 devices may register.", default=True)
    enable_infinity_connect_non_sso = flag("Enable clients", "By username and password.", default=True)
    enable_infinity_connect_sso = flag("Enable clients by AD FS", "By single sign-on.", default=False)
    enable_standard_sso = flag("Enable clients by identity provider", "By SAML or OpenID Connect.", default=False)
    sso_identity_provider_group = reference(
        "Identity providers of clients",
        "configuration.IdentityProviderGroup",
        "Where registering clients sign on.",
        related_name="+",
    )
    creation_time = created()

    class Meta:
        verbose_name = "Device alias"
        verbose_name_plural = "Device aliases"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            any_case("alias", "device_any_case", "Device alias with this Alias already exists."),
        ]

    def __str__(self) -> str:
        return self.alias

    def clean(self) -> None:
        if taken(self, "alias"):
            raise ValidationError({"alias": gettext("Device alias with this Alias already exists.")})


class UserGroup(models.Model):
    """Users who are granted the same."""

    name = text("Name", 250, "A name no other group has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")

    class Meta:
        verbose_name = "User Group"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


def _personal(label: str, limit: int) -> models.CharField:
    return text(label, limit, "As others see it.")


class EndUser(models.Model):
    """A person known to the platform."""

    primary_email_address = text(
        "E-mail address", 100, "One no other user has.", default=None, validators=[EmailValidator()]
    )
    first_name = _personal("First name", 250)
    last_name = _personal("Last name", 250)
    display_name = _personal("Display name", 250)
    telephone_number = _personal("Telephone number", 100)
    mobile_number = _personal("Mobile number", 100)
    title = _personal("Job title", 128)
    department = _personal("Department", 100)
    description = text("Description", 250, "A note for administrators.")
    avatar_url = text("Avatar URL", 255, "Where the picture is.", validators=[validators.url])
    uuid = models.CharField(
        "UUID", max_length=250, default=new_uuid, unique=True, blank=True, help_text="Made up when none is given."
    )
    user_groups = several("User groups", "configuration.UserGroup", "Groups with this user.", related_name="users")
    user_oid = text("Microsoft 365 ID", 250, "From the directory.", default=None, null=True, editable=False)
    exchange_user_id = text("Exchange user ID", 250, "From the directory.", default=None, null=True, editable=False)
    ms_exchange_guid = text("Exchange mailbox ID", 250, "From the directory.", default=None, null=True, blank=True)
    sync_tag = text("Origin", 250, "Synchronisation template that owns this user.", editable=False)

    class Meta:
        verbose_name = "User"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            any_case("primary_email_address", "end_user_any_case", "User with this E-mail address already exists."),
        ]

    def __str__(self) -> str:
        return self.display_name or self.primary_email_address

    def clean(self) -> None:
        self.uuid = self.uuid or new_uuid()
        if taken(self, "primary_email_address"):
            raise ValidationError({"primary_email_address": gettext("User with this E-mail address already exists.")})


class UserGroupEntityMapping(models.Model):
    """Something that a group is granted."""

    description = text("Description", 250, "A note for administrators.")
    entity_resource_uri = text("Resource", 250, "Address of what is granted, as the API has it.", default=None)
    user_group = reference(
        "User group",
        "configuration.UserGroup",
        "Who is granted it.",
        optional=False,
        on_delete=models.CASCADE,
        related_name="user_group_entity_mappings",
    )

    class Meta:
        verbose_name = "User Group Mapping"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.entity_resource_uri

    def clean(self) -> None:
        if not _exists(self.entity_resource_uri):
            raise ValidationError(
                {"entity_resource_uri": gettext("This is not the address of anything configured here.")}
            )


def _exists(address: str) -> bool:
    match = _ADDRESS.fullmatch(address)
    resource = resources.register.get(match["name"]) if match else None
    if match is None or resource is None or (resource.key == "id" and not match["key"].isdecimal()):
        return False
    try:
        return bool(orm.rows(resource.model).filter(**{resource.key: match["key"]}).exists())
    except (ValueError, OverflowError):
        return False
