"""The administrator site with many rooms: python -m bench.site [--rooms N] [--database sqlite|postgresql].

p50 and p95 in the server of list pages, searches, filters and forms, the rendering included; each is asked for
`--rounds` times by one client that is signed in.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import postgresql

from bench.management import p95
from bench.replication import seed
from rostra.environment import Environment, Secret

ROOMS = "/admin/configuration/conference/"
ALIASES = "/admin/configuration/conferencealias/"
PAGES = {
    "rooms, first page": ROOMS,
    "rooms, last page": f"{ROOMS}?p=LAST",
    "rooms, by name": f"{ROOMS}?o=-1",
    "rooms, by description": f"{ROOMS}?o=3",
    "rooms, search that finds one": f"{ROOMS}?q=99999@rooms",
    "rooms, search that finds all": f"{ROOMS}?q=room",
    "rooms, search that finds none": f"{ROOMS}?q=nothing-at-all",
    "rooms, of today": f"{ROOMS}?creation_time__gte=2020-01-01+00:00:00%2B00:00",
    "aliases, first page": ALIASES,
    "aliases, search that finds one": f"{ALIASES}?q=99999@rooms",
    "aliases, by service": f"{ALIASES}?o=2",
    "a room": f"{ROOMS}1/change/",
    "services for an alias": (
        "/admin/autocomplete/?term=room+99999&app_label=configuration&model_name=conferencealias&field_name=conference"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    options = parser.parse_args()
    if len(options.database) == 1:
        return one(options.rooms, options.rounds, options.database[0])
    for engine in options.database:  # Django has one configuration for each process
        part = (f"--rooms={options.rooms}", f"--rounds={options.rounds}", f"--database={engine}")
        subprocess.run([sys.executable, "-W", "ignore", "-m", "bench.site", *part], check=True)
    return None


def one(rooms: int, rounds: int, engine: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        environment = dataclasses.replace(
            Environment(),
            home=Path(directory),
            admin_password=Secret("secret"),
            database_url=postgresql.server().url(postgresql.server().create()) if engine == "postgresql" else "",
        )
        seed(environment, rooms)
        print(f"== {rooms} rooms on {engine}", flush=True)
        client = _signed_in()
        for what, path in PAGES.items():
            taken = [_milliseconds(client, path.replace("LAST", str(rooms // 50))) for _ in range(rounds)]
            print(f"{what:32} p50 {statistics.median(taken):7.1f} ms, p95 {p95(taken):7.1f} ms", flush=True)


def _signed_in() -> Any:
    from django.db import connection
    from django.test import Client

    from rostra.management.accounts.models import Account

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = Client()
    client.force_login(Account.objects.get(username="admin"))
    return client


def _milliseconds(client: Any, path: str) -> float:
    began = time.perf_counter()
    response = client.get(path)
    assert response.status_code == 200, path
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
