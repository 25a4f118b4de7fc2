"""What an answer about a service or a media location means: the decision table (section 2.3 of the sheet). Pure."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from rostra.policy.checking import LONGEST, Invalid, Names, members
from rostra.policy.configurations import Configuration, configuration, media_location
from rostra.policy.noticing import NAMES, told

SUCCESS = "success"
_ENVELOPE = frozenset({"status", "action", "result"})


class Way(enum.Enum):
    """How a call goes on."""

    USE = enum.auto()
    """With what was answered."""
    DEFAULT = enum.auto()
    """As if nobody had been asked."""
    REFUSE = enum.auto()
    REDIRECT = enum.auto()
    """Of SIP: to another address; of all others as REFUSE."""


class Disposition(enum.StrEnum):
    """What scripts see of it (POL-029)."""

    CONTINUE = "CONTINUE"
    REJECT = "REJECT"
    REDIRECT = "REDIRECT"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of one answer; the last three members are for the log (POL-020)."""

    way: Way = Way.DEFAULT
    configuration: Configuration | None = None
    new_alias: str = ""
    disposition: Disposition | None = None
    action: str = ""
    unknown: tuple[str, ...] = ()
    """Names beside those of the envelope."""
    problem: str = ""
    """Why a result was not used."""


FAILED = Decision()
"""There was no usable answer."""


def decide(answer: object, names: Names) -> Decision:
    """Of a service (POL-021 to POL-023). `answer` is what the JSON said; whatever it is, something is decided."""
    given = members(answer)
    if given is None:
        return FAILED
    status, action, result = given.get("status"), given.get("action"), given.get("result")
    decision = Decision(
        action=told(action) if isinstance(action, str) else "",
        unknown=tuple(sorted(told(name) for name in given if name not in _ENVELOPE)[:NAMES]),
        disposition=_disposition(action),
    )
    if action == "redirect" and status == SUCCESS and (alias := _new_alias(result)):
        return msgspec.structs.replace(decision, way=Way.REDIRECT, new_alias=alias)
    if status == SUCCESS and result not in (None, {}):
        try:
            found = configuration(result, names)
        except Invalid as problem:
            decision = msgspec.structs.replace(decision, problem=str(problem))
        else:
            return msgspec.structs.replace(
                decision, way=Way.USE, configuration=found, disposition=Disposition.CONTINUE
            )  # fmt: skip
    way = Way.REFUSE if action == "reject" else Way.DEFAULT
    return msgspec.structs.replace(decision, way=way)


def decide_script(output: object, names: Names) -> Decision:
    """Of a service script: like a server, without a `status` (POL-092, POL-093). DEFAULT: as it was before."""
    given = members(output)
    if given is None:
        return Decision(problem="the output is not a JSON object")
    action, result = given.get("action"), given.get("result")
    decision = Decision(action=told(action) if isinstance(action, str) else "", disposition=_disposition(action))
    if action == "reject":
        return msgspec.structs.replace(decision, way=Way.REFUSE)
    if action == "redirect" and (alias := _new_alias(result)):
        return msgspec.structs.replace(decision, way=Way.REDIRECT, new_alias=alias)
    if result in (None, {}):
        return decision
    try:
        return msgspec.structs.replace(decision, way=Way.USE, configuration=configuration(result, names))
    except Invalid as problem:
        return msgspec.structs.replace(decision, problem=str(problem))


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """A media location; no names: as if nobody had been asked."""

    locations: tuple[str, ...] = ()
    """The principal one, then those it overflows to."""
    by_list: bool = False
    """They were given as a list, which a script does not change (POL-063)."""
    problem: str = ""


def decide_location(answer: object, names: Names, *, script: bool = False) -> Placement:
    """Of a media location; nobody is refused here (POL-025). A script says no `status`."""
    given = members(answer)
    if given is None:
        return Placement(problem="the answer is not a JSON object")
    if not script and given.get("status") != SUCCESS:
        return Placement(problem="the status is not success")
    result = given.get("result")
    if result in (None, {}):  # nothing is said, and nothing is wrong
        return Placement()
    try:
        listed = (members(result) or {}).get("overflow_locations") is not None
        return Placement(locations=media_location(result, names), by_list=listed)
    except Invalid as problem:
        return Placement(problem=str(problem))


def _disposition(action: Any) -> Disposition | None:
    known = {"continue": Disposition.CONTINUE, "reject": Disposition.REJECT, "redirect": Disposition.REDIRECT}
    return known.get(action) if isinstance(action, str) else None


def _new_alias(result: object) -> str:
    alias = (members(result) or {}).get("new_alias")
    usable = isinstance(alias, str) and len(alias) <= LONGEST and alias.isprintable() and not set(alias) & set(' <>"')
    return str(alias) if usable else ""
