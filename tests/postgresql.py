"""A PostgreSQL for tests: one server for the whole run, started when first needed, gone with the process.

Its data are worth nothing, so it never waits for a disk. Databases are made by copying a prepared one; the next copy
is made while the test before still runs.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections import defaultdict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg

CHOSEN = os.environ.pop("ROSTRA_TEST_DATABASE", "sqlite")  # it is no variable of the programs under test
"""Engine that every test of the Management Node runs on."""
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "listen_addresses": "",
}
_READY = 30.0


class Server:
    """Listens on a socket in a directory of its own, so that programs in other network namespaces reach it as well."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="rostra-postgresql-", dir="/tmp"))
        self._account = pwd.getpwnam("postgres") if os.getuid() == 0 else None  # it refuses to be root
        if self._account:
            os.chown(self._directory, self._account.pw_uid, self._account.pw_gid)
        self._directory.chmod(0o755)
        data = self._directory / "data"
        initialise = (*("--username=rostra", "--auth=trust"), *("--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"))
        subprocess.run(self._command("initdb", *initialise, str(data)), check=True, stdout=subprocess.DEVNULL)
        self.resume()
        atexit.register(self.stop)
        self._numbers = itertools.count(1)
        self._copying = ThreadPoolExecutor(1, thread_name_prefix="postgresql copies")
        self._ready: defaultdict[str, deque[Future[str]]] = defaultdict(deque)

    def resume(self) -> None:
        """Start, for the first time or after `pause`; it ends with the thread that calls this."""
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self._directory / "data"), "-k", str(self._directory), *settings),
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._wait()

    def pause(self) -> None:
        """Nobody answers, whoever was connected is cut off, and the data stay."""
        self._copying.submit(int).result()  # after what is under way
        self._end()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _command(self, program: str, *arguments: str) -> list[str]:
        found = max(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), default=None)
        path = str(found) if found else shutil.which(program) or program
        account = self._account
        identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"] if account else []
        # SIGINT, a quick end without waiting for clients, when the tests are killed.
        return ["setpriv", *identity, "--pdeathsig=INT", path, *arguments]

    def _wait(self) -> None:
        check = self._command("pg_isready", "-q", "-h", str(self._directory), "-t", "1")
        for _ in range(int(_READY * 20)):
            if subprocess.run(check, check=False).returncode == 0:
                return
            try:
                self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        raise RuntimeError(f"PostgreSQL does not start: {(self._directory / 'log').read_text()}")

    def stop(self) -> None:
        """Safe to repeat."""
        self._end()
        shutil.rmtree(self._directory, ignore_errors=True)

    def url(self, name: str) -> str:
        """As for `ROSTRA_DATABASE_URL`."""
        return f"postgres://rostra@{str(self._directory).replace('/', '%2F')}/{name}"

    def create(self, template: str = "") -> str:
        """A database of the caller's own, empty or a copy of `template`; returns its name."""
        if not template:
            return self._create("template1")
        spare = self._ready[template]
        while len(spare) < 2:
            spare.append(self._copying.submit(self._create, template))
        return spare.popleft().result()

    def drop(self, name: str) -> None:
        """Delete a database, soon, whoever still uses it."""
        self._copying.submit(self._run, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _create(self, template: str) -> str:
        name = f"test{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def _run(self, statement: Any) -> None:
        with psycopg.connect(host=str(self._directory), user="rostra", dbname="postgres", autocommit=True) as database:
            database.execute(statement)


@functools.cache
def server() -> Server:
    """The server, started by the first who asks."""
    return Server()


def environment_url() -> str:
    """A new empty database for a Management Node's process, when tests run on PostgreSQL; else none (SQLite)."""
    return server().url(server().create()) if CHOSEN == "postgresql" else ""
