"""Service configurations in the words of policy: checked as a whole (section 4.8 of the sheet). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rostra.domain import expressions, pins
from rostra.domain.dialling import is_sequence
from rostra.policy import tables
from rostra.policy.checking import Invalid, Names, checked, members

Configuration = Mapping[str, Any]
"""All fields of its `service_type`, with their defaults filled in."""

MOST_AUTOMATIC = 1000
"""Participants that one conference calls automatically."""


def configuration(result: object, names: Names) -> Configuration:
    """The configuration that `result` gives. Raises Invalid."""
    given = members(result)
    if given is None:
        raise Invalid("result", "is not an object")
    kind = given.get("service_type")
    if not isinstance(kind, str):
        raise Invalid("service_type", "is missing" if kind is None else "is not a text")
    fields = tables.SERVICES.get(kind)
    if fields is None:
        raise Invalid("service_type", f"is none of {', '.join(tables.SERVICES)}")
    found = checked(fields, given, names)
    if kind in ("conference", "lecture"):
        _check_meeting(found)
        found["automatic_participants"] = _automatic(found["automatic_participants"], names)
    for match, replacement in (("match_string", "replace_string"), ("post_match_string", "post_replace_string")):
        if match in found:
            _check_expression(match, found[match], replacement, found[replacement])
    if not is_sequence(found.get("dtmf_sequence", "")):
        raise Invalid("dtmf_sequence", "has other characters than digits, *, # and commas")
    return found


def _check_meeting(found: Mapping[str, Any]) -> None:
    """What several fields together have to be (POL-045 to POL-047, POL-050)."""
    problems = pins.problems(found["pin"], found["guest_pin"], allow_guests=found["allow_guests"])
    for field, problem in problems.items():
        raise Invalid(field, problem)
    if found["guest_pin"] and not found["allow_guests"]:
        raise Invalid("guest_pin", "needs allow_guests")
    if found["breakout_rooms"] and found["direct_media"] != "never":
        raise Invalid("direct_media", "is not possible with breakout rooms")
    if found["breakout"]:
        if found["breakout_rooms"]:
            raise Invalid("breakout_rooms", "a breakout room has none itself")
        if not found["breakout_uuid"]:
            raise Invalid("breakout_uuid", "is missing")
        raise Invalid("breakout", "rooms are opened by Hosts here, not by policy")


def _automatic(given: Sequence[object], names: Names) -> tuple[Configuration, ...]:
    """One that is wrong makes the whole answer wrong (POL-049)."""
    if len(given) > MOST_AUTOMATIC:
        raise Invalid("automatic_participants", f"has more than {MOST_AUTOMATIC} members")
    found: list[Configuration] = []
    for number, one in enumerate(given):
        where = f"automatic_participants[{number}]"
        fields = members(one)
        if fields is None:
            raise Invalid(where, "is not an object")
        try:
            called = checked(tables.AUTOMATIC, fields, names)
        except Invalid as problem:
            raise Invalid(f"{where}.{problem.field}", str(problem).partition(": ")[2]) from None
        if not is_sequence(called["dtmf_sequence"]):
            raise Invalid(f"{where}.dtmf_sequence", "has other characters than digits, *, # and commas")
        found.append(called)
    return tuple(found)


def _check_expression(match: str, expression: str, replace: str, replacement: str) -> None:
    if expressions.problem(expression):
        raise Invalid(match, "is not a regular expression")
    if expressions.replacement_problem(expression, replacement):
        raise Invalid(replace, "does not fit the regular expression")


def media_location(result: object, names: Names) -> tuple[str, ...]:
    """The principal location and its overflow locations, in order, none twice (section 6). Raises Invalid."""
    given = members(result)
    if given is None:
        raise Invalid("result", "is not an object")
    found = checked(tables.LOCATION, given, names)
    single = [found["primary_overflow_location"], found["secondary_overflow_location"]]
    more = single if found["overflow_locations"] is None else _locations(found["overflow_locations"], names)
    return tuple(dict.fromkeys((found["location"], *(name for name in more if name))))


def _locations(given: Sequence[object], names: Names) -> list[str]:
    for name in given:
        if not isinstance(name, str) or not name:
            raise Invalid("overflow_locations", "has a member that is not a text")
        checked(tables.LOCATION[:1], {"location": name}, names)
    return cast("list[str]", list(given))
