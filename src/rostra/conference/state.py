"""The state of one conference as a replicated data type, so that any number of nodes can hold it.

Every node owns the roster entries of the calls it signals: only the owner writes an entry, with a growing
version, and a removed one leaves a tombstone. What belongs to the conference as a whole are last-writer-wins
registers, ordered by a Lamport clock and then by node. So deltas may arrive in any order, twice, late, or only
as the full state after a partition: all nodes that have seen the same ones agree. No leader, no quorum.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rostra.conference.roster import ConferenceFlags, Participant


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A roster entry: a participant, or the tombstone of one."""

    version: int
    participant: Participant | None


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """One conference-wide value with its place in the common order."""

    clock: int
    node: str
    value: bool | str | float | None

    def newer_than(self, other: Register | None) -> bool:
        return other is None or (self.clock, self.node) > (other.clock, other.node)


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """A part, or all, of the state; applying one twice changes nothing."""

    entries: dict[str, Entry] = {}
    registers: dict[str, Register] = {}


class Changes(msgspec.Struct, kw_only=True):
    """What applying a delta did."""

    created: list[Participant] = []
    updated: list[Participant] = []
    deleted: list[str] = []
    flags: bool = False

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.deleted or self.flags)


class ConferenceState:
    """One node's copy."""

    def __init__(self, node: str, flags: ConferenceFlags | None = None) -> None:
        self._node = node
        self._initial = flags or ConferenceFlags()
        self._entries: dict[str, Entry] = {}
        self._registers: dict[str, Register] = {}

    # ---- reading

    def __iter__(self) -> Iterator[Participant]:
        """Participants in order of joining, the same on every node."""
        present = [entry.participant for entry in self._entries.values() if entry.participant is not None]
        return iter(sorted(present, key=lambda participant: (participant.start_time, participant.uuid)))

    def __getitem__(self, participant: str) -> Participant:
        found = self.get(participant)
        if found is None:
            raise KeyError(participant)
        return found

    def get(self, participant: str) -> Participant | None:
        entry = self._entries.get(participant)
        return entry.participant if entry else None

    @property
    def flags(self) -> ConferenceFlags:
        values = {name: register.value for name, register in self._registers.items()}
        return msgspec.structs.replace(self._initial, **values)

    def full(self) -> Delta:
        """Everything, for a node that has just met us."""
        return Delta(entries=dict(self._entries), registers=dict(self._registers))

    # ---- writing (each returns the delta to send to the others)

    def put(self, participant: Participant) -> Delta:
        """Create or replace an entry we own."""
        version = self._entries[participant.uuid].version + 1 if participant.uuid in self._entries else 1
        return Delta(entries={participant.uuid: Entry(version=version, participant=participant)})

    def remove(self, participant: str) -> Delta:
        """Remove an entry we own."""
        version = self._entries[participant].version + 1 if participant in self._entries else 1
        return Delta(entries={participant: Entry(version=version, participant=None)})

    def set(self, **values: bool | str | float | None) -> Delta:
        """Set conference-wide flags (members of ConferenceFlags)."""
        clock = max((register.clock for register in self._registers.values()), default=0) + 1
        return Delta(
            registers={name: Register(clock=clock, node=self._node, value=value) for name, value in values.items()}
        )

    def apply(self, delta: Delta) -> Changes:
        """Merge a delta of ours or of another node; returns what changed."""
        changes = Changes()
        for uuid, entry in delta.entries.items():
            known = self._entries.get(uuid)
            if known is not None and known.version >= entry.version:
                continue
            self._entries[uuid] = entry
            before = known.participant if known else None
            if entry.participant is None:
                if before is not None:
                    changes.deleted.append(uuid)
            elif before is None:
                changes.created.append(entry.participant)
            elif before != entry.participant:
                changes.updated.append(entry.participant)
        flags = self.flags
        for name, register in delta.registers.items():
            if register.newer_than(self._registers.get(name)):
                self._registers[name] = register
        changes.flags = self.flags != flags
        return changes
