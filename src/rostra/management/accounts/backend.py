"""Who is it? Accounts by name and password, from the local database and the directory (SYS-048...SYS-052)."""

from __future__ import annotations

import dataclasses
from typing import Any

import structlog
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from rostra.management.accounts.ldap import directory
from rostra.management.accounts.ldap.directory import Person
from rostra.management.accounts.models import Account, AuthenticationSettings

logger = structlog.get_logger("rostra.management.accounts")

_LONGEST = 4096
"""Characters of a password we look at."""
_LONGEST_NAME = 150
"""Characters of a name: no account has a longer one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a name and a password."""

    account: Account | None = None
    unavailable: bool = False
    """The directory should have been asked, but could not be."""


def verify(name: str, password: str) -> Verdict:
    """A local account of that name is tried first; if that is not it, the directory (open point 11)."""
    if not 0 < len(name) <= _LONGEST_NAME or not 0 < len(password) <= _LONGEST or "\0" in name + password:
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


def vouched(name: str) -> Verdict:
    """The account of somebody whose name is proved already: a local one of exactly that name, or of the directory."""
    if not 0 < len(name) <= _LONGEST_NAME or "\0" in name:
        return Verdict()
    settings = AuthenticationSettings.objects.filter(pk=1).first() or AuthenticationSettings()
    if AuthenticationSettings.LOCAL in settings.source.split("+"):
        account = Account.objects.filter(username=name, directory=False).first()
        if account is not None and account.may_sign_in:
            return Verdict(account)
    if not settings.uses_ldap:
        return Verdict()
    try:
        return Verdict(_from_directory(settings, name, None))
    except directory.Unavailable as problem:
        logger.warning("The directory cannot be asked", reasons=str(problem))
        return Verdict(unavailable=True)


def _local(name: str, password: str) -> Account | None:
    account = Account.objects.filter(username=name, directory=False).first()
    if account is None:
        make_password(password)  # takes as long as the other way, so that time does not tell who exists
        return None
    return account if account.check_password(password) and account.may_sign_in else None


def _from_directory(settings: AuthenticationSettings, name: str, password: str | None) -> Account | None:
    """`password` is None where who it is has been proved."""
    with directory.connected(settings) as opened:
        try:
            person = opened.person(name)
        except directory.NotFound as problem:
            logger.info("Not found in the directory", username=name, reason=str(problem))
            return None
        if person.is_closed if password is None else not opened.is_password(person, name, password):
            return None
        groups = opened.groups(person)
    account = _remember(person, name, groups)
    if not account.permissions:
        logger.warning("In the directory, but without a role that lets in", username=name, dn=person.dn, groups=groups)
        return None
    return account if account.may_sign_in else None


def _remember(person: Person, entered: str, groups: list[str]) -> Account:
    """The account that stands for somebody of the directory: one, whichever of his names he entered."""
    try:
        with transaction.atomic():
            account = _row_of(person, entered)
            account.groups = groups
            if account.pk is None:
                account.save()
            else:  # nothing that an administrator may be changing right now
                rows = Account.objects.filter(pk=account.pk)
                rows.update(groups=groups, identity=account.identity, password=account.password)
    except IntegrityError:  # he signed in twice at once
        Account.objects.filter(identity=person.identity).update(groups=groups)
    return Account.objects.get(identity=person.identity)


def _row_of(person: Person, entered: str) -> Account:
    """His account, new or not. A name that another entry had takes its account over, and ends the sessions of that:
    while the directory finds one person by what was entered, nobody else in it is called so.
    """
    there = Account.objects.filter(directory=True)
    known = there.filter(identity=person.identity).first()
    if known is not None:
        return known
    own = person.uid if 0 < len(person.uid) <= _LONGEST_NAME else entered
    holder = there.filter(username=own).first()
    if holder is not None and holder.identity and own != entered:  # two people with one uid, in two domains
        own, holder = entered, there.filter(username=entered).first()
    account = holder or Account(username=own, directory=True)
    if holder is None or holder.identity:
        account.set_unusable_password()
    account.identity = person.identity
    return account


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
