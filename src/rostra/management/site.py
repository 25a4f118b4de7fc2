"""The admin site, generated from the register: a page per resource, related rows inline."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from rostra.configuration import orm
from rostra.configuration.resources import Resource, register
from rostra.management import languages, layouts, menu
from rostra.management.accounts import pages as accounts
from rostra.management.accounts.models import Account
from rostra.management.accounts.resource_pages import AuthenticationPages, ClientPages, MappingPages, RolePages
from rostra.management.branding import BrandingPages
from rostra.management.certificates.pages import CaPages, TlsPages
from rostra.management.certificates.request_pages import RequestPages as CertificateRequestPages
from rostra.management.clocks import ClockPages
from rostra.management.csvpages import CSV_ACTIONS
from rostra.management.deployment import Deployment
from rostra.management.licences.pages import LicencePages, RequestPages
from rostra.management.node_actions import NodeActions
from rostra.management.pagebase import Page, Singleton
from rostra.management.policy.pages import PolicyPages
from rostra.management.provisioning.pages import DevicePages, TemplatePages
from rostra.management.routing.pages import RulePages
from rostra.management.servicepages import ServicePage
from rostra.management.services import KINDS, Kind
from rostra.management.themes.pages import ThemePages


def populate() -> None:
    """Give the site its pages; once, when every resource is declared."""
    admin.site.site_url = None
    admin.site.index_title = _("Dashboard")
    languages.make_translatable([*(resource.model for resource in register), *(kind.model for kind in KINDS), Account])
    accounts.populate()
    for kind in KINDS:
        add_kind(kind)
    for resource in register:
        if (resource.page or resource.replicated) and not admin.site.is_registered(resource.model):
            add(resource)


def add(resource: Resource) -> None:
    """Give the site the pages of one resource."""
    admin.site.register(resource.model, page(resource))
    if resource.page:
        _into_menu(resource, resource.model)


def add_kind(kind: Kind) -> None:
    """Give the site the pages of one kind of service."""
    resource = kind.resource
    made: Any = page(resource, ServicePage)
    made.kind = kind
    made.fieldsets = layouts.fieldsets(resource, list(kind.fields))
    made.list_display = [name for name in made.list_display if name != "service_type"]
    if kind.csv == ():
        made.readonly_fields = ()
    admin.site.register(kind.model, made)
    _into_menu(resource, kind.model, kind.place)


def _into_menu(resource: Resource, model: type[models.Model], place: int = 50) -> None:
    meta = orm.meta(model)
    title: Any = meta.verbose_name_plural
    menu.entry(resource.section, title, resource.icon, f"{meta.app_label}_{meta.model_name}_changelist", place=place)


def page(resource: Resource, base: type[ModelAdmin] | None = None) -> type[ModelAdmin]:
    """The admin class of a resource."""
    fields = [field for field in resource.fields if not field.primary_key]
    shown = [field.name for field in fields if field.editable]
    read_only = [field.name for field in fields if not field.editable and _is_told(field)]
    many = list(orm.meta(resource.model).many_to_many)
    base = base or _SPECIAL.get(resource.name, Singleton if resource.singleton else Page)
    read_only += [name for name in base.readonly_fields if name not in read_only]
    attributes: dict[str, Any] = {
        "resource": resource,
        "list_display": [layouts.column(resource, name) for name in resource.columns] or ["__str__"],
        "list_select_related": [f.name for f in fields if f.is_relation and f.name in resource.columns],
        "list_prefetch_related": [name for name in resource.columns if name in resource.relations],
        "search_fields": resource.search,
        "list_filter": layouts.filters(resource),
        "readonly_fields": read_only,
        "fieldsets": layouts.fieldsets(resource, [*shown, *(field.name for field in many), *read_only]),
        "autocomplete_fields": [field.name for field in (*fields, *many) if layouts.is_searched(field)],
        "inlines": [_inline(child) for child in register if _is_child(child, resource)],
        "actions_list": base.actions_list or _csv_actions(resource),
    }
    made: Any = type(f"{resource.model.__name__}Page", (base,), attributes)
    return made


def _is_told(field: Any) -> bool:
    """Is a field that only the server sets shown: when it was made, and what made it?"""
    return isinstance(field, models.DateTimeField) or field.name == "sync_tag"


def _csv_actions(resource: Resource) -> tuple[str, ...]:
    return () if resource.singleton or resource.parent or resource.csv == () else CSV_ACTIONS


class _Nodes(NodeActions, Deployment, Page):
    pass


class _Clocks(ClockPages, Page):
    pass


class _Licences(LicencePages, Page):
    pass


class _LicenceRequests(RequestPages, Page):
    pass


class _TlsCertificates(TlsPages, Page):
    pass


class _CaCertificates(CaPages, Page):
    pass


class _SigningRequests(CertificateRequestPages, Page):
    pass


class _Authentication(AuthenticationPages, Singleton):
    pass


class _Roles(RolePages, Page):
    pass


class _Mappings(MappingPages, Page):
    pass


class _Clients(ClientPages, Page):
    pass


class _Rules(RulePages, Page):
    pass


class _Policies(PolicyPages, Page):
    pass


class _Devices(DevicePages, Page):
    pass


class _Themes(ThemePages, Page):
    pass


class _Brandings(BrandingPages, Page):
    pass


class _SyncTemplates(TemplatePages, Page):
    pass


_SPECIAL: dict[str, type[ModelAdmin]] = {
    "authentication": _Authentication,
    "ca_certificate": _CaCertificates,
    "certificate_signing_request": _SigningRequests,
    "conference_sync_template": _SyncTemplates,
    "device": _Devices,
    "gateway_routing_rule": _Rules,
    "ivr_theme": _Themes,
    "webapp_branding": _Brandings,
    "policy_server": _Policies,
    "licence": _Licences,
    "ntp_server": _Clocks,
    "licence_request": _LicenceRequests,
    "oauth2_client": _Clients,
    "role": _Roles,
    "role_mapping": _Mappings,
    "tls_certificate": _TlsCertificates,
    "worker_vm": _Nodes,
}
"""Pages that can do more than the declaration says."""


def _is_child(child: Resource, parent: Resource) -> bool:
    if child.parent is None:
        return False
    return orm.meta(child.model).get_field(child.parent).related_model is parent.model


class _Inline(TabularInline):
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:
        """The heads of the columns are no labels."""
        field: Any = super().formfield_for_dbfield(db_field, request, **more)
        if field is not None:
            field.widget.attrs["aria-label"] = db_field.verbose_name
        return field

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj is not None else 1  # a new row is of little use without a child: offer the first


def _inline(child: Resource) -> type[TabularInline]:
    fields = [f.name for f in child.fields if f.editable and not f.primary_key and f.name != child.parent]
    attributes = {"model": child.model, "fields": fields, "fk_name": child.parent, "tab": False}
    return type(f"{child.model.__name__}Inline", (_Inline,), attributes)
