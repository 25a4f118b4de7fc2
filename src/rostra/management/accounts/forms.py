"""Forms about accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from rostra.management.accounts import entrance

UNAVAILABLE = gettext_lazy(
    "The directory cannot be asked, so accounts of it cannot sign in now. Local accounts can, if they may."
)


class LoginForm(AuthenticationForm):
    """The login page: who guesses has to wait, and a directory that is away is said to be."""

    held: entrance.HeldBack | None = None

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if self.request is None or not name or not password:
            return self.cleaned_data
        try:
            verdict = entrance.enter_site(self.request, name, password)
        except entrance.HeldBack as held:
            self.held = held
            raise ValidationError(str(held), code="held_back") from None
        if verdict.unavailable:
            raise ValidationError(UNAVAILABLE, code="unavailable")
        if verdict.account is None:
            raise self.get_invalid_login_error()
        self.user_cache = verdict.account
        self.confirm_login_allowed(verdict.account)
        return self.cleaned_data

    def get_invalid_login_error(self) -> ValidationError:
        return ValidationError(
            self.error_messages["invalid_login"], code="invalid_login", params={"username": "username"}
        )

    def confirm_login_allowed(self, user: Any) -> None:
        if not user.is_staff:
            raise self.get_invalid_login_error()


class TrialForm(forms.Form):
    """A login to try out."""

    username = forms.CharField(
        label=gettext_lazy("Username"), max_length=150, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Empty: only look the user up. It is neither kept nor logged."),
    )
