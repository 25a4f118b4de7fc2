"""Every field of an answer, and what several have to be together (sections 4 and 6 of the sheet)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.policy import tables
from rostra.policy.checking import LONGEST, MAY_BE_EMPTY, Field, Invalid, Type
from rostra.policy.configurations import configuration, media_location
from tests.policy.fakes import MEETING, NAMES

LEAST: dict[str, dict[str, Any]] = {
    "conference": MEETING,
    "lecture": {**MEETING, "service_type": "lecture"},
    "two_stage_dialing": {**MEETING, "service_type": "two_stage_dialing"},
    "test_call": {**MEETING, "service_type": "test_call"},
    "gateway": {
        **MEETING, "service_type": "gateway", "local_alias": "a@b", "remote_alias": "sip:c@d",
        "outgoing_protocol": "sip",
    },
}  # fmt: skip
ADP = {"local_alias": "a@b", "remote_alias": "c@d", "protocol": "sip", "role": "guest"}
ROWS = [(kind, field) for kind, fields in tables.SERVICES.items() for field in fields]
IDS = [f"{kind}.{field.name}" for kind, field in ROWS]
OTHERS: dict[Type, list[Any]] = {
    Type.TEXT: [0, 1234, True, 1.5, [], {}],
    Type.FLAG: ["true", "True", 0, 1, [], {}, None],
    Type.WHOLE: ["384000", True, 384000.0, 1e6, [], {}],
    Type.LIST: ["[]", {}, 0, True, None],
}


@pytest.mark.parametrize("kind", LEAST)
def test_the_required_fields_are_enough(kind: str) -> None:
    found = configuration(LEAST[kind], NAMES)
    assert set(found) == {field.name for field in tables.SERVICES[kind]}
    for field in tables.SERVICES[kind]:
        if not field.required:
            assert found[field.name] == field.default, field.name


@pytest.mark.spec("POL-042")
@pytest.mark.parametrize(("kind", "field"), ROWS, ids=IDS)
def test_each_field_has_its_type(kind: str, field: Field) -> None:
    for wrong in OTHERS[field.type] + ([] if field.nullable or field.type is not Type.TEXT else [None]):
        with pytest.raises(Invalid) as problem:
            configuration({**LEAST[kind], field.name: wrong}, NAMES)
        assert problem.value.field == field.name
    if field.nullable:
        assert configuration({**LEAST[kind], field.name: None}, NAMES)[field.name] is None


@pytest.mark.spec("POL-042")
@pytest.mark.parametrize(("kind", "field"), [row for row in ROWS if row[1].required])
def test_each_required_field_is_required(kind: str, field: Field) -> None:
    with pytest.raises(Invalid, match=field.name):
        configuration({name: value for name, value in LEAST[kind].items() if name != field.name}, NAMES)
    if field.name not in MAY_BE_EMPTY:
        with pytest.raises(Invalid, match=field.name):
            configuration({**LEAST[kind], field.name: ""}, NAMES)


@pytest.mark.spec("POL-018")
@pytest.mark.parametrize(("kind", "field"), [row for row in ROWS if row[1].type is Type.TEXT])
def test_no_text_is_longer_than_250(kind: str, field: Field) -> None:
    with pytest.raises(Invalid, match=field.name):
        configuration({**LEAST[kind], field.name: "1" * (LONGEST + 1)}, NAMES)


@pytest.mark.spec("POL-044")
@pytest.mark.parametrize(("kind", "field"), [row for row in ROWS if row[1].choices])
def test_each_choice_is_one_of_its_own(kind: str, field: Field) -> None:
    for value in field.choices:
        assert configuration({**LEAST[kind], field.name: value}, NAMES)[field.name] == value
    for wrong in ("", "newer", field.choices[0].upper()):
        with pytest.raises(Invalid, match=field.name):
            configuration({**LEAST[kind], field.name: wrong}, NAMES)


@pytest.mark.parametrize(("kind", "field"), [row for row in ROWS if row[1].type is Type.WHOLE])
def test_each_number_is_in_its_range(kind: str, field: Field) -> None:
    for value, right in ((field.low, True), (field.high, True), (field.low - 1, False), (field.high + 1, False)):
        given = {**LEAST[kind], field.name: value}
        if right:
            assert configuration(given, NAMES)[field.name] == value
        else:
            with pytest.raises(Invalid, match=field.name):
                configuration(given, NAMES)


@pytest.mark.spec("POL-043")
@pytest.mark.parametrize(("kind", "field"), [row for row in ROWS if row[1].thing])
def test_each_name_is_one_of_the_platform(kind: str, field: Field) -> None:
    assert configuration({**LEAST[kind], field.name: ""}, NAMES)[field.name] == ""
    for known in NAMES.KNOWN.get(field.thing, ()):  # type: ignore[arg-type] - selected for having one
        assert configuration({**LEAST[kind], field.name: known}, NAMES)[field.name] == known
        with pytest.raises(Invalid, match=field.name):
            configuration({**LEAST[kind], field.name: known.swapcase()}, NAMES)


@pytest.mark.spec("POL-044")
def test_unknown_fields_are_passed_over() -> None:
    assert configuration({**MEETING, "from_the_future": {"a": ["b"] * 300}}, NAMES)["name"] == "Alice"


@pytest.mark.parametrize("kind", ["media_playback", "Conference", "", 3, None, ["conference"], {}])
def test_types_of_services_that_there_are_not(kind: Any) -> None:
    with pytest.raises(Invalid, match="service_type"):
        configuration({**MEETING, "service_type": kind}, NAMES)


PINS = [
    (False, None, None, True),
    (False, "1234", None, True),
    (False, None, "5678", False),
    (False, "1234", "5678", False),
    (True, None, None, False),
    (True, "", "5678", False),
    (True, "", "", False),
    (True, "1234", None, True),
    (True, "1234", "", True),
    (True, "1234", "5678", True),
    (True, "1234", "1234", False),
    (True, "1234", "56789", False),
    (True, "1234#", "56789#", True),
    (True, "1234#", "5678", False),
    (False, "123", None, False),
    (False, "1" * 20, None, True),
    (False, "1" * 21, None, False),
    (False, "12a4", None, False),
    (False, "12#4", None, False),
    (False, "１２３４", None, False),
]


@pytest.mark.spec("POL-045", "POL-046", "POL-047")
@pytest.mark.parametrize(("guests", "pin", "guest_pin", "right"), PINS)
@pytest.mark.parametrize("kind", ["conference", "lecture"])
def test_pins_together(kind: str, guests: bool, pin: str | None, guest_pin: str | None, right: bool) -> None:
    pins = {name: value for name, value in (("pin", pin), ("guest_pin", guest_pin)) if value is not None}
    given = {**LEAST[kind], "allow_guests": guests, **pins}
    if right:
        found = configuration(given, NAMES)
        assert (found["pin"], found["guest_pin"]) == (pin or "", guest_pin or "")
    else:
        with pytest.raises(Invalid, match=r"pin|allow_guests"):
            configuration(given, NAMES)


@pytest.mark.spec("POL-048")
def test_layouts_that_do_not_apply_are_passed_over() -> None:
    assert "host_view" not in configuration({**MEETING, "host_view": "nonsense"}, NAMES)
    assert "view" not in configuration({**LEAST["lecture"], "view": "nonsense"}, NAMES)
    for view in ("one_main_zero_pips", "one_main_seven_pips", "one_main_twentyone_pips", "two_mains_twentyone_pips"):
        assert configuration({**MEETING, "view": view}, NAMES)["view"] == view
        found = configuration({**LEAST["lecture"], "host_view": view, "guest_view": view}, NAMES)
        assert (found["host_view"], found["guest_view"]) == (view, view)


@pytest.mark.spec("POL-049")
@pytest.mark.parametrize("field", tables.AUTOMATIC, ids=[field.name for field in tables.AUTOMATIC])
def test_each_field_of_who_is_called(field: Field) -> None:
    assert (
        configuration({**MEETING, "automatic_participants": [ADP]}, NAMES)["automatic_participants"][0]["role"]
        == "guest"
    )
    for wrong in OTHERS[field.type]:
        given = {**MEETING, "automatic_participants": [ADP, {**ADP, field.name: wrong}]}
        with pytest.raises(Invalid) as problem:
            configuration(given, NAMES)
        assert problem.value.field == f"automatic_participants[1].{field.name}"


@pytest.mark.parametrize("wrong", [[3], ["a"], [None], [[]], [{}], [{**ADP, "dtmf_sequence": "12a"}]])
def test_who_cannot_be_called(wrong: list[Any]) -> None:
    with pytest.raises(Invalid, match="automatic_participants"):
        configuration({**MEETING, "automatic_participants": wrong}, NAMES)


@pytest.mark.spec("POL-050")
@pytest.mark.parametrize(
    "more",
    [
        {"breakout": True, "breakout_rooms": True, "breakout_uuid": "x"},
        {"breakout": True},
        {"breakout_rooms": True, "direct_media": "always"},
    ],
)
def test_rooms_that_cannot_be(more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        configuration({**MEETING, **more}, NAMES)


@pytest.mark.parametrize(
    ("match", "replace", "right"),
    [("", "", True), (r"(\d+)", r"\1@x", True), ("(", "", False), (r"\d+", r"\1", False), (r"(\d+)", "\\", True)],
)
def test_expressions_of_receptions(match: str, replace: str, right: bool) -> None:
    given = {**LEAST["two_stage_dialing"], "match_string": match, "replace_string": replace}
    if right:
        assert configuration(given, NAMES)["match_string"] == match
    else:
        with pytest.raises(Invalid, match="_string"):
            configuration(given, NAMES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(ROWS), JSON)
def test_no_value_does_more_than_make_it_invalid(row: tuple[str, Field], value: Any) -> None:
    kind, field = row
    try:
        found = configuration({**LEAST[kind], field.name: value}, NAMES)
    except Invalid:
        return
    assert type(found.get(field.name)) is type(value) or isinstance(found[field.name], tuple)


LOCATIONS = [
    ({"location": "Oslo"}, ("Oslo",)),
    ({"location": "Oslo", "primary_overflow_location": "DMZ"}, ("Oslo", "DMZ")),
    ({"location": "Oslo", "primary_overflow_location": None, "secondary_overflow_location": "DMZ"}, ("Oslo", "DMZ")),
    ({"location": "Oslo", "primary_overflow_location": "DMZ", "secondary_overflow_location": "London"},
     ("Oslo", "DMZ", "London")),
    ({"location": "Oslo", "overflow_locations": ["London", "DMZ", "London", "Oslo"]}, ("Oslo", "London", "DMZ")),
    ({"location": "Oslo", "primary_overflow_location": "DMZ", "overflow_locations": ["London"]}, ("Oslo", "London")),
    ({"location": "Oslo", "overflow_locations": []}, ("Oslo",)),
    ({"location": "Oslo", "overflow_locations": None, "primary_overflow_location": "Oslo"}, ("Oslo",)),
    ({}, None),
    ({"location": ""}, None),
    ({"location": "oslo"}, None),
    ({"location": 3}, None),
    ({"location": "Oslo", "primary_overflow_location": "Nowhere"}, None),
    ({"location": "Oslo", "overflow_locations": ["Nowhere"]}, None),
    ({"location": "Oslo", "overflow_locations": "London"}, None),
    ({"location": "Oslo", "overflow_locations": [3]}, None),
    ([], None),
    (None, None),
]  # fmt: skip


@pytest.mark.spec("POL-057", "POL-058", "POL-059", "POL-063")
@pytest.mark.parametrize(("result", "names"), LOCATIONS)
def test_media_locations(result: Any, names: tuple[str, ...] | None) -> None:
    if names is not None:
        assert media_location(result, NAMES) == names
    else:
        with pytest.raises(Invalid):
            media_location(result, NAMES)
