"""First start of the Management Node: tables, the administrator, and something to call. Idempotent."""

from __future__ import annotations

import secrets
import socket

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction

from rostra import machine
from rostra.configuration import journal
from rostra.configuration.journal import Mark
from rostra.configuration.models import Conference, ConferenceAlias, GlobalSettings, SystemLocation, WorkerVM
from rostra.environment import Environment, Secret

NODE = "node1"
ADMINISTRATOR = "admin"


def prepare(environment: Environment) -> Secret | None:
    """Bring the database up to date and fill it once.

    Returns the administrator's password if this call generated one; it is not kept anywhere.
    """
    journal.remove_triggers()
    call_command("migrate", verbosity=0, interactive=False)
    journal.install()
    with transaction.atomic():
        GlobalSettings.objects.get_or_create(pk=1, defaults={"enable_sip_udp": True})
        _, first = Mark.objects.get_or_create(name="seeded", defaults={"value": "1"})
        if first:
            _seed()
        return _administrator(environment)


def _administrator(environment: Environment) -> Secret | None:
    if User.objects.exists():
        return None
    generated = Secret(secrets.token_urlsafe(12))
    User.objects.create_superuser(username=ADMINISTRATOR, password=str(environment.admin_password or generated))
    return None if environment.admin_password else generated


def _seed() -> None:
    location = SystemLocation.objects.create(name="Default", description="Made at the first start")
    address = machine.primary_address()
    WorkerVM.objects.create(
        name=NODE,
        description="The Conferencing Node of this machine",
        hostname=(socket.gethostname().partition(".")[0] or "node1")[:63].lower(),
        domain="local",
        address=address,
        netmask="255.255.255.0",
        gateway=address,
        password=secrets.token_urlsafe(12),
        system_location=location,
    )
    for name, kind, alias in (
        ("Demo", "conference", "meet.demo"),
        ("Test Call Service", "test_call", "test_call"),
    ):
        service = Conference.objects.create(name=name, service_type=kind)
        ConferenceAlias.objects.create(alias=alias, conference=service)
