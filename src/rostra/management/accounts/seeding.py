"""What there is from the first start: permissions, two roles, the settings of authentication."""

from __future__ import annotations

from rostra.management.accounts.models import AuthenticationSettings, Permission, Role
from rostra.management.accounts.permissions import PERMISSIONS, READ_ONLY


def seed(*, first: bool) -> None:
    """Bring the list of permissions up to date; on the `first` start make the roles too (SYS-075)."""
    AuthenticationSettings.objects.get_or_create(pk=1)
    known = {row.codename: row for row in Permission.objects.all()}
    for codename, name in PERMISSIONS.items():
        row = known.pop(codename, None) or Permission(codename=codename)
        if row.name != name:
            row.name = name
            row.save()
    for gone in known.values():
        gone.delete()
    if first:
        Role.objects.create(name="Read-only").permissions.set(Permission.objects.filter(codename__in=READ_ONLY))
        Role.objects.create(name="Read-write").permissions.set(Permission.objects.all())
