"""A directory with many people, and what is made of them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from typing import Any

from tests.management.accounts.slapd import BASE

SCHEMA = """
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.447 NAME 'mailNickname' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'adUser' SUP top AUXILIARY
  MAY ( userAccountControl $ objectGUID $ mailNickname ) )
"""
"""What Active Directory has beyond the usual."""

NAMES = [("Jürgen", "Müller"), ("Åsa", "Öberg"), ("Zoë", "Çelik"), ("Łukasz", "Żak"), ("Ærøskøbing", "Ñandú")]
OU = f"ou=staff,{BASE}"


def identity(number: int) -> uuid.UUID:
    return uuid.UUID(int=0x1234567890ABCDEF << 64 | number)


def people(count: int) -> Iterator[dict[str, str | bytes]]:
    """Attributes of so many people; the first ones have names that are not ASCII, number 7 is disabled."""
    for number in range(count):
        given, sn = NAMES[number] if number < len(NAMES) else (f"Given{number}", f"Name{number}")
        yield {
            "uid": f"p{number}",
            "cn": f"{given} {sn}",
            "givenName": given,
            "sn": sn,
            "mail": f"p{number}@example.test",
            "telephoneNumber": f"+44 (20) {10000000 + number}",
            "userAccountControl": "514" if number == 7 else "512",
            "objectGUID": identity(number).bytes_le,
        }


def ldif(count: int) -> str:
    """Entries of so many people."""
    entries = [f"dn: {OU}\nobjectClass: organizationalUnit\nou: staff\n"]
    for one in people(count):
        lines = [f"dn: uid={one['uid']},{OU}", "objectClass: inetOrgPerson", "objectClass: adUser"]
        for name, value in one.items():
            data = value if isinstance(value, bytes) else value.encode()
            lines.append(f"{name}:: {base64.b64encode(data).decode()}")
        entries.append("\n".join(lines) + "\n")
    return "\n".join(entries)


def source(port: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Directory",
        "ldap_server": f"localhost:{port}",
        "ldap_base_dn": BASE,
        "ldap_bind_username": f"cn=reader,{BASE}",
        "ldap_bind_password": "reader-pw",
        **changes,
    }


def template(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Staff",
        "ldap_user_search_dn": "ou=staff",
        "conference_name": "{{givenName}} {{sn}}",
        "conference_description": "{{givenName}} {{sn}}'s meeting room",
        "alias_1": "meet.{{mail}}",
        "alias_2": "{{telephoneNumber|pex_clean_phone_number|pex_tail(8)}}",
        "primary_owner_email_address": "{{mail}}",
        "sync_devices": True,
        "device_alias": "{{mail}}",
        "device_username": "{{uid}}",
        "device_password": "{{ mail|pex_hash|pex_tail(16) }}",
        **changes,
    }
