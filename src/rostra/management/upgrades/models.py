"""Uploaded bundles, and upgrades of the platform with the place of every node in them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from rostra.management.upgrades.deciding import Item, Status

UPLOADING, READY, STARTED = "uploading", "ready", "started"
"""States of a request; one that is not wanted any more is deleted."""

MANAGEMENT = 0
"""Stands for the Management Node where others have the number of their configuration."""


class UpgradeRequest(models.Model):
    """A bundle that is being uploaded, or was."""

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created = models.DateTimeField(auto_now_add=True)
    total_size = models.BigIntegerField()
    """Bytes to come in all."""
    state = models.CharField(max_length=20, default=UPLOADING)
    version = models.CharField(max_length=50, default="")
    build = models.CharField(max_length=50, default="")
    build_date = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created"]


class Upgrade(models.Model):
    """An upgrade of the whole platform; the newest one is the current one until it ended."""

    request = models.ForeignKey(UpgradeRequest, models.PROTECT)
    version = models.CharField(max_length=50)
    build = models.CharField(max_length=50)
    started = models.FloatField()
    """Unix time, as everywhere in `deciding`."""
    ended = models.FloatField(null=True)
    reason = models.TextField(default="")
    """Why it ended before all was done."""
    token = models.CharField(max_length=64)
    """By which nodes fetch the bundle."""

    class Meta:
        ordering: ClassVar = ["-id"]

    @property
    def wanted(self) -> tuple[str, str]:
        return self.version, self.build


class UpgradeItem(models.Model):
    """One machine of an upgrade."""

    upgrade = models.ForeignKey(Upgrade, models.CASCADE, related_name="items")
    node = models.BigIntegerField()
    status = models.CharField(max_length=60, default=Status.PENDING.value)
    since = models.FloatField()
    order = models.IntegerField()
    failures = models.IntegerField(default=0)
    reason = models.TextField(default="")
    done = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [models.UniqueConstraint("upgrade", "node", name="upgrade_node")]

    @property
    def item(self) -> Item:
        """As `deciding` sees it."""
        return Item(self.node, Status(self.status), self.since, self.order, self.failures, self.reason, self.done)

    def take(self, item: Item) -> None:
        """Keep what `deciding` made of it."""
        self.status, self.since, self.order = item.status, item.since, item.order
        self.failures, self.reason, self.done = item.failures, item.reason, item.done
        self.save()
