"""One run: a load calls in, the node's processor time is counted while it stays, and the load says what it got."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.capacity.figures import Run
from bench.capacity.node import Measured
from bench.load.meeting import Plan

_LONGEST = 150.0
"""Seconds for a run, its judgement included."""


class _Load:
    """The load's process."""

    def __init__(self, plan: Plan, directory: str) -> None:
        path = Path(directory) / "plan.json"
        path.write_bytes(msgspec.json.encode(plan))
        self._end = time.monotonic() + _LONGEST
        self._log = Path(directory) / "load.log"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log.open("wb"),
        )  # fmt: skip
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._buffer = b""

    def order(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def hear(self, member: str) -> Any:
        """What it says next of this."""
        while True:
            while b"\n" in self._buffer:
                line, _, self._buffer = self._buffer.partition(b"\n")
                said = json.loads(line)
                if member in said:
                    return said[member]
            if not self._selector.select(max(0.0, self._end - time.monotonic())):
                raise RuntimeError(f"the load does not say {member!r} in time")
            assert self._process.stdout is not None
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise RuntimeError(f"the load has ended ({self._process.wait()}):\n{self._log.read_text()[-2000:]}")
            self._buffer += data

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def run(node: Measured, name: str, plan: Plan, *, warming: float = 3.0, seconds: float = 10.0) -> Run:
    """Raises RuntimeError when the load could not call."""
    before = node.memory()
    with tempfile.TemporaryDirectory() as directory:
        load = _Load(plan, directory)
        try:
            calls = load.hear("joined")
            time.sleep(warming)
            load.order(f"measure {seconds}")
            load.hear("begins")
            began = node.use()
            load.hear("measured")
            worker, rest, machine = node.use().since(began)
            memory = node.memory()
            load.order("end")
            report = load.hear("report")
        finally:
            load.close()
    return Run(
        name=name,
        calls=calls,
        cores=worker + rest,
        worker_cores=worker,
        machine_cores=machine,
        memory=memory,
        memory_before=before,
        report=report,
    )
