"""Distinguished names of directories (RFC 4514). Pure."""

from __future__ import annotations

from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.dn import parse_dn


def normal(name: str) -> str:
    """A form in which equal names look equal: no blanks around, no upper case. What is no such name stays itself."""
    try:
        parts = parse_dn(name, escape=False, strip=True)
    except LDAPInvalidDnError:
        return name.strip().casefold()
    return "".join(f"{kind}={value}{end}" for kind, value, end in parts).casefold()


def is_name(name: str) -> bool:
    """Is it a distinguished name?"""
    try:
        return bool(parse_dn(name, strip=True))
    except LDAPInvalidDnError:
        return False
