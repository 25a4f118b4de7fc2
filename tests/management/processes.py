"""The Management Node as a process, for tests and benchmarks; imports nothing that needs Django set up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator

import httpx

from rostra import tls
from rostra.environment import Environment

_RUN = """
import asyncio, sys
from pathlib import Path
from rostra.environment import Environment
from rostra.management.server import serve
certificate, key = map(Path, sys.argv[1:])
asyncio.run(serve(Environment.load(), certificate, key, on_password=lambda p: print("password:", p, flush=True)))
"""


@contextlib.asynccontextmanager
async def running(environment: Environment) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """The process, ended by SIGTERM, and a client for it."""
    identity = tls.prepare(environment.home)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUN, str(identity.certificate), str(identity.key)),
        env=variables | environment.variables(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,  # nobody reads most of it, and a full pipe would stop the process
    )
    address = f"https://127.0.0.1:{environment.management_https_port}"
    context = ssl.create_default_context(cafile=identity.certificate)
    try:
        async with httpx.AsyncClient(base_url=address, verify=context, timeout=10) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 15)


async def answer(client: httpx.AsyncClient, path: str, status: int) -> httpx.Response:
    """Ask until `status` comes."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx.TransportError):
                response = await client.get(path)
                if response.status_code == status:
                    return response
            await asyncio.sleep(0.05)
