"""Accounts in the site."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from rostra.management import menu
from rostra.management.accounts.models import Account
from rostra.management.accounts.models.account import LAST_ADMINISTRATOR

menu.entry("Users & Devices", _("Administrators"), "manage_accounts", "accounts_account_changelist", place=40)


class AccountPage(UserAdmin, ModelAdmin):  # pyright: ignore[reportIncompatibleMethodOverride] - as Unfold wants it
    """Local accounts are added and changed; those of a directory are only seen, disabled and deleted."""

    form = forms.ModelForm
    add_form = UserCreationForm
    add_form_template = None
    change_password_form = AdminPasswordChangeForm
    list_display: ClassVar[Any] = ("username", "directory", "is_superuser", "is_active", "last_login")
    list_filter: ClassVar[Any] = ("directory", "is_active")
    search_fields: ClassVar[Any] = ("username",)
    filter_horizontal: ClassVar[Any] = ("roles",)
    ordering: ClassVar[Any] = ("username",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("username", "change_password", "is_active")}),
        (gettext_lazy("What it may do"), {"fields": ("is_superuser", "roles")}),
        (gettext_lazy("From"), {"fields": ("directory", "groups", "last_login", "creation_time")}),
    )
    add_fieldsets: ClassVar[Any] = (
        (None, {"fields": ("username", "password1", "password2", "is_superuser", "roles")}),
    )
    actions: ClassVar[Any] = ()
    compressed_fields = True
    warn_unsaved_form = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = ["change_password", "directory", "groups", "last_login", "creation_time"]
        if obj is not None:
            fixed.append("username")
        if not request.user.is_superuser:  # type: ignore[union-attr] - nobody makes himself more than he is
            fixed.append("is_superuser")
        if obj is not None and obj.directory:
            fixed.append("roles")
        return fixed

    @admin.display(description=gettext_lazy("Password"))
    def change_password(self, obj: Account) -> str:
        """Where it is changed."""
        if obj.directory:
            return gettext("Kept by the directory")
        return format_html('<a class="text-primary-600 font-medium" href="{}">Change the password</a>', "../password/")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        *found, protected = super().get_deleted_objects(objs, request)
        if any(account.is_last_administrator() for account in objs):
            protected = [*protected, LAST_ADMINISTRATOR]
        return (*found, protected)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        if obj.is_last_administrator():
            raise PermissionDenied(LAST_ADMINISTRATOR)
        super().delete_model(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        account = Account.objects.filter(pk=id).first() if id.isdecimal() else None
        if account is not None and (account.directory or not _may_touch(request, account)):
            raise PermissionDenied(gettext("The password of this account is not yours to change."))
        return super().user_change_password(request, id, form_url)


def _may_touch(request: HttpRequest, account: Any) -> bool:
    """Only a full administrator changes one."""
    return account is None or not account.is_superuser or request.user.is_superuser  # type: ignore[union-attr]


def populate() -> None:
    """Give the site the page of accounts. Groups of Django's mean nothing here."""
    if admin.site.is_registered(Group):
        admin.site.unregister(Group)
    admin.site.register(Account, AccountPage)
