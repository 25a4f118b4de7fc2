"""Breakout rooms: conferences beside a conference, made and ended by its Hosts (sheet 09, section 17). Pure.

What a room is stands in a register of the main conference, so every node that has part in that knows of the room; the
room itself is a conference like any other, of a service of its own that is derived from the main one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

PREFIX: Final = "breakout:"
"""What the names of the registers begin with; the rest is the room's uuid. A closed room's register is empty."""
_ALIAS: Final = "breakout!"
"""What the aliases of rooms begin with; no configured alias can."""

EndAction = Literal["transfer", "disconnect"]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """One room."""

    uuid: str
    name: str
    description: str = ""
    end_time: float = 0.0
    """Unix seconds at which it closes; 0: it stays open."""
    end_action: EndAction = "transfer"
    """What becomes of Guests when it closes: back to the main room, or out."""
    guests_may_leave: bool = False
    main_alias: str = ""
    """Alias of the main conference, by which they go back."""

    @property
    def alias(self) -> str:
        """Names the room inside the platform; nobody can dial it."""
        return _ALIAS + self.uuid

    @property
    def register(self) -> str:
        return PREFIX + self.uuid

    @property
    def value(self) -> tuple[str, ...]:
        """As a register holds it."""
        leave = "yes" if self.guests_may_leave else ""
        return (self.name, self.description, repr(self.end_time), self.end_action, leave, self.main_alias)


def read(register: str, value: object) -> Room | None:
    """The room a register tells of; None: it has closed, or the value is none of ours."""
    if not isinstance(value, tuple) or len(value) != 6 or not register.startswith(PREFIX):
        return None
    name, description, end_time, end_action, leave, main_alias = (str(member) for member in value)
    return Room(
        uuid=register.removeprefix(PREFIX), name=name, description=description, end_time=float(end_time),
        end_action="disconnect" if end_action == "disconnect" else "transfer", guests_may_leave=bool(leave),
        main_alias=main_alias,
    )  # fmt: skip


def open_rooms(registers: Mapping[str, object]) -> list[Room]:
    """Those that are open, the same on every node."""
    found = [room for name, value in sorted(registers.items()) if (room := read(name, value)) is not None]
    return sorted(found, key=lambda room: (room.name, room.uuid))


def due(rooms: Iterable[Room], now: float) -> tuple[list[Room], float | None]:
    """Rooms whose time is over, and in how many seconds the next one's is (None: of none)."""
    timed = [room for room in rooms if room.end_time]
    over = [room for room in timed if room.end_time <= now]
    coming = [room.end_time - now for room in timed if room.end_time > now]
    return over, min(coming, default=None)
