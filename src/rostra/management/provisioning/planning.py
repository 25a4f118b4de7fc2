"""What a run has to do: the objects there are compared with those there should be (pure; SVC-170…SVC-186)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from rostra.management.provisioning.kinds import ALIASES, Kind
from rostra.management.provisioning.rendering import Alias, NotRendered, Wanted

ALIAS_CLASH = "Alias clash: alias held by an existing conference has been reassigned to the newly synced conference"
ALIAS_TWICE = "Duplicate alias: attempting to create the same alias more than once for the same conference"
NOT_RENDERED = "Template error: the patterns cannot be used with this record"
NOT_DELETED = "Nothing is deleted: of some records it is not known which object is theirs"


@dataclasses.dataclass(frozen=True)
class Existing:
    """An object that there is."""

    pk: int
    key: str
    values: Mapping[str, Any]
    origin: str
    """The template that made it; empty: somebody did."""
    aliases: tuple[Alias, ...] = ()


@dataclasses.dataclass(frozen=True)
class Warned:
    """Something an administrator should know of."""

    message: str
    details: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Write:
    """An object to be made, or to be changed."""

    pk: int | None
    """None: it is to be made."""
    changes: Mapping[str, Any]
    aliases: tuple[Alias, ...] | None
    """None: they stay."""
    wanted: Wanted
    take_over: bool = False
    """It was another template's, or nobody's."""


@dataclasses.dataclass
class Plan:
    """What to do for one kind of object."""

    creates: list[Write] = dataclasses.field(default_factory=list[Write])
    updates: list[Write] = dataclasses.field(default_factory=list[Write])
    deletes: list[int] = dataclasses.field(default_factory=list[int])
    unchanged: int = 0
    warnings: list[Warned] = dataclasses.field(default_factory=list[Warned])


def plan(
    kind: Kind,
    origin: str,
    wanted: Sequence[Wanted],
    failed: Sequence[NotRendered],
    existing: Iterable[Existing],
    kept: frozenset[str] = frozenset(),
    holders: Mapping[str, tuple[int, str]] | None = None,
) -> Plan:
    """`origin`: name of the template; `existing`: what it made, and what has a key that is wanted; `kept`: fields it
    leaves alone in what it made; `holders`: who has an alias now (key of the service and the service's name).
    """
    found = Plan()
    known = {kind.fold(one.key): one for one in existing}
    chosen = _once(kind, wanted, found)
    aliases = _aliases(chosen, found)
    for one, own in zip(chosen, aliases, strict=True):
        _compare(kind, origin, one, own, known.get(kind.fold(one.key)), kept, found)
    mentioned = {kind.fold(one.key) for one in (*chosen, *failed) if one.key}
    found.warnings += [
        Warned(NOT_RENDERED, {"record": one.record.dn, "error": one.reason, "name": one.key}) for one in failed
    ]
    gone = [one.pk for key, one in known.items() if one.origin == origin and key not in mentioned]
    if gone and any(not one.key for one in failed):
        found.warnings.append(Warned(NOT_DELETED, {"objects": str(len(gone))}))
    else:
        found.deletes = gone
    moving = frozenset[int]() if ALIASES in kept else {one.pk for one in known.values() if one.origin == origin}
    _warn_of_moves(found, holders or {}, moving)
    return found


def _once(kind: Kind, wanted: Sequence[Wanted], found: Plan) -> list[Wanted]:
    """Of several with the same key the first."""
    chosen: dict[str, Wanted] = {}
    for one in wanted:
        if one.key and kind.fold(one.key) in chosen:
            found.warnings.append(Warned(kind.clash[2], _named(kind, one)))
        else:
            chosen[kind.fold(one.key) or f"\0{len(chosen)}"] = one
    return list(chosen.values())


def _aliases(chosen: Sequence[Wanted], found: Plan) -> list[tuple[Alias, ...]]:
    """The aliases each gets: each once, and of several objects that want one the last."""
    last = {alias.lower(): index for index, one in enumerate(chosen) for alias, _ in one.aliases}
    given: list[tuple[Alias, ...]] = []
    for index, one in enumerate(chosen):
        own: dict[str, Alias] = {}
        for alias, about in one.aliases:
            folded = alias.lower()
            if folded in own:
                found.warnings.append(Warned(ALIAS_TWICE, {"alias": alias, "vmr_name": one.key}))
            elif last[folded] != index:
                details = {"alias": alias, "vmr_name": chosen[last[folded]].key, "previous_vmr_name": one.key}
                found.warnings.append(Warned(ALIAS_CLASH, details))
            else:
                own[folded] = (alias, about)
        given.append(tuple(own.values()))
    return given


def _compare(
    kind: Kind,
    origin: str,
    one: Wanted,
    aliases: tuple[Alias, ...],
    there: Existing | None,
    kept: frozenset[str],
    found: Plan,
) -> None:
    if there is None:
        named = aliases if ALIASES in kind.overridable else None
        found.creates.append(Write(None, dict(one.values), named, one))
        return
    own = there.origin == origin
    if not own:
        found.warnings.append(Warned(kind.clash[1 if there.origin else 0], _named(kind, one)))
    left = kept if own else frozenset[str]()
    changes = {
        name: value
        for name, value in one.values.items()
        if name not in left and there.values[name] != value and not _is_same(name, value, there.values[name])
    }
    listed = None if ALIASES in left or there.aliases == aliases else aliases
    if changes or listed is not None or not own:
        found.updates.append(Write(there.pk, changes, listed, one, take_over=not own))
    else:
        found.unchanged += 1


def _is_same(name: str, value: Any, now: Any) -> bool:
    """Nothing is nothing, however it is stored; and a blank UUID is one that was made up."""
    return value == "" and (now is None or name == "uuid")


def _warn_of_moves(found: Plan, holders: Mapping[str, tuple[int, str]], own: Set[int]) -> None:
    """Aliases that are taken from others than this template's own objects, which get theirs anew anyway."""
    for write in (*found.creates, *found.updates):
        for alias, _ in write.aliases or ():
            holder, name = holders.get(alias.lower(), (None, ""))
            if holder is not None and holder != write.pk and holder not in own:
                details = {"alias": alias, "vmr_name": write.wanted.key, "previous_vmr_name": name}
                found.warnings.append(Warned(ALIAS_CLASH, details))


def _named(kind: Kind, one: Wanted) -> dict[str, str]:
    return {f"{kind.title.lower()}_name": one.key, "record": one.record.dn if one.record else ""}
