"""Answers become configuration. Repeated, it changes only what is answered (SYS-088, NODE-122)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils.translation import gettext

from rostra import machine
from rostra.configuration import orm
from rostra.configuration.journal import Mark
from rostra.configuration.models import DnsServer, GlobalSettings, ManagementVM, NtpServer, SystemLocation
from rostra.environment import Environment
from rostra.management.setup import identity
from rostra.management.setup.answers import Answers, Invalid

DONE = "setup"
"""Mark: the platform was set up, by the command or in the site."""


def present(environment: Environment) -> dict[str, Any]:
    """What is configured now, by question; what is offered as the default when it is run again."""
    manager = ManagementVM.objects.get(pk=1)
    settings = GlobalSettings.objects.get(pk=1)
    administrator = get_user_model().objects.filter(is_superuser=True).order_by("pk").first()
    return {
        "address": environment.own_address,
        "netmask": manager.netmask,
        "gateway": manager.gateway,
        "hostname": manager.hostname,
        "domain": manager.domain,
        "dns_servers": list(manager.dns_servers.values_list("address", flat=True)),
        "ntp_servers": list(manager.ntp_servers.values_list("address", flat=True)),
        "username": administrator.get_username() if administrator else "admin",
        "incident_reporting": settings.error_reporting_enabled,
        "usage_statistics": settings.enable_analytics,
    }


def apply(environment: Environment, answers: Answers, *, first: bool, last: bool = True) -> list[str]:
    """Carry the answers out, all or none; returns the questions whose answers changed something.

    `first`: nobody has configured anything yet; `last`: with this the platform is set up. Raises Invalid.
    """
    check(answers)
    before = present(environment)
    with transaction.atomic():
        _identity(answers)
        _servers(DnsServer, "dns_servers", answers.dns_servers, first=first)
        _servers(NtpServer, "ntp_servers", answers.ntp_servers, first=first)
        renewed = _administrator(answers, first=first)
        _reporting(answers)
        if last:
            finished()
        identity.keep(environment, {name: value for name, value in answers.given.items() if isinstance(value, str)})
    after = present(environment)
    changed = {name for name in answers.given if name != "password" and before[name] != after[name]}
    return [name for name in answers.given if name in changed or (name == "password" and renewed)]


def check(answers: Answers) -> None:
    """What can be said without the database. Raises Invalid."""
    if answers.address is not None and not machine.has_address(answers.address):
        raise Invalid(
            {"address": gettext("%(address)s is not an address of this machine.") % {"address": answers.address}}
        )
    if answers.password is not None:
        try:
            validate_password(answers.password)
        except ValidationError as problem:
            raise Invalid({"password": " ".join(problem.messages)}) from None


def is_prepared() -> bool:
    """Was there a first start? Before it the database has no tables."""
    tables = connection.introspection.table_names()
    return orm.meta(Mark).db_table in tables and Mark.objects.filter(name="seeded").exists()


def finished() -> None:
    """The first steps in the site are not needed (any more)."""
    Mark.objects.update_or_create(name=DONE, defaults={"value": "done"})


def is_finished() -> bool:
    """Were the first steps done or skipped?"""
    return Mark.objects.filter(name=DONE).exists()


def _identity(answers: Answers) -> None:
    manager = ManagementVM.objects.get(pk=1)
    was = f"{manager.hostname}.{manager.domain}"[:32]
    for name in ("address", *identity.NAMES):
        value = getattr(answers, name)
        if value is not None:
            setattr(manager, name, value)
    if manager.name == was:  # nobody gave it another name (SYS-091)
        manager.name = f"{manager.hostname}.{manager.domain}"[:32]
    manager.save()


def _servers(model: Any, relation: str, addresses: list[str] | None, *, first: bool) -> None:
    """The Management Node takes these, and so does every location that had the same as it."""
    if addresses is None:
        return
    rows = [model.objects.get_or_create(address=address)[0] for address in dict.fromkeys(addresses)]
    manager = getattr(ManagementVM.objects.get(pk=1), relation)
    before = set(manager.values_list("pk", flat=True))
    manager.set(rows)
    for location in SystemLocation.objects.all():
        own = getattr(location, relation)
        if set(own.values_list("pk", flat=True)) == before:
            own.set(rows)
    if first:  # those we offered from the start and nobody wanted
        _delete_unused(model.objects.exclude(pk__in=[row.pk for row in rows]))


def _delete_unused(rows: Any) -> None:
    for row in rows:
        try:
            with transaction.atomic():
                row.delete()
        except (models.ProtectedError, models.RestrictedError):
            continue  # something else uses it


def _administrator(answers: Answers, *, first: bool) -> bool:
    """Give the administrator the password, and at first the name; returns whether the password was set."""
    accounts: Any = get_user_model().objects
    usual: Any = accounts.filter(is_superuser=True).order_by("pk").first()
    if answers.username is not None and usual is not None and usual.get_username() != answers.username:
        wanted = accounts.filter(username=answers.username, is_superuser=True).first()
        if wanted is None and not first:
            raise Invalid({"username": gettext("The username of the administrator cannot be changed.")})
        if wanted is None:
            usual.username = answers.username
            usual.save(update_fields=["username"])
        usual = wanted or usual
    if answers.password is None or usual is None:
        return False
    usual.set_password(answers.password)
    usual.is_active = True
    usual.save()
    return True


def _reporting(answers: Answers) -> None:
    settings = GlobalSettings.objects.get(pk=1)
    if answers.incident_reporting is not None:
        settings.error_reporting_enabled = answers.incident_reporting
    if answers.usage_statistics is not None:
        settings.enable_analytics = answers.usage_statistics
    settings.save()
