"""Pictures of a presentation for clients that take it as JPEG (API-110 to API-112).

Made where the presentation is carried, at most once a second, and only while a client here that may see it listens
or has asked of late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection

import msgspec
import structlog

from rostra.conference import messages as w
from rostra.conference.events import ConferenceEvent, PresentationFrame
from rostra.conference.here import Here
from rostra.fabric.bus import Unreachable
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.conference")

PACE = 1.0
"""Seconds between two pictures."""
FIRST = 0.15
"""Seconds between two tries while there is none yet."""
WANTED = 10.0
"""Seconds for which somebody who has asked is taken for interested."""
KEPT = 4
"""Pictures kept, for clients that are slow to fetch them."""
ANSWER = 4.0
MOST = 900_000
"""Bytes that cross the fabric at once."""

Take = Callable[[str, bytes], Awaitable[w.Still | None]]
"""The picture of a source carried here, unless it looks like that of a mark; None: there is none."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One picture in both sizes."""

    number: int
    small: bytes
    large: bytes


class Stills:
    """Owned by the instance."""

    def __init__(
        self, here: Here, key: str, *, source: Callable[[], tuple[str, str] | None], take: Take,
        watchers: Callable[[], Collection[str]], tell: Callable[[str, ConferenceEvent], None],
    ) -> None:  # fmt: skip
        """`source`: that of the presentation and the node that carries it; `watchers`: who is told of pictures."""
        self._here = here
        self._key = key
        self._source = source
        self._take = take
        self._watchers = watchers
        self._tell = tell
        self._frames: deque[Frame] = deque(maxlen=KEPT)
        self._of = ""
        self._mark = b""
        self._number = 0
        self._asked = -WANTED
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """The presentation, or who may see it, has changed."""
        if self._task is None and self._wanted():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="stills")

    def greet(self, watcher: str) -> None:
        """A new watcher hears of the picture there is."""
        self.follow()
        if self._frames and watcher in self._watchers():
            self._tell(watcher, PresentationFrame(number=self._frames[-1].number))

    async def frame(self, number: int) -> Frame | None:
        """The picture of this number, else the latest; waits for the first of a presentation; None: there is none."""
        self._asked = self._here.clock()
        self.follow()
        found = self._source()
        if found is None:
            return None
        if found[0] != self._of or not self._frames:
            self._arrived.clear()
            try:
                await in_time(self._arrived.wait(), ANSWER)
            except TimeoutError:
                return None
        return next((one for one in self._frames if one.number == number), self._frames[-1] if self._frames else None)

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _wanted(self) -> bool:
        return self._source() is not None and (
            bool(self._watchers()) or self._here.clock() - self._asked < WANTED
        )  # fmt: skip

    async def _run(self) -> None:
        while self._wanted():
            try:
                await self._turn()
            except Exception:  # the next picture may be fine
                logger.exception("No still picture", key=self._key)
            await asyncio.sleep(PACE if self._frames else FIRST)
        self._task = None
        self._frames.clear()
        self._of, self._mark = "", b""

    async def _turn(self) -> None:
        found = self._source()
        if found is None:
            return
        source, node = found
        if source != self._of:
            self._frames.clear()
            self._of, self._mark = source, b""
        still = await (self._take(source, self._mark) if node == self._here.node else self._ask(source, node))
        if still is None or not still.small or self._source() != found:
            return
        self._mark = still.mark
        self._number += 1
        self._frames.append(Frame(number=self._number, small=still.small, large=still.large))
        self._arrived.set()
        for watcher in self._watchers():
            self._tell(watcher, PresentationFrame(number=self._number))

    async def _ask(self, source: str, node: str) -> w.Still | None:
        request = w.TakeStill(key=self._key, source=source, mark=self._mark)
        try:
            reply = w.reply_decoder.decode(
                await self._here.bus.request(w.node_subject(node), w.encode(request), timeout=ANSWER)
            )
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.info("No still picture of another node", key=self._key, peer=node, problem=str(problem))
            return None
        return reply if isinstance(reply, w.Still) else None


def within(still: w.Still) -> w.Still:
    """What fits into one message: instead of a picture that is too big the small one is sent."""
    if len(still.small) + len(still.large) <= MOST:
        return still
    return msgspec.structs.replace(still, large=still.small)
