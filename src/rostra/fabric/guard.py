"""Who may say what on the fabric, decided where it is heard: a member's own NATS server cannot be trusted to do it.

Every message proves who said it (see `envelope`); the table in `subjects` says whose word counts. What does not pass
is logged and counted, and never reaches who listens.
"""

from __future__ import annotations

import collections
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from rostra.environment import EnvironmentProblem
from rostra.fabric import credentials, envelope, membership, subjects
from rostra.fabric.credentials import Key
from rostra.fabric.envelope import Forged
from rostra.fabric.membership import Membership, node_name
from rostra.fabric.subjects import Subject, Who

logger = structlog.get_logger("rostra.fabric.guard")

LOOK = 1.0
"""Seconds after which the file of members is looked at again; an unknown key is looked up at once."""
QUIET = 60.0
"""Seconds in which the same refusal is logged once."""
_REMEMBERED = 256
"""Refusals remembered for that."""

Clock = Callable[[], float]


class Refused(Exception):
    """A message that must not be heeded. `alarming`: no accident explains it."""

    def __init__(self, speaker: str, reason: str, *, alarming: bool = True) -> None:
        super().__init__(reason)
        self.speaker = speaker
        """Name of the member, or empty when that is not known."""
        self.alarming = alarming


class Heard(msgspec.Struct, frozen=True):
    """A message whose speaker is known."""

    speaker: str
    """Name among the members."""
    near: bool
    """Said by a process of this machine to another."""
    session: bytes
    number: int
    payload: bytes


OnRefused = Callable[[str, str, str], None]
"""Told the member, the subject and the reason, when it is alarming; each at most once in `QUIET` seconds."""


class Members:
    """The members by the file they are kept in, which other processes of this machine write."""

    def __init__(self, home: Path, place: Membership, clock: Clock = time.monotonic) -> None:
        self._home = home
        self._clock = clock
        self._read = self._stamp()
        self._looked = clock()
        self.own = place.own
        self._take(place)

    def name_of(self, fingerprint: str) -> str | None:
        """The member with this key; None: nobody has it."""
        if fingerprint not in self._names or self._clock() - self._looked > LOOK:
            self._look()
        return self._names.get(fingerprint)

    def carrier(self, node: str) -> str:
        """The member that speaks for a node: itself, or the Management Node for the one on its machine."""
        return node if node in self._present else node_name(None)

    def _take(self, place: Membership) -> None:
        self._names = {member.fingerprint: member.name for member in place.members}
        self._present = {self.own, *self._names.values()}

    def _look(self) -> None:
        self._looked = self._clock()
        stamp = self._stamp()
        if stamp == self._read:
            return
        try:
            place = membership.load(self._home)
        except EnvironmentProblem as problem:
            logger.error("Who belongs to the fabric cannot be read", problem=str(problem))
            return
        self._read = stamp
        if place is not None:
            self._take(place)

    def _stamp(self) -> tuple[int, int]:
        try:
            found = membership.file(self._home).stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino


class Guard:
    """Of one connection. Belongs to the event loop."""

    def __init__(self, members: Members, key: Key, near: bytes, clock: Clock = time.monotonic) -> None:
        self.session = secrets.token_bytes(envelope.SESSION_BYTES)
        self._members = members
        self._key = key
        self._own_fingerprint = credentials.fingerprint(key.public_key())
        self._near = near
        self._clock = clock
        self._number = 0
        self._count = 0
        self._logged: collections.OrderedDict[tuple[str, str, str], float] = collections.OrderedDict()
        self._listeners: list[OnRefused] = []

    # ---- what we say

    def seal(self, subject: str, reply: str, payload: bytes) -> bytes:
        """The envelope of a message. Raises ValueError for a subject of which the table does not know."""
        return self._seal(row(subject), subject, reply, payload)

    def seal_answer(self, asked: Subject, inbox: str, payload: bytes) -> bytes:
        """The envelope of an answer to a request that came on `asked`."""
        return self._seal(asked, inbox, "", payload)

    def _seal(self, on: Subject, subject: str, reply: str, payload: bytes) -> bytes:
        self._number += 1
        if on.says is Who.MACHINE:
            return envelope.vouch(self._near, subject, reply, self.session, self._number, payload)
        return envelope.sign(self._key, subject, reply, self.session, self._number, payload)

    # ---- what we hear

    def open(self, subject: str, reply: str, data: bytes) -> Heard:
        """A message that came on `subject`. Raises Refused."""
        on = row(subject)
        heard = self._read(on, subject, reply, data)
        self._check(on.says, on, subject, heard)
        return heard

    def open_answer(self, asked: str, inbox: str, data: bytes) -> Heard:
        """The answer to our request on the subject `asked`. Raises Refused."""
        on = row(asked)
        heard = self._read(on, inbox, "", data)
        self._check(on.hears, on, asked, heard)
        return heard

    def _read(self, on: Subject, subject: str, reply: str, data: bytes) -> Heard:
        try:
            message = envelope.read(data, subject, reply, self._near)
        except Forged as problem:
            raise Refused("", str(problem)) from None
        if message.fingerprint in ("", self._own_fingerprint):
            speaker: str | None = self._members.own
        else:
            speaker = self._members.name_of(message.fingerprint)
        if speaker is None:
            raise Refused("", "its key is of no member", alarming=False)
        near = not message.fingerprint
        if near != (on.says is Who.MACHINE):
            raise Refused("" if near else speaker, "it proves itself in the wrong way")
        return Heard(speaker, near, message.session, message.number, message.payload)

    def _check(self, who: Who, on: Subject, subject: str, heard: Heard) -> None:
        if who is Who.MANAGEMENT and heard.speaker != node_name(None):
            raise Refused(heard.speaker, "only the Management Node may say this")
        if who is Who.NODE and not self.carries(heard.speaker, on.node(subject)):
            raise Refused(heard.speaker, "it speaks in the name of another node")

    def carries(self, speaker: str, node: str) -> bool:
        """May this member speak for this node?"""
        return self._members.carrier(node) == speaker

    # ---- what was refused

    def on_refused(self, listener: OnRefused) -> None:
        self._listeners.append(listener)

    def note(self, subject: str, problem: Refused) -> None:
        """Log a refusal and tell about it, the same one not too often."""
        self._count += 1
        on = subjects.row_of(subject)
        key = (problem.speaker, on.pattern if on else "", str(problem))
        now = self._clock()
        if now - self._logged.get(key, float("-inf")) < QUIET:
            return
        self._logged[key] = now
        self._logged.move_to_end(key)
        if len(self._logged) > _REMEMBERED:
            self._logged.popitem(last=False)
        logger.error("A message on the fabric is refused", member=problem.speaker, subject=subject, reason=str(problem))
        for listener in self._listeners if problem.alarming else ():
            try:
                listener(problem.speaker, subject, str(problem))
            except Exception:
                logger.exception("A refusal could not be told")

    def debug_state(self) -> dict[str, Any]:
        return {"refused": self._count}


def row(subject: str) -> Subject:
    """The row of the table. Raises ValueError when there is none."""
    found = subjects.row_of(subject)
    if found is None:
        raise ValueError(f"{subject} is not in the table of subjects")
    return found
