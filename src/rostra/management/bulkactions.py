"""What can be done with several rows of a list at once. What changes them asks first, and changes all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rostra.configuration import orm
from rostra.configuration.resources import Resource
from rostra.management import csvfiles
from rostra.management.provisioning.pages import remind_vmrs

MOST = 1000
"""Rows that one action changes."""
_SHOWN = 20
"""Rows, and problems, that a page names."""

action: Any = admin.action
Text = str | Promise


class BulkActions:
    """Mixed into the admin class of a resource: a file of the chosen rows."""

    resource: Resource
    actions: ClassVar[Any] = ("export_selected",)

    @action(description=gettext_lazy("Export selected as CSV"), permissions=["view"])
    def export_selected(self, request: HttpRequest, rows: Any) -> HttpResponse:
        """A download of the chosen rows."""
        return csvfiles.response(self.resource, rows)

    def get_actions(self, request: HttpRequest) -> Any:
        base: Any = super()
        found = base.get_actions(request)
        if self.resource.csv == ():
            found.pop("export_selected", None)
        return found


def setting(title: Text, *names: str) -> Any:
    """An action that gives fields of the chosen rows new values, which it asks for."""

    @action(description=title, permissions=["change"])
    def act(page: Any, request: HttpRequest, rows: Any) -> HttpResponse | None:
        return _set(page, request, rows, title, names, act.__name__)

    act.__name__ = f"set_{names[0]}"
    return act


def switching(title: Text, name: str, value: bool) -> Any:
    """An action that switches a field of the chosen rows on or off, after a question."""

    @action(description=title, permissions=["change"])
    def act(page: Any, request: HttpRequest, rows: Any) -> HttpResponse | None:
        if request.POST.get("confirmed") != "yes":
            return _ask(page, request, rows, title, act.__name__)
        return _carry_out(page, request, rows, title, act.__name__, {name: value})

    act.__name__ = f"{'enable' if value else 'disable'}_{name}"
    return act


def _set(
    page: Any, request: HttpRequest, rows: Any, title: Text, names: tuple[str, ...], name: str
) -> HttpResponse | None:
    form_class: Any = modelform_factory(
        page.model, fields=names, formfield_callback=lambda field, **more: page.formfield_for_dbfield(field, request)
    )
    if request.POST.get("confirmed") != "yes":
        return _ask(page, request, rows, title, name, form_class())
    form = form_class(request.POST)
    # What the values mean together with the other fields is judged row by row; here only their form is.
    form._validate_unique = False  # noqa: SLF001 - as Django's own `clean` would set it
    form._post_clean = lambda: None  # noqa: SLF001
    if not form.is_valid():
        return _ask(page, request, rows, title, name, form)
    return _carry_out(page, request, rows, title, name, form.cleaned_data, form)


def _carry_out(
    page: Any, request: HttpRequest, rows: Any, title: Text, name: str, values: dict[str, Any], form: Any = None
) -> HttpResponse | None:
    if rows.count() > MOST:
        return _ask(page, request, rows, title, name, form)
    chosen = list(rows)
    problems = change(chosen, values)
    if problems:
        return _ask(page, request, rows, title, name, form, problems)
    meta = orm.meta(page.model)
    count = len(chosen)
    kind = meta.verbose_name if count == 1 else meta.verbose_name_plural
    for row in chosen:
        page.log_change(request, row, str(title))
    messages.success(request, _("%(count)d %(kind)s changed.") % {"count": count, "kind": kind})
    return None


def change(rows: list[Any], values: dict[str, Any]) -> list[str]:
    """Give every row these values; returns what is wrong, and has then changed none."""
    problems: list[str] = []
    with transaction.atomic():
        for row in rows:
            for name, value in values.items():
                setattr(row, name, value)
            try:
                row.full_clean()
            except ValidationError as problem:
                problems.append(f"{row}: {' '.join(problem.messages)}")
                continue
            if not problems:
                row.save()
        if problems:
            transaction.set_rollback(True)
    return problems


def _ask(
    page: Any, request: HttpRequest, rows: Any, title: Text, name: str, form: Any = None, problems: Sequence[str] = ()
) -> HttpResponse:
    count = rows.count()
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": page.opts,
        "action": name,
        "form": form,
        "media": page.media + form.media if form is not None else page.media,
        "count": count,
        "kind": orm.meta(page.model).verbose_name_plural,
        "too_many": count > MOST,
        "most": MOST,
        "rows": rows[:_SHOWN],
        "more": max(0, count - _SHOWN),
        "keys": [] if count > MOST else list(rows.values_list("pk", flat=True)),
        "problems": problems[:_SHOWN],
    }
    return render(request, "admin/bulk_change.html", context, status=400 if problems else 200)


class ServiceActions:
    """Mixed into the pages of services."""

    kind: ClassVar[Any]
    set_tag = setting(gettext_lazy("Set service tag"), "tag")
    set_pin = setting(gettext_lazy("Set PINs"), "pin", "allow_guests", "guest_pin")
    set_theme = setting(gettext_lazy("Set theme"), "ivr_theme")
    set_participant_limit = setting(gettext_lazy("Set participant limit"), "participant_limit")
    set_host_view = setting(gettext_lazy("Set layout"), "host_view")
    remind = remind_vmrs
    actions: ClassVar[Any] = (
        *("export_selected", "set_tag", "set_pin", "set_theme", "set_participant_limit", "set_host_view"),
        "remind",
    )
    _asked: ClassVar[dict[str, str]] = {
        "set_pin": "pin",
        "set_participant_limit": "participant_limit",
        "set_host_view": "host_view",
        "remind": "primary_owner_email_address",
    }

    def get_actions(self, request: HttpRequest) -> Any:
        base: Any = super()
        found: dict[str, Any] = base.get_actions(request)
        return {name: one for name, one in found.items() if self._asked.get(name, "tag") in self.kind.fields}


class RuleActions:
    """Mixed into the pages of Call Routing Rules."""

    enable_enable = switching(gettext_lazy("Enable"), "enable", True)
    disable_enable = switching(gettext_lazy("Disable"), "enable", False)
    actions: ClassVar[Any] = ("export_selected", "enable_enable", "disable_enable")
