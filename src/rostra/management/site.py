"""The admin site, generated from the register: a page per resource, related rows inline."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline

from rostra.configuration import orm
from rostra.configuration.fields import UploadField
from rostra.configuration.resources import Resource, register
from rostra.management.accounts import pages as accounts
from rostra.management.accounts.resource_pages import AuthenticationPages, ClientPages, MappingPages, RolePages
from rostra.management.api import access, keeping, schema
from rostra.management.certificates.pages import CaPages, TlsPages
from rostra.management.certificates.request_pages import RequestPages as CertificateRequestPages
from rostra.management.csvpages import CSV_ACTIONS, CsvPages
from rostra.management.declared import tables
from rostra.management.deployment import Deployment
from rostra.management.licences.pages import LicencePages, RequestPages
from rostra.management.node_actions import NodeActions
from rostra.management.uploadforms import UploadFormField

_SHOWN = 3
"""Elements of a to-many relation that a list shows."""


def populate() -> None:
    """Give the site its pages; once, when every resource is declared."""
    admin.site.site_url = None
    admin.site.index_title = "Dashboard"
    accounts.populate()
    for resource in register:
        if resource.page or resource.replicated:
            add(resource)


def add(resource: Resource) -> None:
    """Give the site the page of one resource."""
    admin.site.register(resource.model, page(resource))


def page(resource: Resource) -> type[ModelAdmin]:
    """The admin class of a resource."""
    fields = [field for field in resource.fields if not field.primary_key]
    shown = [field.name for field in fields if field.editable]
    read_only = [field.name for field in fields if not field.editable and isinstance(field, models.DateTimeField)]
    many = [field.name for field in orm.meta(resource.model).many_to_many]
    base = _SPECIAL.get(resource.name, _Singleton if resource.singleton else _Page)
    read_only += [name for name in base.readonly_fields if name not in read_only]
    attributes: dict[str, Any] = {
        "resource": resource,
        "list_display": [_column(resource, name) for name in resource.columns] or ["__str__"],
        "list_prefetch_related": [name for name in resource.columns if name in resource.relations],
        "search_fields": resource.search,
        "list_filter": _filters(resource),
        "list_per_page": 50,
        "readonly_fields": read_only,
        "fieldsets": _fieldsets(resource, [*shown, *many, *read_only]),
        "autocomplete_fields": [f.name for f in fields if _is_searched(f)],
        "filter_horizontal": many,
        "inlines": [_inline(child) for child in register if _is_child(child, resource)],
        "actions_list": base.actions_list or _csv_actions(resource),
        "warn_unsaved_form": True,
        "compressed_fields": True,
    }
    made: Any = type(f"{resource.model.__name__}Page", (base,), attributes)
    return made


def _csv_actions(resource: Resource) -> tuple[str, ...]:
    return () if resource.singleton or resource.parent or resource.csv == () else CSV_ACTIONS


def _is_searched(field: Any) -> bool:
    """Does the form look for what `field` refers to, rather than list all of it?"""
    return field.is_relation and not isinstance(field, UploadField) and bool(register.of(field.related_model).search)


def _column(resource: Resource, name: str) -> Any:
    """What the list shows for a field; for a to-many relation the names of the first rows."""
    if name not in resource.relations:
        return name

    def some(row: Any) -> str:
        found = [str(other) for other in getattr(row, name).all()]
        return ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")

    some.short_description = name.replace("_", " ").capitalize()  # type: ignore[attr-defined] - Django's way
    return some


class _Page(CsvPages, ModelAdmin):
    resource: Resource
    list_prefetch_related: ClassVar[list[str]] = []

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related(*self.list_prefetch_related)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:
        if isinstance(db_field, UploadField):
            return UploadFormField(db_field)
        return super().formfield_for_dbfield(db_field, request, **more)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = ["service_type"] if obj is not None and hasattr(obj, "service_type") else []
        fixed += self.resource.fixed if obj is not None else ()
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "post" in schema.list_methods(self.resource) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        ways = {"post", "put", "patch"} & set(schema.detail_methods(self.resource))
        return bool(ways) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return "delete" in schema.detail_methods(self.resource) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        *found, protected = super().get_deleted_objects(objs, request)
        try:
            keeping.check(self.resource, objs)
        except ValidationError as problem:
            protected = [*protected, *problem.messages]
        return (*found, protected)


class _Singleton(_Page):
    """One row: its form is the page."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        meta = orm.meta(self.model)
        return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(1,)))


class _Nodes(NodeActions, Deployment, _Page):
    pass


class _Licences(LicencePages, _Page):
    pass


class _LicenceRequests(RequestPages, _Page):
    pass


class _TlsCertificates(TlsPages, _Page):
    pass


class _CaCertificates(CaPages, _Page):
    pass


class _SigningRequests(CertificateRequestPages, _Page):
    pass


class _Authentication(AuthenticationPages, _Singleton):
    pass


class _Roles(RolePages, _Page):
    pass


class _Mappings(MappingPages, _Page):
    pass


class _Clients(ClientPages, _Page):
    pass


_SPECIAL: dict[str, type[ModelAdmin]] = {
    "authentication": _Authentication,
    "ca_certificate": _CaCertificates,
    "certificate_signing_request": _SigningRequests,
    "licence": _Licences,
    "licence_request": _LicenceRequests,
    "oauth2_client": _Clients,
    "role": _Roles,
    "role_mapping": _Mappings,
    "tls_certificate": _TlsCertificates,
    "worker_vm": _Nodes,
}
"""Pages that can do more than the declaration says."""


def _filters(resource: Resource) -> list[str]:
    return [
        field.name
        for field in resource.fields
        if field.name in resource.columns
        and (field.choices or isinstance(field, models.BooleanField | models.DateTimeField))
    ]


def _fieldsets(resource: Resource, names: list[str]) -> list[tuple[str | None, dict[str, Any]]]:
    groups = list(resource.groups) or _by_declaring_class(resource)
    grouped = {name for _, members in groups for name in members}
    first = [name for name in names if name not in grouped]
    head, rest = (first[:6], first[6:]) if groups else (first, [])
    sets: list[tuple[str | None, dict[str, Any]]] = []
    if head:
        sets.append((None, {"fields": head}))
    sets += [(title, {"fields": [name for name in members if name in names]}) for title, members in groups]
    if rest:
        sets.append(("More", {"fields": rest, "classes": ["collapse"]}))
    return sets


def _by_declaring_class(resource: Resource) -> list[tuple[str, tuple[str, ...]]]:
    """Groups of a model that is put together from several abstract ones: one for each, titled by its name."""
    groups: list[tuple[str, tuple[str, ...]]] = []
    for base in resource.model.__bases__:
        meta = getattr(base, "_meta", None)
        if meta is not None and meta.abstract:
            members = tuple(field.name for field in meta.local_fields if field.editable)
            if members:
                groups.append((base.__name__.removesuffix("Settings"), members))
    return groups


def _is_child(child: Resource, parent: Resource) -> bool:
    if child.parent is None:
        return False
    return orm.meta(child.model).get_field(child.parent).related_model is parent.model


class _Inline(TabularInline):
    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj is not None else 1  # a new row is of little use without a child: offer the first


def _inline(child: Resource) -> type[TabularInline]:
    fields = [f.name for f in child.fields if f.editable and not f.primary_key and f.name != child.parent]
    attributes = {"model": child.model, "fields": fields, "fk_name": child.parent, "tab": False}
    return type(f"{child.model.__name__}Inline", (_Inline,), attributes)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu: sections in the order they are declared."""
    sections: dict[str, list[dict[str, Any]]] = {"Services": [], "Platform": []}
    for resource in register:
        if not resource.page:
            continue
        meta = orm.meta(resource.model)
        link = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        entry = {"title": str(meta.verbose_name_plural), "icon": resource.icon, "link": link}
        sections.setdefault(resource.section, []).append(entry)
    sections.setdefault("Utilities", []).extend(
        [
            {"title": "Backup/Restore", "icon": "settings_backup_restore", "link": reverse("admin:backups")},
            {"title": "Upgrade", "icon": "upgrade", "link": reverse("admin:upgrade")},
        ]
    )
    people = {"title": "Accounts", "icon": "person", "link": reverse("admin:accounts_account_changelist")}
    home = {"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")}
    live = {"title": "Live View", "icon": "hub", "link": reverse("admin:live")}
    log = {"title": "Administrator Log", "icon": "history_edu", "link": reverse("admin:administrator_log")}
    return [
        {"items": [home]},
        {"title": "Status", "separator": True, "items": [live, *_tables("status")]},
        *({"title": title, "separator": True, "items": items} for title, items in sections.items() if items),
        {"title": "History & Logs", "separator": True, "items": [*_tables("history"), log]},
        {"title": "Administrators", "separator": True, "items": [people]},
    ]


_ICONS = {
    "worker_vm": "dns",
    "system_location": "location_on",
    "conference": "groups",
    "participant": "person",
    "workervm_status_event": "event_note",
    "alarm": "notifications",
    "login_history": "login",
}
"""Tables of status and history that have a place in the menu, in its order."""


def _tables(api: str) -> list[dict[str, Any]]:
    known = {one.name: one for one in tables() if one.api == api}
    return [
        {"title": known[name].title, "icon": icon, "link": reverse(f"admin:{api}_table", args=(name,))}
        for name, icon in _ICONS.items()
        if name in known
    ]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows: how many of each resource there are."""
    context["rostra_cards"] = [
        {
            "title": str(orm.meta(resource.model).verbose_name_plural),
            "count": orm.rows(resource.model).count(),
            "icon": resource.icon,
            "summary": resource.summary,
            "link": reverse(
                f"admin:{orm.meta(resource.model).app_label}_{orm.meta(resource.model).model_name}_changelist"
            ),
        }
        for resource in sorted(register, key=lambda resource: resource.section != "Services")
        if not resource.singleton and resource.page and access.may(request.user, "GET", resource)
    ]
    return context
