"""sipp (Debian's sip-tester) as the caller, one scenario file for each flow."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.sip.conftest import Running

pytestmark = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed")

SCENARIOS = Path(__file__).parent / "scenarios"
CALLS = 3


async def sipp(
    running: Running, directory: Path, scenario: str, transport: str = "u1", service: str = "meet.demo"
) -> None:
    """Run a scenario; a failure shows sipp's own error log."""
    options = {
        "-sf": SCENARIOS / f"{scenario}.xml",
        "-s": "meet.demo",
        "-t": transport,
        "-i": "127.0.0.1",
        "-m": CALLS,
        "-r": 10,
        "-max_socket": 100,
        "-timeout": 20,
        "-recv_timeout": 8000,
        "-error_file": directory / "errors",
    }
    command = ["sipp", f"127.0.0.1:{running.port}", "-nostdin", "-trace_err", "-timeout_error"]
    command += [str(word) for option in options.items() for word in option]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await asyncio.wait_for(process.communicate(), 30)
    errors = directory / "errors"
    text = errors.read_text(errors="replace") if errors.exists() else complaint.decode(errors="replace")
    assert process.returncode == 0, f"{scenario} over {transport}: {text[-3000:]}"


@pytest.mark.parametrize("transport", ["u1", "t1", "tn"])
@pytest.mark.parametrize("scenario", ["basic", "late_offer", "reinvite", "options"])
async def test_flows(running: Running, tmp_path: Path, scenario: str, transport: str) -> None:
    await sipp(running, tmp_path, scenario, transport)
    calls = 0 if scenario == "options" else CALLS
    await running.until(lambda: sum(session.left for session in running.switchboard.sessions) == calls)
    assert all(session.count("confirm") == 1 for session in running.switchboard.sessions)
    await running.until(lambda: running.service.debug_state()["tasks"] == 0)
    used = [call for session in running.switchboard.sessions for call in session.calls]
    assert len(used) == len(set(used)) == calls, "each call's media has an id of its own"


async def test_hold_and_resume_reach_the_session(running: Running, tmp_path: Path) -> None:
    await sipp(running, tmp_path, "reinvite")
    for session in running.switchboard.sessions:
        assert [entry for entry in session.log if entry[0] == "hold"] == [("hold", True), ("hold", False)]
        assert session.count("connect") == 5


async def test_cancel(running: Running, tmp_path: Path) -> None:
    running.switchboard.slow = asyncio.Event()
    await sipp(running, tmp_path, "cancel")
    running.switchboard.slow.set()
    await running.until(lambda: len(running.switchboard.sessions) == CALLS)
    await running.until(lambda: all(session.left for session in running.switchboard.sessions))


async def test_a_repeated_invite_and_a_lost_ack(running: Running, tmp_path: Path) -> None:
    await sipp(running, tmp_path, "retransmission")
    assert [session.count("confirm") for session in running.switchboard.sessions] == [1] * CALLS


async def test_info(running: Running, tmp_path: Path) -> None:
    await sipp(running, tmp_path, "info")
    await running.until(lambda: all(session.left for session in running.switchboard.sessions))
    for session in running.switchboard.sessions:
        assert session.did("keyframe")
        assert ("dtmf", "5") in session.log


@pytest.mark.spec("REF-110", "REF-112")
@pytest.mark.parametrize(
    "scenario",
    ["prack", "prack_lost", "session_timer", "focus", "refer", "refer_quietly", "refer_attended", "refer_refused"],
)
async def test_dialogs(running: Running, tmp_path: Path, scenario: str) -> None:
    """What the scenario says of responses holds; every call is over afterwards."""
    running.switchboard.aliases.add("other")
    await sipp(running, tmp_path, scenario)
    await running.until(lambda: running.service.debug_state()["tasks"] == 0)
    assert all(session.left for session in running.switchboard.sessions)
    moved = [session.conference.sent for session in running.switchboard.sessions]
    if scenario in ("refer", "refer_quietly"):
        assert moved == [[("somebody", "other", None)]] * CALLS
    dialled = [(wanted.destination, dict(wanted.headers)) for wanted in running.switchboard.dialled]
    replaces = {"Replaces": "a@b;to-tag=c;from-tag=d"}
    assert dialled == ([("sip:carl@192.0.2.9", replaces)] * CALLS if scenario == "refer_attended" else [])


async def test_options_say_what_media_we_can_do(running: Running, tmp_path: Path) -> None:
    await sipp(running, tmp_path, "options_described")


@pytest.mark.parametrize("scenario", ["no_common_codec", "bad_description", "unknown_alias"])
async def test_refusals(running: Running, tmp_path: Path, scenario: str) -> None:
    await sipp(running, tmp_path, scenario)
    assert running.switchboard.sessions == []
