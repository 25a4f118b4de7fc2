"""A disk that takes nothing: whoever logs goes on, and processes are started all the same."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rostra.cli.child import Child, rotate

LOGGING = """
import resource, structlog, time
from rostra import logs
from rostra.environment import Environment

logs.configure(Environment(), process="test")
logger = structlog.get_logger("rostra.test")
logger.info("before")
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
began = time.monotonic()
for number in range(5000):
    logger.warning("meanwhile", number=number, text="x" * 200)
    if number % 1000 == 0:
        try:
            raise ValueError("x")
        except ValueError:
            logger.exception("meanwhile", number=number)
print(time.monotonic() - began)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
logger.info("after")
logger.info("later")
"""


def test_logging_never_raises_or_waits(tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    with log.open("ab") as output:
        command = [sys.executable, "-c", LOGGING]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=output, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert float(done.stdout) < 15
    lines = log.read_text().splitlines()
    assert json.loads(lines[0])["event"] == "before"
    assert json.loads(lines[-1])["event"] == "later"
    assert log.stat().st_size < 20_000


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_long_log_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "node.log"
    log.write_bytes(bytes(30))
    monkeypatch.setattr(shutil, "copyfile", full)
    rotate(log, limit=20)
    assert log.stat().st_size == 0
    assert not (tmp_path / "node.log.1").exists()


async def test_a_process_is_started_without_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text("no folder: as little can be made here as where there is no room")
    child = Child("one", [sys.executable, "-c", "print(1); raise SystemExit(7)"], {}, tmp_path / "log" / "one.log")
    await child.start()
    assert await child.ended() == 7
    assert os.listdir(tmp_path) == ["log"]  # noqa: PTH208
