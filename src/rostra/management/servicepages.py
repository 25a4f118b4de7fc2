"""Pages of services: the same rows, told apart by their kind."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold import decorators

from rostra.configuration import orm
from rostra.configuration.models import AutomaticParticipant, Conference
from rostra.management.accounts.permissions import CONTROL
from rostra.management.bulkactions import ServiceActions
from rostra.management.pagebase import Page
from rostra.management.routing import warnings
from rostra.management.routing.warnings import Warned
from rostra.management.services import PARTICIPANTS, Kind, kind_of

action: Any = decorators.action
_ANY_KIND = ("autocomplete",)
"""Addresses that look for services of every kind."""


class ServiceForm(forms.ModelForm):
    """A service; its participants are chosen from the other end of their relation."""

    automatic_participants = forms.ModelMultipleChoiceField(
        AutomaticParticipant.objects.all(),
        required=False,
        label=_(str(orm.meta(AutomaticParticipant).verbose_name_plural)),
        help_text=_("Called when the conference starts."),
    )

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        chosen: Any = self.fields.get(PARTICIPANTS)
        if chosen is not None:
            key = orm.meta(AutomaticParticipant.conference.through).get_field("automaticparticipant")
            chosen.widget = AutocompleteSelectMultiple(key, admin.site, choices=chosen.choices)
            if self.instance.pk is not None:
                chosen.initial = list(self.instance.automatic_participants.all())


class ServicePage(Warned, ServiceActions, Page):
    """Pages of one kind of service."""

    kind: ClassVar[Kind]
    form = ServiceForm
    change_form_template = "admin/service_form.html"
    actions_detail: ClassVar[Any] = ("dial_out",)

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.model = Conference  # who listens for changes of rows listens to their own class, not to that of a kind

    def _get_actions_navigation(self, provided_actions: Any, allowed_actions: Any, object_id: Any = None) -> Any:
        """Buttons lead to the pages of this kind: by their names alone, those of all kinds are the same."""
        base: Any = super()
        found = base._get_actions_navigation(provided_actions, allowed_actions, object_id)  # noqa: SLF001 - no other way
        meta = orm.meta(self.kind.model)
        here = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        paths = {action.description: action.path for action in allowed_actions}
        return [{**one, "path": f"{here}{paths[one['title']]}/"} for one in found]

    def warning(self, row: Conference) -> str:
        return warnings.of_reception(row) if self.kind.service_type == "two_stage_dialing" else ""

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and match.url_name in _ANY_KIND:
            return rows
        return rows.filter(service_type=self.kind.service_type)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **more: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **more)
        if PARTICIPANTS not in self.kind.fields:
            form.base_fields.pop(PARTICIPANTS, None)
            form.declared_fields.pop(PARTICIPANTS, None)
        if "name" in form.base_fields:
            form.base_fields["name"].error_messages["unique"] = _("There is a service with this name already.")
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.kind.defaults, **super().get_changeform_initial_data(request)}  # type: ignore[dict-item]

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        row = super().save_form(request, form, change)
        row.service_type = self.kind.service_type
        return row

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if PARTICIPANTS in form.cleaned_data:
            form.instance.automatic_participants.set(form.cleaned_data[PARTICIPANTS])

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        other = _other_kind(self.kind, object_id)
        if other is not None:
            meta = orm.meta(other.model)
            return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(object_id,)))
        return super().changeform_view(request, object_id, form_url, extra_context)

    @action(
        description=_("Dial out to participant"), url_path="dial", icon="add_call", permissions=["dial_out"]
    )  # fmt: skip
    def dial_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the form for calling somebody."""
        return redirect(reverse("admin:dial_from_service", args=(int(object_id),)))

    def has_dial_out_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        user: Any = request.user
        return self.kind.service_type in ("conference", "lecture") and user.has_perm(CONTROL)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view") or self._may(request, "change")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete")

    def _may(self, request: HttpRequest, what: str) -> bool:
        user: Any = request.user
        return user.has_perm(f"configuration.{what}_conference")


def _other_kind(kind: Kind, key: str | None) -> Kind | None:
    """The kind of the service with this key, if it is another one: links lead to services whatever their kind."""
    if key is None or not key.isdecimal() or len(key) > 18:
        return None
    found = Conference.objects.filter(pk=int(key)).values_list("service_type", flat=True).first()
    return kind_of(found) if found is not None and found != kind.service_type else None
