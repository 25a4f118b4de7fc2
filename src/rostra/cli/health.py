"""Waiting until a node takes calls: `GET /healthz` answers 200."""

from __future__ import annotations

import asyncio
import ssl

import httpx


async def healthy(port: int, *, interval: float = 0.2) -> None:
    """Return when the server on `port` of this machine says it is ready; ask every `interval` seconds."""
    # Which certificate it presents is configured, and may change at any time; nothing is said that is secret.
    trust = ssl.create_default_context()
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=2.0) as client:
        while True:
            try:
                answer = await client.get(f"https://127.0.0.1:{port}/healthz")
            except httpx.TransportError:
                answer = None  # not listening yet
            if answer is not None and answer.status_code == 200:
                return
            await asyncio.sleep(interval)
