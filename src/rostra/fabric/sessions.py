"""Nothing recorded is played again: a message counts once, and only while the process that signed it runs.

A process that was not heard before is asked whether it is there: the question goes to its session, and the answer is
signed over an address made for it, so nobody else can give it. Its messages wait meanwhile, those of others do not.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from rostra.background import Background
from rostra.fabric.guard import Heard, Refused

KEPT = 128
"""Sessions of one member that are remembered, the latest."""
WAITING = 200
"""Messages of one session that wait at one subscription until it is known."""
ASKING = 256
"""Sessions that are asked for at once; what others say meanwhile is dropped."""

M = TypeVar("M")
Owner = tuple[str, bytes]
"""A member and a session it says is its own."""
Ask = Callable[[Heard], Awaitable[bool]]
"""Is the session of this message there, and its speaker's?"""


class Sessions:
    """The sessions one connection has heard."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[str, collections.OrderedDict[bytes, None]] = {}
        self._asking: dict[Owner, asyncio.Future[bool]] = {}
        self._background = Background()

    def knows(self, heard: Heard) -> bool:
        return heard.near or heard.session in self._known.get(heard.speaker, ())

    async def prove(self, heard: Heard) -> bool:
        """Find out whether the session is there; several who want to know share one question."""
        if self.knows(heard):
            return True
        owner = _owner(heard)
        asking = self._asking.get(owner)
        if asking is None:
            if len(self._asking) >= ASKING:
                return False
            asking = self._asking[owner] = asyncio.ensure_future(self._ask(heard))
            asking.add_done_callback(lambda _: self._asking.pop(owner, None))
        there = await asyncio.shield(asking)
        if there:
            known = self._known.setdefault(heard.speaker, collections.OrderedDict())
            known[heard.session] = None
            if len(known) > KEPT:
                known.popitem(last=False)
        return there

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.spawn(work)


def _owner(heard: Heard) -> Owner:
    return heard.speaker, heard.session


class Once(Generic[M]):
    """One subscription: passes each message on once, in the order it was said, when its session is known."""

    def __init__(
        self,
        sessions: Sessions,
        passed: Callable[[Heard, M], Awaitable[None]],
        refused: Callable[[M, Refused], None],
    ) -> None:
        self._sessions = sessions
        self._passed = passed
        self._refused = refused
        self._numbers: collections.OrderedDict[Owner, int] = collections.OrderedDict()
        self._waiting: dict[Owner, collections.deque[tuple[Heard, M]]] = {}

    async def take(self, heard: Heard, message: M) -> None:
        if heard.number <= self._numbers.get(_owner(heard), 0):
            return self._refused(message, Refused(heard.speaker, "it was said before", alarming=False))
        queue = self._waiting.get(_owner(heard))
        if queue is not None:
            if len(queue) < WAITING:
                queue.append((heard, message))
            return None
        if self._sessions.knows(heard):
            self._count(heard)
            return await self._passed(heard, message)
        self._waiting[_owner(heard)] = collections.deque([(heard, message)])
        self._sessions.spawn(self._prove(heard))
        return None

    async def _prove(self, first: Heard) -> None:
        queue = self._waiting[_owner(first)]
        try:
            if not await self._sessions.prove(first):
                problem = Refused(first.speaker, "who signed it is not there any more", alarming=False)
                return self._refused(queue[0][1], problem)
            while queue:
                heard, message = queue[0]
                if heard.number > self._numbers.get(_owner(heard), 0):
                    self._count(heard)
                    await self._passed(heard, message)
                queue.popleft()
        finally:
            del self._waiting[_owner(first)]
        return None

    def _count(self, heard: Heard) -> None:
        self._numbers[_owner(heard)] = heard.number
        self._numbers.move_to_end(_owner(heard))
        if len(self._numbers) > 32 * KEPT:
            self._numbers.popitem(last=False)
