"""The newest attempts to sign in (sheet 07, login_history)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class LoginAttempt(models.Model):
    """Somebody gave a name and a password."""

    time = models.DateTimeField(auto_now_add=True, db_index=True)
    username = models.CharField(max_length=250)
    """As entered; nobody may be called so."""
    success = models.BooleanField()
    interface = models.CharField(max_length=10)
    """`web` or `api`."""
    remote_address = models.CharField(max_length=45, default="")
    remote_port = models.IntegerField(default=0)

    class Meta:
        verbose_name = "login attempt"
        ordering: ClassVar = ["-time", "-id"]
