"""Reading the records of a template's directory (SVC-125…SVC-136)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from rostra.configuration.models import ConferenceSyncTemplate, LdapSyncField, LdapSyncSource
from rostra.management.accounts.ldap import directory, templates
from rostra.management.provisioning import records
from rostra.management.provisioning.records import Field, Record

_BETWEEN = re.compile(r"\)\s+(?=[()])")


class NotRead(Exception):
    """The directory did not give its records; the text says why."""


def read(template: ConferenceSyncTemplate, most: int | None = None) -> list[Record]:
    """All records of the template in the order of their names, or only the first `most` found. Raises NotRead."""
    known = fields()
    search, excluded = templates.without_classes(normal(template.ldap_user_filter))
    try:
        with directory.connected(template.ldap_sync_source) as opened:
            entries = opened.records(template.ldap_user_search_dn, search, records.attributes(known))
            found = list(itertools.islice(_people(entries, excluded, known), most))
    except directory.Unavailable as problem:
        raise NotRead(str(problem)) from None
    return sorted(found, key=lambda record: record.dn.casefold())


def _people(entries: Any, excluded: set[str], known: list[Field]) -> Iterator[Record]:
    for entry in entries:
        raw = entry["raw_attributes"]
        if excluded.isdisjoint(records.object_classes(raw)):
            yield records.record(entry["dn"], raw, known)


def normal(search: str) -> str:
    """A filter as servers take it: with outer parentheses, and nothing between conditions (SVC-136). Raises NotRead
    for more or less than one.
    """
    text = _BETWEEN.sub(")", search.strip()) or "objectClass=*"
    text = text if text.startswith("(") else f"({text})"
    depth = 0
    for place, character in enumerate(text, 1):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and place < len(text):
            raise NotRead(f"malformed filter: {text[place:]} is left over")
    if depth:
        raise NotRead("malformed filter: parentheses do not match")
    return text


def fields() -> list[Field]:
    """What patterns can use now."""
    rows = LdapSyncField.objects.order_by("pk")
    return records.fields(Field(row.name, row.template_variable_name, row.is_binary) for row in rows)


def problem(source: Any) -> str:
    """Why a source cannot be asked with what it says; empty when it can (SVC-124)."""
    try:
        with directory.connected(source):
            return ""
    except directory.Unavailable as reason:
        return str(reason)


def check_sources() -> None:
    """From now on sources are valid only while their directory answers."""
    LdapSyncSource.contact = staticmethod(problem)
