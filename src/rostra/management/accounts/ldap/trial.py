"""A login tried out step by step, for administrators who set a directory up."""

from __future__ import annotations

import dataclasses

from rostra.management.accounts.ldap import directory, names
from rostra.management.accounts.ldap.directory import Directory
from rostra.management.accounts.models import AuthenticationSettings, RoleMapping
from rostra.management.accounts.permissions import IS_ADMIN, PERMISSIONS, USE_API, USE_WEB

_SHOWN = 20
"""Groups that are named."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """What was tried, and what came of it."""

    title: str
    good: bool
    text: str


def run(username: str, password: str) -> list[Step]:
    """Every step up to the first that fails. Without a password that one is not checked."""
    settings = AuthenticationSettings.objects.get(pk=1)
    if not settings.ldap_server:
        return [Step("Settings", False, "There is no LDAP server in the settings.")]
    try:
        with directory.connected(settings) as opened:
            who = settings.ldap_bind_username or "nobody"
            steps = [Step("Connection", True, f"Connected to {opened.target.uri} as {who}.")]
            return steps + _in_directory(opened, username, password)
    except directory.Unavailable as problem:
        return [Step("Connection", False, str(problem))]


def _in_directory(opened: Directory, username: str, password: str) -> list[Step]:
    try:
        person = opened.person(username)
    except directory.NotFound as problem:
        return [Step("User", False, f"{problem} Check the base DN, the user search DN and both user filters.")]
    steps = [Step("User", True, f"Found {person.dn}.")]
    if password:
        if not opened.is_password(person, username, password):
            return [*steps, Step("Password", False, "The directory refuses the password.")]
        steps.append(Step("Password", True, "The directory takes the password."))
    groups = opened.groups(person)
    if not groups:
        return [*steps, Step("Groups", False, "The user is in no group. Check the group settings.")]
    more = f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    steps.append(Step("Groups", True, "; ".join(groups[:_SHOWN]) + more))
    return [*steps, *_roles(groups)]


def _roles(groups: list[str]) -> list[Step]:
    mine = {names.normal(group) for group in groups}
    mappings = RoleMapping.objects.filter(source=RoleMapping.LDAP).prefetch_related("roles__permissions")
    roles = {role for mapping in mappings if names.normal(mapping.value) in mine for role in mapping.roles.all()}
    if not roles:
        return [Step("Roles", False, "No LDAP role is for one of these groups.")]
    found = [Step("Roles", True, ", ".join(sorted(role.name for role in roles)))]
    held = {permission.codename for role in roles for permission in role.permissions.all()}
    uses = [PERMISSIONS[name] for name in (USE_WEB, USE_API) if name in held]
    if IS_ADMIN not in held or not uses:
        return [*found, Step("Access", False, "These roles allow neither the web interface nor the API.")]
    return [*found, Step("Access", True, ", ".join(uses))]
