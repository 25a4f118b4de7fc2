"""The messages between nodes as data: a description that can be kept, and the types it describes, made again from it.

`python -m tests.compat.description` writes the description of the present set; one file is kept for each version of
the set that nodes in the field may still speak.
"""

from __future__ import annotations

import enum
import json
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from rostra.conference import messages as conference
from rostra.domain import history
from rostra.fabric import licensing, peers, status
from rostra.media import messages as media

SETS: dict[str, Any] = {
    "shared": conference.Shared,
    "request": conference.Request,
    "reply": conference.Reply,
    "report": peers.NodeReport,
    "media_request": media.Request,
    "media_reply": media.Reply,
    "media_event": media.Event,
    "status": status.NodeStatus,
    "command": status.Command,
    "command_reply": status.CommandReply,
    "licence_request": licensing.LicenceRequest,
    "licence_reply": licensing.LicenceReply,
    "licence_policy": licensing.Policy,
    "licence_holdings": licensing.Holdings,
    "history": history.Event,
}
"""Everything one node may say to another, by what is decoded at once."""

_PLAIN = {"bool": bool, "int": int, "float": float, "str": str, "bytes": bytes, "none": None, "any": Any}


MOVED = {f"domain.gateway.{name}": f"dialplan.outward.{name}" for name in ("Hop", "Route")}
"""Types of the kept set that are defined elsewhere by now, and are what they were."""


def describe() -> dict[str, Any]:
    """The present set: `sets` by name, and every struct and enumeration by its full name."""
    named: dict[str, Any] = {}
    sets = {name: _type(inspect.type_info(kind), named) for name, kind in SETS.items()}
    return {"sets": sets, "types": dict(sorted(named.items()))}


def _type(info: Any, named: dict[str, Any]) -> Any:
    kind = type(info).__name__.removesuffix("Type").lower()
    match info:
        case inspect.StructType():
            return {"named": _struct(info, named)}
        case inspect.EnumType():
            name = _full(info.cls)
            named[name] = {"values": [member.value for member in info.cls]}
            return {"named": name}
        case inspect.LiteralType():
            return {"literal": list(info.values)}
        case inspect.UnionType():
            return {"union": [_type(one, named) for one in info.types]}
        case inspect.DictType():
            return {"dict": [_type(info.key_type, named), _type(info.value_type, named)]}
        case inspect.VarTupleType() | inspect.ListType() | inspect.SetType() | inspect.FrozenSetType():
            return {"many": _type(info.item_type, named)}
        case inspect.TupleType():
            return {"tuple": [_type(one, named) for one in info.item_types]}
        case inspect.CustomType() if info.cls is object:
            return "any"
        case _ if kind in _PLAIN:
            return kind
    raise TypeError(f"{info} has no description")


def _struct(info: inspect.StructType, named: dict[str, Any]) -> str:
    name = _full(info.cls)
    if name not in named:
        named[name] = {}  # it may hold itself
        named[name] = {
            "tag": info.tag,
            "tag_field": info.tag_field,
            "members": {
                field.encode_name: {"type": _type(field.type, named), "required": field.required}
                for field in info.fields
            },
        }
    return name


def _full(cls: type) -> str:
    name = f"{cls.__module__.removeprefix('rostra.')}.{cls.__qualname__}"
    return MOVED.get(name, name)


class Frozen:
    """The types of a kept description."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._described = description["types"]
        self._made: dict[str, Any] = {}
        self.sets = {name: self._build(kind) for name, kind in description["sets"].items()}

    def _build(self, kind: Any) -> Any:
        if isinstance(kind, str):
            return _PLAIN[kind]
        ((form, content),) = kind.items()
        match form:
            case "named":
                return self._named(content)
            case "union":
                return typing.Union[tuple(self._build(one) for one in content)]  # noqa: UP007 (made at run time)
            case "literal":
                return typing.Literal[tuple(content)]
            case "dict":
                return dict[self._build(content[0]), self._build(content[1])]  # type: ignore[misc]
            case "many":
                return tuple[self._build(content), ...]  # type: ignore[misc]
            case "tuple":
                return tuple[tuple(self._build(one) for one in content)]  # type: ignore[misc]
        raise TypeError(f"{form} is no form of a type")

    def _named(self, name: str) -> Any:
        if name in self._made:
            return self._made[name]
        described = self._described[name]
        short = name.rpartition(".")[2]
        if "values" in described:
            made: Any = enum.Enum(short, {f"v{index}": value for index, value in enumerate(described["values"])})
        else:
            members = [self._member(key, member) for key, member in described["members"].items()]
            members.sort(key=len)
            made = msgspec.defstruct(
                short, members, tag=described["tag"], tag_field=described["tag_field"], kw_only=True, frozen=True
            )
        self._made[name] = made
        return made

    def _member(self, name: str, member: Mapping[str, Any]) -> tuple[Any, ...]:
        kind = self._build(member["type"])
        return (name, kind) if member["required"] else (name, kind | msgspec.UnsetType, msgspec.UNSET)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(describe(), indent=1) + "\n")
