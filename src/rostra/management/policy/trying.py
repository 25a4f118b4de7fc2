"""Trying out policy scripts: one run with made-up facts of a call, and what would be decided by it (POL-096)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils.translation import gettext, gettext_lazy

from rostra.configuration import models, orm
from rostra.policy import decisions, participants
from rostra.policy.checking import Thing
from rostra.policy.decisions import Way
from rostra.policy.running import Sandbox
from rostra.policy.scripts import Rendered

_CALL: Mapping[str, Any] = {
    "bandwidth": 0, "call_direction": "dial_in", "local_alias": "meet.alice@example.com", "location": "Oslo",
    "node_ip": "192.0.2.10", "protocol": "sip", "pseudo_version_id": "0", "registered": False,
    "remote_address": "198.51.100.7", "remote_alias": "sip:bob@example.com", "remote_display_name": "Bob",
    "remote_port": 5061, "trigger": "invite", "vendor": "Room system", "version_id": "1",
}  # fmt: skip
_SERVICE: Mapping[str, Any] = {
    "name": "Alice", "service_type": "conference", "service_tag": "", "description": "", "call_type": "video",
    "pin": "1234", "allow_guests": True, "guest_pin": "", "view": "one_main_seven_pips", "automatic_participants": [],
    "ivr_theme_name": "", "participant_limit": None, "max_callrate_in": None, "max_callrate_out": None,
}  # fmt: skip
_IN_USE: Mapping[str, Any] = {"service_name": "Alice", "service_tag": "", "unique_service_name": "Alice"}
_PERSON: Mapping[str, Any] = {
    "call_uuid": "", "display_count": 0, "idp_attributes": {}, "participant_type": "standard", "participant_uuid": "",
    "preauthenticated_role": None, "receive_from_audio_mix": "main", "remote_alias": "sip:bob@example.com",
    "remote_display_name": "Bob", "send_to_audio_mixes": [{"mix_name": "main", "prominent": False}],
}  # fmt: skip
_PLACE: Mapping[str, Any] = {
    "location": "Oslo", "primary_overflow_location": None, "secondary_overflow_location": None,
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One type of script."""

    title: Any
    field: str
    """Of the profile."""
    sample: Mapping[str, Any]
    """Variables it can be tried with."""


KINDS: Mapping[str, Kind] = {
    "service": Kind(
        gettext_lazy("Service script"), "internal_service_policy_template",
        {"call_info": _CALL, "service_config": _SERVICE},
    ),
    "participant": Kind(
        gettext_lazy("Participant script"), "internal_participant_policy_template",
        {"call_info": {**_CALL, **_IN_USE}, "service_config": _SERVICE, "participant": _PERSON},
    ),
    "media_location": Kind(
        gettext_lazy("Media location script"), "internal_media_location_policy_template",
        {
            "call_info": {**_CALL, **_IN_USE}, "service_config": _SERVICE,
            "suggested_media_overflow_locations": _PLACE,
        },
    ),
}  # fmt: skip
_MODELS: Mapping[Thing, Any] = {
    Thing.THEME: models.IvrTheme,
    Thing.LOCATION: models.SystemLocation,
    Thing.GATEKEEPER: models.H323Gatekeeper,
    Thing.SIP_PROXY: models.SipProxy,
    Thing.MSSIP_PROXY: models.MssipProxy,
    Thing.STUN: models.StunServer,
    Thing.TURN: models.TurnServer,
}


class Names:
    """Implements `policy.checking.Names` on the platform's own database."""

    def find(self, thing: Thing, name: str) -> int | None:
        model = _MODELS.get(thing)
        found = [] if model is None else orm.rows(model).filter(name=name).values_list("id", "name")
        return next((key for key, known in found if known == name), None)


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """What came of a run."""

    output: str
    log: tuple[str, ...]
    problem: str
    """Why the script changes nothing."""
    decided: str
    """What would become of the call."""
    details: str = ""
    """What is used of the output, in JSON."""


def run(kind: str, script: str, variables: Mapping[str, Any]) -> Trial:
    """One run, in a process that is ended with it. It has no effect on anything."""
    rendered = asyncio.run(_render(script, variables))
    if rendered.problem:
        return Trial("", rendered.log, rendered.problem, gettext("Nothing is changed."))
    try:
        output = msgspec.json.decode(rendered.output)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        told = gettext("The output is not JSON: %(problem)s") % {"problem": problem}
        return Trial(rendered.output, rendered.log, told, gettext("Nothing is changed."))
    problem, decided, details = _DECIDED[kind](output)
    text = json.dumps(details, indent=2, ensure_ascii=False) if details else ""
    return Trial(rendered.output, rendered.log, problem, decided, text)


async def _render(script: str, variables: Mapping[str, Any]) -> Rendered:
    sandbox = Sandbox()
    try:
        return await sandbox.run(script, variables)
    finally:
        await sandbox.close()


def _service(output: object) -> tuple[str, str, Any]:
    decision = decisions.decide_script(output, Names())
    told = {
        Way.USE: gettext("The call goes on with this service."),
        Way.DEFAULT: gettext("Nothing is changed."),
        Way.REFUSE: gettext("The call is refused."),
        Way.REDIRECT: gettext("SIP callers are sent elsewhere, others are refused."),
    }
    return decision.problem, told[decision.way], decision.configuration or decision.new_alias


def _participant(output: object) -> tuple[str, str, Any]:
    verdict = participants.decide(output, Names(), script=True)
    if verdict.refused:
        return "", gettext("The participant is refused."), verdict.reason
    found = participants.shown(verdict.properties)
    told = gettext("The participant is changed.") if found else gettext("Nothing is changed.")
    return verdict.problem, told, dict(found)


def _location(output: object) -> tuple[str, str, Any]:
    placed = decisions.decide_location(output, Names(), script=True)
    told = gettext("Media goes to these locations, in this order.")
    return placed.problem, told if placed.locations else gettext("Nothing is changed."), list(placed.locations)


_DECIDED = {"service": _service, "participant": _participant, "media_location": _location}
