"""Ways back in, for who has a shell on the Management Node (SYS-085...SYS-088)."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from rostra.management.accounts.models import Account, AuthenticationSettings
from rostra.management.audit import actor

SOURCES = {"LOCAL": AuthenticationSettings.LOCAL, "BOTH": AuthenticationSettings.BOTH}
"""What the command line calls the sources."""


def set_source(name: str) -> None:
    """Where accounts are looked for from now on (a name of SOURCES), whatever the state of the directory."""
    _change(source=SOURCES[name])


def no_client_certificates() -> None:
    """Sign in by password again."""
    _change(client_certificate="NO")


def set_password(username: str, password: str) -> bool:
    """Give a local account a new password and let it in; a missing one is made, as a full administrator.

    Returns whether it was there. Raises ValidationError for a password that is too simple.
    """
    with actor.by(way=actor.COMMAND_LINE), transaction.atomic():
        account = Account.objects.filter(username=username, directory=False).first()
        known = account is not None
        account = account or Account(username=username, is_superuser=True)
        validate_password(password, account)
        account.set_password(password)
        account.is_active = True
        account.save()
        return known


def _change(**values: str) -> None:
    with actor.by(way=actor.COMMAND_LINE), transaction.atomic():
        settings = AuthenticationSettings.objects.select_for_update().get(pk=1)
        for name, value in values.items():
            setattr(settings, name, value)
        settings.save(update_fields=list(values))
