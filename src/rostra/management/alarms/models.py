"""The table of alarms: those that are up, and those that were."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Alarm(models.Model):
    """Something that is wrong, or was. Without `time_lowered` it is up; there is one such row for each cause."""

    name = models.CharField(max_length=100)
    """Of its kind; see `catalogue`."""
    identifier = models.IntegerField()
    level = models.CharField(max_length=20)
    node = models.CharField(max_length=100, default="", blank=True)
    """IP address of the node it concerns."""
    instance = models.CharField(max_length=250, default="", blank=True)
    """Tells alarms of one kind apart."""
    details = models.TextField(default="", blank=True)
    time_raised = models.DateTimeField(db_index=True)
    time_lowered = models.DateTimeField(null=True, db_index=True)
    acknowledged = models.BooleanField(default=False)
    acknowledged_by = models.CharField(max_length=150, default="", blank=True)
    source = models.CharField(max_length=130, default="", blank=True)
    """Run of the node that raised it (`node:boot`); empty: the Management Node did."""

    class Meta:
        verbose_name = "alarm"
        ordering: ClassVar = ["-time_raised"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "node", "instance"],
                condition=models.Q(time_lowered=None),
                name="alarm_up_once",
            )
        ]

    def __str__(self) -> str:
        return self.name
