"""First start of the Management Node: tables, the administrator, and something to call. Idempotent."""

from __future__ import annotations

import secrets
import time

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from rostra import machine
from rostra.configuration import journal
from rostra.configuration.journal import Mark
from rostra.configuration.models import Conference, ConferenceAlias, GlobalSettings, SystemLocation, WorkerVM
from rostra.environment import Environment, EnvironmentProblem, Secret
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

    Returns the administrator's password if this call generated one; it is not kept anywhere. Raises
    EnvironmentProblem for a database of another version that this one cannot bring up to date.
    """
    _refuse_foreign()
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


def _refuse_foreign() -> None:
    """A database that knows steps we do not know is of a later version, or of one from before the first release."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    unknown = sorted(applied - set(MigrationLoader(None).disk_migrations))
    if unknown:
        step = ".".join(unknown[0])
        raise EnvironmentProblem(
            f"The database was made by another version of Rostra (it has {step}). Start that version, restore a "
            "backup made with this one, or give an empty ROSTRA_HOME or ROSTRA_DATABASE_URL."
        )


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
