"""Where a call that a conference places goes: by the location's settings, or by Call Routing Rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from rostra.dialplan import rules
from rostra.dialplan.rules import Match, Rule, TransformFailed
from rostra.domain.dialling import Wanted
from rostra.domain.gateway import EXTERNAL, ONLY_REGISTERED, Hop, Route
from rostra.domain.registration import Held
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol


class Plan(Protocol):
    """What the configuration says about outgoing calls."""

    def allowed(self) -> bool:
        """`enable_dialout` (CONF-108)."""
        ...

    def permits(self, protocol: CallProtocol) -> bool:
        """Is the protocol in use at all?"""
        ...

    def aliases(self, service: int) -> Sequence[str]:
        """Of a service, in their order (CONF-009)."""
        ...

    def automatic(self, service: int) -> Sequence[Wanted]:
        """Who is called when a conference of it starts."""
        ...

    def rules(self) -> Sequence[Rule]: ...

    async def registered(self, aliases: Sequence[str]) -> Sequence[Held]:
        """Devices registered anywhere under one of these aliases (CONF-023)."""
        ...

    def hop(self, protocol: CallProtocol, key: int | None) -> Hop | None:
        """A configured system, by its number."""
        ...

    def hop_of(self, protocol: CallProtocol, location: int) -> Hop | None:
        """That of a location (SYS-148)."""
        ...

    @property
    def mark(self) -> str:
        """What tells this platform from others."""
        ...

    def dress(self, theme: int | str | None) -> ServiceDescription:
        """What all gateway calls have in common: the platform's limits, and the look of a theme, by its number or its
        name; None: the default one (SVC-100)."""
        ...

    def credentials(self, realm: str) -> tuple[str, str] | None:
        """Name and password to answer a challenge with (SYS-249)."""
        ...


class NoRule(Exception):
    """No rule for outgoing calls matches (CONF-104)."""


class NotRegistered(Exception):
    """The call may only go to registered devices, and there is none (CONF-028)."""


async def ways(wanted: Wanted, plan: Plan, here: int) -> tuple[Route, ...]:
    """The calls to place: one to each registered device that has the alias, else one to an external system.

    With rules, one is needed for devices too (CONF-026), and they are looked for under the alias that it makes.
    Raises NoRule, TransformFailed, NotRegistered.
    """
    return await placed(*outside(wanted, plan, here), plan)


async def placed(found: Route, target: str, plan: Plan) -> tuple[Route, ...]:
    """A way to an external system, unless there are registered devices, or may be nothing else (SVC-101, SVC-102).

    Raises NotRegistered.
    """
    if found.protocol is not CallProtocol.RTMP and target in (EXTERNAL, ONLY_REGISTERED):
        devices = await plan.registered(_names(found.destination))
        if devices:
            return tuple(to_device(found, held) for held in devices)
    if target == ONLY_REGISTERED:
        raise NotRegistered(found.destination)
    return (found,)


def to_device(route: Route, held: Held) -> Route:
    """The same call, to a registered device."""
    protocol = CallProtocol.API if held.protocol is CallProtocol.WEBRTC else held.protocol
    return msgspec.structs.replace(route, protocol=protocol, location=0, hop=None, registration=held.id, node=held.node)


def _names(destination: str) -> tuple[str, ...]:
    """What a device may have registered as, that is called by this."""
    return tuple(dict.fromkeys((destination, rules.parsed(destination))))


def outside(wanted: Wanted, plan: Plan, here: int) -> tuple[Route, str]:
    """The way to an external system, and what kind of target that is (`called_device_type`).

    With rules, the location of the request stands for that of the call; the rule's own decides who places it
    (CONF-102). Raises NoRule, TransformFailed.
    """
    if wanted.protocol is not None:
        location = wanted.location or here
        way = Route(
            protocol=wanted.protocol,
            destination=wanted.destination,
            location=wanted.location,
            hop=plan.hop_of(wanted.protocol, location),
            call_type=wanted.call_type,
        )
        return way, EXTERNAL
    found = rules.outgoing(plan.rules(), wanted.destination, wanted.location or here)
    if found is None:
        raise NoRule(wanted.destination)
    return by_rule(found, plan, wanted.call_type), found.rule.target


def by_rule(found: Match, plan: Plan, call_type: str) -> Route:
    """The way to the external system that a rule names, for a call of at most this type (SVC-106, SVC-107)."""
    rule = found.rule
    return Route(
        protocol=rule.protocol,
        destination=found.alias,
        location=rule.outgoing_location or 0,
        hop=plan.hop(rule.protocol, rule.proxy),
        call_type=call_type if rule.call_type == "auto" else _narrower(call_type, rule.call_type),
        rate_out=rule.rate_out * 1000 if rule.rate_out else None,
    )


def identity(aliases: Sequence[str], protocol: CallProtocol) -> str:
    """The alias that a called party is shown: the first of the service that the protocol can carry (CONF-103)."""
    fit = (alias for alias in aliases if protocol is not CallProtocol.SIP or not set(alias) & set(' <>"'))
    return next(fit, aliases[0] if aliases else "")


def _narrower(one: str, other: str) -> str:
    order = ("audio", "video-only", "video")
    return min(one, other, key=lambda kind: order.index(kind) if kind in order else len(order))


__all__ = [
    "ONLY_REGISTERED",
    "Hop",
    "NoRule",
    "NotRegistered",
    "Plan",
    "Route",
    "TransformFailed",
    "by_rule",
    "identity",
    "outside",
    "placed",
    "to_device",
    "ways",
]
