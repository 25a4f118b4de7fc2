"""A run of a template over many people of a real directory: python -m bench.provisioning [--people 10000].

Measured: the first run, which makes a room with two aliases and a device alias for each; a second one, which finds
nothing to do; one that changes the description of every room; deleting everything. Beside it a writer saves an object
again and again, as an administrator would: the longest it had to wait is what runs cost others.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import postgresql
from tests.management.accounts import slapd
from tests.management.accounts.slapd import Slapd
from tests.management.provisioning import people

from rostra.environment import Environment, Secret
from rostra.management import settings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        url = postgresql.server().url(postgresql.server().create()) if options.database == "postgresql" else ""
        environment = dataclasses.replace(
            Environment(), home=home / "rostra", admin_password=Secret("secret"), database_url=url
        )
        settings.configure(environment)
        from rostra.management.prepare import prepare

        prepare(environment)
        entries = people.ldif(options.people)
        with slapd.running(
            home / "slapd", schema=f"sizelimit unlimited\n{people.SCHEMA}", entries=entries, size=1 << 30
        ) as server:
            measure(server, options)


def measure(server: Slapd, options: Any) -> None:
    from rostra.configuration.models import CaCertificate, ConferenceSyncTemplate, LdapSyncField, LdapSyncSource
    from rostra.management.provisioning import reading
    from rostra.management.provisioning.following import delete_owned
    from rostra.management.provisioning.syncing import Sync

    CaCertificate.objects.create(certificate=server.authority)
    LdapSyncField.objects.create(name="uid", template_variable_name="uid")
    source = LdapSyncSource.objects.create(**people.source(server.tls_port))
    template = ConferenceSyncTemplate.objects.create(ldap_sync_source=source, **people.template())
    print(f"{options.people} people, on {options.database}", flush=True)
    timed("reading the directory", lambda: len(reading.read(template)))
    timed("first run", lambda: Sync(template).run())
    timed("second run", lambda: Sync(template).run())
    template.conference_description = "Room of {{sn}}"
    timed("run that changes every room", lambda: Sync(template).run())
    timed("deleting everything", lambda: delete_owned(template.name))
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


class Writer:
    """Saves an object again and again, and knows how long it waited at most."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.count = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        from django.db import connection

        from rostra.configuration.models import SystemLocation

        row = SystemLocation.objects.order_by("pk")[0]
        while not self._done.wait(0.25):
            began = time.perf_counter()
            row.description = str(self.count)
            row.save()
            self.longest = max(self.longest, time.perf_counter() - began)
            self.count += 1
        connection.close()


def timed(what: str, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    with Writer() as writer:
        found = work()
        took = time.perf_counter() - began
    text = ", ".join(
        f"{name} {getattr(found, name)}"
        for name in ("vmrs_created", "vmrs_updated", "vmrs_unchanged", "devices_created", "sync_errors")
        if getattr(found, name, 0)
    )
    print(f"{what}: {took:.1f} s ({text or found}); others waited {writer.longest:.2f} s at most", flush=True)


if __name__ == "__main__":
    main()
