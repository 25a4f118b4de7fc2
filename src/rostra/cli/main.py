"""The command `rostra`: from its first moment on it can be ended, also while it still loads.

Little is imported before signals are heard: without a handler the first process of a container would not notice
SIGTERM at all, and Python might lose an interrupt in the middle of an import.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType

_LONG_LIVED = ("run", "management", "node")
"""Commands that run until they are told to end; they hear signals in their own way once they have something to end."""


def main() -> None:
    """Entry point: a problem with the environment is one line and exit code 2, not a traceback."""
    if sys.argv[1:2] and sys.argv[1] in _LONG_LIVED:
        _end_when_asked()
    from rostra.cli.commands import application
    from rostra.environment import EnvironmentProblem

    try:
        application()
    except EnvironmentProblem as problem:
        print(f"rostra: {problem}", file=sys.stderr)
        sys.exit(2)


def _end_when_asked() -> None:
    """Nothing has begun yet, so there is nothing to clear up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """An exception could be caught by whatever is being imported."""
    del number, frame
    with contextlib.suppress(OSError):
        os.write(1, b"stopped\n")
    os._exit(0)
