"""How long this process had to wait for a processor, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path

THREADS = Path("/proc/self/task")


def waited(threads: Path = THREADS) -> float:
    """Seconds that threads which still run were ready and had no processor (schedstats); 0 when the kernel does not
    count.
    """
    total = 0
    for thread in threads.iterdir():
        try:
            total += int((thread / "schedstat").read_text().split()[1])
        except (OSError, ValueError, IndexError):  # it has ended meanwhile, or is not counted
            continue
    return total / 1e9
