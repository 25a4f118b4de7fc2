"""Trying out the dial plan: what would become of a call, and why (issue of every rule in its order)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext

from rostra.configuration.models import Conference, ConferenceAlias, Device, GatewayRoutingRule, SystemLocation
from rostra.configuration.rows import RuleRow
from rostra.dialplan import rules
from rostra.dialplan.configured import rule_of
from rostra.dialplan.resolve import resolve
from rostra.dialplan.rules import Dialled, Reason, Step
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.vocabulary import CallProtocol


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One rule, as it takes the call or not."""

    row: GatewayRoutingRule
    reason: str
    matched: str
    alias: str
    decides: bool
    tried: bool
    """No rule before it has decided."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the call."""

    told: str
    lines: tuple[Line, ...]
    facts: tuple[tuple[str, str], ...] = ()
    """What comes out, by name."""
    asked: tuple[str, ...] = ()
    """Who else has a say, in the order in which they are asked."""


def reasons() -> dict[Reason, str]:
    """In words."""
    return {
        Reason.MATCHES: gettext("It matches."),
        Reason.NOTHING_LEFT: gettext("It matches, but its replacement leaves nothing that could be called."),
        Reason.DISABLED: gettext("It is disabled."),
        Reason.DIRECTION: gettext("It is not for calls of this direction."),
        Reason.LOCATION: gettext("It is for calls in another location."),
        Reason.UNREGISTERED: gettext("It is for registered callers only."),
        Reason.SOURCE: gettext("It is not for calls by this protocol."),
        Reason.EXPRESSION: gettext("The expression does not match the whole alias."),
        Reason.TOO_SLOW: gettext("The expression takes too long for this alias, which counts as no match."),
        Reason.UNTRIED: gettext("It is not tried: the expressions before take so long that the call is not placed."),
    }


def run(alias: str, *, source: CallProtocol | None, location: int, registered: bool) -> Outcome:
    """`source`: what the call came by; None: a conference places it."""
    found = _by_configuration(alias, source, location, registered=registered)
    return found if source is None else dataclasses.replace(found, asked=tuple(_asked(location)))


def _asked(location: int) -> Iterator[str]:
    """The policy of a location comes before (its server) and after (its script) what is configured."""
    where = SystemLocation.objects.filter(pk=location).select_related("policy_server").first()
    profile = where.policy_server if where else None
    if profile is not None and profile.enable_service_lookup:
        yield gettext("First the server of the policy profile %(name)s is asked. This is what it leaves to the "
                      "configuration.") % {"name": profile.name}  # fmt: skip
    if profile is not None and profile.enable_internal_service_policy:
        yield gettext("Then the service script of the policy profile %(name)s is given what was found, and may change "
                      "it.") % {"name": profile.name}  # fmt: skip


def _by_configuration(alias: str, source: CallProtocol | None, location: int, *, registered: bool) -> Outcome:
    rows = {row.pk: row for row in GatewayRoutingRule.objects.select_related(*_RELATED)}
    given = [rule_of_row(row) for row in rows.values()]
    call = Dialled(alias=alias, location=location, source=source, registered=registered)
    steps = list(rules.search(given, call))
    lines, decided = _lines(steps, rows)
    service = resolve(alias, _service, source) if source is not None else None
    if service is not None:
        name = service.service.description.name
        told = gettext("The call goes to the service %(name)s, whatever rules there are.") % {"name": name}
        return Outcome(told, tuple(dataclasses.replace(line, decides=False, tried=False) for line in lines))
    if decided is None:
        return Outcome(gettext("No rule takes the call: it is not placed."), lines)
    row = rows[decided.rule.id]
    if decided.reason is Reason.NOTHING_LEFT:
        return Outcome(gettext("The call fails: no later rule is tried."), lines)
    told = gettext("The rule %(rule)s takes the call.") % {"rule": row.name}
    return Outcome(told, lines, tuple(_facts(row, decided)))


_RELATED = ("outgoing_location", "sip_proxy", "h323_gatekeeper", "mssip_proxy", "ivr_theme")


def rule_of_row(row: GatewayRoutingRule) -> rules.Rule:
    """As nodes match it."""
    meta: Any = row._meta  # noqa: SLF001 - Django's public interface by that name
    values = (getattr(row, meta.get_field(name).attname) for name in RuleRow.__struct_fields__)
    return rule_of(RuleRow(*values))


def _service(alias: str) -> Service | None:
    found = ConferenceAlias.objects.filter(alias__iexact=alias).select_related("conference").first()
    if found is None:
        return None
    conference: Conference = found.conference
    return Service(
        description=ServiceDescription(id=conference.pk, name=conference.name, service_type=conference.service_type)
    )


def _lines(steps: list[Step], rows: dict[int, GatewayRoutingRule]) -> tuple[tuple[Line, ...], Step | None]:
    decided: Step | None = None
    words, lines = reasons(), list[Line]()
    for step in steps:
        decides = decided is None and step.decides
        lines.append(
            Line(rows[step.rule.id], words[step.reason], step.matched, step.alias, decides, decided is None)
        )  # fmt: skip
        decided = step if decides else decided
    return tuple(lines), decided


def _facts(row: GatewayRoutingRule, decided: Step) -> list[tuple[str, str]]:
    alias, target = decided.alias, row.called_device_type
    shown: Any = row
    found = [(gettext("Alias"), alias), (gettext("Call target"), str(shown.get_called_device_type_display()))]
    known = Device.objects.filter(alias__iexact=rules.parsed(alias)).exists()
    devices = gettext("devices may register under this alias") if known else gettext("no device has this alias")
    found.append((gettext("Registered devices"), devices))
    if target != "registration":
        proxy = {"sip": row.sip_proxy, "h323": row.h323_gatekeeper, "mssip": row.mssip_proxy}.get(row.outgoing_protocol)
        found += [
            (gettext("Protocol"), str(shown.get_outgoing_protocol_display())),
            (gettext("Through"), str(proxy) if proxy else gettext("DNS")),
            (gettext("Placed from"), str(row.outgoing_location or gettext("the node that has the call"))),
        ]
    rates = {gettext("Most bandwidth in"): row.max_callrate_in, gettext("Most bandwidth out"): row.max_callrate_out}
    found += [(name, f"{rate} kbit/s") for name, rate in rates.items() if rate]
    found.append((gettext("Call capability"), str(shown.get_call_type_display())))
    found.append((gettext("Theme"), str(row.ivr_theme or gettext("the default theme"))))
    return found
