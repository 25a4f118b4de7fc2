"""Secrets in forms of the site: they are entered, never shown. An empty field keeps what there is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget

from rostra.configuration.secretfield import SecretField

_KEEP = object()
_LONG = 500
"""Characters from which a secret is a key of several lines rather than a password."""


class _Kept:
    """Mixed into a widget that says whether there is a secret, and offers to remove it."""

    is_set = False
    may_be_empty = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Without the value."""
        base: Any = super()
        hint = {"placeholder": _("Unchanged")} if self.is_set else {}
        field = base.render(name, None, {**(attrs or {}), **hint}, renderer)
        if not (self.is_set and self.may_be_empty):
            return field
        box = format_html(
            '<label class="rs-remove"><input type="checkbox" name="{}-remove"> {}</label>', name, _("Remove")
        )
        return format_html("{}{}", field, box)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if f"{name}-remove" in data:
            return ""
        return data.get(name) or _KEEP

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False


class SecretWidget(_Kept, UnfoldAdminPasswordWidget):
    """A password."""


class LongSecretWidget(_Kept, UnfoldAdminTextareaWidget):
    """A key of several lines."""


class SecretFormField(forms.CharField):
    """Takes a secret for a `SecretField`; `keep` says what it is now."""

    def __init__(self, field: SecretField) -> None:
        self._sealed = ""
        attributes = {"autocomplete": "new-password"}
        widget = LongSecretWidget({"rows": 4}) if field.limit > _LONG else SecretWidget(attributes)
        super().__init__(
            label=field.verbose_name,
            help_text=field.help_text,
            required=not field.blank,
            strip=False,
            max_length=None,  # the model knows, and counts the secret rather than what it is sealed to
            widget=widget,
        )

    def keep(self, sealed: str) -> None:
        """The row has this secret now, as its column holds it."""
        self._sealed = sealed
        widget: Any = self.widget
        widget.is_set, widget.may_be_empty = bool(sealed), not self.required
        widget.is_required = False

    def clean(self, value: Any) -> Any:
        """The new secret, or the sealed one that stays; raises ValidationError."""
        if value is _KEEP:
            value = self._sealed
        return super().clean(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return data is not _KEEP
