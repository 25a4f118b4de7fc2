"""The table of the administrator log."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AdministratorLog(models.Model):
    """One entry. What did not happen to an object of the configuration has neither resource nor changes."""

    time = models.DateTimeField(db_index=True)
    level = models.CharField(max_length=8, default="INFO")
    name = models.CharField(max_length=100)
    """Dotted module, for example `administrator.configuration`."""
    message = models.TextField()
    user = models.CharField(max_length=255, default="", blank=True)
    """Empty: the platform itself."""
    address = models.CharField(max_length=64, default="", blank=True)
    """IP address the user came from."""
    port = models.IntegerField(null=True)
    way = models.CharField(max_length=20, default="", blank=True)
    """`site`, `API`, `CSV`, `command line` or `platform`."""
    resource = models.CharField(max_length=100, default="", blank=True)
    """Name of the resource on the wire."""
    object_id = models.CharField(max_length=100, default="", blank=True)
    object_name = models.CharField(max_length=250, default="", blank=True)
    changes = models.JSONField(default=list)
    """A `values.Change` for each field."""
    line = models.TextField()
    """The entry as one line of a log file."""

    class Meta:
        verbose_name = "administrator log entry"
        verbose_name_plural = "administrator log entries"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["resource", "object_id"], name="audit_object"),
            models.Index(fields=["user", "time"], name="audit_user"),
        ]

    def __str__(self) -> str:
        return self.line

    @property
    def details(self) -> str:
        """What the line says after the message."""
        return self.line.partition(' Message="')[2].partition('" ')[2]
