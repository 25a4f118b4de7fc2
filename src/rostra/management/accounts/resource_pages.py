"""What the pages of roles, mappings, API clients and authentication can do beyond their declaration."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy
from unfold import decorators
from unfold.widgets import UnfoldAdminTextInputWidget

from rostra.management.accounts.ldap import directory
from rostra.management.accounts.models import AuthenticationSettings, OAuth2Client
from rostra.management.accounts.models.role import ADMINISTRATOR_NEEDED
from rostra.management.accounts.permissions import IS_ADMIN

action: Any = decorators.action


class RoleForm(forms.ModelForm):
    """A role without the permission that every role needs does not pass."""

    def clean_permissions(self) -> Any:
        chosen = self.cleaned_data["permissions"]
        if IS_ADMIN not in {permission.codename for permission in chosen}:
            raise forms.ValidationError(ADMINISTRATOR_NEEDED)
        return chosen


class RolePages:
    """Mixed into the admin class of roles."""

    form = RoleForm


class GroupWidget(UnfoldAdminTextInputWidget):
    """A text field that proposes the groups of the directory, as they are now (SYS-081)."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        identifier = f"{name}_groups"
        field = super().render(name, value, {**(attrs or {}), "list": identifier, "autocomplete": "off"}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((group,) for group in groups()))
        return format_html('{}<datalist id="{}">{}</datalist>', field, identifier, options)


def groups() -> list[str]:
    """Groups of the directory; none without a connection to it."""
    settings = AuthenticationSettings.objects.filter(pk=1).first()
    if settings is None or not settings.uses_ldap:
        return []
    try:
        with directory.connected(settings) as opened:
            return opened.all_groups()
    except directory.Unavailable:
        return []


class MappingPages:
    """Mixed into the admin class of role mappings."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **more)  # type: ignore[misc] - that of the admin class
        if db_field.name == "value":
            field.widget = GroupWidget()
        return field


class ClientPages:
    """Mixed into the admin class of OAuth2 clients."""

    readonly_fields: ClassVar[Any] = ("client_id",)

    def response_add(self, request: HttpRequest, obj: OAuth2Client, post_url_continue: Any = None) -> HttpResponse:
        """The client's key, this once."""
        context = {
            **admin.site.each_context(request),
            "title": gettext("Private key of %(client_name)s") % {"client_name": obj.client_name},
            "client": obj,
            "list": reverse("admin:accounts_oauth2client_changelist"),
        }
        response = render(request, "admin/accounts/client_key.html", context)
        response["Cache-Control"] = "no-store"
        return response


class AuthenticationPages:
    """Mixed into the admin class of authentication."""

    actions_detail: ClassVar[Any] = ("test_login",)

    @action(description=gettext_lazy("Test LDAP login"), url_path="test-login", icon="login", permissions=["change"])
    def test_login(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """To the page where a login is tried out."""
        return redirect(reverse("admin:try_login"))
