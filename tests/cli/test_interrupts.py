"""`rostra run` that is told to end while it still loads: nothing is lost, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from rostra.environment import Environment


def _as_from_a_terminal() -> None:
    """What a script runs in the background begins with interrupts ignored, and so would we."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("number", "loaded"),
    [
        (signal.SIGTERM, "click.core"),
        (signal.SIGINT, "asyncio"),
        (signal.SIGINT, "rostra.environment"),
        (signal.SIGHUP, "rostra.cli.child"),
    ],
)
def test_an_interrupt_while_it_loads_ends_it(number: signal.Signals, loaded: str, environment: Environment) -> None:
    """Python tells on standard error what it has just loaded: those are the moments."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "rostra.cli", "run"], env={**variables, **environment.variables()},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=_as_from_a_terminal,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if line.rpartition("|")[2].strip() == loaded:
                    break
            process.send_signal(number)
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert said.endswith("stopped\n")
