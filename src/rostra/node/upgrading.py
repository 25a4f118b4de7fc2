"""This node is upgraded: it fetches the software the Management Node names, and starts again by it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import msgspec
import structlog

from rostra import release, software, staging
from rostra.bundle import LARGEST, BundleProblem
from rostra.environment import Environment
from rostra.fabric import upgrading
from rostra.fabric.bus import Bus
from rostra.fabric.upgrading import Install, Progress
from rostra.node.identity import NodeIdentity

logger = structlog.get_logger("rostra.node.upgrading")

UPGRADED = "This Conferencing Node was upgraded"
"""Why the process ends."""
_PATIENCE = httpx.Timeout(30.0)
_SEND = 0.5
"""Seconds in which the last answer gets out."""


class Upgrading:
    """Listens from `start` to `stop`; tells `on_end` that the process has to start again."""

    def __init__(
        self, environment: Environment, identity: NodeIdentity, bus: Bus, on_end: Callable[[str], None]
    ) -> None:
        self._environment = environment
        self._identity = identity
        self._bus = bus
        self._on_end = on_end
        self._progress = Progress(version=release.VERSION, build=release.build())
        self._task: asyncio.Task[None] | None = None
        self._stop: Callable[[], Awaitable[None]] | None = None

    async def start(self) -> None:
        subject = upgrading.subject(self._identity.id)
        self._stop = await self._bus.subscribe(subject, self._told, concurrent=True)

    async def stop(self) -> None:
        if self._stop is not None:
            await self._stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _told(self, _subject: str, payload: bytes) -> bytes:
        try:
            command = upgrading.decode_command(payload)
        except msgspec.DecodeError as problem:
            return upgrading.encode_progress(Progress(state="failed", reason=f"not understood: {problem}"))
        if isinstance(command, Install) and (self._task is None or self._task.done()):
            self._say("fetching")
            self._task = asyncio.create_task(self._install(command), name="upgrade")
        return upgrading.encode_progress(self._progress)

    def _say(self, state: str, reason: str = "") -> None:
        self._progress = msgspec.structs.replace(self._progress, state=state, reason=reason)

    async def _install(self, wanted: Install) -> None:
        file = software.directory(self._environment.home) / ".bundle"
        logger.info("Upgrade begins", version=wanted.version, build=wanted.build)
        try:
            await self._fetch(wanted, file)
            self._say("unpacking")
            tree = await asyncio.to_thread(staging.stage, self._environment, file)
            await asyncio.to_thread(software.make_current, self._environment.home, tree)
        except (BundleProblem, httpx.HTTPError, OSError) as problem:
            reason = str(problem) or type(problem).__name__
            logger.error("Upgrade failed", reason=reason)
            return self._say("failed", reason)
        finally:
            file.unlink(missing_ok=True)
        self._say("restarting")
        await asyncio.sleep(_SEND)
        self._on_end(UPGRADED)
        return None

    async def _fetch(self, wanted: Install, file: Path) -> None:
        """From the first address of the Management Node that has it. Raises BundleProblem, httpx.HTTPError."""
        if not 0 < wanted.size <= LARGEST:
            raise BundleProblem("The bundle has no size that could be right.")
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem: Exception = BundleProblem("The Management Node is on this machine and upgrades it as a whole.")
        for address in self._identity.management:
            try:
                return await fetch(f"{address}{upgrading.PATH}{wanted.token}", file, wanted.size)
            except httpx.HTTPError as one:
                problem = one
        raise problem


async def fetch(address: str, file: Path, size: int) -> None:
    """Put what is at `address` into `file`. Raises httpx.HTTPError, and BundleProblem when it is not `size` bytes.

    Whose certificate the server has does not matter: what is fetched is signed.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    got = 0
    async with (
        httpx.AsyncClient(verify=context, trust_env=False, timeout=_PATIENCE) as client,
        client.stream("GET", address) as response,
    ):
        response.raise_for_status()
        with file.open("wb") as out:
            async for piece in response.aiter_bytes(1024 * 1024):
                got += len(piece)
                if got > size:
                    break
                await asyncio.to_thread(out.write, piece)
    if got != size:
        raise BundleProblem("The bundle did not arrive as a whole.")
