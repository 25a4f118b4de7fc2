"""Carrying a plan out, in transactions that are short, so that others can work meanwhile (SVC-191)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Generator, Sequence

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from rostra.configuration import journal, orm
from rostra.management import state
from rostra.management.api.errors import messages
from rostra.management.audit.noting import gathered
from rostra.management.provisioning import batches
from rostra.management.provisioning.batches import Item
from rostra.management.provisioning.kinds import Kind
from rostra.management.provisioning.planning import Plan, Warned, Write
from rostra.management.provisioning.stored import batched, give_way

_AT_ONCE = 250
_DELETED_AT_ONCE = 100
"""Objects in a transaction: tenths of a second."""
CREATED, UPDATED = "created", "updated"
Made = tuple[int, str]
"""Key of an object that was made or changed, and which of both."""


@dataclasses.dataclass
class Outcome:
    """What was done."""

    made: list[Made] = dataclasses.field(default_factory=list[Made])
    deleted: int = 0
    warnings: list[Warned] = dataclasses.field(default_factory=list[Warned])

    def count(self, action: str) -> int:
        return sum(done == action for _, done in self.made)


class Gone(Exception):
    """The template was deleted or renamed in the meantime; nothing more is to be made for it."""


class Applier:
    """Writes the objects of one kind for the template `origin`; `tell` hears after every transaction.

    `still`: is the template still there? Asked within every transaction.
    """

    def __init__(
        self,
        kind: Kind,
        origin: str,
        tell: Callable[[Outcome], None],
        still: Callable[[], bool],
        yielding: Callable[[], None] = give_way,
    ) -> None:
        self._kind = kind
        self._origin = origin
        self._tell = tell
        self._still = still
        self._yield = yielding
        self.outcome = Outcome()

    def apply(self, plan: Plan) -> Outcome:
        """Make and change, then delete. What cannot be is a warning, and the rest goes on. Raises Gone."""
        for chunk in batched([*plan.creates, *plan.updates], _AT_ONCE):
            try:
                self._together(chunk)
            except DatabaseError:  # somebody else was faster with one of them
                for write in chunk:
                    self._alone(write)
            self._between()
        for keys in batched(plan.deletes, _DELETED_AT_ONCE):
            with self._writing():
                rows = orm.rows(self._kind.model).filter(pk__in=keys, sync_tag=self._origin)
                count = rows.count()
                rows.delete()
            self.outcome.deleted += count
            self._between()
        return self.outcome

    @contextlib.contextmanager
    def _writing(self) -> Generator[None]:
        """A transaction of its own, whose entries of the administrator log are written together."""
        with transaction.atomic():
            journal.take_turn()
            if not self._still():
                raise Gone
            with gathered():
                yield

    def _between(self) -> None:
        state.announce()
        self._tell(self.outcome)
        self._yield()

    def _together(self, chunk: Sequence[Write]) -> None:
        warnings: list[Warned] = []
        with self._writing():
            fine: list[Item] = []
            for item in batches.prepare(self._kind, self._origin, chunk):
                reason = "It was deleted meanwhile." if item.row is None else _problem(batches.check, item)
                if reason:
                    warnings.append(self._warned(item.write, reason))
                else:
                    fine.append(item)
            odd = batches.doubtful(self._kind, fine)
            batches.store(self._kind, [item for place, item in enumerate(fine) if place not in odd])
            refused: set[int] = set()
            for place in sorted(odd):
                reason = _problem(batches.store_alone, fine[place])
                if reason:
                    refused.add(place)
                    warnings.append(self._warned(fine[place].write, reason))
        self.outcome.made += [
            (item.row.pk, CREATED if item.before is None else UPDATED)
            for place, item in enumerate(fine)
            if place not in refused
        ]
        self.outcome.warnings += warnings

    def _alone(self, write: Write) -> None:
        try:
            self._together([write])
        except DatabaseError as problem:
            self.outcome.warnings.append(self._warned(write, str(problem)))

    def _warned(self, write: Write, reason: str) -> Warned:
        record = write.wanted.record
        data = {name: value for name, value in record.values.items() if value} if record else {}
        details = {f"{self._kind.title.lower()}_name": write.wanted.key, "error": reason}
        if record is not None:
            details |= {"record": record.dn, f"{self._kind.title.lower()}_data": str(data)}
        return Warned(self._kind.invalid, details)


def _problem(work: Callable[[Item], None], item: Item) -> str:
    """Why `work` cannot be; empty when it is done."""
    try:
        work(item)
    except ValidationError as problem:
        return _sentence(problem)
    return ""


def _sentence(problem: ValidationError) -> str:
    found = messages(problem)
    return "; ".join(f"{name}: {text}" for name, texts in found.items() for text in texts)
