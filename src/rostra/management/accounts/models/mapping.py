"""From groups of a directory to roles.

One table, in the two shapes that clients know it: `role_mapping` names the source and the value; `ldap_role`, the
older one, shows those of LDAP only and calls the value a group.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext

from rostra.configuration.fields import choice, several, text
from rostra.management.accounts.ldap import names

_GROUP = "The distinguished name of the group. Its members get the roles. A group has one mapping only."


class RoleMapping(models.Model):
    """Members of a group have these roles."""

    LDAP = "LDAP"
    OIDC = "OIDC"

    name = text("Name", 250, "A name no other mapping has.", default=None, unique=True)
    source = choice(
        "Source",
        [(LDAP, "LDAP"), (OIDC, "OpenID Connect")],
        "Where the group is. Signing in with OpenID Connect is not supported yet; its mappings are only kept.",
        default=LDAP,
        db_default=LDAP,
    )
    value = text("Group", 255, _GROUP, default=None)
    roles = several("Roles", "accounts.Role", "What members of the group get.", blank=False, related_name="mappings")

    class Meta:
        verbose_name = "Role mapping"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        check_group(self, "value", self.value, self.source)


class _LdapRoles(models.Manager["LdapRole"]):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(pk__in=RoleMapping.objects.filter(source=RoleMapping.LDAP).values("pk"))


class LdapRole(models.Model):
    """A role mapping whose source is LDAP; a row of the same table."""

    name = text("Name", 250, "A name no other mapping has.", default=None, unique=True)
    ldap_group_dn = text("LDAP group DN", 255, _GROUP, default=None, db_column="value")
    roles = several(
        "Roles",
        "accounts.Role",
        "What members of the group get.",
        blank=False,
        through="accounts.LdapRoleRole",
        related_name="+",
    )

    objects: ClassVar = _LdapRoles()

    class Meta:
        verbose_name = "LDAP role"
        ordering: ClassVar = ["name"]
        managed = False
        db_table = "accounts_rolemapping"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if RoleMapping.objects.filter(name=self.name).exclude(pk=self.pk).exists():
            raise ValidationError({"name": gettext("LDAP role with this Name already exists.")})
        check_group(self, "ldap_group_dn", self.ldap_group_dn, RoleMapping.LDAP)


class LdapRoleRole(models.Model):
    """The table between them, as `LdapRole` sees it."""

    ldap_role = models.ForeignKey(LdapRole, models.CASCADE, db_column="rolemapping_id", related_name="+")
    role = models.ForeignKey("accounts.Role", models.CASCADE, db_column="role_id", related_name="+")

    class Meta:
        managed = False
        db_table = "accounts_rolemapping_roles"


def check_group(row: models.Model, field: str, value: str, source: str) -> None:
    """Raises ValidationError for a group that is none or has a mapping already, however it is written."""
    if source == RoleMapping.LDAP and value and not names.is_name(value):
        raise ValidationError(
            {field: gettext("Enter a distinguished name, as in cn=admins,ou=groups,dc=example,dc=com.")}
        )
    others = RoleMapping.objects.filter(source=source).exclude(pk=row.pk).values_list("value", flat=True)
    if value and names.normal(value) in {names.normal(other) for other in others}:
        raise ValidationError({field: gettext("This group has a mapping already.")})
