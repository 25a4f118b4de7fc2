"""Hosts who control the conference by two digits on their keypad (CONF-136…CONF-139, REF-067…REF-069). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from rostra.domain.theme import Command


def press(commands: Mapping[str, str], pending: str, digit: str) -> tuple[str, Command | None]:
    """Take one key: what is pending now, and the command that is complete.

    Two digits that are a command are consumed; else the window slides by one, so a lost digit shifts what follows
    (CONF-139).
    """
    found = commands.get(pending + digit)
    if found is not None:
        return "", Command(found)
    return digit, None
