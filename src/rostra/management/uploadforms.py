"""Files in forms of the site."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget

from rostra.configuration.fields import UploadField
from rostra.configuration.models import StoredFile
from rostra.management import uploads


class UploadFormField(forms.FileField):
    """Takes a file for an `UploadField`; without a new one the old one stays. The file is kept once it is checked;
    if the rest of the form is refused it goes with the next change.
    """

    def __init__(self, field: UploadField) -> None:
        self._field = field
        super().__init__(
            label=field.verbose_name,
            help_text=field.help_text,
            required=not field.blank,
            widget=UnfoldAdminFileFieldWidget(),
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The file as the model refers to it; raises ValidationError."""
        file = super().clean(data, initial)
        if file is initial:
            return None if initial is None else StoredFile.objects.get(pk=initial)
        return uploads.keep(self._field, file) if file else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return data is not None
