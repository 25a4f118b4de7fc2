"""How much memory a media worker may take, so that one that goes wrong harms its own conference and nobody else.

The node replaces a worker that grows beyond what its legs explain. Where memory runs out faster than that, the kernel
takes a worker before anything else of ours (`be_first`).
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from rostra import machine

BASE = 1 << 30
"""Bytes a worker may take without legs."""
A_LEG = 160 << 20
"""Bytes more for each: many times what a leg in Full HD needs."""
SHARE = 0.7
"""Of the machine's memory, the most that one worker may take."""
_FIRST = 500
"""What is added to a worker's badness, of 1000, when the kernel looks for a process to end (proc(5))."""
_MOST = 1000
_PAGE = os.sysconf("SC_PAGE_SIZE")


def most(legs: int, memory: int) -> int:
    """Bytes a worker with so many legs may take on a machine with so many bytes."""
    return min(BASE + legs * A_LEG, int(SHARE * memory))


def usable(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes of memory that may be used here: the machine's, within the limit of our container (cgroup 2)."""
    own = machine.memory() * 1024
    try:
        return min(own, int(limit.read_text()))
    except (OSError, ValueError):  # no such limit, or "max"
        return own


def resident(process: int) -> int:
    """Bytes of memory a process takes; 0 when there is none any more."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


class _Allocated(ctypes.Structure):
    """`struct mallinfo2` (mallinfo(3))."""

    _fields_ = (
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks")),
        *((name, ctypes.c_size_t) for name in ("uordblks", "fordblks", "keepcost")),
    )


def allocated() -> int:
    """Bytes that this process has allocated and not freed; it takes more, as the allocator keeps what was freed."""
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = _Allocated
    found = ask()
    return int(found.uordblks) + int(found.hblkhd)


def be_first() -> None:
    """When memory runs out, this process is to go before others of ours, whatever all were started with (in containers
    without a guarantee 1000, the most there is). Raises OSError where that cannot be said."""
    badness = Path("/proc/self/oom_score_adj")
    badness.write_text(str(min(_MOST, max(0, int(badness.read_text())) + _FIRST)))
