"""A login tried out step by step, for administrators who set a directory up."""

from __future__ import annotations

import dataclasses

from django.utils.translation import gettext

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
        return [Step(gettext("Settings"), False, gettext("There is no LDAP server in the settings."))]
    try:
        with directory.connected(settings) as opened:
            who = settings.ldap_bind_username or "nobody"
            steps = [
                Step(
                    gettext("Connection"),
                    True,
                    gettext("Connected to %(uri)s as %(who)s.") % {"uri": opened.target.uri, "who": who},
                )
            ]
            return steps + _in_directory(opened, username, password)
    except directory.Unavailable as problem:
        return [Step(gettext("Connection"), False, str(problem))]


def _in_directory(opened: Directory, username: str, password: str) -> list[Step]:
    try:
        person = opened.person(username)
    except directory.NotFound as problem:
        return [
            Step(
                gettext("User"),
                False,
                gettext("%(problem)s Check the base DN, the user search DN and both user filters.")
                % {"problem": problem},
            )
        ]
    steps = [Step(gettext("User"), True, gettext("Found %(dn)s.") % {"dn": person.dn})]
    if password:
        if not opened.is_password(person, username, password):
            return [*steps, Step(gettext("Password"), False, gettext("The directory refuses the password."))]
        steps.append(Step(gettext("Password"), True, gettext("The directory takes the password.")))
    groups = opened.groups(person)
    if not groups:
        return [*steps, Step(gettext("Groups"), False, gettext("The user is in no group. Check the group settings."))]
    more = gettext(" and %(count)s more") % {"count": len(groups) - _SHOWN} if len(groups) > _SHOWN else ""
    steps.append(Step(gettext("Groups"), True, "; ".join(groups[:_SHOWN]) + more))
    return [*steps, *_roles(groups)]


def _roles(groups: list[str]) -> list[Step]:
    mine = {names.normal(group) for group in groups}
    mappings = RoleMapping.objects.filter(source=RoleMapping.LDAP).prefetch_related("roles__permissions")
    roles = {role for mapping in mappings if names.normal(mapping.value) in mine for role in mapping.roles.all()}
    if not roles:
        return [Step(gettext("Roles"), False, gettext("No LDAP role is for one of these groups."))]
    found = [Step(gettext("Roles"), True, ", ".join(sorted(role.name for role in roles)))]
    held = {permission.codename for role in roles for permission in role.permissions.all()}
    uses = [PERMISSIONS[name] for name in (USE_WEB, USE_API) if name in held]
    if IS_ADMIN not in held or not uses:
        return [
            *found,
            Step(gettext("Access"), False, gettext("These roles allow neither the web interface nor the API.")),
        ]
    return [*found, Step(gettext("Access"), True, ", ".join(uses))]
