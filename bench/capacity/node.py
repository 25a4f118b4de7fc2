"""The node that is measured: a whole platform in processes of its own, with rooms for the loads."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.platform import Platform, descendants, fresh_environment

from rostra.machine import primary_address

_CONFERENCES = "/api/admin/configuration/v1/conference/"
_THEMES = "/api/admin/configuration/v1/ivr_theme/"
_RULES = "/api/admin/configuration/v1/gateway_routing_rule/"
HD_CALLS = 400
"""What the node may take: it shall not refuse what is to be measured."""
HOST_PIN, GUEST_PIN = "2468", "1357"


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """What processes have used up to a moment."""

    when: float
    worker: float
    """Processor seconds of media workers,"""
    node: float
    """and of the node's other processes."""
    machine: float
    """Of all processes of the machine."""

    def since(self, before: Use) -> tuple[float, float, float]:
        """Cores of the workers, of the rest of the node, and of the machine."""
        took = self.when - before.when
        now, then = (self.worker, self.node, self.machine), (before.worker, before.node, before.machine)
        worker, node, machine = ((new - old) / took for new, old in zip(now, then, strict=True))
        return worker, node, machine


class Measured:
    """The running platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.address: str = platform.environment.media_address
        self.sip_port: int = platform.environment.sip_port
        self.web: str = platform.web
        self._node = platform.child("node")
        self._rooms: set[str] = set()

    def room(self, alias: str, **settings: Any) -> str:
        """An alias of a room of its own."""
        if alias not in self._rooms:
            body = {"name": alias, "service_type": "conference", "aliases": [{"alias": alias}], **settings}
            with self.platform.api() as api:
                answer = api.post(_CONFERENCES, json=body)
                if answer.status_code != 201:
                    raise RuntimeError(f"no room: {answer.text}")
            self._rooms.add(alias)
            time.sleep(1.0)  # until the node knows it
        return alias

    def plain_theme(self) -> str:
        """A theme that draws nothing over pictures, as what is drawn over them must be encoded; its URI."""
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("plain/themeconfig.json", json.dumps({"disable_watermark_icon": True}))
        with self.platform.api() as api:
            files = {"package": ("plain.zip", package.getvalue())}
            answer = api.post(_THEMES, data={"name": "Plain"}, files=files)
            if answer.status_code != 201:
                raise RuntimeError(f"no theme: {answer.text}")
        return urlsplit(answer.headers["Location"]).path

    def gateway(self) -> str:
        """An alias of calls to a port of this machine, which stands for `{port}`."""
        if "gateway" not in self._rooms:
            body = {
                "name": "gateway", "priority": 1, "match_string": "out([0-9]+)",
                "replace_string": rf"load@{self.address}:\1",
            }  # fmt: skip
            with self.platform.api() as api:
                answer = api.post(_RULES, json=body)
                if answer.status_code != 201:
                    raise RuntimeError(f"no rule: {answer.text}")
            self._rooms.add("gateway")
            time.sleep(1.0)
        return "out{port}"

    def workers(self) -> list[int]:
        return [pid for pid, command in self._processes().items() if "engine.worker" in command]

    def use(self) -> Use:
        """Processor time so far of the node: its own process, its media workers and its message server."""
        worker = rest = 0.0
        for pid, command in self._processes().items():
            seconds = _seconds(pid)
            if "engine.worker" in command:
                worker += seconds
            else:
                rest += seconds
        return Use(time.monotonic(), worker, rest, _machine())

    def memory(self) -> int:
        """Bytes of all these processes, shared pages divided among those who share them."""
        return sum(_proportional(pid) for pid in self._processes())

    def _processes(self) -> dict[int, str]:
        return descendants(self._node)


def _seconds(process: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _machine() -> float:
    """Processor seconds of everything so far (proc(5))."""
    busy = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(busy) - busy[3] - busy[4]) / os.sysconf("SC_CLK_TCK")


def _proportional(process: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0


@contextlib.contextmanager
def measured() -> Generator[Measured]:
    """A platform that has just been started."""
    with tempfile.TemporaryDirectory() as home:
        own = primary_address()  # ICE does not use the loopback
        environment = dataclasses.replace(
            fresh_environment(Path(home)), capacity=HD_CALLS, address=own, media_address=own
        )
        platform = Platform(environment).start()
        try:
            yield Measured(platform)
        finally:
            platform.stop()
