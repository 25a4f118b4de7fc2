"""Calls of ours through kamailio as outbound proxy, which asks for a password with every request."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rostra.dialplan.outward import Hop
from rostra.environment import Environment
from tests.certificates import made
from tests.ports import free_port
from tests.sip.conftest import Running
from tests.sip.pair import answered, call, serving
from tests.sip.test_trust import ROOT, settings

pytestmark = pytest.mark.skipif(shutil.which("kamailio") is None, reason="kamailio is not installed")

CONFIGURATION = Path(__file__).parent / "kamailio" / "proxy.cfg"


@contextlib.asynccontextmanager
async def proxy(directory: Path, called_port: int) -> AsyncIterator[tuple[int, int]]:
    """Kamailio, running: its ports for UDP and TCP, and for TLS."""
    port, tls_port = free_port(), free_port()
    own = made("127.0.0.1", by=ROOT)
    (directory / "certificate.pem").write_text(own.pem)
    (directory / "key.pem").write_text(own.key_pem)
    text = CONFIGURATION.read_text().replace("TLS_PORT", str(tls_port)).replace("CALLED_PORT", str(called_port))
    text = text.replace("PORT", str(port)).replace('"CERTIFICATE"', f'"{directory}/certificate.pem"')
    (directory / "proxy.cfg").write_text(text.replace('"KEY"', f'"{directory}/key.pem"'))
    process = await asyncio.create_subprocess_exec(
        "kamailio", "-f", directory / "proxy.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-Y", directory,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said = asyncio.create_task(process.stderr.read() if process.stderr else asyncio.sleep(0, b""))
    try:
        async with asyncio.timeout(15):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", tls_port)
                except OSError:
                    assert process.returncode is None, (await said).decode(errors="replace")[-3000:]
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                break
        yield port, tls_port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 10)
        await said


@pytest.mark.spec("SYS-146", "SYS-249", "PLAT-096")
async def test_calls_through_a_proxy(running: Running, environment: Environment, tmp_path: Path) -> None:
    """By every transport; the BYE, which it challenges anew, arrives as well; a wrong password ends it at once."""
    called = f"sip:meet.demo@127.0.0.1:{running.port}"
    async with proxy(tmp_path, running.port) as (port, tls_port):
        for transport in ("udp", "tcp", "tls"):
            hop = Hop(address="127.0.0.1", port=tls_port if transport == "tls" else port, transport=transport)
            async with serving(environment, settings(verify=True)) as ours:
                await _through(ours, running, called, hop)
        assert len(running.switchboard.sessions) == 3


async def _through(ours: Running, running: Running, called: str, hop: Hop) -> None:
    session = call(ours, called, hop=hop, credentials={"proxy.test": ("us", "secret")}.get)
    await answered(ours, session)
    theirs = running.switchboard.sessions[-1]
    await running.until(lambda: theirs.did("confirm"))
    session.listener.disconnected("over")
    await running.until(lambda: theirs.left)
    await ours.until(lambda: session.left)
    wrong = call(ours, called, hop=hop, credentials={"proxy.test": ("us", "wrong")}.get)
    await ours.until(lambda: wrong.left)
    assert not wrong.did("answered")
    assert ours.service.debug_state()["responses"][407] >= 3  # type: ignore[index]
