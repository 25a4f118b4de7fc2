"""A platform of several machines, each process started the way a user starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests import postgresql, tables
from tests.cluster.net import Machine, Machines, machines
from tests.e2e.platform import PASSWORD, ROOT, descendants, no_trust

ROSTRA = str(Path(sys.executable).parent / "rostra")
STARTED = 60.0


class Program:
    """A `rostra …` command on a machine; killed with all it started when the test ends."""

    def __init__(self, machine: Machine, home: Path, *arguments: str, **settings: str) -> None:
        self.machine = machine
        self.home = home
        self.output: list[str] = []
        self.ready = threading.Event()
        variables = {k: v for k, v in os.environ.items() if not k.startswith("ROSTRA_")}
        variables |= {"ROSTRA_HOME": str(home), **machine.settings, **settings}
        self.process = subprocess.Popen(
            machine.command(ROSTRA, *arguments), cwd=ROOT, env=variables, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if line.strip() == "ready":
                    self.ready.set()
        self.ready.set()

    def wait_ready(self) -> None:
        assert self.ready.wait(STARTED), self.story()
        assert self.process.poll() is None, self.story()

    def descendants(self) -> dict[int, str]:
        """Process id to command line, of all that runs below."""
        return descendants(self.process.pid)

    def find(self, text: str) -> list[int]:
        return [pid for pid, command in self.descendants().items() if text in command and "ip netns" not in command]

    def kill(self) -> None:
        """SIGKILL to everything, as when the power fails."""
        for pid in self.descendants():
            _signal(pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """End it as Ctrl-C does."""
        if self.process.poll() is None:
            below = [pid for pid in self.descendants() if pid != self.process.pid]
            _signal(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                for pid in (*below, *self.descendants()):
                    _signal(pid, signal.SIGKILL)
                self.process.wait(10)
                raise AssertionError(f"did not stop within 20 s\n{self.story()}") from None
        return self.process.returncode

    def log(self, name: str) -> str:
        file = self.home / "log" / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def story(self) -> str:
        logs = "\n".join(
            f"--- {self.machine.name} {file.name}\n{file.read_text(errors='replace')[-5000:]}"
            for file in sorted((self.home / "log").glob("*.log"))
        )
        return f"--- {self.machine.name}\n{''.join(self.output)}\n{logs}"


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


class Cluster:
    """A Management Node and Conferencing Nodes on machines of their own."""

    def __init__(self, network: Machines, directory: Path) -> None:
        self.network = network
        self.directory = directory
        self.programs: dict[str, Program] = {}
        self.locations: dict[str, str] = {}
        self.nodes: dict[str, int] = {}
        self.management = network.add("management")
        self.database_url = postgresql.environment_url()

    # ---- building

    def start_management(self) -> Program:
        tables.lay(self.directory / "management")
        program = Program(
            self.management, self.directory / "management", "management", ROSTRA_ADMIN_PASSWORD=PASSWORD,
            ROSTRA_ADDRESS=self.management.address, ROSTRA_LOG_LEVEL="info",
            ROSTRA_DATABASE_URL=self.database_url,
        )  # fmt: skip
        program.wait_ready()
        self.programs["management"] = program
        return program

    def api(self) -> httpx.Client:
        """The management API as an administrator."""
        return httpx.Client(
            base_url=f"https://{self.management.address}:{self.management.port('management_https')}",
            auth=("admin", PASSWORD),
            verify=no_trust(),
            timeout=20,
        )

    def location(self, name: str, **members: Any) -> str:
        """A system location; returns its URI."""
        with self.api() as api:
            servers = {f"{kind}_servers": [f"/api/admin/configuration/v1/{kind}_server/1/"] for kind in ("dns", "ntp")}
            made = api.post("/api/admin/configuration/v1/system_location/", json={"name": name, **servers, **members})
            assert made.status_code == 201, made.text
            self.locations[name] = made.headers["location"].partition("/api/")[2]
            self.locations[name] = f"/api/{self.locations[name]}"
        return self.locations[name]

    def change(self, uri: str, **members: Any) -> None:
        with self.api() as api:
            changed = api.patch(uri, json=members)
            assert changed.status_code in (200, 202, 204), changed.text

    def room(self, alias: str, **members: Any) -> None:
        with self.api() as api:
            made = api.post(
                "/api/admin/configuration/v1/conference/",
                json={"name": alias, "service_type": "conference", "aliases": [{"alias": alias}], **members},
            )
            assert made.status_code == 201, made.text

    def rows(self, api: str, resource: str, **filters: Any) -> list[dict[str, Any]]:
        """All rows of a resource of the status, history or configuration API."""
        with self.api() as client:
            answer = client.get(f"/api/admin/{api}/v1/{resource}/", params={"limit": 1000, **filters})
            assert answer.status_code == 200, answer.text
            return list(answer.json()["objects"])

    def command(self, name: str, **members: Any) -> Any:
        """A command, of the platform unless a scope is named (`conference/lock`); returns its data."""
        path = name if "/" in name else f"platform/{name}"
        with self.api() as client:
            answer = client.post(f"/api/admin/command/v1/{path}/", json=members)
            assert answer.status_code in (200, 202), answer.text
            assert answer.json()["status"] == "success", answer.text
            return answer.json()["data"]

    def media(self) -> dict[str, tuple[str, str]]:
        """Display name of every participant to the names of its signalling and its media node."""
        names = {machine.address: name for name, machine in self.network.machines.items()} | {"": ""}
        return {
            row["display_name"]: (names[row["signalling_node"]], names[row["media_node"]])
            for row in self.rows("status", "participant")
        }

    def add(self, name: str, location: str, **members: Any) -> Path:
        """Configure a node on a new machine; returns its configuration file."""
        machine = self.network.add(name)
        with self.api() as api:
            made = api.post(
                "/api/admin/configuration/v1/worker_vm/",
                json={
                    "name": name, "hostname": name, "domain": "test", "address": machine.address,
                    "netmask": "255.255.255.0", "gateway": self.network.gateway, "password": "nobody-logs-in",
                    "system_location": self.locations[location], **members,
                },
            )  # fmt: skip
            assert made.status_code == 201, made.text
            self.nodes[name] = int(made.headers["location"].rstrip("/").rpartition("/")[2])
            given = api.post(
                "/api/admin/command/v1/platform/node_configuration/", json={"worker_vm_id": self.nodes[name]}
            )
            assert given.status_code == 200, given.text
        file = self.directory / f"{name}.xml"
        file.write_bytes(given.content)
        return file

    def start(self, name: str, file: Path | None = None, *, wait: bool = True, **settings: str) -> Program:
        """Start a node's machine, with its configuration file the first time."""
        arguments = ["node", "--config", str(file)] if file else ["node"]
        settings = {"ROSTRA_CAPACITY": "40", "ROSTRA_LOG_LEVEL": "info", **settings}
        program = Program(self.network.machines[name], self.directory / name, *arguments, **settings)
        self.programs[name] = program
        if wait:
            program.wait_ready()
        return program

    def grow(self, *names: str, location: str, **settings: str) -> None:
        """Add nodes and start them side by side."""
        for name in names:
            self.start(name, self.add(name, location), wait=False, **settings)
        for name in names:
            self.programs[name].wait_ready()

    def address(self, name: str) -> str:
        return self.network.machines[name].address

    def web(self, name: str) -> str:
        return f"https://{self.address(name)}:{self.network.machines[name].port('node_https')}"

    def client(self, name: str) -> httpx.Client:
        """The client API of a node, without a token."""
        return httpx.Client(base_url=self.web(name), verify=no_trust(), timeout=20)

    def stop(self) -> None:
        for program in self.programs.values():
            if program.process.poll() is None:
                program.kill()

    def stories(self) -> str:
        return "\n".join(program.story() for program in self.programs.values())


@contextmanager
def cluster(directory: Path, network: Machines | None = None) -> Generator[Cluster]:
    """A platform without nodes; on a network of namespaces unless one is given."""
    with contextlib.ExitStack() as stack:
        made = Cluster(network or stack.enter_context(machines()), directory)
        stack.callback(made.stop)
        made.start_management()
        yield made
