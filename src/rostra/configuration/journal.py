"""The journal: every change of a replicated table, recorded by the database in the transaction that makes it.

Triggers write the records, so nothing escapes: saves, cascades, bulk operations and statements typed by hand.
They are made anew from the register at every start of the Management Node; nodes have the tables without them.

Every start begins an *epoch* and notes where the one before ended. A node that followed an earlier epoch beyond its
end, or one never heard of, has seen another history (a backup was restored, a new database took over) and is told so.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, ClassVar

import msgspec
from django.db import connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rostra.configuration import contents, orm
from rostra.configuration.changes import (
    Changes,
    ChangesReply,
    ChangesRequest,
    Operation,
    RowChange,
    SnapshotChunk,
    SnapshotRequest,
)
from rostra.configuration.resources import register

CHUNK_BYTES = 512 * 1024
"""A message stays below this, well under what NATS carries."""
CHUNK_ROWS = 4000
_LOCK = 7246273
"""Number of PostgreSQL's advisory lock for whoever writes configuration."""
KEPT_SECONDS = 7 * 24 * 3600
KEPT_CHANGES = 100_000
"""Changes kept for nodes that were away: so many, and none older than KEPT_SECONDS."""


class Change(models.Model):
    """A recorded change; the newest one is always kept, because it tells where we are."""

    sequence = models.BigAutoField(primary_key=True)
    table = models.CharField(max_length=100)
    key = models.BigIntegerField()
    operation = models.CharField(max_length=10)
    row = models.TextField(null=True)
    made = models.BigIntegerField(default=0)
    """Unix seconds."""

    class Meta:
        db_table = "configuration_journal"
        ordering: ClassVar = ["sequence"]


class Mark(models.Model):
    """Named facts about the journal: epochs on the Management Node (`epoch`, and `epoch:…` with where it ended),
    positions on nodes.
    """

    name = models.CharField(max_length=50, primary_key=True)
    value = models.CharField(max_length=100)

    class Meta:
        db_table = "configuration_mark"


def install() -> None:
    """Give every replicated table its triggers, and this run its epoch."""
    with transaction.atomic(), connection.cursor() as cursor:
        before = Mark.objects.filter(name="epoch").first()
        if before is not None:
            Mark.objects.update_or_create(name=_ended(before.value), defaults={"value": str(position())})
        Mark.objects.update_or_create(name="epoch", defaults={"value": str(uuid.uuid4())})
        for table in register.tables.values():
            for statement in _triggers(connection, table):
                cursor.execute(statement)


def remove_triggers() -> None:
    """Before migrations: SQLite cannot remake a table that triggers of others write to."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'journal\\_%' ESCAPE '\\'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')


def _ended(epoch_name: str) -> str:
    return f"epoch:{epoch_name}"


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
            f'INSERT INTO configuration_journal ("table", "key", "operation", "row", "made") '
            f"VALUES ('{meta.db_table}', {side}.\"{meta.pk.column}\", '{operation}', {row}, "
            "CAST(strftime('%s', 'now') AS INTEGER)); END",
        ]
    return statements


def _postgresql_triggers(table: type[models.Model]) -> list[str]:
    meta = orm.meta(table)
    now = "extract(epoch from clock_timestamp())::bigint"
    function = f"""
        CREATE OR REPLACE FUNCTION "journal_{meta.db_table}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' THEN
            INSERT INTO configuration_journal ("table", "key", "operation", "row", "made")
            VALUES ('{meta.db_table}', OLD."{meta.pk.column}", '{Operation.DELETE}', NULL, {now});
        ELSE
            INSERT INTO configuration_journal ("table", "key", "operation", "row", "made")
            VALUES ('{meta.db_table}', NEW."{meta.pk.column}", '{Operation.PUT}', to_jsonb(NEW)::text, {now});
        END IF;
        RETURN NULL; END $$"""  # noqa: S608
    name = f"journal_{meta.db_table}"
    table_name = f'"{meta.db_table}"'
    return [
        _TURN,
        function,
        f'DROP TRIGGER IF EXISTS "{name}" ON {table_name}',
        f'CREATE TRIGGER "{name}" AFTER INSERT OR UPDATE OR DELETE ON {table_name} '
        f'FOR EACH ROW EXECUTE FUNCTION "{name}"()',
        f'DROP TRIGGER IF EXISTS "{name}_turn" ON {table_name}',
        f'CREATE TRIGGER "{name}_turn" BEFORE INSERT OR UPDATE OR DELETE ON {table_name} '
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_turn()",
    ]


_TURN = f"""
    CREATE OR REPLACE FUNCTION journal_turn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock({_LOCK}); RETURN NULL; END $$"""
"""One writer of configuration at a time, so that the order of sequences is the order of commits. Each statement waits
for its turn before it locks any row: two that have rows the other wants would wait for ever.
"""


def take_turn() -> None:
    """Wait until this transaction may write configuration: for one that locks rows before it changes any."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _is_json(field: Any) -> bool:
    return isinstance(field, models.JSONField)


def epoch() -> str:
    """Identity of this database."""
    return Mark.objects.get(name="epoch").value


def after(sequence: int) -> Changes:
    """The changes after `sequence`, as many as fit in a message."""
    found: list[RowChange] = []
    size = 0
    for change in Change.objects.filter(sequence__gt=sequence).iterator(chunk_size=500):
        size += len(change.row or "") + 100
        if found and size > CHUNK_BYTES:
            break
        row: dict[str, Any] | None = msgspec.json.decode(change.row) if change.row else None
        found.append(RowChange(change.sequence, change.table, change.key, Operation(change.operation), row))
    return Changes(epoch(), sequence, found)


def catch_up(request: ChangesRequest) -> ChangesReply:
    """Answer a node that was away, or missed a message."""
    newest = position()
    if not _follows(request, newest):
        return ChangesReply(None, newest)
    return ChangesReply(after(request.after), newest)


def _follows(request: ChangesRequest, newest: int) -> bool:
    """Is what the node has a beginning of what we have, and do we still know how it goes on?"""
    end = newest
    if request.epoch != epoch():
        mark = Mark.objects.filter(name=_ended(request.epoch)).first()
        if mark is None:
            return False
        end = int(mark.value)
    oldest = Change.objects.order_by("sequence").values_list("sequence", flat=True).first() or 1
    return oldest - 1 <= request.after <= end


def prune(now: float | None = None) -> int:
    """Forget changes that are old or too many; returns how many. `now` is in Unix seconds."""
    newest = position()
    since = int((time.time() if now is None else now) - KEPT_SECONDS)
    old = Change.objects.filter(made__lt=since).order_by("-sequence").values_list("sequence", flat=True).first() or 0
    limit = min(max(old, newest - KEPT_CHANGES), newest - 1)
    forgotten, _ = Change.objects.filter(sequence__lte=limit).delete()
    return forgotten


def position() -> int:
    """Sequence of the newest change."""
    return Change.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0


def chunk(request: SnapshotRequest) -> SnapshotChunk:
    """Answer a request for a part of the snapshot. Raises KeyError for a table that is not replicated."""
    names = list(register.tables)
    name = request.table or names[0]
    begun = epoch()
    sequence = position()  # before the rows: a change in between is replayed, never missed
    following = dict(zip(names, [*names[1:], ""], strict=True))
    if not request.plain:
        rows, last = _rows(register.tables[name], request.after)
        return SnapshotChunk(begun, sequence, name, rows, name if last else following[name], last)
    parts: list[SnapshotChunk] = []
    size, after = 0, request.after
    while (name and not after) or not parts:  # most tables have a few rows: many go into one message
        columns, values, count, last, more = _plain(register.tables[name], after)
        size += more
        table, name, after = name, name if last else following[name], last
        parts.append(SnapshotChunk(begun, sequence, table, [], name, after, columns, values, count))
        if size > CHUNK_BYTES // 2:
            break
    return msgspec.structs.replace(parts[0], next_table=name, next_after=after, also=parts[1:])


def _plain(table: type[models.Model], after: int) -> tuple[list[str], list[Any], int, int, int]:
    """Columns, values and count of a `SnapshotChunk`, the last key (0: the table has no more) and the bytes."""
    rows = contents.read(table, after, CHUNK_ROWS)
    columns = contents.columns(table)
    more = len(rows) == CHUNK_ROWS
    while (size := len(msgspec.json.encode(values := contents.folded(rows)))) > CHUNK_BYTES and len(rows) > 1:
        rows, more = rows[: len(rows) // 2], True
    last = rows[-1][columns.index(orm.meta(table).pk.column)] if more else 0
    return columns, values, len(rows), last, size


def _rows(table: type[models.Model], after: int) -> tuple[list[dict[str, Any]], int]:
    """For nodes of before values came by column: rows that fit in a message, and the last key or 0."""
    columns = [field.attname for field in orm.meta(table).concrete_fields]
    rows: list[dict[str, Any]] = []
    size = 0
    more = False
    for row in orm.rows(table).filter(pk__gt=after).order_by("pk").values(*columns)[:CHUNK_ROWS]:
        size += len(msgspec.json.encode(row))
        if rows and size > CHUNK_BYTES:
            more = True
            break
        rows.append(row)
    more = more or len(rows) == CHUNK_ROWS
    return rows, rows[-1][orm.meta(table).pk.attname] if more else 0


def checksum() -> str:
    """One number for all that is replicated; a node that holds the same has the same (`Replica.checksum`)."""
    return contents.checksum(register.tables)
