"""Call Routing Rules: which one takes a call, and what it makes of it (SVC-084…SVC-100). Pure.

Used for calls that conferences place by rules, and by the Distributed Gateway for calls that no service answers.
"""

from __future__ import annotations

import enum
import re
import time
from collections.abc import Iterable, Iterator

import msgspec
import structlog

from rostra.domain import expressions
from rostra.domain.expressions import Budget
from rostra.domain.vocabulary import CallProtocol

logger = structlog.get_logger("rostra.dialplan")

_SCHEME = re.compile(r"(?:sips?|h323|rtmps?):(?://)?", re.IGNORECASE)
_HOST = re.compile(r"@(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d+)?\Z", re.IGNORECASE)


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
    description: str = ""
    quality: str = ""
    """The best picture; empty: as the platform has it, as are the next two."""
    crypto_mode: str = ""
    disabled_codecs: tuple[str, ...] = ()


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
    return _first(rules, Dialled(alias=alias, location=location))


def incoming(
    rules: Iterable[Rule], alias: str, location: int, source: CallProtocol, *, registered: bool
) -> Match | None:
    """The rule for a call that came in at `location` by `source` (SVC-087, SVC-090). Raises TransformFailed."""
    return _first(rules, Dialled(alias=alias, location=location, source=source, registered=registered))


class Dialled(msgspec.Struct, frozen=True, kw_only=True):
    """A call that looks for its rule."""

    alias: str
    location: int
    """Where it is handled, or begins."""
    source: CallProtocol | None = None
    """What it came by; None: a conference places it."""
    registered: bool = False
    """The caller is a registered device."""


class Reason(enum.Enum):
    """What keeps a rule from taking a call; `MATCHES` and `NOTHING_LEFT` end the search."""

    MATCHES = "matches"
    NOTHING_LEFT = "nothing left"
    """It matches, but what it makes of the alias is nothing that can be called."""
    DISABLED = "disabled"
    DIRECTION = "direction"
    LOCATION = "location"
    UNREGISTERED = "unregistered"
    SOURCE = "source"
    EXPRESSION = "expression"
    TOO_SLOW = "too slow"
    """Its expression takes too long for this alias, which counts as no match."""
    UNTRIED = "untried"
    """The rules before took all the time that a call has: no rule takes the call."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One rule looked at."""

    rule: Rule
    reason: Reason
    matched: str
    """What its expression was held against."""
    alias: str = ""
    """What it makes of that."""

    @property
    def decides(self) -> bool:
        return self.reason in (Reason.MATCHES, Reason.NOTHING_LEFT)


def search(rules: Iterable[Rule], call: Dialled) -> Iterator[Step]:
    """Every rule in its order, with what becomes of the call there; those behind the one that decides are not tried
    in earnest, and are given all the same (SVC-084, SVC-085)."""
    plain, budget = parsed(call.alias), Budget(time.thread_time)
    for rule in sorted(rules, key=lambda rule: (rule.priority, rule.id)):
        matched = call.alias if rule.full else plain
        reason = _passed_over(rule, call)
        alias = ""
        if reason is Reason.MATCHES and budget.spent:
            reason = Reason.UNTRIED
        elif reason is Reason.MATCHES:
            reason, alias = _transformed(rule, matched, call.alias, budget)
        yield Step(rule=rule, reason=reason, matched=matched, alias=alias)


def _first(rules: Iterable[Rule], call: Dialled) -> Match | None:
    """The first that matches decides, whatever becomes of the call (SVC-084, SVC-085, SVC-089)."""
    slow: list[str] = []
    for step in search(rules, call):
        if step.reason is Reason.NOTHING_LEFT:
            raise TransformFailed(step.rule.name)
        if step.reason is Reason.TOO_SLOW:
            slow.append(step.rule.name)
            logger.warning("Expression of a rule takes too long", rule=step.rule.name)
        if step.reason is Reason.UNTRIED:
            logger.error(
                "Call Routing Rules take too long: the call is not placed", slow=slow, untried=step.rule.name,
                alias=call.alias, remedy="simplify the expressions of these rules: no repetition within a repetition",
            )  # fmt: skip
            return None
        if step.reason is Reason.MATCHES:
            logger.info(
                "Alias matched gateway rule", rule=step.rule.name, tag=step.rule.tag, unparsed_alias=call.alias,
                parsed_alias=parsed(call.alias), full=step.rule.full,
            )  # fmt: skip
            return Match(rule=step.rule, alias=step.alias)
    return None


def _passed_over(rule: Rule, call: Dialled) -> Reason:
    """Why a rule does not come into question, or `MATCHES`."""
    if not rule.enabled:
        return Reason.DISABLED
    if not (rule.outgoing if call.source is None else rule.incoming):
        return Reason.DIRECTION
    if rule.location not in (None, call.location):
        return Reason.LOCATION
    if call.source is None:
        return Reason.MATCHES
    if rule.registered_only and not call.registered:
        return Reason.UNREGISTERED
    kind = CallProtocol.WEBRTC if call.source in (CallProtocol.API, CallProtocol.RTMP) else call.source
    if kind not in rule.sources and not (kind is CallProtocol.MSSIP and rule.registered_only):
        return Reason.SOURCE
    return Reason.MATCHES


def _transformed(rule: Rule, matched: str, dialled: str, budget: Budget) -> tuple[Reason, str]:
    """Does the expression match, and what becomes of the alias (SVC-095, SVC-096)?"""
    try:
        found = expressions.match(rule.match, matched, budget)
    except expressions.TooSlow:
        return Reason.TOO_SLOW, ""
    if found is None:
        return Reason.EXPRESSION, ""
    if not rule.replace:
        return Reason.MATCHES, dialled
    made = (expressions.expand(found, rule.replace) or "").strip()
    return (Reason.MATCHES, made) if made else (Reason.NOTHING_LEFT, "")
