"""The Management Node asks to be started again: alone, or with all that runs on its machine.

The supervisor sees to it: a process that ends is started again, and one that ends with WHOLE_MACHINE has everything
start again, by the software that is the current one then.
"""

from __future__ import annotations

from collections.abc import Callable

ALONE = 0
WHOLE_MACHINE = 6
"""Exit codes."""


class _Asked:
    stop: Callable[[int], None] | None = None


def on_request(stop: Callable[[int], None] | None) -> None:
    """Have `stop` called with an exit code, from any thread; None: nobody listens any more."""
    _Asked.stop = stop


def request(*, whole_machine: bool) -> None:
    """Begin to end once running requests are answered. Without a server, as in tests, nothing happens."""
    if _Asked.stop is not None:
        _Asked.stop(WHOLE_MACHINE if whole_machine else ALONE)
