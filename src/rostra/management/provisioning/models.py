"""How the latest run of each template went, and what is asked of the one that goes on."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

WAITING, CONNECTING, SYNCING, MAILING, SUCCEEDED, FAILED = (
    *("sync_waiting", "sync_initializing", "syncing", "sync_sending_emails"),
    *("sync_succeeded", "sync_failed"),
)
TITLES = {
    WAITING: "Waiting for another sync",
    CONNECTING: "Initializing sync: connecting to LDAP",
    SYNCING: "Syncing",
    MAILING: "Sending e-mails",
    SUCCEEDED: "Sync succeeded",
    FAILED: "Sync failed",
}
"""States of a run for people."""
GOING_ON = (WAITING, CONNECTING, SYNCING, MAILING)


def _count() -> models.IntegerField[int, int]:
    return models.IntegerField(default=0)


class SyncStatus(models.Model):
    """The latest run of a template, or the one that goes on (DIAG-070)."""

    configuration_id = models.BigIntegerField(unique=True)
    """Key of the template."""
    sync_status = models.CharField(max_length=30, default=WAITING)
    sync_progress = models.IntegerField(default=0)
    """Percent."""
    vmrs_created = _count()
    vmrs_updated = _count()
    vmrs_deleted = _count()
    vmrs_unchanged = _count()
    devices_created = _count()
    devices_updated = _count()
    devices_deleted = _count()
    devices_unchanged = _count()
    end_users_created = _count()
    end_users_updated = _count()
    end_users_deleted = _count()
    end_users_unchanged = _count()
    emails_sent = _count()
    sync_errors = _count()
    """Warnings."""
    sync_last_error_description = models.TextField(default="", blank=True)
    last_updated = models.DateTimeField(auto_now=True)
    last_automatic = models.DateTimeField(null=True)
    """When the daily schedule last began a run."""

    class Meta:
        verbose_name = "LDAP sync status"
        ordering: ClassVar = ["configuration_id"]

    def __str__(self) -> str:
        return TITLES[self.sync_status]

    @property
    def goes_on(self) -> bool:
        return self.sync_status in GOING_ON
