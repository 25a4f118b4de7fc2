"""Forms of text that fields of several resources share. Each takes a value and raises ValidationError."""

from __future__ import annotations

import functools
import ipaddress
import re
import zoneinfo
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from rostra.configuration.translating import gettext

if TYPE_CHECKING:
    from rostra.domain.patterns import Language

_HOSTNAME = re.compile(r"(?!-)(?![0-9]+\Z)[A-Za-z0-9-]{1,63}(?<!-)", re.ASCII)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NAME_BYTES = 253
_PAIR = re.compile(r"\\([\\\"+,;<>=# ]|[0-9A-Fa-f]{2})")
_ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)", re.ASCII)


def hostname(value: str) -> None:
    """The name of a machine: letters, digits and hyphens, not digits alone, which pass for an address (NODE-061)."""
    if _HOSTNAME.fullmatch(value) is None:
        text = "Enter a hostname: up to 63 letters, digits and hyphens, without dots, and not only digits."
        raise ValidationError(gettext(text), code="hostname")


def domain(value: str) -> None:
    """A DNS name of any number of parts."""
    if not _is_name(value):
        raise ValidationError(gettext("Enter a domain name, for example example.com."), code="domain")


def host_or_address(value: str) -> None:
    """A DNS name, or an IPv4 or IPv6 address."""
    if _is_address(value):
        return
    if not _is_name(value) or value.rpartition(".")[2].isdigit():  # 10.0.0 is no name, but a mistyped address
        raise ValidationError(gettext("Enter an IP address or a DNS name."), code="host")


def ip_address(value: str) -> None:
    """An IPv4 or IPv6 address."""
    if not _is_address(value):
        raise ValidationError(gettext("Enter an IPv4 or IPv6 address."), code="address")


def url(value: str) -> None:
    """An absolute address of the web: http or https."""
    _check_url(value, ("http", "https"))


def ftp_url(value: str) -> None:
    """Where files go: ftp or ftps."""
    _check_url(value, ("ftp", "ftps"))


def rtmp_url(value: str) -> None:
    """Where a stream goes: rtmp or rtmps."""
    _check_url(value, ("rtmp", "rtmps"))


def dn(value: str) -> None:
    """An LDAP distinguished name in the text form of RFC 4514."""
    if not all(_is_rdn(part) for part in _split(value, ",;")):
        raise ValidationError(
            gettext("Enter a distinguished name, for example ou=people,dc=example,dc=com."), code="dn"
        )


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
    problem = ValidationError(
        gettext("Enter an address that starts with %(schemes)s:// or %(schemes_2)s://.")
        % {"schemes": schemes[0], "schemes_2": schemes[1]},
        code="url",
    )
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


def host_or_ipv4(value: str) -> None:
    """A DNS name, or an IPv4 address."""
    host_or_address(value)
    if ":" in value:
        raise ValidationError(gettext("Enter an IPv4 address or a DNS name."), code="host")


def host_or_host_and_port(value: str) -> None:
    """A DNS name or an address, with a port after a colon where it is not the usual one."""
    host, _port = host_and_port(value)
    host_or_address(host)


def host_and_port(value: str) -> tuple[str, int | None]:
    """The two parts of `host`, `host:port` or `[IPv6 address]:port`. Raises ValidationError for a port that is none."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?", value, re.ASCII)
    if found is None:
        return value, None
    port = int(found[3]) if found[3] else None
    if port is not None and not 0 < port < 65536:
        raise ValidationError(gettext("A port is a number from 1 to 65535."), code="port")
    return found[1] or found[2], port


def is_address(value: str) -> bool:
    """Is `value` an IPv4 or IPv6 address, rather than a name?"""
    return _is_address(value)


def ldap_filter(value: str) -> None:
    """A search filter of RFC 4515; a single condition may lack its parentheses. Checks how it is nested."""
    depth = 0
    for character in value:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
    if depth or "=" not in value or "\x00" in value or "()" in value:
        raise ValidationError(
            gettext("Enter an LDAP filter, for example (&(objectClass=person)(mail=*))."), code="filter"
        )


def template(value: str) -> None:
    """A Jinja template; checks its syntax only. Names of filters and variables are the business of who renders it."""
    import jinja2  # takes long to import, and a node that only carries calls never checks one

    try:
        jinja2.Environment(autoescape=False).parse(value)  # noqa: S701 - never rendered
    except jinja2.TemplateSyntaxError as problem:
        raise ValidationError(
            gettext("Line %(lineno)s: %(message)s") % {"lineno": problem.lineno, "message": problem.message},
            code="template",
        ) from None
    except (RecursionError, ValueError, MemoryError):
        raise ValidationError(gettext("This template is too deeply nested."), code="template") from None


@functools.cache
def _patterns() -> Language:
    from rostra.domain.patterns import Chance, Language  # takes long, as above

    return Language(Chance(digits=lambda count: "0" * count, uuid=str))


def pattern(value: str) -> None:
    """A pattern of directory synchronisation, or a template of its mails (SVC-144…SVC-169)."""
    try:
        _compiles(value)
    except ValueError as problem:
        raise ValidationError(gettext(str(problem)), code="pattern") from None


@functools.lru_cache(maxsize=128)
def _compiles(source: str) -> None:
    """A form sends every pattern of an object again, and few of them have changed. Raises PatternProblem."""
    _patterns().compile(source)


def time_zone(value: str) -> None:
    """The name of a time zone, for example Europe/Oslo."""
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise ValidationError(gettext("Enter the name of a time zone, for example Europe/Oslo."), code="zone") from None


def slug(value: str) -> None:
    """A part of a path: letters, digits, hyphens and underscores."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", value, re.ASCII) is None:
        raise ValidationError(gettext("Use letters, digits, hyphens and underscores."), code="slug")


def variable(value: str) -> None:
    """A name that a template can use."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value, re.ASCII) is None:
        raise ValidationError(
            gettext("Use letters, digits and underscores, not a digit first, and no hyphens."), code="name"
        )


def dialled(value: str) -> None:
    """An address that can be called: nothing blank or invisible in it."""
    if any(character.isspace() or not character.isprintable() for character in value):
        raise ValidationError(gettext("An address has no spaces."), code="alias")
