"""The declaration of a resource, and the register of all of them.

A model alone says what a resource holds; its declaration adds only what the model cannot say: names on the wire,
place in the admin site, and where it departs from the rule. Admin site, management API, schema, OpenAPI, CSV and
replication read this register and nothing else.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import models

from rostra.configuration import orm
from rostra.configuration.fields import UploadField

SECTIONS = {
    "Services": "service",
    "Call Control": "call_control",
    "Users & Devices": "users",
    "Platform": "platform",
    "System": "system",
    "Certificates": "platform",
    "Themes": "service",
    "Utilities": "utilities",
}
"""Menus of the site in their order, and the area of permissions that covers each."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Computed:
    """A list of texts on the wire that no column or relation of the model holds: it is found in other rows."""

    name: str
    help_text: str
    read: Callable[[Any], list[str]]
    """From the row."""
    write: Callable[[Any, Any], None]
    """Make it so: takes the saved row and what a client wrote. Raises ValidationError."""
    prefetch: tuple[str, ...] = ()
    """Relations that `read` looks at."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of the management API."""

    model: type[models.Model]
    name: str
    """Name on the wire, for example `conference_alias`."""
    section: str
    """Menu of the admin site."""
    icon: str
    """Name of a Material symbol."""
    summary: str
    """One sentence for the reference documentation."""
    embedded: tuple[str, ...] = ()
    """Relations (forward or reverse) read as full objects and written as such, or as URIs."""
    reverse: tuple[str, ...] = ()
    """Reverse relations read and written as URIs."""
    computed: tuple[Computed, ...] = ()
    """Lists that are found in other rows."""
    fixed: tuple[str, ...] = ()
    """Fields that keep the value they were created with."""
    fixed_in_site: tuple[str, ...] = ()
    """Fields that pages show only, once there is a row; the API goes on changing them."""
    filtering: tuple[str, ...] | None = None
    """Fields that lists can be filtered by; None: all."""
    ordering: tuple[str, ...] | None = None
    """Fields that lists can be ordered by; None: all that are no relations."""
    write_only: tuple[str, ...] = ()
    """Secrets never shown by the API; others it shows in their sealed form."""
    shown_once: tuple[str, ...] = ()
    """Attributes of a new row that are told in the answer to its creation, and never again: secrets we do not keep."""
    internal: tuple[str, ...] = ()
    """Columns that only the platform itself reads and writes."""
    singleton: bool = False
    """One row with id 1, neither created nor deleted."""
    key: str = "id"
    """Field that addresses an object; another one than `id` replaces it on the wire."""
    list_methods: tuple[str, ...] | None = None
    detail_methods: tuple[str, ...] | None = None
    """Methods allowed, in lower case; None: all, or for a singleton those that read and change it."""
    replicated: bool = True
    """Nodes hold it as well; else it is the Management Node's alone."""
    area: str = ""
    """What a permission covers (`service`, `platform`, …); empty: that of the section, see `area_of`."""
    writes: tuple[str, ...] = ()
    """Other areas that changing these objects makes or changes objects of: their permission is needed as well."""
    page: bool = True
    """Has a page of its own in the menu of the site."""
    parent: str | None = None
    """Foreign key to the resource whose admin form edits these rows inline."""
    columns: tuple[str, ...] = ()
    """Columns of the admin list."""
    search: tuple[str, ...] = ()
    """Fields the admin search looks at."""
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Sections of the admin form: title and fields; fields not named come last."""
    csv: tuple[str, ...] | None = None
    """Columns of CSV files in their fixed order; None: every field that can be written."""
    csv_rows: str | None = None
    """Embedded relation with a CSV row per element (`aliases`)."""
    csv_each: str | None = None
    """To-many relation with a CSV row per element, which the column `<relation>_name` names."""
    csv_only: tuple[str, str] | None = None
    """Field and value that the objects of the file have in common (`service_type`, `conference`)."""
    csv_key: str = "name"
    """Field by which a CSV row finds the object it overwrites."""
    csv_defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    """What blank cells mean, where that is not the field's default."""

    @property
    def fields(self) -> list[Any]:
        """The model's own columns, the key first."""
        return [field for field in orm.meta(self.model).concrete_fields if field.name not in self.internal]

    @property
    def relations(self) -> list[str]:
        """To-many relations the API shows: declared many-to-many fields, and those of the reverse ones."""
        many = [field.name for field in orm.meta(self.model).many_to_many]
        embedded = (name for name in self.embedded if name not in many and self._is_reverse(name))
        return [*many, *embedded, *self.reverse]

    @property
    def required_relations(self) -> list[str]:
        """To-many relations that must not be empty: those whose field may not be blank."""
        return [field.name for field in orm.meta(self.model).many_to_many if not field.blank]

    def _is_reverse(self, name: str) -> bool:
        field = orm.meta(self.model).get_field(name)
        return bool(field.auto_created) and not field.concrete

    @property
    def uploads(self) -> list[UploadField]:
        """Fields that hold files."""
        return [field for field in self.fields if isinstance(field, UploadField)]

    @property
    def hidden(self) -> set[str]:
        """Fields the API never shows."""
        return {*self.write_only, *(field.name for field in self.uploads)}

    @property
    def tables(self) -> list[type[models.Model]]:
        """Everything that is replicated: the model, and the tables behind its many-to-many fields."""
        if not self.replicated:
            return []
        many = orm.meta(self.model).many_to_many
        return [self.model, *(field.remote_field.through for field in many)]


def area_of(resource: Resource) -> str:
    """The area of permissions that covers a resource."""
    return resource.area or SECTIONS[resource.section]


class Register:
    """All declared resources by name and by model, and what is replicated besides."""

    def __init__(self) -> None:
        self._by_name: dict[str, Resource] = {}
        self._internal: dict[str, type[models.Model]] = {}

    def add(self, resource: Resource) -> Resource:
        """Declare `resource`; ValueError when the name is taken."""
        if resource.name in self._by_name:
            raise ValueError(f"resource {resource.name} is declared twice")
        self._by_name[resource.name] = resource
        return resource

    def replicate(self, model: type[models.Model], name: str) -> None:
        """Declare a table that nodes hold as well but that is nobody's to configure: neither page nor API."""
        self._internal[name] = model

    def remove(self, resource: Resource) -> None:
        """Take a declaration back (tests declare resources of their own)."""
        del self._by_name[resource.name]

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._by_name.values()))

    def get(self, name: str) -> Resource | None:
        return self._by_name.get(name)

    def of(self, model: type[models.Model]) -> Resource:
        """The resource `model` is declared as; KeyError when it is none."""
        for resource in self._by_name.values():
            if resource.model is model:
                return resource
        raise KeyError(model.__name__)

    @property
    def tables(self) -> dict[str, type[models.Model]]:
        """Every replicated table by its name in the database, referenced ones before those that refer to them."""
        shown = [table for resource in self for table in resource.tables]
        return {orm.meta(table).db_table: table for table in (*shown, *self._internal.values())}

    @property
    def names(self) -> dict[str, str]:
        """What a change of a replicated table is called, by the table's name in the database."""
        shown = {orm.meta(resource.model).db_table: resource.name for resource in self if resource.replicated}
        return shown | {orm.meta(model).db_table: name for name, model in self._internal.items()}


register = Register()


def load() -> Register:
    """The register with all that is declared. Django has to be set up."""
    importlib.import_module("rostra.configuration.declarations")
    return register
