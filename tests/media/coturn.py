"""coturn (Debian's package) as the TURN server of a test."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.ports import free_port

NAME, PASSWORD = "rostra", "over-the-hills"


def available() -> bool:
    """It is installed."""
    return shutil.which("turnserver") is not None


@contextlib.contextmanager
def running(directory: Path) -> Iterator[int]:
    """Its port, on this machine's IPv4 and IPv6 loopback. Relays are on 127.0.0.1."""
    port = free_port()
    log = directory / "turnserver.log"
    command = [
        "turnserver", "-n", "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers", "--lt-cred-mech",
        f"--user={NAME}:{PASSWORD}", "--realm=rostra.test", f"--listening-port={port}", "--listening-ip=127.0.0.1",
        "--listening-ip=::1", "--relay-ip=127.0.0.1", "--min-port=58000", "--max-port=58999",
        f"--pidfile={directory / 'pid'}", "--log-file=stdout", f"--userdb={directory / 'users'}",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _await(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait(5)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """It answers STUN."""
    request = bytes.fromhex("000100002112a442") + b"rostra-test!"
    deadline = time.monotonic() + 10
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                probe.sendto(request, ("127.0.0.1", port))
                probe.recv(1500)
                return
    raise AssertionError(f"coturn does not answer:\n{log.read_text(errors='replace')[-2000:]}")
