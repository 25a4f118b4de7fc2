"""Configuration of a large platform on its way to nodes that are processes: python -m bench.replication [options].

A Management Node (a process) with `--rooms` rooms of two aliases each. Measured: until a new node has all of it by
snapshot, and how many bytes that takes (reference: SQLite copying the same database); the same for `--nodes` nodes at
once; a change until each of them has applied it (reference: the request that makes it); how long nodes that were away
for `--missed` changes take to have them. At the end all checksums have to be the same.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import math
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from tests import postgresql
from tests.management import many
from tests.management.processes import answer, running
from tests.management.replicas import Nodes
from tests.ports import free_port

from rostra.environment import Environment, Secret
from rostra.fabric import server
from rostra.management import settings

BASE = "/api/admin/configuration/v1"
CHANGES = 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=int, default=100_000)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--missed", type=int, default=200)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        environment = dataclasses.replace(
            Environment(),
            home=Path(directory),
            management_https_port=free_port(),
            nats_port=free_port(),
            fabric_port=free_port(),
            address="127.0.0.1",
            admin_password=Secret("secret"),
            database_url=_url(options.database),
        )
        began = time.monotonic()
        seed(environment, options.rooms)
        print(f"{options.rooms} rooms made in {time.monotonic() - began:.1f} s, on {options.database}", flush=True)
        asyncio.run(measure(environment, options))


def _url(engine: str) -> str:
    return postgresql.server().url(postgresql.server().create()) if engine == "postgresql" else ""


def seed(environment: Environment, rooms: int) -> None:
    settings.configure(environment)
    from rostra.management.prepare import prepare

    prepare(environment)
    many.rooms(rooms)
    close()


def close() -> None:
    from django.db import connections

    connections.close_all()


async def measure(environment: Environment, options: Any) -> None:
    fabric = await server.start(environment)
    try:
        async with running(environment) as (_, client):
            client.auth = httpx.BasicAuth("admin", "secret")
            await answer(client, "/healthz", 200)
            await snapshots(environment, options)
            await changes(environment, client, options)
    finally:
        fabric.terminate()
        await fabric.wait()


async def snapshots(environment: Environment, options: Any) -> None:
    async with Nodes(environment, environment.home / "single", 1) as nodes:
        _, taken, size, seconds = (await nodes.every("synchronised", 300))[1]
        assert taken == "1"
        print(f"snapshot to one new node: {seconds} s, {int(size) / 1e6:.1f} MB")
    file = environment.home / "single" / "1" / "configuration.db"
    began = time.monotonic()
    with sqlite3.connect(file) as source:
        source.execute("VACUUM INTO ?", (str(environment.home / "copy.db"),))
    source.close()
    reference = time.monotonic() - began
    size = (environment.home / "copy.db").stat().st_size
    print(f"reference, SQLite copies that database: {reference:.2f} s, {size / 1e6:.1f} MB")
    print(f"ratio {float(seconds) / reference:.1f}", flush=True)


async def changes(environment: Environment, client: httpx.AsyncClient, options: Any) -> None:
    directory = environment.home / "nodes"
    async with Nodes(environment, directory, options.nodes) as nodes:
        loaded = [float(words[-1]) for words in (await nodes.every("synchronised", 600)).values()]
        print(f"snapshots to {options.nodes} new nodes at once: first {min(loaded):.1f} s, last {max(loaded):.1f} s")
        row = (await client.get(f"{BASE}/conference/?name=room 1")).json()["objects"][0]
        requests, every, last = [], [], []
        for number in range(CHANGES):
            began = time.time()
            done = await client.patch(row["resource_uri"], json={"description": f"change {number}"})
            assert done.status_code == 202, done.text
            requests.append(1000 * (time.time() - began))
            arrived = [1000 * (float(at) - began) for _, at in (await nodes.every("heard")).values()]
            every += arrived
            last.append(max(arrived))
        report("the request that changes a room", requests)
        report(f"change, request to each of {options.nodes} nodes", every)
        report(f"change, request to the last of {options.nodes} nodes", last)
        print(
            f"ratio of the last to the request {statistics.median(last) / statistics.median(requests):.2f}", flush=True
        )
    for number in range(options.missed):
        await client.patch(row["resource_uri"], json={"description": f"missed {number}"})
    async with Nodes(environment, directory, options.nodes) as nodes:
        resumed = (await nodes.every("synchronised", 60)).values()
        assert all(taken == "0" for _, taken, _, _ in resumed), "no snapshot is needed"
        slowest = max(float(words[-1]) for words in resumed)
        print(f"nodes that missed {options.missed} changes: all have them {slowest:.2f} s after their start")
        from rostra.configuration import journal

        position, own = await asyncio.to_thread(lambda: (journal.position(), journal.checksum()))
        assert await nodes.checksums(position) == {own}
        print(f"checksum of the Management Node and of {options.nodes} nodes: {own[:16]}, the same")


def report(what: str, taken: list[float]) -> None:
    ordered = sorted(taken)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    print(f"{what}: p50 {statistics.median(ordered):.0f} ms, p95 {p95:.0f} ms, worst {ordered[-1]:.0f} ms")


if __name__ == "__main__":
    main()
