"""What Django tells of sessions, for the administrator log (DIAG-146)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_out

from rostra.management.audit import noting


def connect() -> None:
    """Idempotent."""
    user_logged_out.connect(_left, dispatch_uid="accounts: log out")


def _left(user: Any = None, **_: Any) -> None:
    if user is not None:
        noting.note_person("User logged out", user.get_username())
