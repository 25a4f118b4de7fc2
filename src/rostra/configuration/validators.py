"""Forms of text that fields of several resources share. Each takes a value and raises ValidationError."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NAME_BYTES = 253
_PAIR = re.compile(r"\\([\\\"+,;<>=# ]|[0-9A-Fa-f]{2})")
_ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)", re.ASCII)


def hostname(value: str) -> None:
    """The first part of a DNS name: letters, digits and hyphens."""
    if _LABEL.fullmatch(value) is None:
        raise ValidationError("Enter a hostname: up to 63 letters, digits and hyphens, without dots.", code="hostname")


def domain(value: str) -> None:
    """A DNS name of any number of parts."""
    if not _is_name(value):
        raise ValidationError("Enter a domain name, for example example.com.", code="domain")


def host_or_address(value: str) -> None:
    """A DNS name, or an IPv4 or IPv6 address."""
    if _is_address(value):
        return
    if not _is_name(value) or value.rpartition(".")[2].isdigit():  # 10.0.0 is no name, but a mistyped address
        raise ValidationError("Enter an IP address or a DNS name.", code="host")


def ip_address(value: str) -> None:
    """An IPv4 or IPv6 address."""
    if not _is_address(value):
        raise ValidationError("Enter an IPv4 or IPv6 address.", code="address")


def ip_address_or_network(value: str) -> None:
    """An address, or a network as address/prefix; bits beyond the prefix may be set."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValidationError("Enter an IP address, or a network such as 10.0.0.0/8.", code="network") from None


def url(value: str) -> None:
    """An absolute address of the web: http or https."""
    _check_url(value, ("http", "https"))


def rtmp_url(value: str) -> None:
    """Where a stream goes: rtmp or rtmps."""
    _check_url(value, ("rtmp", "rtmps"))


def dn(value: str) -> None:
    """An LDAP distinguished name in the text form of RFC 4514."""
    if not all(_is_rdn(part) for part in _split(value, ",;")):
        raise ValidationError("Enter a distinguished name, for example ou=people,dc=example,dc=com.", code="dn")


def _is_name(value: str) -> bool:
    labels = value.removesuffix(".").split(".")
    return len(value) <= _NAME_BYTES and all(_LABEL.fullmatch(label) is not None for label in labels)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value  # a zone means something on one machine only


def _check_url(value: str, schemes: tuple[str, ...]) -> None:
    problem = ValidationError(f"Enter an address that starts with {schemes[0]}:// or {schemes[1]}://.", code="url")
    if any(character.isspace() or not character.isprintable() for character in value):
        raise problem
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port  # reading the port checks it
    except ValueError:
        raise problem from None
    if parts.scheme.lower() not in schemes or not host:
        raise problem
    try:
        host_or_address(host)
    except ValidationError:
        raise problem from None


def _split(value: str, separators: str) -> list[str]:
    """Parts between separators that are neither escaped nor quoted."""
    parts, current, quoted, position = [""], 0, False, 0
    while position < len(value):
        character = value[position]
        step = 2 if character == "\\" else 1
        if character == '"':
            quoted = not quoted
        if character in separators and not quoted:
            parts.append("")
            current += 1
        else:
            parts[current] += value[position : position + step]
        position += step
    return parts


def _is_rdn(part: str) -> bool:
    return all(_is_assertion(assertion) for assertion in _split(part, "+"))


def _is_assertion(assertion: str) -> bool:
    attribute, equals, value = assertion.partition("=")
    text = value.strip(" ")
    if not equals or _ATTRIBUTE.fullmatch(attribute.strip(" ")) is None or not text:
        return False
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    bare = _PAIR.sub("", text)
    return not any(character in '\\"<>\x00' for character in bare)
