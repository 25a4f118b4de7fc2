"""The breakout rooms of a conference: opened and closed in its shared state, closed when their time is over."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import msgspec

from rostra.conference.shared import Shared
from rostra.conference.state import Changes
from rostra.domain import rooms
from rostra.domain.rooms import Room
from rostra.domain.service import Service


def service_of(main: Service, room: Room) -> Service:
    """The service of a room (POL-038). Who is in decides nothing about its end: that is for Hosts and the clock."""
    description = msgspec.structs.replace(
        main.description, name=f"{main.description.name}_breakout_{room.uuid}", breakout=room, breakout_rooms=False,
        participant_limit=None, guests_only_timeout=math.inf, last_participant_timeout=0.0,
    )  # fmt: skip
    return msgspec.structs.replace(main, description=description)


class Breakouts:
    """Owned by the instance; `changed` hears that rooms were opened or closed."""

    def __init__(self, shared: Shared, now: Callable[[], float], changed: Callable[[], None]) -> None:
        self._shared = shared
        self._state = shared.state
        self._now = now
        self._changed = changed
        self._rooms: dict[str, Room] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def rooms(self) -> list[Room]:
        """Those that are open."""
        return list(self._rooms.values())

    def get(self, uuid: str) -> Room | None:
        return self._rooms.get(uuid)

    async def open(self, room: Room) -> None:
        """Returns when the other nodes are being told."""
        self._shared.write(self._state.set(**{room.register: room.value}))
        await self._shared.flush()

    async def shut(self, uuid: str) -> None:
        """Close a room; unknown ones are fine."""
        room = self._rooms.get(uuid)
        if room is not None:
            self._shared.write(self._state.set(**{room.register: ()}))
            await self._shared.flush()

    def follow(self, changes: Changes) -> None:
        """Something of the conference has changed."""
        if not any(name.startswith(rooms.PREFIX) for name in changes.registers):
            return
        now = {room.uuid: room for room in rooms.open_rooms(self._state.registers(rooms.PREFIX))}
        if now == self._rooms:
            return
        self._rooms = now
        self._wait()
        self._changed()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _wait(self) -> None:
        """Every node closes what is over: they all write the same."""
        self.close()
        over, seconds = rooms.due(self._rooms.values(), self._now())
        delay = 0.0 if over else seconds
        if delay is not None:
            self._timer = asyncio.get_running_loop().call_later(delay, self._over)

    def _over(self) -> None:
        self._timer = None
        over, _ = rooms.due(self._rooms.values(), self._now())
        if over:
            self._shared.write(self._state.set(**{room.register: () for room in over}))
        else:
            self._wait()
