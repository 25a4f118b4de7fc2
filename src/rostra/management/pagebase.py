"""What the pages of every resource have in common: lists that stay fast, forms that never show a secret."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import BooleanField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin

from rostra.configuration import orm
from rostra.configuration.fields import KnownListField, UploadField
from rostra.configuration.resources import Resource
from rostra.configuration.secretfield import SecretField
from rostra.management import listing
from rostra.management.api import keeping, schema
from rostra.management.bulkactions import BulkActions
from rostra.management.csvpages import CsvPages
from rostra.management.listforms import KnownListFormField
from rostra.management.secretforms import SecretFormField
from rostra.management.uploadforms import UploadFormField

_TAKEN = frozenset({"attributes", "children", "elements", "method", "parentElement"})
"""Properties of a form in browsers, which a field of that name would hide from the scripts of the page."""


class Form(forms.ModelForm):
    """A form whose fields hide nothing of it."""

    def add_prefix(self, field_name: str) -> str:
        return super().add_prefix(f"{field_name}_" if field_name in _TAKEN else field_name)


class Page(CsvPages, BulkActions, ModelAdmin):
    """Pages of a resource: they offer what the API does with it."""

    form = Form
    resource: Resource
    list_prefetch_related: ClassVar[list[str]] = []
    paginator = listing.Pages
    ordering: ClassVar[Any] = ("pk",)
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    warn_unsaved_form = True
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related(*self.list_prefetch_related)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Addresses narrow a list by its filters and by what has few values: other look-ups would tell what the list
        does not show.
        """
        offered = {one if isinstance(one, str) else one[0] for one in self.list_filter}  # type: ignore[union-attr]
        few = {field.name for field in self.resource.fields if field.choices or isinstance(field, BooleanField)}
        name, _, operator = lookup.partition("__")
        return name in offered or (name in few and operator in ("", "exact", "isnull"))

    def get_changelist(self, request: HttpRequest, **more: Any) -> Any:
        return listing.List

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What the administrator log has of the object, by whatever way it was changed."""
        query = urlencode({"resource": self.resource.name, "object": object_id})
        return redirect(f"{reverse('admin:administrator_log')}?{query}")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return listing.search(queryset, self.search_fields, search_term), False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:
        if isinstance(db_field, UploadField):
            return UploadFormField(db_field)
        if isinstance(db_field, SecretField):
            return SecretFormField(db_field)
        if isinstance(db_field, KnownListField):
            return KnownListFormField(db_field)
        if db_field.many_to_many and db_field.name not in self.get_autocomplete_fields(request):
            more["widget"] = FilteredSelectMultiple(db_field.verbose_name, is_stacked=False)
            field: Any = super().formfield_for_dbfield(db_field, request, **more)
            field.help_text = db_field.help_text  # without keys to hold, of which two lists have no need
            return field
        return super().formfield_for_dbfield(db_field, request, **more)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **more: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **more)
        for name, field in form.base_fields.items():
            if isinstance(field, SecretFormField) and obj is not None:
                field.keep(getattr(obj, name) or "")
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new object has no value yet where only the server gives one."""
        sets: Any = super().get_fieldsets(request, obj)
        if obj is not None:
            return sets
        told = set(self.readonly_fields)
        kept = [
            (title, {**more, "fields": [name for name in more["fields"] if name not in told]}) for title, more in sets
        ]
        return [one for one in kept if one[1]["fields"]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = (*self.resource.fixed, *self.resource.fixed_in_site) if obj is not None else ()
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


class Singleton(Page):
    """One row: its form is the page."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        meta = orm.meta(self.model)
        return redirect(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(1,)))
