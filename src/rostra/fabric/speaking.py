"""Who is speaking: for messages that name a node, whether it was a machine that may speak for that node."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

_speaking: ContextVar[tuple[str, Callable[[str], bool]] | None] = ContextVar("speaking", default=None)


def speaks_for(node: str) -> bool:
    """May who said what is being handled speak for `node`? Where nothing is guarded, everybody may.

    Holds in the handler of a message, and after a request that was awaited for who answered it; ask before the next.
    """
    now = _speaking.get()
    return now is None or now[1](node)


def speaker() -> str | None:
    """The member that speaks; None where nothing is guarded. Holds as long as `speaks_for`."""
    now = _speaking.get()
    return now[0] if now else None


def now_speaks(member: str, may: Callable[[str], bool]) -> None:
    """From here on, in this context, `member` speaks, for the nodes of which `may` says so."""
    _speaking.set((member, may))
