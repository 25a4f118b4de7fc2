"""The breakout rooms that this node knows of, and what becomes of those in one that closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rostra.conference.breakouts import service_of
from rostra.conference.instance import ConferenceInstance
from rostra.conference.messages import key_of
from rostra.domain.rooms import Room
from rostra.domain.service import Service


class Rooms:
    """Owned by the exchange. A main conference goes on here as long as a room of it does."""

    def __init__(self, running: Mapping[str, ConferenceInstance], closed: Callable[[str], None]) -> None:
        """`closed` hears the alias of a room that nobody gets to any more."""
        self._running = running
        self._closed = closed
        self._open: dict[str, tuple[str, Service]] = {}
        """Key of the main conference and service of the room, by the room's alias."""

    def find(self, alias: str) -> Service | None:
        """The service of a room, by its alias inside the platform."""
        found = self._open.get(alias)
        return found[1] if found else None

    def room(self, alias: str) -> Room | None:
        found = self.find(alias)
        return found.description.breakout if found else None

    def follow(self, main: ConferenceInstance) -> None:
        """Rooms of a conference were opened or closed, here or elsewhere."""
        now = {room.alias: service_of(main.service, room) for room in main.rooms}
        gone = [alias for alias, (key, _) in self._open.items() if key == main.key and alias not in now]
        for alias, service in now.items():
            self._open[alias] = main.key, service
        for alias in gone:
            _, service = self._open.pop(alias)
            room = self._running.get(key_of(service.description.name))
            if room is not None:
                room.disband()
            self._closed(alias)

    def needed(self, main: ConferenceInstance) -> bool:
        """Does a room of it run here?"""
        return any(key == main.key and self._runs(service) for key, service in self._open.values())

    def ended(self, instance: ConferenceInstance) -> None:
        """A conference has ended here: it may have been the last room of one that nobody is in, or such a one."""
        room = instance.service.description.breakout
        if room is None:
            self._open = {alias: known for alias, known in self._open.items() if known[0] != instance.key}
            return
        known = self._open.get(room.alias)
        main = self._running.get(known[0]) if known else None
        if main is not None:
            main.end_if_unused()

    def _runs(self, service: Service) -> bool:
        return key_of(service.description.name) in self._running
