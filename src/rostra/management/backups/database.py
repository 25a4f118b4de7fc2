"""The database as lines of JSON, the same from every database engine, and back (pure SQL through Django).

A line is a row: its values in the order of the columns that the manifest names. Sealed secrets stay sealed; the
platform's key is elsewhere in the backup.
"""

from __future__ import annotations

import contextlib
import copy
import uuid
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import msgspec
from django.apps import apps
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction

from rostra.configuration import journal, orm
from rostra.configuration.journal import Change, Mark
from rostra.configuration.resources import register
from rostra.management.backups.contents import ends_with_restore, is_left_out

_BATCH = 500

Model = type[models.Model]


def tables() -> dict[str, Model]:
    """Every table of a backup by its name."""
    found = apps.get_models(include_auto_created=True)
    return {
        orm.meta(model).db_table: model
        for model in found
        if orm.meta(model).managed and not orm.meta(model).proxy and not is_left_out(model)
    }


def columns(model: Model) -> list[Any]:
    """Fields that are kept."""
    return [field for field in orm.meta(model).concrete_fields if not getattr(field, "generated", False)]


def layout() -> dict[str, list[str]]:
    """Columns of every table; two systems with the same can exchange rows."""
    return {name: [field.column for field in columns(model)] for name, model in tables().items()}


# ---- out


@contextlib.contextmanager
def snapshot() -> Generator[str]:
    """A connection on which the database stands still for the time of the block, while others go on writing."""
    alias = f"backup-{uuid.uuid4()}"
    settings: dict[str, Any] = copy.deepcopy(connections[DEFAULT_DB_ALIAS].settings_dict)
    options: dict[str, Any] = settings.setdefault("OPTIONS", {})
    if connection.vendor == "postgresql":
        from psycopg import IsolationLevel

        options["isolation_level"] = IsolationLevel.REPEATABLE_READ
    else:
        options["transaction_mode"] = "DEFERRED"
    connections.databases[alias] = settings
    connections.configure_settings(connections.databases)
    other = connections[alias]
    try:
        with transaction.atomic(using=alias):
            yield alias
    finally:
        other.close()
        del connections[alias]
        del connections.databases[alias]


def rows(model: Model, alias: str) -> Iterator[bytes]:
    """The rows of a table, a line each."""
    names = [field.attname for field in columns(model)]
    encode = msgspec.json.Encoder().encode
    for row in orm.rows(model).using(alias).order_by("pk").values_list(*names).iterator(chunk_size=_BATCH):
        yield encode(row) + b"\n"


# ---- in


class Damaged(Exception):
    """A line is not what its table holds."""


@contextlib.contextmanager
def replaced() -> Generator[None]:
    """Empty the database, to be filled within the block; call in a transaction.

    Nodes are told by a new epoch of the journal, which has no beginning in common with those before it, and load
    everything anew.
    """
    found = tables()
    with connection.cursor() as cursor:
        for name in register.tables:
            for trigger in _triggers(name):
                cursor.execute(trigger)
        for name in found:
            cursor.execute(f'DELETE FROM "{name}"')  # noqa: S608 - names of our own
    yield
    _forget_dangling(found)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(found.values())):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is pending keeps triggers from being made
    connection.check_constraints()
    newest = journal.position()
    Change.objects.filter(sequence__lt=newest).delete()
    Mark.objects.filter(name__startswith="epoch").delete()
    journal.install()


def _triggers(table: str) -> list[str]:
    if connection.vendor == "postgresql":
        return [f'DROP TRIGGER IF EXISTS "journal_{table}" ON "{table}"']
    return [f'DROP TRIGGER IF EXISTS "journal_{table}_{event}"' for event in ("insert", "update", "delete")]


def fill(model: Model, lines: Iterable[bytes]) -> int:
    """Put rows into an empty table; returns how many. Raises Damaged."""
    fields = columns(model)
    names = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join("%s" for _ in fields)
    statement = f'INSERT INTO "{orm.meta(model).db_table}" ({names}) VALUES ({marks})'  # noqa: S608
    count = 0
    with connection.cursor() as cursor:
        batch: list[list[Any]] = []
        for line in lines:
            batch.append(_values(fields, line))
            count += 1
            if len(batch) == _BATCH:
                cursor.executemany(statement, batch)
                batch = []
        if batch:
            cursor.executemany(statement, batch)
    return count


def _values(fields: list[Any], line: bytes) -> list[Any]:
    try:
        values = msgspec.json.decode(line, type=list[Any])
        return [
            # Not pre_save, which would say that everything was made today.
            field.get_db_prep_save(field.to_python(value), connection)
            for field, value in zip(fields, values, strict=True)
        ]
    except Exception as problem:
        raise Damaged(f"a row cannot be read: {type(problem).__name__}") from problem


def _forget_dangling(found: dict[str, Model]) -> None:
    """What was not replaced may refer to rows that are no more."""
    for model in apps.get_models(include_auto_created=True):
        meta = orm.meta(model)
        if meta.db_table in found or not meta.managed or meta.proxy:
            continue
        if ends_with_restore(model):
            orm.rows(model).delete()
        for field in meta.concrete_fields:
            if field.is_relation and field.db_constraint and orm.meta(field.related_model).db_table in found:
                present = orm.rows(field.related_model).values("pk")
                lost = orm.rows(model).exclude(**{f"{field.name}__in": present}).exclude(**{field.name: None})
                if field.null:
                    lost.update(**{field.name: None})
                else:
                    lost.delete()
