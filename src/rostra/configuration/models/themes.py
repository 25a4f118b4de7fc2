"""Themes: what participants see and hear from the platform itself (sheet 06)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from rostra.configuration import validators
from rostra.configuration.fields import text, upload


def new_uuid() -> str:
    """Identity of a new object."""
    return str(uuid.uuid4())


def identity(label: str, help_text: str, *, editable: bool) -> models.CharField:
    """What an object is known by for ever; made up unless it is given (`editable`)."""
    return models.CharField(
        label,
        max_length=50,
        default=new_uuid,
        unique=True,
        editable=editable,
        validators=[validators.slug],
        help_text=help_text,
    )


def uploaded() -> models.DateTimeField:
    """When the file came; set by the server."""
    return models.DateTimeField(
        "Last updated", default=timezone.now, editable=False, help_text="When its files last changed, in UTC."
    )


class Packaged(models.Model):
    """Something made of an uploaded package; notes when that changes."""

    _package: ClassVar[str]

    class Meta:
        abstract = True

    def save(self, *arguments: Any, **more: Any) -> None:
        same = {f"{self._package}_id": getattr(self, f"{self._package}_id")}
        if self.pk is not None and not type(self).objects.filter(pk=self.pk, **same).exists():
            self.last_updated = timezone.now()
        super().save(*arguments, **more)


class IvrTheme(Packaged):
    """A theme; one without a package has no files, unless it is one that comes with the program."""

    _package = "package"

    name = text("Name", 250, "A name no other theme has.", default=None, unique=True)
    package = upload(
        "Theme",
        "A ZIP file of sounds, images and themeconfig.json. It replaces all files of the theme.",
        check="rostra.management.packages.check_theme",
    )
    uuid = identity("Identity", "What the theme is known by.", editable=False)
    last_updated = uploaded()
    custom_layouts = text("Custom layouts", 1000, "Layouts found in the package.", editable=False)
    pinning_configs = text("Pinning configurations", 1000, "Found in the package.", editable=False)

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - that of an abstract model is no base
        verbose_name = "Theme"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name
