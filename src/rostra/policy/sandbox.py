"""The process that policy scripts run in: `python -m rostra.policy.sandbox`.

A line of JSON in, a line of JSON out. The kernel ends the process when a script has used up its second of processor
time, in whatever code it is (POL-083); memory is limited too, and no file can be written.
"""

from __future__ import annotations

import importlib
import resource
import signal
import sys
import zoneinfo
from typing import Any

import msgspec

from rostra.policy.scripts import Runner

SECONDS = 1.0
"""Of processor time for one run."""
MEMORY = 512 * 1024 * 1024
"""Bytes of address space."""


class Run(msgspec.Struct, frozen=True):
    """One run."""

    source: str
    variables: dict[str, Any]


def main() -> None:
    """Serve until standard input ends."""
    importlib.import_module("regex")  # scripts need it
    zoneinfo.ZoneInfo("UTC")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(what, (most, most))
    runner = Runner()
    decoder, encoder = msgspec.json.Decoder(Run), msgspec.json.Encoder()
    for line in sys.stdin.buffer:
        run = decoder.decode(line)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        rendered = runner.run(run.source, run.variables)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        sys.stdout.buffer.write(encoder.encode(rendered) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
