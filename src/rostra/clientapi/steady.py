"""Time for what we give out and judge ourselves: it begins as the clock on the wall and goes on evenly.

When the machine's clock is set, by NTP or after it was suspended, no token of a client expires or lives longer by that.
"""

from __future__ import annotations

from time import monotonic
from time import time as on_the_wall

_BEGAN = on_the_wall() - monotonic()


def now() -> float:
    """Unix seconds, but for what the clock was set by since this process began."""
    return _BEGAN + monotonic()
