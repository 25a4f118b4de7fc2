"""Short ways to declare the field types that configuration resources are made of."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models

from rostra.configuration.secretfield import SecretField

Options = list[tuple[str, str]]


def text(label: str, limit: int, help_text: str, *, default: str | None = "", **more: Any) -> models.CharField:
    """A string of at most `limit` characters; `default=None` makes it required."""
    if default is not None:
        more = {"blank": True, "default": default, **more}
    return models.CharField(label, max_length=limit, help_text=help_text, **more)


def whole(
    label: str, low: int, high: int, help_text: str, *, default: int | None = None, optional: bool = False, **more: Any
) -> models.IntegerField:
    """An integer within `low`-`high`; `optional` allows none. Without either it is required."""
    limits = [MinValueValidator(low), MaxValueValidator(high)]
    if optional:
        more = {"null": True, "blank": True, **more}
    if optional or default is not None:
        more = {"default": default, **more}
    return models.IntegerField(label, validators=limits, help_text=help_text, **more)


def flag(label: str, help_text: str, *, default: bool, **more: Any) -> models.BooleanField:
    """Yes or no."""
    return models.BooleanField(label, default=default, help_text=help_text, **more)


def choice(
    label: str, options: Options, help_text: str, *, default: str | None, optional: bool = False, **more: Any
) -> models.CharField:
    """One of `options` (value, label); `optional` allows none, which means inherited. Without either it is required."""
    if optional:
        more = {"null": True, "blank": True, **more}
    if optional or default is not None:
        more = {"default": default, **more}
    return models.CharField(
        label,
        max_length=max(50, *(len(value) for value, _ in options)),
        choices=options,
        help_text=help_text,
        **more,
    )


def ip_address(label: str, help_text: str, *, optional: bool = False, protocol: str = "IPv4", **more: Any) -> Any:
    """An IP address of one protocol."""
    if optional:
        more = {"null": True, "blank": True, **more}
    return models.GenericIPAddressField(label, protocol=protocol, help_text=help_text, **more)


def reference(label: str, target: str, help_text: str, *, optional: bool = True, **more: Any) -> models.ForeignKey:
    """A relation to another resource. Optional ones are emptied when their target is deleted."""
    if optional:
        more = {"null": True, "blank": True, "on_delete": models.SET_NULL, **more}
    return models.ForeignKey(target, verbose_name=label, help_text=help_text, **more)


def created() -> models.DateTimeField:
    """When the row was made; set by the server."""
    return models.DateTimeField("Creation time", auto_now_add=True, help_text="When this was created, in UTC.")


def secret(label: str, limit: int, help_text: str, *, default: str | None = "", **more: Any) -> SecretField:
    """A secret of at most `limit` characters, kept sealed; `default=None` makes it required."""
    if default is not None:
        more = {"blank": True, "default": default, **more}
    return SecretField(label, limit=limit, help_text=help_text, **more)


def paragraph(label: str, limit: int, help_text: str, *, default: str | None = "", **more: Any) -> models.TextField:
    """Text of several lines, at most `limit` characters; `default=None` makes it required."""
    if default is not None:
        more = {"blank": True, "default": default, **more}
    checks = [MaxLengthValidator(limit), *more.pop("validators", ())]
    return models.TextField(label, validators=checks, help_text=help_text, **more)


def several(label: str, target: str, help_text: str, **more: Any) -> models.ManyToManyField:
    """Any number of other resources."""
    more = {"blank": True, **more}
    return models.ManyToManyField(target, verbose_name=label, help_text=help_text, **more)


class UploadField(models.ForeignKey):
    """A file of the configuration. On the wire a part of a multipart body; never read back."""

    def __init__(self, *arguments: Any, check: str = "", **more: Any) -> None:
        self.check_upload = check
        """Dotted name of a function that takes the uploaded file (binary, seekable) and raises ValidationError."""
        super().__init__(*arguments, **more)


def upload(label: str, help_text: str, *, check: str, optional: bool = True) -> UploadField:
    """A file that `check` (dotted name, on the Management Node) lets pass."""
    more: dict[str, Any] = {"null": True, "blank": True} if optional else {}
    return UploadField(
        "configuration.StoredFile",
        verbose_name=label,
        help_text=help_text,
        on_delete=models.PROTECT,
        related_name="+",
        check=check,
        **more,
    )


class KnownListField(models.JSONField):
    """Some of a list of known values, each kept as an object with one member. Stored as any JSON is."""

    def __init__(
        self,
        *arguments: Any,
        known: Options | None = None,
        member: str = "value",
        offered: tuple[str, str] = ("", ""),
        **more: Any,
    ) -> None:
        self.known = known or []
        """Values, and their labels."""
        self.member = member
        """Name of the one member."""
        self.offered = offered
        """Label and help of a form in which those are chosen that are NOT in the list; empty: those that are."""
        super().__init__(*arguments, **more)

    def deconstruct(self) -> Any:
        """In migrations it is what it is stored as."""
        name, _path, arguments, more = super().deconstruct()
        return name, "django.db.models.JSONField", arguments, more
