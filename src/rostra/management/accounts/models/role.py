"""Permissions, and the roles that bundle them."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration.fields import several, text
from rostra.management.accounts.permissions import IS_ADMIN, PERMISSIONS

ADMINISTRATOR_NEEDED = f"Every role has to contain the permission “{PERMISSIONS[IS_ADMIN]}”."


class Permission(models.Model):
    """Something an administrator can be allowed to do; the list is that of `permissions.PERMISSIONS`."""

    name = text("Name", 250, "What it allows.", default=None, editable=False)
    codename = text("Codename", 100, "Its name for machines.", default=None, unique=True, editable=False)

    class Meta:
        verbose_name = "Permission"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A set of permissions under a name."""

    name = text("Name", 250, "A name no other role has.", default=None, unique=True)
    permissions = several(
        "Permissions",
        "accounts.Permission",
        "What holders of this role may do. Each role needs “Is an administrator”; without “May use web interface” "
        "and “May use API” its holders can use neither.",
        blank=False,
        related_name="+",
    )

    class Meta:
        verbose_name = "Account role"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean_relations(self) -> None:
        """Raises ValidationError for a role without the permission that every role needs."""
        if not self.permissions.filter(codename=IS_ADMIN).exists():
            raise ValidationError({"permissions": ADMINISTRATOR_NEEDED})
