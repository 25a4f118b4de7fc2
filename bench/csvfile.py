"""A CSV file of many rooms with an alias each, looked at and imported: python -m bench.csvfile [--rooms 50000].

For each `--database`: seconds of the preview and of the import into a platform without rooms, and of looking at the
same file again, when nothing is new. Reference: INSERTs of as many rows of the same size in one transaction.
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests import postgresql

from bench.replication import seed
from rostra.environment import Environment, Secret


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=int, default=50_000)
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    options = parser.parse_args()
    if len(options.database) == 1:
        return one(options.rooms, options.database[0])
    for engine in options.database:  # Django has one configuration for each process
        part = (f"--rooms={options.rooms}", f"--database={engine}")
        subprocess.run([sys.executable, "-W", "ignore", "-m", "bench.csvfile", *part], check=True)
    return None


def one(rooms: int, engine: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        environment = dataclasses.replace(
            Environment(),
            home=Path(directory),
            admin_password=Secret("secret"),
            database_url=postgresql.server().url(postgresql.server().create()) if engine == "postgresql" else "",
        )
        seed(environment, 0)
        from rostra.configuration.resources import register
        from rostra.management import csvfiles

        resource = register.get("conference")
        assert resource is not None
        lines = (f"Room {n},{1000 + n % 9000},A room,meet.{n}@example.test" for n in range(rooms))
        content = "\r\n".join(["name,pin,description,alias_alias", *lines]).encode()
        print(f"== {rooms} rooms on {engine}, {len(content) // 1024} KiB", flush=True)
        reference = timed("reference", lambda: plain(2 * rooms))
        for what, work in (
            ("preview", csvfiles.preview),
            ("import", csvfiles.load),
            ("preview again", csvfiles.preview),
        ):
            took = timed(what, lambda work=work: work(resource, content))
            print(f"{'':14} {took / reference:.1f} times the reference", flush=True)


def plain(rows: int) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_plain (id integer PRIMARY KEY, content text)")
        cursor.executemany("INSERT INTO bench_plain VALUES (%s, %s)", [(n, "x" * 300) for n in range(rows)])


def timed(what: str, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    print(f"{what:14} {took:6.1f} s", flush=True)
    return took


if __name__ == "__main__":
    main()
