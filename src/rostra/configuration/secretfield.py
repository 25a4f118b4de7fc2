"""The model field of secrets."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from rostra.configuration import orm, sealing
from rostra.configuration.translating import gettext


class SecretField(models.TextField):
    """Text that is kept sealed. Rows hold the sealed form, also in memory once saved; `reveal` gives the secret."""

    def __init__(self, *arguments: Any, limit: int = 100, sent_to: Sequence[str] = (), **more: Any) -> None:
        self.limit = limit
        """Most characters of the secret itself."""
        self.sent_to = tuple(sent_to)
        """Fields with the addresses it is sent to: who changes one has to know it."""
        super().__init__(*arguments, **more)

    def deconstruct(self) -> Any:
        name, path, arguments, more = super().deconstruct()
        return name, path, arguments, {**more, "limit": self.limit}

    @property
    def place(self) -> str:
        """What values are bound to: `table.column`."""
        return f"{orm.meta(self.model).db_table}.{self.column}"

    def validate(self, value: Any, model_instance: Any) -> None:
        super().validate(value, model_instance)
        text = str(value or "")
        if self.sent_to and sealing.is_sealed(text):
            self._check_stays(text, model_instance)

    def _check_stays(self, sealed: str, row: models.Model) -> None:
        """Raises ValidationError for a secret that would follow to where it was not sent before: whoever may change
        an address, or copies the sealed form from another object, would have it told to himself.
        """
        names = (self.attname, *self.sent_to)
        before = orm.rows(type(row)).filter(pk=row.pk).values_list(*names).first() if row.pk else None
        if before is None or before[0] != sealed:
            raise ValidationError(
                gettext("This encrypted form is of another object; enter the secret itself."), code="sealed"
            )
        known = {_place(address) for address in before[1:]}
        for name in self.sent_to:
            address = _place(getattr(row, name))
            if address and address not in known:
                label = str(orm.meta(row).get_field(name).verbose_name)
                raise ValidationError(
                    gettext("Enter it again: it would be sent elsewhere, as %(field)s has changed.") % {"field": label},
                    code="readdressed",
                )

    def run_validators(self, value: Any) -> None:
        super().run_validators(value)
        text = str(value or "")
        if not sealing.is_sealed(text):
            return MaxLengthValidator(self.limit)(text)
        try:
            sealing.unseal(self.place, text)
        except sealing.Locked:
            raise ValidationError(
                gettext("This encrypted form is of another field or platform; enter the secret itself."), code="sealed"
            ) from None

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None or sealing.is_sealed(value) else sealing.seal(self.place, value)


def _place(address: Any) -> str:
    """The server that an address or URL leads to."""
    text = str(address or "").strip().lower()
    if "://" not in text:
        return text
    parts = urllib.parse.urlsplit(text)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def reveal(row: models.Model, name: str) -> str:
    """The secret in field `name` of `row`; empty for none. Raises sealing.Locked."""
    field = orm.meta(row).get_field(name)
    value = getattr(row, name) or ""
    return sealing.unseal(field.place, value) if sealing.is_sealed(value) else value
