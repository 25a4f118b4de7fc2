"""The journal: every change of a replicated table, recorded by the database in the transaction that makes it.

Triggers write the records, so nothing escapes: saves, cascades, bulk operations and statements typed by hand.
They are made anew from the register at every start of the Management Node; nodes have the tables without them.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import msgspec
from django.db import connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rostra.configuration import orm
from rostra.configuration.changes import Changes, Operation, RowChange, SnapshotChunk, SnapshotRequest
from rostra.configuration.resources import register

CHUNK_BYTES = 512 * 1024
"""A message stays below this, well under what NATS carries."""
CHUNK_ROWS = 2000


class Change(models.Model):
    """A recorded change that may still have to be published; the newest one is always kept."""

    sequence = models.BigAutoField(primary_key=True)
    table = models.CharField(max_length=100)
    key = models.BigIntegerField()
    operation = models.CharField(max_length=10)
    row = models.TextField(null=True)

    class Meta:
        db_table = "configuration_journal"
        ordering: ClassVar = ["sequence"]


class Mark(models.Model):
    """Named facts about the journal: `epoch` and `published` on the Management Node, positions on nodes."""

    name = models.CharField(max_length=50, primary_key=True)
    value = models.CharField(max_length=100)

    class Meta:
        db_table = "configuration_mark"


def install() -> None:
    """Give every replicated table its triggers, and this database its epoch. Idempotent."""
    Mark.objects.get_or_create(name="epoch", defaults={"value": str(uuid.uuid4())})
    with transaction.atomic(), connection.cursor() as cursor:
        for table in register.tables.values():
            for statement in _triggers(connection, table):
                cursor.execute(statement)


def _triggers(database: BaseDatabaseWrapper, table: type[models.Model]) -> list[str]:
    return _postgresql_triggers(table) if database.vendor == "postgresql" else _sqlite_triggers(table)


def _sqlite_triggers(table: type[models.Model]) -> list[str]:
    meta = orm.meta(table)
    # Put together by hand: json_object takes a hundred arguments at most.
    values = (f'json(NEW."{f.column}")' if _is_json(f) else f'NEW."{f.column}"' for f in meta.concrete_fields)
    pairs = (f"'\"{f.column}\":' || json_quote({value})" for f, value in zip(meta.concrete_fields, values, strict=True))
    record = "'{' || " + " || ',' || ".join(pairs) + " || '}'"
    statements: list[str] = []
    for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        operation = Operation.DELETE if event == "DELETE" else Operation.PUT
        row = "NULL" if event == "DELETE" else record
        name = f"journal_{meta.db_table}_{event.lower()}"
        statements += [
            f'DROP TRIGGER IF EXISTS "{name}"',
            f'CREATE TRIGGER "{name}" AFTER {event} ON "{meta.db_table}" BEGIN '  # noqa: S608 - names of our own
            f'INSERT INTO configuration_journal ("table", "key", "operation", "row") '
            f"VALUES ('{meta.db_table}', {side}.\"{meta.pk.column}\", '{operation}', {row}); END",
        ]
    return statements


def _postgresql_triggers(table: type[models.Model]) -> list[str]:
    meta = orm.meta(table)
    # The lock makes the order of sequences the order of commits: one writer of configuration at a time.
    function = f"""
        CREATE OR REPLACE FUNCTION "journal_{meta.db_table}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(7246273);
        IF TG_OP = 'DELETE' THEN
            INSERT INTO configuration_journal ("table", "key", "operation", "row")
            VALUES ('{meta.db_table}', OLD."{meta.pk.column}", '{Operation.DELETE}', NULL);
        ELSE
            INSERT INTO configuration_journal ("table", "key", "operation", "row")
            VALUES ('{meta.db_table}', NEW."{meta.pk.column}", '{Operation.PUT}', to_jsonb(NEW)::text);
        END IF;
        RETURN NULL; END $$"""  # noqa: S608
    name = f"journal_{meta.db_table}"
    return [
        function,
        f'DROP TRIGGER IF EXISTS "{name}" ON "{meta.db_table}"',
        f'CREATE TRIGGER "{name}" AFTER INSERT OR UPDATE OR DELETE ON "{meta.db_table}" '
        f'FOR EACH ROW EXECUTE FUNCTION "{name}"()',
    ]


def _is_json(field: Any) -> bool:
    return isinstance(field, models.JSONField)


def epoch() -> str:
    """Identity of this database."""
    return Mark.objects.get(name="epoch").value


def unpublished() -> Changes | None:
    """The oldest changes not yet published, as many as fit in a message; None when there are none."""
    mark = Mark.objects.filter(name="published").first()
    previous = int(mark.value) if mark else 0
    found: list[RowChange] = []
    size = 0
    for change in Change.objects.filter(sequence__gt=previous).iterator(chunk_size=500):
        size += len(change.row or "") + 100
        if found and size > CHUNK_BYTES:
            break
        row: dict[str, Any] | None = msgspec.json.decode(change.row) if change.row else None
        found.append(RowChange(change.sequence, change.table, change.key, Operation(change.operation), row))
    return Changes(epoch(), previous, found) if found else None


def published(changes: Changes) -> None:
    """Remember that the fabric holds `changes`, and forget them, except the newest: it tells where we are."""
    with transaction.atomic():
        Mark.objects.update_or_create(name="published", defaults={"value": str(changes.last)})
        Change.objects.filter(sequence__lt=changes.last).delete()


def position() -> int:
    """Sequence of the newest change."""
    return Change.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0


def chunk(request: SnapshotRequest) -> SnapshotChunk:
    """Answer a request for a part of the snapshot. Raises KeyError for a table that is not replicated."""
    names = list(register.tables)
    name = request.table or names[0]
    table = register.tables[name]
    sequence = position()  # before the rows: a change in between is replayed, never missed
    columns = [field.attname for field in orm.meta(table).concrete_fields]
    rows: list[dict[str, Any]] = []
    size = 0
    full = False
    for row in orm.rows(table).filter(pk__gt=request.after).order_by("pk").values(*columns)[:CHUNK_ROWS]:
        size += len(msgspec.json.encode(row))
        if rows and size > CHUNK_BYTES:
            full = True
            break
        rows.append(row)
    if full or len(rows) == CHUNK_ROWS:
        return SnapshotChunk(epoch(), sequence, name, rows, name, rows[-1][orm.meta(table).pk.attname])
    following = names[names.index(name) + 1 :]
    return SnapshotChunk(epoch(), sequence, name, rows, following[0] if following else "", 0)
