"""How often Python looks for objects that hold each other.

Its defaults suit short programs. A node keeps what belongs to calls for half a minute after they have ended, and would
look through all of it again and again: a quarter of the time of a SIP call.
"""

from __future__ import annotations

import gc

YOUNG = 10_000
"""New objects after which the young ones are looked through,"""
OLDER = 20
"""and how many times that is done before the older ones are."""


def settle() -> None:
    """Call it once a process has loaded what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDER)
