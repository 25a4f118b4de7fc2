"""From a record to the objects that a template makes of it (pure but for the chance in patterns)."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from rostra.domain.patterns import Chance, Language, Pattern, PatternProblem, Withheld
from rostra.management.provisioning.kinds import ALIAS_PATTERNS, VMR, Kind
from rostra.management.provisioning.records import Record

ABSENT = "None"
"""What an absent value is as text (SVC-146)."""
Alias = tuple[str, str]
"""An alias and its description."""

LANGUAGE = Language(
    Chance(
        digits=lambda count: "".join(secrets.choice("0123456789") for _ in range(count)),
        uuid=lambda: str(uuid.uuid4()),
    )
)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """An object as it should be."""

    key: str
    values: Mapping[str, Any]
    aliases: tuple[Alias, ...] = ()
    record: Record | None = None


@dataclasses.dataclass(frozen=True)
class NotRendered:
    """A record of which no object can be made."""

    record: Record
    reason: str
    key: str = ""
    """Of the object, where that much is known."""


class Renderer:
    """Makes the objects of one kind as `template` (its fields as attributes) says. Raises PatternProblem for a
    template with a pattern that is none.
    """

    def __init__(self, kind: Kind, template: Any, language: Language = LANGUAGE) -> None:
        self._kind = kind
        self._patterns = {name: language.compile(getattr(template, source)) for name, source in kind.patterns.items()}
        self._aliases: list[tuple[Pattern, Pattern]] = []
        if kind is VMR:
            given = [(getattr(template, alias), getattr(template, about)) for alias, about in ALIAS_PATTERNS]
            self._aliases = [(language.compile(alias), language.compile(about)) for alias, about in given if alias]
        self._copied = {name: getattr(template, source) for name, source in kind.copied.items()}

    @property
    def variables(self) -> frozenset[str]:
        """Names that its patterns use."""
        found: frozenset[str] = frozenset()
        for pattern in (*self._patterns.values(), *(one for pair in self._aliases for one in pair)):
            found |= pattern.variables
        return found

    def render(self, record: Record) -> Wanted | NotRendered | None:
        """None: the record is too short of something, so nothing is to be made of it (SVC-164)."""
        key = ""
        try:
            key = self._text(self._kind.key, record)
            values = {name: self._text(name, record) for name in self._patterns if name != self._kind.key}
            aliases = self._named(record)
        except Withheld:
            return None
        except PatternProblem as problem:
            return NotRendered(record, str(problem), key)
        return Wanted(key, {self._kind.key: key, **values, **self._copied}, aliases, record)

    def _text(self, name: str, record: Record) -> str:
        try:
            text = self._patterns[name].render(record.values).strip()
        except PatternProblem as problem:
            raise PatternProblem(f"{name}: {problem}") from None
        return "" if name in self._kind.unset and text == ABSENT else text

    def _named(self, record: Record) -> tuple[Alias, ...]:
        found: list[Alias] = []
        for number, (alias, about) in enumerate(self._aliases, 1):
            try:
                name = alias.render(record.values).strip()
                if name and name != ABSENT:
                    found.append((name, about.render(record.values).strip()))
            except PatternProblem as problem:
                raise PatternProblem(f"alias {number}: {problem}") from None
        return tuple(found)


def render_all(
    renderer: Renderer, records: Sequence[Record], *, disabled_too: bool = False
) -> tuple[list[Wanted], list[NotRendered]]:
    """The objects of all records, but of disabled accounts unless these are wanted too (SVC-171)."""
    wanted: list[Wanted] = []
    failed: list[NotRendered] = []
    for record in records:
        if not (record.enabled or disabled_too):
            continue
        match renderer.render(record):
            case Wanted() as found:
                wanted.append(found)
            case NotRendered() as problem:
                failed.append(problem)
            case None:
                pass
    return wanted, failed
