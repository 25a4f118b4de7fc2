"""Lists of known values in forms of the site: two lists, Available and Chosen, instead of JSON (SYS-003)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.utils.translation import gettext_lazy

from rostra.configuration.fields import KnownListField


class KnownListFormField(forms.MultipleChoiceField):
    """Takes what a `KnownListField` holds; the form chooses what is in the list, or what is not (`offered`)."""

    def __init__(self, field: KnownListField) -> None:
        label, help_text = field.offered
        self._field, self._rest = field, bool(label)
        title: Any = gettext_lazy(label) if label else field.verbose_name
        super().__init__(
            label=title,
            help_text=gettext_lazy(help_text) if label else field.help_text,
            required=False,
            choices=[(value, gettext_lazy(text)) for value, text in field.known],
            widget=FilteredSelectMultiple(title, is_stacked=False),
        )

    def _chosen(self, held: Any) -> list[str]:
        kept = {item.get(self._field.member) for item in held or ()}
        return [value for value, _label in self._field.known if (value in kept) is not self._rest]

    def prepare_value(self, value: Any) -> Any:
        """Values chosen, of what a row holds; what was posted stays as it is."""
        return self._chosen(value) if not value or isinstance(value[0], dict) else value

    def clean(self, value: Any) -> Any:
        """The list as a row holds it; raises ValidationError."""
        chosen = set(super().clean(value))
        return [
            {self._field.member: value} for value, _label in self._field.known if (value in chosen) is not self._rest
        ]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(self._chosen(initial)) != set(data or ())
