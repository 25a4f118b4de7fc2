"""What a template would make of the first records, without making it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rostra.configuration import orm
from rostra.configuration.models import ConferenceSyncTemplate
from rostra.configuration.secretfield import SecretField
from rostra.domain.patterns import PatternProblem
from rostra.management.provisioning import reading, rendering
from rostra.management.provisioning.kinds import DEVICE, KINDS, Kind
from rostra.management.provisioning.planning import Plan
from rostra.management.provisioning.records import Record
from rostra.management.provisioning.rendering import NotRendered, Renderer
from rostra.management.provisioning.syncing import planned

RECORDS = 10
HIDDEN = "(not shown)"


@dataclasses.dataclass(frozen=True)
class Line:
    """An object that would be made."""

    name: str
    what: str
    """`new`, `changed`, `unchanged` or `refused`."""
    fields: tuple[tuple[str, str], ...] = ()
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Section:
    """Those of one kind."""

    title: str
    lines: tuple[Line, ...]


@dataclasses.dataclass(frozen=True)
class Preview:
    """The whole answer."""

    records: tuple[Record, ...] = ()
    sections: tuple[Section, ...] = ()
    unknown: tuple[str, ...] = ()
    """Variables of patterns that carry nothing."""
    problem: str = ""
    """Why there is nothing else."""


def preview(template: ConferenceSyncTemplate) -> Preview:
    """Reads the directory; writes nothing."""
    try:
        records = reading.read(template, RECORDS)
        renderers = [(kind, Renderer(kind, template)) for kind in KINDS if getattr(template, kind.switch)]
    except (reading.NotRead, PatternProblem) as problem:
        return Preview(problem=str(problem))
    known = {field.variable for field in reading.fields()}
    unknown = {name for _, renderer in renderers for name in renderer.variables} - known
    sections = tuple(_section(kind, template, renderer, records) for kind, renderer in renderers)
    return Preview(tuple(records), sections, tuple(sorted(unknown)))


def _section(kind: Kind, template: ConferenceSyncTemplate, renderer: Renderer, records: Sequence[Record]) -> Section:
    too = kind is DEVICE and template.device_sync_if_account_disabled
    wanted, failed = rendering.render_all(renderer, records, disabled_too=too)
    plan = planned(kind, template, wanted, failed, owned=False)
    title = str(orm.meta(kind.model).verbose_name_plural)
    return Section(title, (*_writes(kind, plan, wanted), *(_failed(one) for one in failed)))


def _writes(kind: Kind, plan: Plan, wanted: Sequence[rendering.Wanted]) -> list[Line]:
    what = {id(write.wanted): "new" for write in plan.creates} | {id(write.wanted): "changed" for write in plan.updates}
    return [Line(one.key or "(no name)", what.get(id(one), "unchanged"), tuple(_fields(kind, one))) for one in wanted]


def _fields(kind: Kind, one: rendering.Wanted) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in kind.patterns:
        value: Any = one.values[name]
        field = orm.meta(kind.model).get_field(name)
        if value and name != kind.key:
            found.append((str(field.verbose_name), HIDDEN if isinstance(field, SecretField) else str(value)))
    found += [("Alias", f"{alias} ({about})" if about else alias) for alias, about in one.aliases]
    return found


def _failed(one: NotRendered) -> Line:
    return Line(one.key or one.record.dn, "refused", reason=one.reason)
