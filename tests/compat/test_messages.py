"""Nodes of the previous and of this version share conferences: what either says, the other understands.

`messages-1.json` is a frozen copy of the set; it changes only with the version in the subjects,
or while no released version speaks the one before.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from tests.compat.description import SETS, Frozen, describe

PREVIOUS = json.loads((Path(__file__).parent / "messages-1.json").read_text())
FROZEN = Frozen(PREVIOUS)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type, as plain data that MessagePack takes."""
    return _values(inspect.type_info(kind))


def _values(info: Any) -> st.SearchStrategy[Any]:
    match info:
        case inspect.StructType():
            return _structs(info)
        case inspect.EnumType():
            return st.sampled_from([member.value for member in info.cls])
        case inspect.BytesType():
            return st.binary(max_size=4)
        case inspect.LiteralType():
            return st.sampled_from(sorted(info.values))
        case inspect.UnionType():
            return st.one_of([_values(one) for one in info.types if not _unset(one)])
        case inspect.DictType():
            return st.dictionaries(_values(info.key_type), _values(info.value_type), max_size=2)
        case inspect.TupleType():
            return st.tuples(*(_values(one) for one in info.item_types))
        case inspect.VarTupleType() | inspect.ListType() | inspect.SetType() | inspect.FrozenSetType():
            return st.lists(_values(info.item_type), max_size=2)
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return st.integers(0, 2**31)
        case inspect.FloatType():
            return st.floats(0, 1e9, allow_nan=False)
        case inspect.StrType():
            return st.text("aé1-", max_size=5)
        case inspect.NoneType():
            return st.none()
        case _:
            return st.integers(0, 9)


def _unset(info: Any) -> bool:
    return type(info).__name__ == "CustomType"


def _structs(info: inspect.StructType) -> st.SearchStrategy[Any]:
    tag = st.just(info.tag)
    required = {field.encode_name: _values(field.type) for field in info.fields if field.required}
    optional = {field.encode_name: _values(field.type) for field in info.fields if not field.required}
    if info.tag_field is not None:
        required[info.tag_field] = tag
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize("name", sorted(SETS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_the_previous_version_says_is_understood(name: str, data: st.DataObject) -> None:
    said = data.draw(values(FROZEN.sets[name]))
    ours = msgspec.msgpack.decode(msgspec.msgpack.encode(said), type=SETS[name])
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(ours))
    for member, value in said.items():
        assert again[member] == value or isinstance(value, dict | list), f"{member} is another one now"


@pytest.mark.parametrize("name", sorted(SETS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_this_version_says_is_understood_by_the_previous(name: str, data: st.DataObject) -> None:
    said = data.draw(values(SETS[name]))
    kinds = {one["tag"] for one in PREVIOUS["types"].values() if "tag" in one}
    if {said[member] for member in ("type", "command", "reply", "event") if isinstance(said.get(member), str)} - kinds:
        return  # a kind of message that is new: the previous version logs it and goes on
    msgspec.msgpack.decode(msgspec.msgpack.encode(said), type=FROZEN.sets[name])


def test_the_rules_of_change_are_kept() -> None:
    """Members may be added with a default; nothing else about a kept message may change."""
    now = describe()["types"]
    for name, before in PREVIOUS["types"].items():
        after = now.get(name)
        assert after is not None, f"{name} is gone"
        if "values" in before:
            assert set(before["values"]) <= set(after["values"]), f"{name} lost a value"
            continue
        assert (before["tag"], before["tag_field"]) == (after["tag"], after["tag_field"])
        for member, was in before["members"].items():
            assert member in after["members"], f"{name}.{member} is gone"
            assert after["members"][member]["type"] == was["type"], f"{name}.{member} has another type"
        added = after["members"].keys() - before["members"].keys()
        assert not [m for m in added if after["members"][m]["required"]], f"{name} has a new member without default"
