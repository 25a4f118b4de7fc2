"""Devices registered at this node, whatever protocol they speak, and those of all nodes when a call looks for one.

Adapters admit devices and hold on to what they need to call them (`Registration.binding`); here is which alias that
is, until when, and who else must know. Other nodes are asked when a call is placed (see `fabric.registrations`).
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from rostra.domain.history import Event, RegistrationAdded, RegistrationDeleted
from rostra.domain.registration import EXPIRED, Device, Entry, Held, Refused, RegistrarSettings, once_each
from rostra.domain.vocabulary import CallProtocol
from rostra.fabric.bus import Unreachable
from rostra.fabric.peers import Connection, NodeReport, Peers
from rostra.fabric.registrations import (
    Holds,
    WhoHolds,
    decode_answer,
    decode_question,
    encode_answer,
    encode_question,
    registrations_subject,
)
from rostra.fabric.speaking import speaks_for
from rostra.fabric.status import Registrations as RegistrationsPage
from rostra.fabric.status import RegistrationStatus

logger = structlog.get_logger("rostra.registration")

LOOK = 1.0
"""Seconds between two looks for registrations that have expired."""
ANSWER = 0.7
"""Seconds another node has to say what it holds; a call is not placed to devices of one that says nothing."""
AT_ONCE = 200
"""Registrations looked at before others have their turn."""
PAGE = 1000
"""Registrations told at once."""


class Keeper(Protocol):
    """The adapter a registration came by."""

    def registration_ended(self, registration: Registration, reason: str) -> None:
        """It is gone; must not raise."""
        ...


class Admitted(msgspec.Struct, frozen=True):
    """What is known of an alias that wants to register; no device: it may not."""

    device: Device | None = None
    by_policy: bool = False
    """Policy decided, and is not asked again at refreshes (POL-076)."""


class Admissions(Protocol):
    """Who may register, as configuration and policy say it."""

    def settings(self) -> RegistrarSettings: ...

    async def device(
        self, aliases: Sequence[str], protocol: CallProtocol, *, address: str, vendor: str = ""
    ) -> Admitted:
        """The first of these aliases that may register at all."""
        ...

    def own(self, aliases: Sequence[str]) -> Device | None:
        """The first of these that is configured, whatever policy would say."""
        ...

    async def directory(self, text: str, alias: str) -> list[Entry]:
        """What the device registered under `alias` finds by `text`; empty when the directory is switched off."""
        ...

    async def picture(self, alias: str, width: int, height: int) -> bytes | None:
        """The picture of an entry of the directory: a JPEG of that size."""
        ...

    @property
    def has_directory(self) -> bool: ...

    def failed(self, address: str, alias: str, why: Refused) -> None:
        """Somebody was not let in; count it."""
        ...


class Registration(msgspec.Struct, kw_only=True, eq=False):
    """One device under one alias. Compact: a node holds tens of thousands."""

    id: str
    alias: str
    """As configured."""
    protocol: CallProtocol
    keeper: Keeper
    username: str = ""
    remote_address: str = ""
    vendor: str = ""
    natted: bool = False
    start_time: float = 0.0
    """Unix seconds."""
    deadline: float = 0.0
    """By the clock of the registry."""
    due: float = 0.0
    """When it is looked at next, by the same: its one entry in the queue that counts."""
    by_policy: bool = False
    """Policy let it in, whatever is configured."""
    instance: str = ""
    """The device, of one that may have several registrations as different ways to it; empty: it has this one."""
    binding: Any = None
    """What the adapter needs to call it."""


class Registry:
    """All registrations of one node. There is no timer for each: expired ones are found by one look a second."""

    def __init__(
        self,
        node: str = "",
        *,
        record: Callable[[Event], None] = lambda _: None,
        location: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`record` takes what the administrator log shall say."""
        self._node = node
        self._record = record
        self._location = location
        self.clock = clock
        self._now = now
        self._by_id: dict[str, Registration] = {}
        self._by_alias: dict[str, list[Registration]] = {}
        self._due: list[tuple[float, str]] = []
        self._bus: Connection | None = None
        self._peers: Peers | None = None
        self._stop: Callable[[], Any] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    # ---- those of this node

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, id: str) -> Registration | None:
        return self._by_id.get(id)

    def all(self) -> Sequence[Registration]:
        """Every one, as it is now."""
        return tuple(self._by_id.values())

    def of(self, alias: str) -> Sequence[Registration]:
        """Those under an alias, the earliest first."""
        return tuple(self._by_alias.get(alias.casefold(), ()))

    def add(self, registration: Registration) -> None:
        """A device has registered (CONF-034: told to the administrator)."""
        registration.start_time = registration.start_time or self._now()
        self._by_id[registration.id] = registration
        self._by_alias.setdefault(registration.alias.casefold(), []).append(registration)
        self._queue(registration)
        self._record(
            RegistrationAdded(
                time=self._now(), id=registration.id, alias=registration.alias, protocol=registration.protocol.value,
                username=registration.username, remote_address=registration.remote_address,
                is_natted=registration.natted, location=self._location(), vendor=registration.vendor,
            )
        )  # fmt: skip
        if len(self._by_id) == 1:
            self._announce()

    def refresh(self, registration: Registration, deadline: float) -> None:
        """It lasts until `deadline`; the queue is put right when the earlier moment comes."""
        registration.deadline = deadline
        if deadline < registration.due:
            self._queue(registration)

    def _queue(self, registration: Registration) -> None:
        registration.due = registration.deadline
        heapq.heappush(self._due, (registration.due, registration.id))

    def end(self, registration: Registration, reason: str) -> None:
        """It is over; a second time changes nothing."""
        if self._by_id.get(registration.id) is not registration:
            return
        del self._by_id[registration.id]
        key = registration.alias.casefold()
        left = [one for one in self._by_alias.get(key, ()) if one is not registration]
        if left:
            self._by_alias[key] = left
        else:
            self._by_alias.pop(key, None)
        self._record(
            RegistrationDeleted(
                time=self._now(), id=registration.id, alias=registration.alias, protocol=registration.protocol.value,
                reason=reason, location=self._location(),
            )
        )  # fmt: skip
        registration.keeper.registration_ended(registration, reason)

    def expire(self, most: int | None = None) -> bool:
        """End those whose time is over; True: there are more than `most` to look at."""
        now, looked = self.clock(), 0
        while self._due and self._due[0][0] <= now:
            if looked == most:
                return True
            looked += 1
            due, id = heapq.heappop(self._due)
            found = self._by_id.get(id)
            if found is None or found.due != due:  # of one that is gone, or is looked at another time
                continue
            if found.deadline > now:
                self._queue(found)
            else:
                self.end(found, EXPIRED)
        return False

    def page(self, after: str = "") -> RegistrationsPage:
        """A part of them for the Management Node."""
        ids = heapq.nsmallest(PAGE + 1, (id for id in self._by_id if id > after))
        rows = tuple(_status(self._by_id[id]) for id in ids[:PAGE])
        return RegistrationsPage(rows=rows, more=len(ids) > PAGE)

    # ---- those of all nodes

    async def start(self, bus: Connection, peers: Peers) -> None:
        """Answer other nodes, and look for what has expired."""
        self._bus, self._peers = bus, peers
        self._stop = await bus.subscribe(registrations_subject(self._node), self._asked, concurrent=True)
        self._looking = asyncio.get_running_loop().create_task(self._look(), name="registrations that expire")

    async def stop(self, reason: str) -> None:
        """The node stops: nobody is registered here any more."""
        if self._looking is not None:
            self._looking.cancel()
        if self._stop is not None:
            await self._stop()
        for registration in self.all():
            self.end(registration, reason)

    async def find(self, aliases: Iterable[str]) -> list[Held]:
        """Every device registered anywhere under one of these aliases, ours first (CONF-023)."""
        wanted = tuple(dict.fromkeys(alias.casefold() for alias in aliases))
        own = self._held(wanted)
        if self._bus is None or self._peers is None:
            return once_each(own)
        others = [node for node, report in self._peers.alive.items() if node != self._node and _has_any(report)]
        answers = await asyncio.gather(*(self._ask(self._bus, node, wanted) for node in others))
        return once_each([*own, *(held for answer in answers for held in answer)])

    def _held(self, aliases: Iterable[str]) -> list[Held]:
        now = self.clock()
        found = (one for alias in aliases for one in self._by_alias.get(alias, ()) if one.deadline > now)
        return [
            Held(id=one.id, alias=one.alias, protocol=one.protocol, node=self._node, instance=one.instance)
            for one in found
        ]

    async def _ask(self, bus: Connection, node: str, aliases: tuple[str, ...]) -> Sequence[Held]:
        question = encode_question(WhoHolds(aliases=aliases))
        try:
            answer = decode_answer(await bus.request(registrations_subject(node), question, timeout=ANSWER))
        except (Unreachable, msgspec.DecodeError) as problem:
            logger.warning("A node does not say which devices it holds", peer=node, problem=str(problem))
            return ()
        return [msgspec.structs.replace(held, node=node) for held in answer.found] if speaks_for(node) else ()

    async def _asked(self, _subject: str, payload: bytes) -> bytes | None:
        try:
            question = decode_question(payload)
        except msgspec.DecodeError as problem:
            logger.warning("A question about devices is not understood", problem=str(problem))
            return None
        return encode_answer(Holds(found=tuple(self._held(question.aliases))))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                while self.expire(AT_ONCE):  # noqa: ASYNC110 - there is nothing to wait for
                    await asyncio.sleep(0)  # others have their turn
            except Exception:  # one that cannot be ended must not keep the others
                logger.exception("Ending registrations failed")

    def _announce(self) -> None:
        """Others do not ask a node that has none, so the first is told at once."""
        if self._peers is not None:
            self._telling = asyncio.get_running_loop().create_task(self._peers.announce())


def _has_any(report: NodeReport) -> bool:
    return report.registrations > 0


def _status(one: Registration) -> RegistrationStatus:
    return RegistrationStatus(
        id=one.id, alias=one.alias, protocol=one.protocol.value, username=one.username,
        remote_address=one.remote_address, vendor=one.vendor, start_time=one.start_time, is_natted=one.natted,
    )  # fmt: skip
