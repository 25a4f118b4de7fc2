"""The model field of secrets."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models

from rostra.configuration import orm, sealing
from rostra.configuration.translating import gettext


class SecretField(models.TextField):
    """Text that is kept sealed. Rows hold the sealed form, also in memory once saved; `reveal` gives the secret."""

    def __init__(self, *arguments: Any, limit: int = 100, **more: Any) -> None:
        self.limit = limit
        """Most characters of the secret itself."""
        super().__init__(*arguments, **more)

    def deconstruct(self) -> Any:
        name, path, arguments, more = super().deconstruct()
        return name, path, arguments, {**more, "limit": self.limit}

    @property
    def place(self) -> str:
        """What values are bound to: `table.column`."""
        return f"{orm.meta(self.model).db_table}.{self.column}"

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


def reveal(row: models.Model, name: str) -> str:
    """The secret in field `name` of `row`; empty for none. Raises sealing.Locked."""
    field = orm.meta(row).get_field(name)
    value = getattr(row, name) or ""
    return sealing.unseal(field.place, value) if sealing.is_sealed(value) else value
