"""Accounts for tests."""

from __future__ import annotations

from rostra.management.accounts.models import Account, Permission, Role


def role(name: str, *permissions: str) -> Role:
    """A role with these permissions, besides the one every role has."""
    made = Role.objects.create(name=name)
    made.permissions.set(Permission.objects.filter(codename__in={"is_admin", *permissions}))
    assert made.permissions.count() == len({"is_admin", *permissions})
    return made


def account(name: str, *permissions: str) -> Account:
    """A local account with one role; the password is its name twice."""
    made = Account.objects.create_user(name, name * 2)
    made.roles.add(role(f"Role of {name}", *permissions))
    return made
