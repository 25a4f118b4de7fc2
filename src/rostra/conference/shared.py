"""The state of a conference on this node together with its link to the other nodes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping

import msgspec
import structlog

from rostra.conference import messages as w
from rostra.conference.here import Here
from rostra.conference.link import Link
from rostra.conference.roster import ConferenceFlags
from rostra.conference.state import IDENTITY, Changes, ConferenceState, Delta, Owner
from rostra.fabric.bus import Unreachable

logger = structlog.get_logger("rostra.conference")

ORDERING = 2.0
"""Seconds another node may take to do what it is told with its participant."""


class OwnerUnreachable(Exception):
    """The node that signals a participant does not answer, so nothing can be done with the participant now."""


class Shared:
    """What is written here is told to all; what comes from there is merged. Both end in `react`."""

    def __init__(
        self, here: Here, key: str, flags: ConferenceFlags, *, react: Callable[[Changes], None],
        said: Callable[[w.Said], None], heard: Callable[[w.Heard], None], rang: Callable[[w.Rang], None],
    ) -> None:  # fmt: skip
        self.state = ConferenceState(here.node, here.boot, flags)
        self.said = said
        self.heard = heard
        self.rang = rang
        self._here = here
        self._key = key
        self._react = react
        self._present: Mapping[str, str] = {}
        self._opened = False
        self.met = 0.0
        """When another node came last, in Unix seconds; 0: all were there from the beginning."""
        self._link = Link(here.bus, key, here.node, here.boot, self, here.clock)

    async def open(self, present: Mapping[str, str]) -> bool:
        """Meet the other nodes that have the conference; True when this node is the first. Safe to fail half-way."""
        self.see(present)
        await self._link.open()
        self._opened = True
        if self.state.register(IDENTITY) is not None:
            return False
        self.write(self.state.found(str(uuid.uuid4()), self._here.now()))
        return True

    async def close(self) -> None:
        await self._link.close()

    @property
    def identity(self) -> str:
        """The conference's id, the same on every node."""
        return str(self.state.register(IDENTITY) or "")

    def write(self, delta: Delta) -> Changes:
        """Something changes here: tell the others."""
        changes = self.state.apply(delta)
        self._link.tell(delta)
        self._react(changes)
        return changes

    def see(self, present: Mapping[str, str]) -> None:
        """These nodes are there now, by the run of each."""
        came = {node for node, boot in present.items() if self._present.get(node) != boot}
        self._present = dict(present)
        if came and self._opened:
            self.met = self._here.now()
        self._react(self.state.see(present))
        if came:
            self._link.beat()
        for owner in self.state.others:
            if owner[0] in came and self.present(owner):  # has it let go while it was away?
                self._link.ask(owner)

    def present(self, owner: Owner) -> bool:
        node, boot = owner
        return owner == (self._here.node, self._here.boot) or self._present.get(node) == boot

    async def order(self, order: w.Order) -> None:
        """Have another node do something with a participant of its own. Raises OwnerUnreachable."""
        entry = self.state.get(order.participant)
        if entry is None:
            return
        await self._link.flush()  # what was decided before is known there before
        try:
            payload = await self._here.bus.request(w.node_subject(entry.node), w.encode(order), timeout=ORDERING)
            done = isinstance(w.reply_decoder.decode(payload), w.Done)
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.warning(
                "Another node does not do what it was told", participant_id=order.participant, peer=entry.node,
                problem=str(problem),
            )  # fmt: skip
            raise OwnerUnreachable(entry.node) from problem
        if not done:
            raise OwnerUnreachable(f"{entry.node} has no such participant any more")

    async def flush(self) -> None:
        """Returns when what was written is on its way."""
        await self._link.flush()

    def say(self, sender: str, name: str, type: str, payload: str, to: str) -> None:
        self._link.say(sender=sender, name=name, type=type, payload=payload, to=to)

    def hear(self, levels: dict[str, float]) -> None:
        self._link.hear(levels)

    def ring(self, sounds: tuple[str, ...], without: str) -> None:
        self._link.ring(sounds, without)

    def answer(self) -> w.State:
        """All of it, for a node that asks."""
        return self._link.state()

    # ---- told by the link (LinkListener)

    def everything(self) -> Delta:
        return self.state.full()

    def merge(self, delta: Delta) -> Collection[Owner]:
        changes = self.state.apply(delta)
        self._react(changes)
        owners = {self.state.owner(known.uuid) for known in changes.created}
        return {owner for owner in owners if owner is not None}

    def prune(self, now: float) -> None:
        self.state.prune(now)

    def welcome(self, owner: Owner) -> None:
        self.state.welcome(owner)

    def confine(self, owner: Owner, said: Delta) -> None:
        self._react(self.state.confine(owner, said))

    def let_go(self, owner: Owner) -> None:
        self._react(self.state.forget({owner}))

    def owners(self) -> Collection[Owner]:
        return {owner for owner in self.state.others if self.present(owner)}

    def debug_state(self) -> dict[str, object]:
        return {"link": self._link.debug_state(), "hosts": sorted(self.state.hosts), "known": len(self.state)}
