"""First start of the Management Node: tables, the administrator, and something to call. Idempotent."""

from __future__ import annotations

import secrets
import time

from django.core.management import call_command
from django.db import connection, transaction

from rostra import machine
from rostra.configuration import journal
from rostra.configuration.journal import Mark
from rostra.configuration.models import Conference, ConferenceAlias, GlobalSettings, SystemLocation, WorkerVM
from rostra.environment import Environment, Secret
from rostra.management import enrolment, shipped
from rostra.management.accounts import seeding as accounts
from rostra.management.accounts.models import Account
from rostra.management.backups import keeping, restoring
from rostra.management.seeding import identity_of, seed_system
from rostra.management.upgrades import running as upgrades

NODE = "node1"
NODE_KEY = 1
"""Id of the Conferencing Node beside the Management Node: the first row of its table."""
ADMINISTRATOR = "admin"


def prepare(environment: Environment, *, with_node: bool = True) -> Secret | None:
    """Bring the database up to date and fill it once; `with_node`: a Conferencing Node runs on this machine too.

    Returns the administrator's password if this call generated one; it is not kept anywhere.
    """
    journal.remove_triggers()
    call_command("migrate", verbosity=0, interactive=False)
    restoring.finish(environment)
    journal.install()
    with transaction.atomic():
        GlobalSettings.objects.get_or_create(pk=1, defaults={"enable_sip_udp": True})
        _, first = Mark.objects.get_or_create(name="seeded", defaults={"value": "1"})
        if first:
            _seed()
            if with_node:
                _seed_node(environment.own_address)
        elif with_node:
            _follow_move(environment.own_address)
        shipped.seed()
        accounts.seed(first=first)
        seed_system(environment)
        enrolment.join(environment)
        keeping.synchronise()
        upgrades.recover(time.time())
        return _administrator(environment)


def _administrator(environment: Environment) -> Secret | None:
    if Account.objects.exists():
        return None
    generated = Secret(secrets.token_urlsafe(12))
    Account.objects.create_superuser(username=ADMINISTRATOR, password=str(environment.admin_password or generated))
    return None if environment.admin_password else generated


def _seed() -> None:
    SystemLocation.objects.create(name="Default", description="Made at the first start")
    for name, kind, alias in (
        ("Demo", "conference", "meet.demo"),
        ("Test Call Service", "test_call", "test_call"),
    ):
        service = Conference.objects.create(name=name, service_type=kind)
        ConferenceAlias.objects.create(alias=alias, conference=service)


def _seed_node(address: str) -> None:
    WorkerVM.objects.create(
        pk=NODE_KEY,
        name=NODE,
        description="The Conferencing Node of this machine",
        **identity_of(address),
        password=secrets.token_urlsafe(12),
        system_location=SystemLocation.objects.get(name="Default"),
    )
    if connection.vendor == "postgresql":  # its counter has not noticed
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence('configuration_workervm', 'id'), %s)", [NODE_KEY])


def _follow_move(address: str) -> None:
    """The machine may have another address than at its last start."""
    node = WorkerVM.objects.filter(pk=NODE_KEY).first()
    if node is not None and not machine.has_address(node.address):
        node.address = address
        node.save(update_fields=["address"])
