"""The management API with few and with many rooms: python -m bench.management [options].

For each size of `--rooms` and each `--database`: p50 and p95, through HTTPS to a Management Node of its own process,
of a page of a list, a filtered list, an object by its alias and a creation. Reference: the least such requests need of
the database, a plain SELECT of the same rows and an INSERT with its commit, in the same run. Then `--writers` clients
write for `--seconds`: requests a second, answers by kind, and whether all is there that was promised.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from tests import postgresql
from tests.management import many, writers
from tests.management.processes import answer, running
from tests.ports import free_port

from bench.replication import close, seed
from rostra.environment import Environment, Secret
from rostra.fabric import server

ROUNDS = 100
BASE = writers.BASE


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    if len(options.rooms) == len(options.database) == 1:
        return one(options.rooms[0], options.database[0], options.writers, options.seconds)
    for engine in options.database:  # Django has one configuration for each process
        for rooms in options.rooms:
            seconds = options.seconds if rooms == options.rooms[-1] else 0
            part = (f"--rooms={rooms}", f"--database={engine}", f"--writers={options.writers}", f"--seconds={seconds}")
            subprocess.run([sys.executable, "-W", "ignore", "-m", "bench.management", *part], check=True)
    return None


def one(rooms: int, engine: str, clients: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as directory:
        environment = dataclasses.replace(
            Environment(),
            home=Path(directory),
            management_https_port=free_port(),
            nats_port=free_port(),
            fabric_port=free_port(),
            address="127.0.0.1",
            admin_password=Secret("secret"),
            database_url=postgresql.server().url(postgresql.server().create()) if engine == "postgresql" else "",
        )
        seed(environment, rooms)
        print(f"== {rooms} rooms on {engine}", flush=True)
        asyncio.run(measure(environment, rooms, clients, seconds))


async def measure(environment: Environment, rooms: int, clients: int, seconds: float) -> None:
    fabric = await server.start(environment)
    try:
        async with running(environment) as (_, client):
            client.auth, client.timeout = httpx.BasicAuth("admin", "secret"), httpx.Timeout(60)
            await answer(client, "/healthz", 200)
            await latencies(client, rooms)
            if seconds:
                await together(client, clients, seconds)
    finally:
        fabric.terminate()
        await fabric.wait()


async def latencies(client: httpx.AsyncClient, rooms: int) -> None:
    middle = rooms // 2
    asked: dict[str, tuple[Callable[[int], Awaitable[httpx.Response]], Callable[[int], Any]]] = {
        "list, 20 of all": (lambda _: client.get(f"{BASE}/conference/"), lambda _: select("true", 20)),
        "list, 20 from the middle": (
            lambda _: client.get(f"{BASE}/conference/?offset={middle}"),
            lambda _: select("true", 20, middle),
        ),
        "filter, name contains": (
            lambda number: client.get(f"{BASE}/conference/?name__icontains=room {middle - number}"),
            lambda number: select(f"name LIKE '%room {middle - number}%'", 20),
        ),
        "filter, exact name": (
            lambda number: client.get(f"{BASE}/conference/?name=room {middle - number}"),
            lambda number: select(f"name = 'room {middle - number}'", 20),
        ),
        "alias look-up": (
            lambda number: client.get(f"{BASE}/conference_alias/?alias={middle - number}@rooms.example"),
            lambda number: select(f"alias = '{middle - number}@rooms.example'", 20, table="conferencealias"),
        ),
        "create with an alias": (
            lambda number: client.post(
                f"{BASE}/conference/", json={"name": f"new {number}", "aliases": [{"alias": f"new{number}"}]}
            ),
            insert,
        ),
    }
    for what, (request, plain) in asked.items():
        ours, theirs = [], []
        for number in range(ROUNDS):
            began = time.perf_counter()
            response = await request(number)
            ours.append(1000 * (time.perf_counter() - began))
            assert response.is_success, response.text
            theirs.append(await asyncio.to_thread(plain, number))
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(
            f"{what:26} p50 {statistics.median(ours):7.1f} ms, p95 {p95(ours):7.1f} ms; "
            f"plain SQL p50 {statistics.median(theirs):7.2f} ms; ratio {ratio:.1f}",
            flush=True,
        )


def p95(taken: list[float]) -> float:
    return sorted(taken)[math.ceil(0.95 * len(taken)) - 1]


def select(condition: str, limit: int, offset: int = 0, table: str = "conference") -> float:
    """Milliseconds of the plain statement."""
    name = f"configuration_{table}"
    return plain(f"SELECT * FROM {name} WHERE {condition} ORDER BY id LIMIT {limit} OFFSET {offset}")


def insert(number: int) -> float:
    """Milliseconds of one more alias with its commit, journal included."""
    from rostra.configuration.models import ConferenceAlias

    values = {"id": str(-1 - number), "alias": f"'plain{number}'"}
    return timed(lambda cursor: many.multiply(cursor, ConferenceAlias, 1, values))


def plain(statement: str) -> float:
    """Milliseconds of a statement and its rows."""

    def ask(cursor: Any) -> None:
        cursor.execute(statement)
        cursor.fetchall()

    return timed(ask)


def timed(work: Callable[[Any], None]) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # connected
        began = time.perf_counter()
        work(cursor)
        taken = 1000 * (time.perf_counter() - began)
    close()
    return taken


async def together(client: httpx.AsyncClient, clients: int, seconds: float) -> None:
    book = await writers.write(client, clients, seconds)
    times = [1000 * taken for taken in book.times]
    same = await writers.found(client) == book.rooms
    rate, middle = len(times) / seconds, statistics.median(times)
    print(f"{clients} writers for {seconds:.0f} s: {rate:.0f} requests/s, p50 {middle:.0f} ms, p95 {p95(times):.0f} ms")
    print(f"all is as promised: {same}")
    for (method, status), count in sorted(book.answers.items()):
        print(f"    {method} {status}: {count}")
    assert same


if __name__ == "__main__":
    main()
