"""Checks of what servers and scripts answer: one row for each field (sections 4.1 to 4.8 of the sheet). Pure.

An answer is used whole or not at all: the first field that does not hold makes all of it invalid (POL-042).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import msgspec

LONGEST = 250
"""Characters of a text (POL-018)."""


class Type(enum.Enum):
    """Kinds of values."""

    TEXT = "a text"
    FLAG = "true or false"
    WHOLE = "a whole number"
    LIST = "a list"


class Thing(enum.StrEnum):
    """What a field ending in `_name` names."""

    THEME = "theme"
    LOCATION = "system location"
    GATEKEEPER = "H.323 gatekeeper"
    SIP_PROXY = "SIP proxy"
    MSSIP_PROXY = "Skype for Business server"
    STUN = "STUN server"
    TURN = "TURN server"
    TEAMS = "Teams Connector"
    GMS = "Google Meet access token"


class Names(Protocol):
    """The configured objects."""

    def find(self, thing: Thing, name: str) -> int | None:
        """Number of the one with exactly this name."""
        ...


class Invalid(ValueError):
    """An answer that cannot be used; the text names the field."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class Field(msgspec.Struct, frozen=True):
    """One field of an answer."""

    name: str
    type: Type
    default: Any = ""
    required: bool = False
    nullable: bool = False
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 2**31
    thing: Thing | None = None


def text(name: str, default: str = "", **more: Any) -> Field:
    return Field(name, Type.TEXT, default, **more)


def required(name: str, **more: Any) -> Field:
    return Field(name, Type.TEXT, None, required=True, **more)


def flag(name: str, default: bool = False) -> Field:
    return Field(name, Type.FLAG, default)


def choice(name: str, choices: Sequence[str], default: str | None, **more: Any) -> Field:
    return Field(name, Type.TEXT, default, nullable=default is None, choices=tuple(choices), **more)


def whole(name: str, low: int, high: int, default: int | None = None) -> Field:
    return Field(name, Type.WHOLE, default, nullable=default is None, low=low, high=high)


def named(name: str, thing: Thing) -> Field:
    return Field(name, Type.TEXT, "", thing=thing)


def checked(fields: Sequence[Field], given: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """All fields with their values or defaults; what is none of them is left out (POL-044). Raises Invalid."""
    return {field.name: value_of(field, given, names) for field in fields}


def value_of(field: Field, given: Mapping[str, Any], names: Names) -> Any:
    """The value of one field. Raises Invalid."""
    if field.name not in given:
        if field.required:
            raise Invalid(field.name, "is missing")
        return field.default
    value = given[field.name]
    if value is None and field.nullable:
        return None
    if not has_type(value, field.type):
        raise Invalid(field.name, f"is not {field.type.value}")
    if isinstance(value, str):
        _check_text(field, value, names)
    elif field.type is Type.WHOLE and not field.low <= cast("int", value) <= field.high:
        raise Invalid(field.name, f"is not between {field.low} and {field.high}")
    return value


def _check_text(field: Field, value: str, names: Names) -> None:
    if len(value) > LONGEST:
        raise Invalid(field.name, f"is longer than {LONGEST} characters")
    if field.required and not value and field.name not in MAY_BE_EMPTY:
        raise Invalid(field.name, "is empty")
    if field.choices and value not in field.choices:
        raise Invalid(field.name, f"is none of {', '.join(field.choices)}")
    if field.thing is not None and value and names.find(field.thing, value) is None:
        raise Invalid(field.name, f"there is no {field.thing.value} of that name")


MAY_BE_EMPTY = frozenset({"service_tag"})
"""Required, but may say nothing."""


def has_type(value: object, kind: Type) -> bool:
    """Truth values are no numbers, and numbers with a fraction are not whole, whatever their value."""
    match kind:
        case Type.TEXT:
            return isinstance(value, str)
        case Type.FLAG:
            return isinstance(value, bool)
        case Type.WHOLE:
            return isinstance(value, int) and not isinstance(value, bool)
        case Type.LIST:
            return isinstance(value, list)


def members(value: object) -> Mapping[str, Any] | None:
    """A JSON object; None: it is something else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None
