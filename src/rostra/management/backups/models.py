"""The list of backup files, so that they are found, filtered and deleted like everything else."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class SystemBackup(models.Model):
    """A backup file on the Management Node's disk. The file is what counts; the row follows it."""

    filename = models.CharField(
        "Filename", max_length=255, unique=True, editable=False, help_text="Name of the file; addresses it."
    )
    date = models.DateTimeField("Date", null=True, editable=False, help_text="When the backup was made, in UTC.")
    version = models.CharField("Version", max_length=50, editable=False, help_text="Software that made it.")
    build = models.CharField("Build", max_length=50, editable=False, help_text="Build of that software.")
    size = models.BigIntegerField("Size", editable=False, help_text="Size of the file in bytes.")
    type = models.CharField("Type", max_length=10, editable=False, help_text="Made by hand, or automatically.")
    sha256sum = models.CharField("SHA-256", max_length=64, editable=False, help_text="Checksum of the file.")

    class Meta:
        verbose_name = "Backup"
        ordering: ClassVar = ["-date", "filename"]

    def __str__(self) -> str:
        return self.filename
