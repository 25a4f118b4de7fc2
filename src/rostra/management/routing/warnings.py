"""Warnings of toll fraud on the pages of rules and Virtual Receptions (REF-138, SVC-083, CONF-116, PLAT-203)."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from rostra.configuration.models import Conference, GatewayRoutingRule
from rostra.domain import expressions, tolls
from rostra.domain.expressions import Budget
from rostra.domain.reception import ReceptionRules, destination

EXTERNAL = ("external", "mssip_server")
"""Targets outside the platform."""


PAGE = 1.0
"""Seconds that all expressions of a page may take together; nothing is said of those that come after."""


def of_rule(rule: GatewayRoutingRule, budget: Budget | None = None) -> str:
    """What a rule lets everybody do; empty: nothing to warn of."""
    if not rule.enable or not rule.match_incoming_calls or rule.called_device_type not in EXTERNAL:
        return ""
    if rule.match_incoming_only_if_registered:
        return ""
    number = tolls.takes_numbers(rule.match_string, budget or Budget(time.thread_time, PAGE))
    if not number:
        return ""
    return gettext(
        "Toll fraud: anybody who reaches the platform can call telephone numbers such as %(number)s through this rule, "
        "if a telephone network is behind it. Let registered devices only use it, narrow its expression, or let the "
        "call control decide who may."
    ) % {"number": number}


def of_reception(reception: Conference) -> str:
    """The same of a Virtual Reception, whose callers reach whatever rules reach."""
    rules = ReceptionRules(match=reception.match_string, replace=reception.replace_string)
    reached = [alias for number in tolls.NUMBERS if (alias := destination(rules, number))]
    budget = Budget(time.thread_time, PAGE)
    for rule in GatewayRoutingRule.objects.filter(enable=True).order_by("priority"):
        if of_rule(rule, budget) and any(_takes(rule.match_string, alias, budget) for alias in reached):
            return gettext(
                "Toll fraud: callers of this reception can key telephone numbers, and the Call Routing Rule %(rule)s "
                "places calls to them for everybody. Narrow what may be keyed here to the numbers of your rooms."
            ) % {"rule": rule.name}
    return ""


def _takes(pattern: str, alias: str, budget: Budget) -> bool:
    try:
        return expressions.match(pattern, alias, budget) is not None
    except expressions.TooSlow:
        return False


class Warned:
    """Mixed into pages of what may be open to everybody: it is said when it is saved, and whenever it is looked at."""

    def warning(self, row: Any) -> str:
        raise NotImplementedError

    def render_change_form(self, request: HttpRequest, context: Any, *more: Any, **named: Any) -> HttpResponse:
        row = named.get("obj")
        self._warn(request, row) if row is not None and request.method == "GET" else None
        base: Any = super()
        return base.render_change_form(request, context, *more, **named)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        base: Any = super()
        base.save_model(request, obj, form, change)
        if "_continue" not in request.POST:  # the form, shown again, says it
            self._warn(request, obj)

    def _warn(self, request: HttpRequest, row: Any) -> None:
        if text := self.warning(row):
            messages.warning(request, text)
