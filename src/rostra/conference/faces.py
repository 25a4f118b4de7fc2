"""Pictures of those who are only heard: asked for when they are drawn, kept for as long (CONF-069, POL-066).

Each node that carries media asks for those it draws; who has none, or none yet, is drawn as an icon.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from rostra.background import Background
from rostra.conference.roster import Participant
from rostra.domain.scene import FACE

SIDE = 100
"""Pixels a side: as large as an icon on a picture of 1920, and what clients show in their rosters."""

Fetch = Callable[[str, int, int], Awaitable[bytes | None]]
"""The picture of a participant, a JPEG of that width and height; None: it has none."""


class _Face(msgspec.Struct):
    uri: str
    name: str = ""
    """Of the image; empty: none, or not known yet."""


class Faces:
    """Owned by the media of the conference; `changed` hears that somebody has a picture now."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.fetch: Fetch | None = None
        """None: nobody has a picture."""
        self._changed = changed
        self._known: dict[str, _Face] = {}
        self._pictures: dict[str, bytes] = {}
        self._background = Background()

    @property
    def names(self) -> Mapping[str, str]:
        """Images by participant."""
        return {uuid: face.name for uuid, face in self._known.items() if face.name}

    @property
    def pictures(self) -> Mapping[str, bytes]:
        """JPEG by name of the image."""
        return self._pictures

    def follow(self, shown: Iterable[Participant]) -> None:
        """These are drawn one by one now; others are forgotten, and who goes by another alias now (POL-069)."""
        if self.fetch is None:
            return
        wanted = {who.uuid: who.uri for who in shown}
        self._known = {uuid: face for uuid, face in self._known.items() if wanted.get(uuid) == face.uri}
        for uuid in wanted.keys() - self._known.keys():
            face = self._known[uuid] = _Face(wanted[uuid])
            self._background.spawn(self._ask(self.fetch, uuid, face))
        used = {face.name for face in self._known.values()}
        self._pictures = {name: jpeg for name, jpeg in self._pictures.items() if name in used}

    async def _ask(self, fetch: Fetch, uuid: str, face: _Face) -> None:
        jpeg = await fetch(uuid, SIDE, SIDE)
        if jpeg and self._known.get(uuid) is face:
            face.name = FACE + hashlib.sha256(jpeg).hexdigest()[:16]
            self._pictures = {**self._pictures, face.name: jpeg}
            self._changed()

    def close(self) -> None:
        """What is still asked for is not wanted any more."""
        self._known, self._pictures = {}, {}
