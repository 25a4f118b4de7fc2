"""One conference on the fabric: tells the other nodes what changes here, and takes what changes there.

A change carries all that it changed, so a lost one is only a matter of noticing: every node counts its changes, and
says the count every two seconds. Who has missed something asks that node for all it has. A node that is alive but
has not been heard of the conference for `SILENT` seconds has let go of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec
import structlog

from rostra.background import Background
from rostra.conference import messages as w
from rostra.conference.roster import Participant
from rostra.conference.state import Delta, Owner
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import Connection
from rostra.fabric.speaking import speaks_for

logger = structlog.get_logger("rostra.conference")

BEAT = 2.0
"""Seconds between two beats."""
SILENT = 7.0
MEETING = 1.0
"""Seconds a node may take to tell what it knows of a conference."""
AGAIN = 0.5
"""Seconds before it is asked again when it did not."""


class LinkListener(Protocol):
    """The conference, as its link sees it. Nothing may block or raise."""

    def everything(self) -> Delta:
        """All that is known here."""
        ...

    def merge(self, delta: Delta) -> Collection[Owner]:
        """Take it over; returns the owners of entries that are new here."""
        ...

    def prune(self, now: float) -> None:
        """Forget who left long ago."""

    def welcome(self, owner: Owner) -> None:
        """It speaks for itself."""

    def confine(self, owner: Owner, said: Delta) -> None:
        """This is all that a run of a node knows, itself included."""

    def let_go(self, owner: Owner) -> None:
        """A run of a node has no more part in the conference."""

    def owners(self) -> Collection[Owner]:
        """Those others whose entries are known here and who are alive."""
        ...

    def said(self, message: w.Said, /) -> None: ...

    def heard(self, message: w.Heard, /) -> None: ...

    def rang(self, message: w.Rang, /) -> None: ...


async def ask_about(bus: Connection, key: str, participant: str) -> Participant | None:
    """What nodes with a conference know of a participant; None: none has it, or the participant has left.

    The conference does not begin here for that.
    """
    try:
        reply = w.reply_decoder.decode(await bus.request(w.sync_subject(key), b"", timeout=MEETING))
    except (Unreachable, msgspec.DecodeError) as problem:
        logger.info("Nothing is known of a participant that comes back", key=key, problem=str(problem))
        return None
    entry = reply.delta.entries.get(participant) if isinstance(reply, w.State) and speaks_for(reply.node) else None
    return entry.participant if entry else None


class Link:
    """Owned by the conference instance."""

    def __init__(
        self, bus: Connection, key: str, node: str, boot: str, listener: LinkListener,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._bus = bus
        self._key = key
        self._node = node
        self._boot = boot
        self._listener = listener
        self._clock = clock
        self._stamp = int(clock() * 1_000_000)
        """Greater than any of an earlier part of ours in the same conference."""
        self._seen: dict[Owner, int] = {}
        self._newest: dict[Owner, int] = {}
        """The newest change heard of each, also past a gap."""
        self._looked = clock()
        self._heard: dict[Owner, float] = {}
        self._asking: set[Owner] = set()
        self._outgoing: asyncio.Queue[w.Shared] = asyncio.Queue()
        self._stops: list[Callable[[], Any]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._background = Background()

    async def open(self) -> None:
        """Begin, and learn what other nodes know of the conference; takes as long as the first of them."""
        self._stops.append(await self._bus.subscribe(w.change_subject(self._key), self._receive))
        try:
            await self._take(await self._bus.request(w.sync_subject(self._key), b"", timeout=MEETING))
        except Unreachable as problem:
            if not problem.nobody:
                logger.warning("Nodes with this conference do not answer", key=self._key, problem=str(problem))
        self._stops.append(await self._bus.subscribe(w.sync_subject(self._key), self._asked))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._publish()), loop.create_task(self._beat())]

    async def close(self) -> None:
        """Say that this node has no more part in the conference. Safe to repeat."""
        for stop in self._stops:
            await stop()
        self._stops.clear()
        if self._tasks:
            self._outgoing.put_nowait(w.Left(node=self._node, boot=self._boot))
            await asyncio.wait([self._tasks[0]], timeout=0.5)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks.clear()

    # ---- saying

    def tell(self, delta: Delta) -> None:
        """A part of the state that changed here."""
        self._stamp += 1
        self._outgoing.put_nowait(w.Change(node=self._node, boot=self._boot, stamp=self._stamp, delta=delta))

    def say(self, *, sender: str, name: str, type: str, payload: str, to: str) -> None:
        self._outgoing.put_nowait(
            w.Said(
                node=self._node,
                boot=self._boot,
                sender=sender,
                sender_name=name,
                content_type=type,
                payload=payload,
                to=to,
            )
        )

    def hear(self, levels: dict[str, float]) -> None:
        self._outgoing.put_nowait(w.Heard(node=self._node, boot=self._boot, levels=levels))

    def ring(self, sounds: tuple[str, ...], without: str) -> None:
        self._outgoing.put_nowait(w.Rang(node=self._node, boot=self._boot, sounds=sounds, without=without))

    def beat(self) -> None:
        """Show at once that we are here: another node has just come."""
        self._outgoing.put_nowait(w.Beat(node=self._node, boot=self._boot, stamp=self._stamp))

    async def flush(self) -> None:
        """Wait until all that was said is on its way."""
        await self._outgoing.join()

    def state(self) -> w.State:
        """All that is known here, for a node that asks."""
        return w.State(node=self._node, boot=self._boot, stamp=self._stamp, delta=self._listener.everything())

    async def _publish(self) -> None:
        subject = w.change_subject(self._key)
        while True:
            message = await self._outgoing.get()
            try:
                await self._bus.publish(subject, w.encode(message))
            except Exception as problem:  # what did not go out shows as a gap
                logger.warning("Not told to other nodes", key=self._key, problem=repr(problem))
            self._outgoing.task_done()
            if isinstance(message, w.Left):
                return

    async def _beat(self) -> None:
        while True:
            self.beat()
            await asyncio.sleep(BEAT)
            self.look()

    def look(self) -> None:
        """Let go of who has let go. While we stood still nobody was silent."""
        now = self._clock()
        paused, self._looked = now - self._looked, now
        if paused > 2 * BEAT:
            self._heard = {owner: at + paused for owner, at in self._heard.items()}
        self._listener.prune(now)
        for owner in self._listener.owners():
            if now - self._heard.setdefault(owner, now) > SILENT:
                self._gone(owner)

    def _gone(self, owner: Owner) -> None:
        self._heard.pop(owner, None)
        self._seen.pop(owner, None)
        self._newest.pop(owner, None)
        self._listener.let_go(owner)

    # ---- hearing

    async def _receive(self, _subject: str, payload: bytes) -> None:
        try:
            message: w.Shared = w.shared_decoder.decode(payload)
        except msgspec.DecodeError as problem:
            logger.warning("Not understood", key=self._key, problem=str(problem))
            return
        owner = (message.node, message.boot)
        if message.node == self._node:
            return
        if not speaks_for(message.node):
            logger.warning("Said in the name of another node", key=self._key, node=message.node)
            return
        self._heard[owner] = self._clock()
        if isinstance(message, w.Change | w.Beat):
            self._listener.welcome(owner)
        match message:
            case w.Change(stamp=stamp, delta=delta):
                expected = self._seen.get(owner, -1) + 1
                self._newest[owner] = max(stamp, self._newest.get(owner, -1))
                self._listener.merge(delta)
                if stamp == expected:
                    self._seen[owner] = stamp
                elif stamp > expected:
                    self.ask(owner)
            case w.Beat(stamp=stamp):
                if stamp > self._seen.get(owner, -1):
                    self.ask(owner)
            case w.Left():
                self._gone(owner)
            case w.Said():
                self._listener.said(message)
            case w.Heard():
                self._listener.heard(message)
            case w.Rang():
                self._listener.rang(message)

    def ask(self, owner: Owner) -> None:
        """Something of this node's may not be known here: have it told."""
        if owner not in self._asking:
            self._asking.add(owner)
            self._background.spawn(self._sync(owner))

    async def _sync(self, owner: Owner) -> None:
        try:
            payload = await self._bus.request(
                w.node_subject(owner[0]), w.encode(w.Sync(key=self._key)), timeout=MEETING
            )
            if not await self._take(payload):
                self._gone(owner)
        except Unreachable:
            await asyncio.sleep(AGAIN)  # its next beat makes us ask again
        finally:
            self._asking.discard(owner)

    async def _take(self, payload: bytes) -> bool:
        """Merge what a node told; False when it has no part in the conference."""
        try:
            reply = w.reply_decoder.decode(payload)
        except msgspec.DecodeError as problem:
            logger.warning("Not understood", key=self._key, problem=str(problem))
            return True
        if isinstance(reply, w.State) and reply.node != self._node and speaks_for(reply.node):
            owner = (reply.node, reply.boot)
            self._listener.welcome(owner)
            for other in self._listener.merge(reply.delta):
                if other[0] not in (owner[0], self._node):
                    self.ask(other)  # hearsay: it may have left since
            if reply.stamp >= self._newest.get(owner, -1):  # else a change has overtaken the answer
                self._listener.confine(owner, reply.delta)
            self._seen[owner] = max(reply.stamp, self._seen.get(owner, -1))
            self._heard[owner] = self._clock()
        return not isinstance(reply, w.Absent)

    async def _asked(self, _subject: str, _payload: bytes) -> bytes:
        return w.encode(self.state())

    def debug_state(self) -> dict[str, object]:
        return {"stamp": self._stamp, "seen": {node: stamp for (node, _), stamp in self._seen.items()}}
