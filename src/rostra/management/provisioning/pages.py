"""Pages of templates: trying one out, running it, deleting what it made, and how runs go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from unfold import decorators

from rostra.configuration.models import ConferenceSyncTemplate
from rostra.domain.patterns import filters
from rostra.management import menu
from rostra.management.audit.noting import note_person
from rostra.management.provisioning import following, mails, models, reading, reminding, running
from rostra.management.provisioning.commands import CHANGE
from rostra.management.provisioning.kinds import KINDS
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.previewing import RECORDS, preview

menu.entry(menu.STATUS, _("LDAP Sync Status"), "sync", "ldap_sync_status", place=60)
page_action: Any = decorators.action
list_action: Any = admin.action
_SECTIONS = {
    "VMR settings": "sync_conferences",
    "Device settings": "sync_devices",
    "User settings": "sync_end_users",
    "Advanced options": "sync_conferences",
}
"""Sections of the form that only count while the template makes such objects, and its switch for that (SVC-137)."""
_TONES = {models.SUCCEEDED: "good", models.FAILED: "bad"}


def _page(request: HttpRequest, name: str, title: Any, **more: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, **more}
    return render(request, f"admin/provisioning/{name}.html", context)


def _template(key: int) -> ConferenceSyncTemplate:
    found = ConferenceSyncTemplate.objects.select_related("ldap_sync_source", "smtp_server")
    return get_object_or_404(found, pk=key)


def _form(template: ConferenceSyncTemplate) -> str:
    return reverse("admin:configuration_conferencesynctemplate_change", args=(template.pk,))


# ---- one template


def try_out(request: HttpRequest, key: int) -> HttpResponse:
    """What a run would make of the first records; nothing is written."""
    template = _template(key)
    return _page(
        request,
        "preview",
        _("Test: %(template)s") % {"template": template},
        template=template,
        back=_form(template),
        preview=preview(template),
        most=RECORDS,
    )


@require_http_methods(["GET", "POST"])
def sync(request: HttpRequest, key: int) -> HttpResponse:
    """Asks, then runs the template in the background."""
    template = _template(key)
    if request.method == "POST":
        running.begin([template])
        return redirect("admin:ldap_sync_status")
    question = _("Objects of this template are made, changed and deleted so that they are what the directory says now.")
    return _page(
        request,
        "confirm",
        _("Sync: %(template)s") % {"template": template},
        question=question,
        verb=_("Sync now"),
        back=_form(template),
        facts=(),
    )


@require_http_methods(["GET", "POST"])
def delete_objects(request: HttpRequest, key: int) -> HttpResponse:
    """Asks, then deletes everything that the template made (SVC-193)."""
    template = _template(key)
    if request.method == "POST":
        found = following.delete_owned(template.name)
        note_person("Deleted objects of LDAP sync template", details={"Template": template.name, **found})
        messages.success(request, _("Deleted %(found)s.") % {"found": _counted(found)})
        return redirect(_form(template))
    question = _("Everything that was made from this template is deleted. The template itself stays.")
    return _page(
        request,
        "confirm",
        _("Delete all VMRs and devices created from this template: %(template)s") % {"template": template},
        question=question,
        verb=_("Delete"),
        back=_form(template),
        facts=[_counted(following.owned(template))],
    )


def _counted(found: dict[str, int]) -> str:
    words: dict[str, Callable[[int], str]] = {
        "vmrs": lambda count: ngettext("%(count)d VMR", "%(count)d VMRs", count),
        "devices": lambda count: ngettext("%(count)d device alias", "%(count)d device aliases", count),
        "end_users": lambda count: ngettext("%(count)d user", "%(count)d users", count),
    }
    return ", ".join(
        words[name](count) % {"count": count} for name, count in found.items() if count or name != "end_users"
    )


# ---- status


def _rows(request: HttpRequest) -> str:
    names = dict(ConferenceSyncTemplate.objects.values_list("pk", "name"))
    rows = [
        {
            "status": row,
            "name": names[row.configuration_id],
            "title": models.TITLES.get(row.sync_status, row.sync_status),
            "tone": _TONES.get(row.sync_status, "late"),
            "link": reverse("admin:status_row", args=("conference_sync", row.pk)),
            "counts": [_done(row, kind.counted) for kind in KINDS],
        }
        for row in SyncStatus.objects.all()
        if row.configuration_id in names
    ]
    return render_to_string("admin/provisioning/status_rows.html", {"rows": rows}, request)


def _done(row: SyncStatus, counted: str) -> str:
    said = {
        "created": _("%d created"),
        "updated": _("%d updated"),
        "deleted": _("%d deleted"),
        "unchanged": _("%d unchanged"),
    }
    counts = {what: getattr(row, f"{counted}_{what}") for what in said}
    return ", ".join(said[what] % count for what, count in counts.items() if count) or "–"


def status(request: HttpRequest) -> HttpResponse:
    """The latest run of each template; the page keeps itself up to date (DIAG-070)."""
    return _page(request, "status", _("LDAP Sync Status"), rows=SafeString(_rows(request)))


def status_rows(request: HttpRequest) -> HttpResponse:
    """The body of the table."""
    return HttpResponse(_rows(request), headers={"Cache-Control": "no-store"})


# ---- what the admin classes can do


class TemplatePages:
    """Mixed into the admin class of templates."""

    actions: ClassVar[Any] = ("sync_selected", "remind_selected", "export_selected")
    actions_detail: ClassVar[Any] = ("try_out", "sync_now", "delete_objects")
    actions_submit_line: ClassVar[Any] = ("save_and_sync",)
    change_form_outer_after_template = "admin/provisioning/variables.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        base: Any = super()
        return base.changeform_view(request, object_id, form_url, {**(extra_context or {}), **_variables()})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        base: Any = super()
        switches = {gettext(title): switch for title, switch in _SECTIONS.items()}
        return [
            (title, {**more, "classes": [f"rs-only-{switches[str(title)]}"]} if str(title) in switches else more)
            for title, more in base.get_fieldsets(request, obj)
        ]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        base: Any = super()
        found, counts, *rest = base.get_deleted_objects(objs, request)
        made = [f"{template}: {_counted(following.owned(template))}" for template in objs]
        return ([*found, *made], counts, *rest)

    @page_action(description=_("Test"), url_path="test", icon="science", permissions=["change"])
    def try_out(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """To the page with what a run would make."""
        return redirect("admin:ldap_sync_test", key=object_id)

    @page_action(description=_("Sync now"), url_path="sync", icon="sync", permissions=["change"])
    def sync_now(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """To the page that asks, then runs it."""
        return redirect("admin:ldap_sync_now", key=object_id)

    @page_action(
        description=_("Delete all VMRs and devices created from this template"),
        url_path="delete-objects",
        icon="delete_sweep",
        permissions=["change"],
    )
    def delete_objects(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """To the page that asks, then deletes."""
        return redirect("admin:ldap_sync_delete", key=object_id)

    @page_action(description=_("Save and sync"), permissions=["change"])
    def save_and_sync(self, request: HttpRequest, obj: ConferenceSyncTemplate) -> None:
        """Runs what has been saved, once it is."""
        transaction.on_commit(lambda: running.begin([obj]))
        messages.success(request, _("The sync has begun; see LDAP Sync Status."))

    @list_action(description=_("Sync selected LDAP sync templates"), permissions=["change"])
    def sync_selected(self, request: HttpRequest, rows: Any) -> HttpResponse:
        """Runs the chosen templates."""
        running.begin(rows)
        return redirect("admin:ldap_sync_status")

    @list_action(
        description=_("Send VMR and device reminder emails for selected LDAP sync templates"), permissions=["change"]
    )
    def remind_selected(self, request: HttpRequest, rows: Any) -> None:
        """Reminds the owners of everything the chosen templates made."""
        reminding.all_of(rows.values_list("pk", flat=True))
        _promised(request)


def remind(page: Any, request: HttpRequest, rows: Any) -> None:
    """Reminds the owners of the chosen services or devices."""
    reminding.some(page.model, rows.values_list("pk", flat=True))
    _promised(request)


remind_vmrs = list_action(description=_("Send reminder emails to VMR owners"), permissions=["change"])(remind)


class DevicePages:
    """Mixed into the admin class of device aliases."""

    actions: ClassVar[Any] = ("export_selected", "remind_owners")

    @list_action(description=_("Send reminder emails to device owners"), permissions=["change"])
    def remind_owners(self, request: HttpRequest, rows: Any) -> None:
        """Reminds the owners of the chosen device aliases."""
        remind(self, request, rows)


def _promised(request: HttpRequest) -> None:
    messages.success(request, _("Reminders are being sent; the administrator log tells of each."))


def _variables() -> dict[str, Any]:
    """What patterns and mails can use, for those who write them."""
    own = ("pex_random_pin(length)", "pex_uuid4()")
    random = _("Their values are others at every run: use them in fields that may be overridden, and not for aliases.")
    mail = _("A text that begins with <html> is sent as HTML. Without a text, a standard one is sent.")
    return {
        "pattern_help": (
            (_("Variables of records"), sorted(field.variable for field in reading.fields()), ""),
            (_("Filters"), [*sorted(filters.OWN), *sorted(filters.STOCK)], ""),
            (_("Functions"), own, random),
            (_("Variables of VMR e-mails"), mails.VMR_VARIABLES, mail),
            (_("Variables of device e-mails"), mails.DEVICE_VARIABLES, ""),
        )
    }


PERMISSION = CHANGE
"""What running templates and trying them out takes."""
