"""Who is it? Accounts by name and password, from the local database and the directory (SYS-048...SYS-052)."""

from __future__ import annotations

import dataclasses
from typing import Any

import structlog
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from rostra.management.accounts.ldap import directory
from rostra.management.accounts.models import Account, AuthenticationSettings

logger = structlog.get_logger("rostra.management.accounts")

_LONGEST = 4096
"""Characters of a password we look at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a name and a password."""

    account: Account | None = None
    unavailable: bool = False
    """The directory should have been asked, but could not be."""


def verify(name: str, password: str) -> Verdict:
    """A local account of that name is tried first; if that is not it, the directory (open point 11)."""
    if not name or not password or len(password) > _LONGEST or "\0" in name + password:
        return Verdict()
    settings = AuthenticationSettings.objects.filter(pk=1).first() or AuthenticationSettings()
    if AuthenticationSettings.LOCAL in settings.source.split("+"):
        account = _local(name, password)
        if account is not None:
            return Verdict(account)
    if not settings.uses_ldap:
        return Verdict()
    try:
        return Verdict(_from_directory(settings, name, password))
    except directory.Unavailable as problem:
        logger.warning("The directory cannot be asked", reasons=str(problem))
        return Verdict(unavailable=True)


def _local(name: str, password: str) -> Account | None:
    account = Account.objects.filter(username=name, directory=False).first()
    if account is None:
        make_password(password)  # takes as long as the other way, so that time does not tell who exists
        return None
    return account if account.check_password(password) and account.may_sign_in else None


def _from_directory(settings: AuthenticationSettings, name: str, password: str) -> Account | None:
    with directory.connected(settings) as opened:
        try:
            person = opened.person(name)
        except directory.NotFound as problem:
            logger.info("Not found in the directory", username=name, reason=str(problem))
            return None
        if not opened.is_password(person, name, password):
            return None
        groups = opened.groups(person)
    account = _remember(name, groups)
    if not account.permissions:
        logger.warning("In the directory, but without a role that lets in", username=name, dn=person.dn, groups=groups)
        return None
    return account if account.may_sign_in else None


def _remember(name: str, groups: list[str]) -> Account:
    """The row that stands for somebody of the directory."""
    with transaction.atomic():
        found = Account.objects.filter(username=name, directory=True)
        if not found.exists():
            try:
                with transaction.atomic():
                    made = Account(username=name, directory=True, groups=groups)
                    made.set_unusable_password()
                    made.save()
            except IntegrityError:  # he signed in twice at once
                pass
        found.update(groups=groups)
    return found.get()


class Accounts:
    """Django's way to us."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_more: Any
    ) -> Account | None:
        return verify(username or "", password or "").account

    def get_user(self, user_id: int) -> Account | None:
        """The account of a session, if it may still sign in."""
        account = Account.objects.filter(pk=user_id).first()
        return account if account is not None and account.may_sign_in else None
