"""A configuration of many rooms, made inside the database: by the ORM, 100,000 of them would take minutes."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from rostra.configuration import orm


def rooms(count: int) -> None:
    """Make `count` rooms, `room 1` onwards, with aliases `1@rooms.example` and `001@…` each.

    Past the journal, as a backup restored would be; begins a new epoch, so that nodes take a snapshot.
    """
    from rostra.configuration import journal  # models: only once Django is set up
    from rostra.configuration.models import Conference, ConferenceAlias

    if connection.vendor == "sqlite":
        journal.remove_triggers()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        first = Conference.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        multiply(cursor, Conference, count, {"id": f"{first} + n.i", "name": "'room ' || n.i"})
        for form in ("n.i || '@rooms.example'", "'00' || n.i || '@rooms.example'"):
            last = ConferenceAlias.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            values = {"id": f"{last} + n.i", "alias": form, "conference_id": f"{first} + n.i"}
            multiply(cursor, ConferenceAlias, count, values)
        if connection.vendor == "postgresql":
            for table in (Conference, ConferenceAlias):
                name = orm.meta(table).db_table
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}")
    journal.install()


def multiply(cursor: Any, table: Any, count: int, values: dict[str, str]) -> None:
    """`count` copies of the table's first row with other `values`, expressions of `n.i`."""
    meta = orm.meta(table)
    columns = [field.column for field in meta.concrete_fields]
    chosen = ", ".join(values.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    cursor.execute(
        f'INSERT INTO "{meta.db_table}" ({names}) '
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {int(count)}) "
        f'SELECT {chosen} FROM n, (SELECT * FROM "{meta.db_table}" ORDER BY id LIMIT 1) AS t'
    )
