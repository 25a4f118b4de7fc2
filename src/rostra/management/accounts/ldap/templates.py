"""Filters of the directory and what is put into them (SYS-062...SYS-067). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ldap3.core.exceptions import LDAPException
from ldap3.operation.search import parse_filter
from ldap3.utils.conv import escape_filter_chars

from rostra.management.accounts.ldap import names

_EXCLUDED = re.compile(r"\(!\s*\(\s*objectclass\s*=\s*([A-Za-z][A-Za-z0-9-]*)\s*\)\s*\)", re.IGNORECASE)
_IN_CHAIN = ":1.2.840.113556.1.4.1941:="
"""Asks Active Directory for members of members as well."""
_TESTED = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9;-]*)\s*=\s*\{username\}\s*\)")


def fill(template: str, **values: str) -> str:
    """`template` with each `{name}` replaced by its value, which stays one value whatever it contains (RFC 4515)."""

    def value(match: re.Match[str]) -> str:
        return escape_filter_chars(values[match[1]]) if match[1] in values else match[0]

    return re.sub(r"\{(\w+)\}", value, template)


def both(first: str, second: str) -> str:
    """The filter that entries pass which pass both; an empty one lets everything pass."""
    parts = [part for part in (first.strip(), second.strip()) if part]
    return f"(&{''.join(parts)})" if len(parts) == 2 else "".join(parts) or "(objectClass=*)"


def either(filters: Sequence[str]) -> str:
    """The filter that entries pass which pass one of these at least."""
    return filters[0] if len(filters) == 1 else f"(|{''.join(filters)})"


def follows_nesting(template: str) -> bool:
    """Does a template ask for groups within groups (SYS-066)?"""
    return _IN_CHAIN in template


def one_step(template: str) -> str:
    """A template that asks for groups within groups, asking for those that name a member themselves instead."""
    return template.replace(_IN_CHAIN, "=")


def without_classes(text: str) -> tuple[str, set[str]]:
    """A filter without those of its conditions that exclude an object class, and these classes in lower case.

    To a server that has never heard of a class (`computer` is one of Active Directory), it is undefined whether an
    entry has it, and so is the whole filter: nobody would pass. So we look at the classes ourselves.
    """
    if not text.startswith("(&"):
        return text, set()
    kept: list[str] = []
    excluded: set[str] = set()
    for part in _parts(text[2:-1]):
        match = _EXCLUDED.fullmatch(part)
        if match:
            excluded.add(match[1].lower())
        else:
            kept.append(part)
    return (f"(&{''.join(kept)})" if kept else ""), excluded


def _parts(text: str) -> list[str]:
    """The conditions one after the other in `text`."""
    found: list[str] = []
    depth = start = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "(" and depth == 1:
            start = place
        elif character == ")" and depth == 0:
            found.append(text[start : place + 1])
    return found


def tested(template: str) -> list[str]:
    """Attributes that a template compares with the name that was entered."""
    return list(dict.fromkeys(_TESTED.findall(template)))


def within(relative: str, base: str) -> str:
    """The DN that is searched: `relative` to `base`, or `base` itself."""
    return ",".join(part.strip() for part in (relative, base) if part.strip())


def attributes(text: str) -> list[str]:
    """Names in a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def problems(settings: Any) -> dict[str, str]:
    """What is wrong with the fields of `AuthenticationSettings`, by field."""
    found: dict[str, str] = {}
    for field in ("ldap_base_dn", "ldap_user_search_dn", "ldap_group_search_dn"):
        value = getattr(settings, field)
        if value and not names.is_name(value):
            found[field] = "Enter a distinguished name, as in ou=people,dc=example,dc=com."
    for field in (
        *("ldap_user_filter", "ldap_user_search_filter", "ldap_group_filter", "ldap_group_membership_filter"),
    ):
        value = getattr(settings, field)
        if value and not _is_filter(fill(value, username="x", userdn="cn=x", useruid="x")):
            found[field] = "This is not an LDAP filter, as in (objectClass=person)."
    if "{username}" not in settings.ldap_user_search_filter:
        found["ldap_user_search_filter"] = "The filter has to contain {username}."
    membership = settings.ldap_group_membership_filter
    if "{userdn}" not in membership and "{useruid}" not in membership:
        found["ldap_group_membership_filter"] = "The filter has to contain {userdn} or {useruid}."
    for name in attributes(settings.ldap_user_group_attributes):
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9;-]*", name) is None:
            found["ldap_user_group_attributes"] = "Enter names of attributes, separated by commas."
    return found | _address_problem(settings)


def _address_problem(settings: Any) -> dict[str, str]:
    from rostra.management.accounts.ldap.targets import Address, NoAddress

    if not settings.ldap_server:
        return {}
    try:
        address = Address.parse(settings.ldap_server)
    except NoAddress as problem:
        return {"ldap_server": str(problem)}
    if address.is_ip and settings.ldap_permit_no_tls:
        return {"ldap_server": "Insecure transport needs the server's host name instead of its IP address."}
    return {}


def _is_filter(text: str) -> bool:
    if not text.startswith("("):
        return False
    try:
        parse_filter(text, None, auto_escape=False, auto_encode=False, validator=None, check_names=False)
    except LDAPException:
        return False
    return True
