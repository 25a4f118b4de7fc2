"""Pictures of participants, as policy has them, kept for a while (POL-064 to POL-069, API-142)."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

import msgspec

from rostra.calls.policies import Policies
from rostra.calls.reaching import facts_of_participant
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.domain.service import Service
from rostra.policy.questions import Trigger

KEPT = 300.0
"""Seconds for which a picture, or that there is none, is remembered."""
MOST = 500
"""Pictures that are remembered."""
MOST_BYTES = 16 * 1024 * 1024
"""Of all pictures that are remembered: who looks decides how large they are."""

_Key = tuple[str, str, int, int]


class Portraits:
    """Of one node. Whoever asks for the same picture meanwhile waits for the same answer."""

    def __init__(self, policies: Policies, clock: Callable[[], float]) -> None:
        self._policies = policies
        self._clock = clock
        self._kept: dict[_Key, tuple[float, asyncio.Task[bytes | None]]] = {}

    def serve(self, conference: ConferenceInstance) -> None:
        """Its pictures show those of its participants (POL-066)."""
        conference.media.faces.fetch = functools.partial(self.of, conference)

    async def of(self, conference: ConferenceInstance, uuid: str, width: int, height: int) -> bytes | None:
        """That of somebody in a conference, a JPEG of that size; None: there is none."""
        participant, now = conference.participant(uuid), self._clock()
        if participant is None:
            return None
        key = (participant.uuid, participant.uri, width, height)
        until, asking = self._kept.get(key, (0.0, None))
        if asking is None or until < now:
            asking = asyncio.get_running_loop().create_task(self._ask(participant, conference.service, width, height))
            self._kept.pop(key, None)
            self._kept[key] = now + KEPT, asking
            self._drop()
            asking.add_done_callback(self._drop)
        return await asyncio.shield(asking)

    def _drop(self, _asked: object = None) -> None:
        """The earliest go that are too many, or take too much room."""
        while len(self._kept) > MOST or sum(_size(asked) for _, asked in self._kept.values()) > MOST_BYTES:
            del self._kept[next(iter(self._kept))]

    async def _ask(self, participant: Participant, service: Service, width: int, height: int) -> bytes | None:
        call = msgspec.structs.replace(facts_of_participant(participant), trigger=Trigger.WEB_AVATAR_FETCH)
        return await self._policies.avatar(participant.uri, width, height, call, service, participant.role)


def _size(asked: asyncio.Task[bytes | None]) -> int:
    found = asked.result() if asked.done() and not asked.cancelled() and asked.exception() is None else None
    return len(found or b"")
