"""A whole platform in processes of its own, started the way a user starts it."""

from __future__ import annotations

import dataclasses
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from rostra.environment import Environment, PortRange, Secret
from tests import postgresql, tables
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-9"
START_TIMEOUT = 60.0


def fresh_environment(home: Path, **changes: Any) -> Environment:
    """Settings on free ports with a home of their own."""
    base = free_port() % 8000 + 20000
    return dataclasses.replace(
        Environment(),
        home=home,
        admin_password=Secret(PASSWORD),
        node_https_port=free_port(),
        management_https_port=free_port(),
        sip_port=free_port(),
        sip_tls_port=free_port(),
        h323_port=free_port(),
        nats_port=free_port(),
        fabric_port=free_port(),
        bootstrap_port=free_port(),
        address="127.0.0.1",
        media_ports=PortRange(base, base + 1999),
        media_address="127.0.0.1",
        capacity=40,
        database_url=postgresql.environment_url(),
        **changes,
    )


class Platform:
    """`rostra run` as a child process, or what else `command` says."""

    def __init__(self, environment: Environment, *command: str, before: tuple[str, ...] = ()) -> None:
        """`before`: what it is started by, as with `env`."""
        self.environment = environment
        self._before = before
        self._command = command or ("run",)
        self.output: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._ready = threading.Event()
        self._over = False

    @property
    def web(self) -> str:
        return f"https://localhost:{self.environment.node_https_port}"

    @property
    def management(self) -> str:
        return f"https://localhost:{self.environment.management_https_port}"

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "not started"
        return self._process

    def start(self, awaited: str = "ready") -> Platform:
        """Returns when a line that begins with `awaited` has been printed."""
        self.launch(awaited)
        if not self._ready.wait(START_TIMEOUT) or self._over:
            self.stop()
            raise AssertionError("not ready:\n" + "".join(self.output) + self.logs())
        return self

    def launch(self, awaited: str = "ready") -> None:
        """Start it and wait for nothing."""
        if self._command[0] != "node":
            tables.lay(self.environment.home)
        variables = {k: v for k, v in os.environ.items() if not k.startswith("ROSTRA_")}
        command = Path(sys.executable).parent / "rostra"
        self._process = subprocess.Popen(
            [*self._before, str(command), *self._command],
            cwd=ROOT,
            env={**variables, **self.environment.variables()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._ready, self._over = threading.Event(), False
        threading.Thread(target=self._read, args=(self._process, awaited, self._ready), daemon=True).start()

    def _read(self, process: subprocess.Popen[str], awaited: str, ready: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if line.startswith(awaited):
                    ready.set()
        if not ready.is_set():  # it ended before it said so
            self._over = True
            ready.set()

    def stop(self) -> int:
        """End it as Ctrl-C does; returns the exit code."""
        if self._process is None:
            return 0
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("did not stop within 20 s:\n" + self.logs()) from None

    def logs(self) -> str:
        return "\n".join(
            f"--- {file.name}\n{file.read_text(errors='replace')[-4000:]}"
            for file in sorted((self.environment.home / "log").glob("*.log"))
        )

    def api(self) -> httpx.Client:
        """The management API as an administrator."""
        return httpx.Client(base_url=self.management, auth=("admin", PASSWORD), verify=no_trust(), timeout=20)

    def client(self) -> httpx.Client:
        """The client API, without a token."""
        return httpx.Client(base_url=self.web, verify=no_trust(), timeout=20)

    # ---- processes

    def processes(self) -> dict[int, str]:
        """All descendants of the platform: process id to command line."""
        return descendants(self.process.pid)

    def child(self, name: str) -> int:
        """Process id of `rostra process <name>`."""
        (pid,) = [pid for pid, command in self.processes().items() if command.endswith(f" process {name}")]
        return pid

    def find(self, text: str) -> list[int]:
        """Process ids of descendants whose command line contains `text`."""
        return [pid for pid, command in self.processes().items() if text in command]


def descendants(process: int) -> dict[int, str]:
    """A process and all that it started, and so on: process id to command line."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found: dict[int, str] = {}
    queue = [process]
    while queue:
        pid = queue.pop()
        try:
            found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            continue
        queue += children.get(pid, [])
    return found


def no_trust() -> ssl.SSLContext:
    """Self-signed certificates are fine."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def wait_until(condition: Any, timeout: float = 10.0, message: str = "") -> float:
    """Poll until `condition()` is true; returns the seconds it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout:
            raise AssertionError(message or f"did not happen within {timeout} s")
        time.sleep(0.02)
    return time.monotonic() - started
