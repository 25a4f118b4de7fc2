"""linphone's command line telephone: a stack that is neither ours nor baresip's."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.sip.desk import Desk, desk
from tests.sip.pair import answered, call

pytestmark = pytest.mark.skipif(shutil.which("linphonec") is None, reason="linphone-cli is not installed")

SETTINGS = """\
[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port=0
use_ipv6=0
contact="Lin" <sip:lin@127.0.0.1>
[rtp]
audio_rtp_port={media}
[video]
automatically_initiate=0
automatically_accept=0
"""


class Linphone:
    """The telephone; what it says is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process

    async def do(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        await self._process.stdin.drain()

    async def until(self, command: str, condition: Callable[[], bool]) -> None:
        """Say it until it has been done: what comes too early is refused."""
        async with asyncio.timeout(15):
            while not condition():
                await self.do(command)
                await asyncio.sleep(0.3)

    async def says(self, words: str) -> None:
        """Wait until it has said this."""
        assert self._process.stdout is not None
        said = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while words.encode() not in said:
                    more = await self._process.stdout.read(4096)
                    if not more:
                        break
                    said += more
        assert words.encode() in said, said.decode(errors="replace")[-2000:]


async def turn(phone: Linphone) -> None:
    """Without a terminal it looks at the network only when a line is read."""
    while True:
        await phone.do("")
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def linphone(directory: Path) -> AsyncIterator[Linphone]:
    """Without sound devices, and answering by itself."""
    (directory / ".local/share/linphone").mkdir(parents=True)
    port = free_port()
    (directory / "settings").write_text(SETTINGS.format(port=port, media=free_port() // 2 * 2))
    process = await asyncio.create_subprocess_exec(
        "linphonec", "-a", "-c", str(directory / "settings"),
        cwd=directory, env={"HOME": str(directory), "PATH": "/usr/bin:/bin"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    phone = Linphone(process, port)
    turning = asyncio.create_task(turn(phone))
    try:
        await phone.do("soundcard use files")
        await phone.says("Using wav files")
        yield phone
        turning.cancel()
        await phone.do("quit")
        await asyncio.wait_for(process.communicate(), 10)
    finally:
        turning.cancel()
        if process.returncode is None:
            process.kill()
            await process.communicate()


__all__ = ["desk"]


@pytest.mark.spec("REF-103", "REF-105")
async def test_it_registers_and_calls_each_way_are_held_resumed_and_transferred(desk: Desk, tmp_path: Path) -> None:
    running = desk
    running.switchboard.aliases.add("other")
    async with linphone(tmp_path) as phone:
        await phone.do(f"register sip:eric@127.0.0.1:{desk.port} sip:127.0.0.1:{desk.port} sesame")
        await desk.until(lambda: len(desk.registry) == 1)
        assert not desk.registering.registrar._offers._seen, "it has answered by SHA-256"
        await phone.do(f"call sip:meet.demo@127.0.0.1:{running.port}")
        await running.until(lambda: any(session.did("confirm") for session in running.switchboard.sessions))
        [session] = running.switchboard.sessions
        assert session.request.vendor.startswith("Linphone")
        assert session.request.registered == "eric", "it has said its password for the call too"
        await phone.until("pause", lambda: ("hold", True) in session.log)
        await phone.until("resume 1", lambda: ("hold", False) in session.log)
        transfer = f"transfer 1 sip:other@127.0.0.1:{running.port}"
        await phone.until(transfer, lambda: bool(session.conference.sent))
        assert session.conference.sent == [("somebody", "other", None)]
        await phone.do("terminate all")
        await running.until(lambda: session.left)
        ours = call(running, f"sip:lin@127.0.0.1:{phone.port};transport=udp")
        await answered(running, ours)
        await running.until(lambda: ours.did("confirm"))
        await phone.do("terminate all")
        await running.until(lambda: ours.left)
    await running.until(lambda: running.service.debug_state()["tasks"] == 0)
