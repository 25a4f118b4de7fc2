"""What of a server's answers has been told once: its names beside those of the envelope (POL-020).

A server may send the same ones with each answer, or others each time: the log is told of each once, and of no more
than it can hold.
"""

from __future__ import annotations

from collections.abc import Iterable

NAMES = 20
"""That are looked at in one answer."""
LETTERS = 50
"""Of a name that are told."""
MOST = 1000
"""Names that are remembered; with so many of them, no further one is told."""


class Noticed:
    """Of one node."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def news(self, profile: str, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names that were not told yet of this profile."""
        fresh: list[str] = []
        for name in names:
            if len(self._known) >= MOST:
                break
            if (profile, name) not in self._known:
                self._known.add((profile, name))
                fresh.append(name)
        return tuple(fresh)


def told(name: str) -> str:
    """A word of a server's, as a log can hold it."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:LETTERS])
