"""Carrying a plan out, in transactions that are short, so that others can work meanwhile (SVC-191)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Generator, Sequence, Set
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext

from rostra.configuration import journal, orm
from rostra.configuration.models import ConferenceAlias
from rostra.management import state
from rostra.management.api.errors import messages
from rostra.management.audit.noting import gathered
from rostra.management.provisioning.kinds import Kind
from rostra.management.provisioning.planning import Plan, Warned, Write
from rostra.management.provisioning.rendering import Alias
from rostra.management.provisioning.stored import batched, give_way

_AT_ONCE = 50
"""Objects in a transaction."""
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
        self._held: Set[str] = frozenset()
        self.outcome = Outcome()

    def apply(self, plan: Plan) -> Outcome:
        """Make and change, then delete. What cannot be is a warning, and the rest goes on. Raises Gone."""
        self._held = plan.held
        for chunk in batched([*plan.creates, *plan.updates], _AT_ONCE):
            try:
                self._together(chunk)
            except DatabaseError:  # somebody else was faster with one of them
                for write in chunk:
                    self._alone(write)
            self._between()
        for keys in batched(plan.deletes, _AT_ONCE):
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
        made: list[Made] = []
        warnings: list[Warned] = []
        with self._writing():
            for write in chunk:
                row = self._row(write)
                if row is None:
                    warnings.append(self._warned(write, "It was deleted meanwhile."))
                    continue
                problem = self._invalid(write, row)
                if problem is not None:
                    warnings.append(problem)
                    continue
                self._save(write, row)
                made.append((row.pk, CREATED if write.pk is None else UPDATED))
        self.outcome.made += made
        self.outcome.warnings += warnings

    def _alone(self, write: Write) -> None:
        self._held = self._held | {alias.lower() for alias, _ in write.aliases or ()}  # they may be by now
        try:
            self._together([write])
        except DatabaseError as problem:
            self.outcome.warnings.append(self._warned(write, str(problem)))

    def _row(self, write: Write) -> Any:
        """The row as it is to be, not saved yet; None: it is not there any more."""
        if write.pk is None:
            row: Any = self._kind.model()
        else:
            row = orm.rows(self._kind.model).filter(pk=write.pk).first()
            if row is None:
                return None
        for name, value in write.changes.items():
            setattr(row, name, value)
        row.sync_tag = self._origin
        if write.pk is None and getattr(row, "service_type", "") == "lecture":
            row.guest_view = row.host_view
        return row

    def _invalid(self, write: Write, row: Any) -> Warned | None:
        try:
            row.full_clean()
            for alias, about in write.aliases or ():
                # Who has it now loses it, so it may be taken.
                probe = ConferenceAlias(alias=alias, description=about)
                probe.clean_fields(exclude={"conference"})
                _check_form(probe)
        except ValidationError as problem:
            return self._warned(write, _sentence(problem))
        return None

    def _warned(self, write: Write, reason: str) -> Warned:
        record = write.wanted.record
        data = {name: value for name, value in record.values.items() if value} if record else {}
        details = {f"{self._kind.title.lower()}_name": write.wanted.key, "error": reason}
        if record is not None:
            details |= {"record": record.dn, f"{self._kind.title.lower()}_data": str(data)}
        return Warned(self._kind.invalid, details)

    def _save(self, write: Write, row: Any) -> None:
        row.save()
        if write.aliases is not None:
            _give(row, write.aliases, self._held)


def _check_form(alias: ConferenceAlias) -> None:
    if any(character.isspace() for character in alias.alias):
        raise ValidationError({"alias": gettext("An alias has no spaces.")})


def _sentence(problem: ValidationError) -> str:
    found = messages(problem)
    return "; ".join(f"{name}: {text}" for name, texts in found.items() for text in texts)


def _give(conference: Any, aliases: Sequence[Alias], held: Set[str]) -> None:
    """Let a service have exactly these aliases in this order; who has one of them (`held`) loses it (SVC-174)."""
    own = {row.alias.lower(): row for row in conference.aliases.all()}
    for place, (alias, about) in enumerate(aliases):
        folded = alias.lower()
        row: Any = own.pop(folded, None) or (_holder(alias) if folded in held else None) or ConferenceAlias()
        wanted: dict[str, Any] = {
            "alias": alias,
            "description": about,
            "view_order": place,
        }
        moves = row.conference_id != conference.pk
        if moves or any(getattr(row, name) != value for name, value in wanted.items()):
            row.conference = conference
            for name, value in wanted.items():
                setattr(row, name, value)
            row.save()
    for row in own.values():
        row.delete()


def _holder(alias: str) -> ConferenceAlias | None:
    return ConferenceAlias.objects.annotate(folded=Lower("alias")).filter(folded__in=_forms(alias)).first()


def _forms(alias: str) -> set[str]:
    return {alias.lower(), "".join(one.lower() if one.isascii() else one for one in alias)}
