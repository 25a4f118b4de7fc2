"""Files that administrators upload into the configuration: checked, kept, and forgotten with their owner."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from rostra.configuration.fields import UploadField
from rostra.configuration.models import StoredFile
from rostra.configuration.resources import Register


def keep(field: UploadField, file: Any) -> StoredFile:
    """Check an uploaded file as `field` wants it, and keep it. Call in a transaction. Raises ValidationError."""
    if not isinstance(file, UploadedFile):
        raise ValidationError(gettext("Send a file as multipart/form-data."))
    import_string(field.check_upload)(file)
    file.seek(0)
    return StoredFile.store(file.name or field.name, file.chunks())


def follow(register: Register) -> None:
    """From now on let files go when nothing refers to them any more."""
    for resource in register:
        if resource.uploads:
            post_save.connect(_forget_unused, sender=resource.model, dispatch_uid=f"uploads {resource.name}")
            post_delete.connect(_forget_unused, sender=resource.model, dispatch_uid=f"uploads {resource.name} gone")


def _forget_unused(sender: type[models.Model], **_: Any) -> None:
    """Once it is certain; until then others may want to know what was there before."""
    transaction.on_commit(_forget)


def _forget() -> None:
    """Files are few, and so are such changes: compare what is kept with what is used."""
    from rostra.configuration import orm
    from rostra.configuration.resources import register

    used: set[int] = set()
    for resource in register:
        for field in resource.uploads:
            used |= set(orm.rows(resource.model).exclude(**{field.name: None}).values_list(field.attname, flat=True))
    StoredFile.objects.exclude(pk__in=used).delete()
