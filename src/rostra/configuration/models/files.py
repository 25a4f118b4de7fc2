"""Files that belong to the configuration (themes, branding): kept in the database, so that nodes get them with it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import ClassVar

from django.db import models

PART_BYTES = 192 * 1024
"""Bytes in a part; as text it stays below what a message between nodes carries."""


class StoredFile(models.Model):
    """A file; its content is in its parts."""

    name = models.CharField(max_length=255)
    """As it was uploaded, without a path."""
    size = models.BigIntegerField()
    """Bytes."""
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def chunks(self) -> Iterator[bytes]:
        """The content, part by part."""
        parts = StoredPart.objects.filter(file=self)
        for data in parts.order_by("position").values_list("data", flat=True).iterator(chunk_size=4):
            yield base64.b64decode(data)

    @classmethod
    def store(cls, name: str, chunks: Iterable[bytes]) -> StoredFile:
        """Keep a file; call in a transaction. Raises OSError when `chunks` does."""
        stored = cls.objects.create(name=name.replace("\\", "/").rpartition("/")[2][:255], size=0, sha256="")
        digest, size, position, held = hashlib.sha256(), 0, 0, bytearray()
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            held += chunk
            while len(held) >= PART_BYTES:
                position = stored._keep(position, held[:PART_BYTES])  # noqa: SLF001 - its own
                del held[:PART_BYTES]
        if held:
            stored._keep(position, held)  # noqa: SLF001 - its own
        stored.size, stored.sha256 = size, digest.hexdigest()
        stored.save()
        return stored

    def _keep(self, position: int, data: bytes | bytearray) -> int:
        StoredPart.objects.create(file=self, position=position, data=base64.b64encode(data).decode())
        return position + 1


class StoredPart(models.Model):
    """Some of a file's content, in base64."""

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="parts")
    position = models.IntegerField()
    data = models.TextField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint("file", "position", name="stored_part_position")]
