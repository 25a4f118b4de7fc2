"""The state of one conference as a replicated data type, so that any number of nodes can hold it.

Every node owns the roster entries of the calls it signals, and what it says of itself as a carrier of media: only the
owner writes an entry, with a growing version, and a removed one leaves a tombstone. What belongs to the conference
as a whole are last-writer-wins registers, ordered by a Lamport clock and then by node. So deltas may arrive in any
order, twice, late, or only as the full state after a partition: all nodes that have seen the same ones agree.

Which owners are there is not part of the state but of each node's own view (`present`): entries of a node that is
gone are kept and not shown, and are back at once when it is. No leader, no quorum.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from rostra.conference.roster import ConferenceFlags, Participant
from rostra.domain.backplane import Host

Owner = tuple[str, str]
"""A node's id and the run of its process: what an earlier run owned is gone."""
Value = bool | str | float | tuple[str, ...] | None

TOMBSTONES = 120.0
"""Seconds for which it is remembered who has left."""
ORDER = "order"
"""Register: who held the main picture, most recent first."""
SPEAKING = "speaking"
IDENTITY = "identity"
STARTED_BY_HAND = "started_by_hand"
"""Register: Hosts who have started the conference without media of their own."""
SEEN = "seen"
"""Register: what has been true of the conference (`domain.ending.Fact`)."""
SINCE = "since:"
"""Registers, with the name of an `End`: Unix seconds from which its condition has held, or 0."""
CALLED = "called"
"""Register: those called automatically have been called."""
PRESENTER = "presenter"
"""Register: uuid of the participant that presents, or empty."""
_FLAGS = frozenset(ConferenceFlags.__struct_fields__)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A roster entry: a participant, or the tombstone of one."""

    version: int
    node: str
    boot: str
    participant: Participant | None

    @property
    def owner(self) -> Owner:
        return self.node, self.boot


class HostEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a node says of itself: it carries media of the conference, or (None) no longer does."""

    version: int
    node: str
    boot: str
    host: Host | None
    pictures: tuple[str, ...] = ()
    """Calls carried there that bring a picture now."""

    @property
    def owner(self) -> Owner:
        return self.node, self.boot


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """One conference-wide value with its place in the common order."""

    clock: int
    node: str
    value: Value
    boot: str = ""

    def newer_than(self, other: Register | None) -> bool:
        return other is None or self.place > other.place

    @property
    def place(self) -> tuple[int, str, str, str]:
        """No two writings are equal, also of a node that forgot its clock, so everybody keeps the same one."""
        return self.clock, self.node, self.boot, repr(self.value)


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """A part, or all, of the state; applying one twice changes nothing."""

    entries: dict[str, Entry] = {}
    hosts: dict[str, HostEntry] = {}
    registers: dict[str, Register] = {}

    def __bool__(self) -> bool:
        return bool(self.entries or self.hosts or self.registers)


class Changes(msgspec.Struct, kw_only=True):
    """What applying a delta, or another view of who is there, did to what is shown."""

    created: list[Participant] = []
    updated: list[Participant] = []
    deleted: list[str] = []
    registers: frozenset[str] = frozenset()
    """Registers written anew, also with the value they had."""
    flags: bool = False
    hosts: bool = False

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.deleted or self.flags or self.hosts)


class ConferenceState:
    """One node's copy."""

    def __init__(self, node: str, boot: str = "", flags: ConferenceFlags | None = None) -> None:
        self._node = node
        self._boot = boot
        self._initial = flags or ConferenceFlags()
        self._entries: dict[str, Entry] = {}
        self._hosts: dict[str, HostEntry] = {}
        self._registers: dict[str, Register] = {}
        self._present: dict[str, str] = {node: boot}
        self._shown: dict[str, Participant] = {}
        self._departed: set[Owner] = set()
        self._buried: dict[str, float] = {}
        """Tombstones, and since when they were seen."""

    # ---- reading

    def __iter__(self) -> Iterator[Participant]:
        """Participants in order of joining, the same on every node."""
        return iter(sorted(self._shown.values(), key=lambda known: (known.start_time, known.uuid)))

    def __getitem__(self, participant: str) -> Participant:
        return self._shown[participant]

    def __len__(self) -> int:
        return len(self._shown)

    def get(self, participant: str) -> Participant | None:
        return self._shown.get(participant)

    def recall(self, participant: str) -> Participant | None:
        """Also one whose node is out of reach, or over; not one that has left."""
        entry = self._entries.get(participant)
        return entry.participant if entry else None

    def owns(self, participant: str) -> bool:
        """Is it signalled by this run of this node?"""
        entry = self._entries.get(participant)
        return entry is not None and entry.owner == (self._node, self._boot)

    def owner(self, participant: str) -> Owner | None:
        """Who signals a participant."""
        entry = self._entries.get(participant)
        return entry.owner if entry else None

    @property
    def flags(self) -> ConferenceFlags:
        values = {name: register.value for name, register in self._registers.items() if name in _FLAGS}
        return msgspec.structs.replace(self._initial, **values)

    @property
    def initial(self) -> ConferenceFlags:
        """The flags a conference of this service begins with."""
        return self._initial

    @property
    def hosts(self) -> Mapping[str, Host]:
        """Nodes that are there and carry media of the conference."""
        return {
            entry.node: entry.host
            for entry in self._hosts.values()
            if entry.host is not None and self._present.get(entry.node) == entry.boot
        }

    @property
    def pictures(self) -> frozenset[str]:
        """Calls that bring a picture, wherever they are carried."""
        return frozenset(call for node in self.hosts for call in self.pictures_of(node))

    def pictures_of(self, node: str) -> frozenset[str]:
        """Calls carried on a node that bring a picture."""
        entry = self._hosts.get(f"{node} {self._present.get(node)}")
        return frozenset(entry.pictures) if entry and entry.host is not None else frozenset()

    @property
    def incomplete(self) -> bool:
        """Are participants known whose node is out of reach, and may be back?"""
        return any(
            entry.participant is not None and entry.node not in self._present and entry.owner not in self._departed
            for entry in self._entries.values()
        )

    def register(self, name: str) -> Value:
        found = self._registers.get(name)
        return found.value if found else None

    def registers(self, prefix: str) -> dict[str, Value]:
        """Those whose names begin so."""
        return {name: found.value for name, found in self._registers.items() if name.startswith(prefix)}

    def names(self, register: str) -> tuple[str, ...]:
        """A register that holds a list of names."""
        value = self.register(register)
        return value if isinstance(value, tuple) else ()

    def full(self) -> Delta:
        """Everything, for a node that has just met us."""
        return Delta(entries=dict(self._entries), hosts=dict(self._hosts), registers=dict(self._registers))

    @property
    def others(self) -> set[Owner]:
        """Owners of entries and hosts, other than ourselves."""
        owners = {entry.owner for entry in self._entries.values() if entry.participant is not None}
        owners |= {entry.owner for entry in self._hosts.values() if entry.host is not None}
        return owners - {(self._node, self._boot)}

    # ---- writing (each returns the delta to send to the others)

    def put(self, participant: Participant) -> Delta:
        """Create or replace an entry we own."""
        return self._entry(participant.uuid, participant)

    def remove(self, participant: str) -> Delta:
        """Remove an entry we own."""
        return self._entry(participant, None)

    def _entry(self, uuid: str, participant: Participant | None) -> Delta:
        known = self._entries.get(uuid)
        version = known.version + 1 if known else 1
        entry = Entry(version=version, node=self._node, boot=self._boot, participant=participant)
        return Delta(entries={uuid: entry})

    def carry(self, host: Host | None, pictures: Collection[str] = ()) -> Delta:
        """Say that this node carries media, and which calls bring pictures, or that it no longer does."""
        key = f"{self._node} {self._boot}"
        known = self._hosts.get(key)
        version = known.version + 1 if known else 1
        return Delta(
            hosts={
                key: HostEntry(
                    version=version, node=self._node, boot=self._boot, host=host, pictures=tuple(sorted(pictures))
                )
            }
        )

    def set(self, **values: Value) -> Delta:
        """Set conference-wide registers."""
        clock = max((register.clock for register in self._registers.values()), default=0) + 1
        return Delta(
            registers={
                name: Register(clock=clock, node=self._node, boot=self._boot, value=value)
                for name, value in values.items()
            }
        )

    def found(self, identity: str, started: float) -> Delta:
        """Name the conference: of two nodes that began one at the same time, the earlier wins."""
        register = Register(clock=-int(started * 1000), node=self._node, boot=self._boot, value=identity)
        return Delta(registers={IDENTITY: register})

    def apply(self, delta: Delta) -> Changes:
        """Merge a delta of ours or of another node; returns what changed."""
        touched: set[str] = set()
        for uuid, entry in delta.entries.items():
            if entry.owner in self._departed:
                continue
            known = self._entries.get(uuid)
            if known is None or entry.version > known.version:
                self._entries[uuid] = entry
                touched.add(uuid)
        hosts = (self.hosts, self.pictures) if delta.hosts else None
        for key, said in delta.hosts.items():
            if said.owner in self._departed:
                continue
            before = self._hosts.get(key)
            if before is None or said.version > before.version:
                self._hosts[key] = said
        flags, written = self.flags, set[str]()
        for name, register in delta.registers.items():
            if register.newer_than(self._registers.get(name)):
                self._registers[name] = register
                written.add(name)
        changes = self._show(touched)
        changes.registers = frozenset(written)
        changes.flags = bool(written & _FLAGS) and self.flags != flags
        changes.hosts = hosts is not None and (self.hosts, self.pictures) != hosts
        return changes

    def see(self, present: Mapping[str, str]) -> Changes:
        """These nodes, by the run of each, are there (and so are we)."""
        present = {**present, self._node: self._boot}
        if present == self._present:
            return Changes()
        hosts = self.hosts, self.pictures
        self._present = present
        changes = self._show(self._entries)
        changes.hosts = (self.hosts, self.pictures) != hosts
        return changes

    def confine(self, owner: Owner, said: Delta) -> Changes:
        """Drop what is known of an owner and is not in `said`, all that it knows itself.

        It may have let go of the conference and come back, unheard by us: then it has nothing of its former part.
        """
        return self._drop(lambda key, entry: entry.owner == owner and key not in said.entries)

    def forget(self, owners: Collection[Owner]) -> Changes:
        """Drop what these owners had: they are known to have let go of the conference, or to be over.

        What others still say of them is left aside, until they speak for themselves again (`welcome`).
        """
        self._departed |= set(owners)
        hosts = self.hosts
        changes = self._drop(lambda _, entry: entry.owner in owners)
        self._hosts = {key: entry for key, entry in self._hosts.items() if entry.owner not in owners}
        changes.hosts = self.hosts != hosts
        return changes

    def prune(self, now: float) -> None:
        """Drop tombstones after a while, and what earlier runs of nodes left: by then all know, or ask the owner."""
        gone = {uuid for uuid, entry in self._entries.items() if entry.participant is None or self._over(entry)}
        self._buried = {uuid: self._buried.get(uuid, now) for uuid in gone}
        for uuid, since in list(self._buried.items()):
            if now - since > TOMBSTONES:
                del self._entries[uuid], self._buried[uuid]

    def _over(self, entry: Entry) -> bool:
        """Another run of its node is there."""
        return self._present.get(entry.node) not in (None, entry.boot)

    def _drop(self, whose: Callable[[str, Entry], bool]) -> Changes:
        changes = Changes()
        for uuid, entry in list(self._entries.items()):
            if whose(uuid, entry):
                del self._entries[uuid]
                if self._shown.pop(uuid, None) is not None:
                    changes.deleted.append(uuid)
        return changes

    def welcome(self, owner: Owner) -> None:
        """An owner speaks for itself: it has part in the conference."""
        self._departed.discard(owner)

    def _show(self, uuids: Collection[str]) -> Changes:
        changes = Changes()
        for uuid in list(uuids):
            entry = self._entries[uuid]
            visible = self._present.get(entry.node) == entry.boot
            now, before = entry.participant if visible else None, self._shown.get(uuid)
            if now is None:
                if before is not None:
                    del self._shown[uuid]
                    changes.deleted.append(uuid)
            elif before is None:
                self._shown[uuid] = now
                changes.created.append(now)
            elif before != now:
                self._shown[uuid] = now
                changes.updated.append(now)
        return changes
