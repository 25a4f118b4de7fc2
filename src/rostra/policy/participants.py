"""Participant properties that policy changes (section 5 of the sheet). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from rostra.domain.vocabulary import Role
from rostra.policy.checking import LONGEST, Field, Invalid, Names, Type, has_type, members, text, value_of, whole
from rostra.policy.decisions import SUCCESS, Disposition

FIELDS = (
    Field("bypass_lock", Type.FLAG),
    text("call_tag"),
    Field("can_receive_personal_mix", Type.FLAG),
    Field("disable_overlay_text", Type.FLAG),
    whole("display_count", 0, 16, 0),
    text("layout_group"),
    Field("preauthenticated_role", Type.TEXT, nullable=True, choices=("chair", "guest")),
    Field("prefers_multiscreen_mix", Type.FLAG),
    text("receive_from_audio_mix"),
    text("reject_reason"),
    text("remote_alias"),
    Field("remote_display_name", Type.TEXT, nullable=True),
    Field("rx_presentation_policy", Type.TEXT, choices=("ALLOW", "DENY")),
    Field("send_to_audio_mixes", Type.LIST),
    whole("spotlight", 0, 2**53, 0),
    Field("wants_presentation_in_mix", Type.FLAG),
)
_MIX = (Field("mix_name", Type.TEXT, None, required=True), Field("prominent", Type.FLAG, False))
LEVELS = 3
"""Names between dots of an audio mix."""


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different about somebody who joins; None: nothing is said."""

    bypass_lock: bool | None = None
    call_tag: str | None = None
    can_receive_personal_mix: bool | None = None
    disable_overlay_text: bool | None = None
    display_count: int | None = None
    layout_group: str | None = None
    preauthenticated_role: str | None = None
    """`chair` or `guest`; None: as it is, or asked for by PIN."""
    prefers_multiscreen_mix: bool | None = None
    receive_from_audio_mix: str | None = None
    remote_alias: str | None = None
    remote_display_name: str | None = None
    rx_presentation_policy: str | None = None
    send_to_audio_mixes: tuple[tuple[str, bool], ...] | None = None
    spotlight: int | None = None
    wants_presentation_in_mix: bool | None = None

    @property
    def role(self) -> Role | None:
        return Role(self.preauthenticated_role) if self.preauthenticated_role else None

    def over(self, earlier: Properties) -> Properties:
        """These, and where they say nothing, the earlier ones."""
        said = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(earlier, **said)


UNCHANGED = Properties()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer means for somebody."""

    properties: Properties = UNCHANGED
    refused: bool = False
    reason: str = ""
    """What the refused one is told; empty: nothing was said."""
    disposition: Disposition | None = None
    problem: str = ""


def properties(result: object, names: Names) -> Properties:
    """The properties that `result` gives. Raises Invalid: one wrong value makes all of them invalid (POL-055)."""
    given = members(result)
    if given is None:
        raise Invalid("result", "is not an object")
    found = {field.name: value_of(field, given, names) for field in FIELDS if field.name in given}
    found.pop("reject_reason", None)
    if "send_to_audio_mixes" in found:
        found["send_to_audio_mixes"] = tuple(_mix(one, names) for one in found["send_to_audio_mixes"])
    return Properties(**found)


def _mix(given: object, names: Names) -> tuple[str, bool]:
    fields = members(given)
    if fields is None:
        raise Invalid("send_to_audio_mixes", "has a member that is not an object")
    try:
        name, prominent = (value_of(field, fields, names) for field in _MIX)
    except Invalid as problem:
        raise Invalid("send_to_audio_mixes", str(problem)) from None
    if not 1 <= len(name.split(".")) <= LEVELS or not all(name.split(".")):
        raise Invalid("send_to_audio_mixes", f"a mix has 1 to {LEVELS} names between dots")
    return name, prominent


def decide(answer: object, names: Names, *, script: bool = False) -> Verdict:
    """What is made of an answer (POL-053 to POL-055). A script says no `status`."""
    given = members(answer)
    if given is None:
        return Verdict(problem="the answer is not a JSON object")
    result, action = given.get("result"), given.get("action")
    if action == "reject":
        return Verdict(refused=True, reason=_reason(result), disposition=Disposition.REJECT)
    disposition = Disposition.CONTINUE if action == "continue" else None
    if (not script and given.get("status") != SUCCESS) or result in (None, {}):
        return Verdict(disposition=disposition)
    try:
        return Verdict(properties=properties(result, names), disposition=disposition)
    except Invalid as problem:
        return Verdict(disposition=disposition, problem=str(problem))


def _reason(result: object) -> str:
    reason = (members(result) or {}).get("reject_reason")
    usable = has_type(reason, Type.TEXT) and len(str(reason)) <= LONGEST
    return "".join(c for c in str(reason) if c.isprintable()) if usable else ""


def shown(found: Properties) -> Mapping[str, Any]:
    """What is said, by name, for a script."""
    return {name: value for name in found.__struct_fields__ if (value := getattr(found, name)) is not None}


def mixes(found: Properties) -> Sequence[Mapping[str, Any]]:
    """The audio mixes spoken to, as a script has them."""
    given = found.send_to_audio_mixes or (("main", False),)
    return [{"mix_name": name, "prominent": prominent} for name, prominent in given]
