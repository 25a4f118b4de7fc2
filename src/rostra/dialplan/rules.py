"""Call Routing Rules: which one takes a call, and what it makes of it (SVC-084…SVC-100). Pure.

Used for calls that conferences place by rules, and by the Distributed Gateway for calls that no service answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from rostra.domain.vocabulary import CallProtocol

_SCHEME = re.compile(r"(?:sips?|h323|rtmps?):(?://)?", re.IGNORECASE)
_HOST = re.compile(r"@(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d+)?\Z", re.IGNORECASE)
LONGEST = 2000
"""Characters of an alias that is matched."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as configured (`gateway_routing_rule` of the management API)."""

    id: int
    name: str
    priority: int
    match: str
    replace: str = ""
    enabled: bool = True
    incoming: bool = True
    outgoing: bool = False
    location: int | None = None
    """Calls handled there; None: any."""
    registered_only: bool = False
    sources: frozenset[CallProtocol] = frozenset({CallProtocol.WEBRTC, CallProtocol.SIP, CallProtocol.MSSIP,
                                                  CallProtocol.H323})  # fmt: skip
    """Protocols incoming calls may come by; WebRTC stands for the client API and RTMP too (SVC-092)."""
    full: bool = False
    """Match the alias with scheme and parameters (SVC-094)."""
    target: str = "external"
    """`called_device_type` of the management API."""
    outgoing_location: int | None = None
    protocol: CallProtocol = CallProtocol.SIP
    proxy: int | None = None
    """SIP proxy, gatekeeper or server for the protocol; None: by DNS alone (SVC-107)."""
    theme: int | None = None
    call_type: str = "video"
    """`auto`: as the incoming call."""
    rate_in: int | None = None
    rate_out: int | None = None
    """kbit/s."""
    tag: str = ""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The rule that takes a call, and the alias it is placed to."""

    rule: Rule
    alias: str


class TransformFailed(Exception):
    """A rule matched, but what it makes of the alias is nothing that can be called."""


def parsed(alias: str) -> str:
    """An alias without scheme, parameters and the host where that is an IP address (SVC-093)."""
    scheme = _SCHEME.match(alias)
    plain = alias[scheme.end() :] if scheme else alias
    user, at, host = plain.rpartition("@")
    host = re.split(r"[;?]", host, maxsplit=1)[0]
    plain = f"{user}{at}{host}" if at else host
    return _HOST.sub("", plain)


def outgoing(rules: Iterable[Rule], alias: str, location: int) -> Match | None:
    """The rule for a call that a conference places from `location` (SVC-088, SVC-097). Raises TransformFailed."""
    return _first((rule for rule in rules if rule.outgoing), alias, location)


def incoming(
    rules: Iterable[Rule], alias: str, location: int, source: CallProtocol, *, registered: bool
) -> Match | None:
    """The rule for a call that came in at `location` by `source` (SVC-087, SVC-090). Raises TransformFailed."""
    kind = CallProtocol.WEBRTC if source in (CallProtocol.API, CallProtocol.RTMP) else source
    return _first(
        (
            rule
            for rule in rules
            if rule.incoming
            and (registered or not rule.registered_only)
            and (kind in rule.sources or (kind is CallProtocol.MSSIP and rule.registered_only))
        ),
        alias,
        location,
    )


def _first(rules: Iterable[Rule], alias: str, location: int) -> Match | None:
    """By priority; the first that matches decides, whatever becomes of the call (SVC-084, SVC-085, SVC-089)."""
    for rule in sorted(rules, key=lambda rule: (rule.priority, rule.id)):
        if not rule.enabled or rule.location not in (None, location):
            continue
        placed = _transformed(rule, alias if rule.full else parsed(alias), alias)
        if placed is not None:
            return Match(rule=rule, alias=placed)
    return None


def _transformed(rule: Rule, matched: str, dialled: str) -> str | None:
    """The alias to call; None: the rule does not match (SVC-095, SVC-096)."""
    if len(matched) > LONGEST:
        return None
    try:
        found = re.fullmatch(rule.match, matched, re.IGNORECASE)
    except re.error:  # saved before it was checked
        return None
    if found is None:
        return None
    if not rule.replace:
        return dialled
    try:
        made = found.expand(rule.replace).strip()
    except (re.error, IndexError):
        made = ""
    if not made:
        raise TransformFailed(rule.name)
    return made
