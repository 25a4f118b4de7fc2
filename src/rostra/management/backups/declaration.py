"""Backups as a resource of the configuration API: listed, downloaded and deleted there, made by a command."""

from __future__ import annotations

from django.db.models.signals import post_delete

from rostra.configuration.resources import Resource, register
from rostra.management.backups import keeping
from rostra.management.backups.models import SystemBackup


def declare() -> None:
    """Once, when Django has loaded the models."""
    register.add(
        Resource(
            model=SystemBackup,
            name="system_backup",
            section="Utilities",
            icon="backup",
            summary="Backups of the configuration that are kept on the Management Node.",
            key="filename",
            list_methods=("get",),
            detail_methods=("get", "delete"),
            replicated=False,
            page=False,
            columns=("filename", "date", "version", "size", "type"),
            search=("filename",),
        )
    )
    post_delete.connect(keeping.forget_file, sender=SystemBackup, dispatch_uid="backup file")
