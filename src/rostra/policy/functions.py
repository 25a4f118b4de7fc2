"""What policy scripts can call, as filters and as functions alike (section 10.3 of the sheet, POL-087)."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import ipaddress
import json
import secrets
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from urllib.parse import parse_qs, quote, unquote, urlsplit

import jinja2.filters as stock
from jinja2 import Undefined

from rostra.domain.patterns import filters as patterns

_RANDOM_DIGITS = 100
_LINKS = {"-": "%", "_": "/"}


def random_pin(length: int) -> str:
    """So many random digits. Raises ValueError."""
    if isinstance(length, bool) or not 0 <= length <= _RANDOM_DIGITS:
        raise ValueError(f"pex_random_pin makes 0 to {_RANDOM_DIGITS} digits")
    return "".join(secrets.choice("0123456789") for _ in range(length))


def random_uuid() -> str:
    return str(uuid.uuid4())


def to_json(value: Any) -> str:
    """JSON text. Raises TypeError for an absent value."""
    return json.dumps(value, allow_nan=False)


def update(value: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with other or more members (POL-088)."""
    return {**value, **changes}


def in_subnet(address: str, networks: Iterable[str]) -> bool:
    """Is the address in one of the networks (POL-089)? Raises ValueError for what is no address."""
    if isinstance(networks, str):
        networks = [networks]
    wanted = ipaddress.ip_address(patterns.text(address))
    found = [ipaddress.ip_network(patterns.text(network), strict=False) for network in networks]
    return any(wanted.version == network.version and wanted in network for network in found)


def md5(value: Any) -> str:
    return hashlib.md5(patterns.text(value).encode(), usedforsecurity=False).hexdigest()


def now(zone: str = "UTC") -> datetime.datetime:
    """Raises KeyError for a time zone that there is not."""
    return datetime.datetime.now(zoneinfo.ZoneInfo(zone))


def regex_search(pattern: str, value: Any) -> tuple[str, ...] | None:
    """The groups of the first match; without groups, the match."""
    found = _search(pattern, patterns.text(value))
    if found is None:
        return None
    return tuple(group or "" for group in found.groups()) or (found.group(),)


def find_first_match(values: Iterable[Any], pattern: str) -> str | None:
    """The first of a list that matches."""
    return next((one for one in map(patterns.text, values) if _search(pattern, one) is not None), None)


def _search(pattern: str, value: str) -> Any:
    import regex

    problem = patterns.regex_problem(pattern)
    if problem:
        raise ValueError(problem)
    compiled: Any = regex.compile(pattern, regex.IGNORECASE)
    return compiled.search(value)


def to_uuid(value: Any) -> str:
    """The UUID whose 16 bytes are given in Base64. Raises ValueError."""
    given = patterns.text(value)
    try:
        raw = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_" if set(given) & set("-_") else None)
    except binascii.Error as problem:
        raise ValueError(f"pex_to_uuid: {problem}") from None
    return str(uuid.UUID(bytes=raw))


def url_encode(value: Any) -> str:
    return quote(patterns.text(value), safe="")


def url_decode(value: Any) -> str:
    return unquote(patterns.text(value))


def safelinks_decode(value: Any) -> str:
    """The address that a mail filter's link leads to; anything else as it is."""
    given = patterns.text(value)
    try:
        parts = urlsplit(given)
        found = parse_qs(parts.query).get("url")
        rewritten = (parts.hostname or "").endswith(".safelinks.protection.outlook.com")
    except ValueError:
        return given
    return found[0] if found and rewritten else given


def urldefense_decode(value: Any) -> str:
    """The same for links of the form `…/v2/url?u=` and `…/v3/__address__;`."""
    given = patterns.text(value)
    try:
        parts = urlsplit(given)
        host = parts.hostname or ""
    except ValueError:
        return given
    if not host.startswith("urldefense."):
        return given
    coded = parse_qs(parts.query).get("u")
    if parts.path.startswith("/v2/") and coded:
        return unquote(coded[0].translate(str.maketrans(_LINKS)))
    if parts.path.startswith("/v3/__"):
        return _third(given.partition("/v3/__")[2])
    return given


def _third(rest: str) -> str:
    """`address__;characters!…`, where each `*` stands for the next of the characters."""
    address, ended, tail = rest.partition("__;")
    if not ended:
        return rest
    coded = tail.partition("!")[0]
    replaced = iter(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode(errors="replace"))
    return "".join(next(replaced, "*") if character == "*" else character for character in address)


def length(value: Any) -> int:
    return 0 if isinstance(value, Undefined) else len(value)


def spread(*bounds: int) -> range:
    """As `range`, also as a filter of its upper bound."""
    return range(*bounds)


OWN: dict[str, Callable[..., Any]] = {
    **patterns.OWN,
    "pex_find_first_match": find_first_match,
    "pex_in_subnet": in_subnet,
    "pex_md5": md5,
    "pex_now": now,
    "pex_random_pin": random_pin,
    "pex_regex_search": regex_search,
    "pex_safelinks_decode": safelinks_decode,
    "pex_to_json": to_json,
    "pex_to_uuid": to_uuid,
    "pex_update": update,
    "pex_url_decode": url_decode,
    "pex_url_encode": url_encode,
    "pex_urldefense_decode": urldefense_decode,
    "pex_uuid4": random_uuid,
}
"""All but `pex_debug_log`, which belongs to a run."""
STOCK: dict[str, Callable[..., Any]] = {
    name: cast("Callable[..., Any]", stock.FILTERS[name]) for name in (*patterns.STOCK, "length")
}
"""Filters of Jinja that scripts may use."""
