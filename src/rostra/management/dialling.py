"""Calling somebody from a conference, for an administrator (sheet 10, `participant/dial`; CONF-107…CONF-112)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from rostra.configuration import vocabulary
from rostra.configuration.models import Conference, SystemLocation, WorkerVM
from rostra.domain import dialling, sipheaders
from rostra.domain.dialling import Wanted
from rostra.domain.ending import KeepAlive
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.fabric.membership import node_name
from rostra.fabric.status import Dialling, DialOut
from rostra.management.commands import Failed, Parameter, refusal
from rostra.management.status import platform

Values = Mapping[str, Any]
_ROLES = ("chair", "guest")


def _text(name: str, help: str, most: int = 250, *, required: bool = False, choices: tuple[str, ...] = ()) -> Parameter:
    return Parameter(name, "string", help, required, choices, most)


DIAL = (
    _text("conference_alias", "Alias of the service that calls; the called party is shown it.", required=True),
    _text("destination", "Address to call.", required=True),
    _text(
        "protocol", "Protocol to call by; without it: sip.", choices=("sip", "h323", "mssip", "rtmp", "teams", "gms")
    ),
    _text("routing", "How the call is placed; without it: manual.", choices=("manual", "routing_rule")),
    _text("system_location", "Name of the location that calls."),
    _text("node", "Address of the node that calls.", 255),
    _text("call_type", "Most media of the call; without it: video.", choices=("audio", "video", "video-only")),
    _text("role", "Role of who is called; without it: guest.", choices=_ROLES),
    _text("dtmf_sequence", "Tones to send when the call is answered."),
    Parameter("streaming", "boolean", "It is a streaming or recording device.", required=False),
    _text("presentation_url", "Where an RTMP presentation goes."),
    _text("remote_display_name", "Name shown for who is called."),
    _text(
        "keep_conference_alive",
        "Whether the conference goes on for it alone; without it: always.",
        choices=tuple(name for name, _ in vocabulary.KEEP_ALIVE),
    ),
    _text("local_display_name", "Name the other end is told."),
    _text("custom_sip_headers", "More headers of a SIP call: lines of the form Name: value, or a JSON object.", 0),
)


def dial(values: Values) -> dict[str, Any]:
    """Have one node call. Raises ValidationError by parameter, Failed with the node's reason."""
    wanted = wanted_of(values)
    if problem := dialling.problem(wanted):
        raise ValidationError({_BLAMED.get(problem, "destination"): [problem]})
    service = Conference.objects.filter(aliases__alias__iexact=values["conference_alias"]).first()
    if service is None:
        raise ValidationError({"conference_alias": [gettext("Failed to find conference.")]})
    problem = gettext("No Conferencing Node is available to place the call.")
    for node in _nodes(values, service.name):
        (reply,) = platform().tell([node], DialOut(alias=values["conference_alias"], wanted=wanted)).values()
        if isinstance(reply, Dialling):
            called = list(reply.participants)
            return {"participant_id": called[0] if called else "", "participant_ids": called}
        problem = refusal(reply)
        break  # it has said no: another would say the same
    raise Failed(problem)


_BLAMED = {"Invalid DTMF sequence": "dtmf_sequence", "Invalid presentation URL": "presentation_url"}


def wanted_of(values: Values) -> Wanted:
    """What the parameters ask for. Raises ValidationError."""
    protocol = values.get("protocol", "sip")
    manual = values.get("routing", "manual") == "manual"
    if manual and protocol not in ("sip", "h323", "mssip", "rtmp"):
        raise ValidationError({"protocol": [gettext("This protocol is not available.")]})
    return Wanted(
        destination=values["destination"].strip(),
        protocol=CallProtocol(protocol) if manual else None,
        role=Role(values.get("role", "guest")),
        call_type=values.get("call_type", "video") if manual else "video",
        display_name=values.get("remote_display_name", ""),
        keep_alive=KeepAlive(values.get("keep_conference_alive", KeepAlive.YES)),
        streaming=values.get("streaming", False),
        presentation_url=values.get("presentation_url", ""),
        dtmf_sequence=values.get("dtmf_sequence", ""),
        source_alias=values["conference_alias"],
        source_name=values.get("local_display_name", ""),
        location=_location(values),
        headers=_headers(values),
    )


def _headers(values: Values) -> sipheaders.Headers:
    try:
        headers = sipheaders.read(values.get("custom_sip_headers", ""))
        problem = sipheaders.allowed(headers, administrator=True)
    except ValueError as wrong:
        headers, problem = (), str(wrong)
    if problem:
        raise ValidationError({"custom_sip_headers": [problem]})
    return headers


def _location(values: Values) -> int:
    name = values.get("system_location", "")
    if not name:
        return 0
    found = SystemLocation.objects.filter(name=name).first()
    if found is None:
        raise ValidationError({"system_location": [gettext("Failed to find system location.")]})
    return int(found.pk)


def _nodes(values: Values, service: str) -> Sequence[str]:
    """Nodes that are there and may place the call, best first: those where the conference runs (CONF-112)."""
    rows = WorkerVM.objects.filter(maintenance_mode=False)
    if values.get("node"):
        rows = rows.filter(address=values["node"])
        if not rows:
            raise ValidationError({"node": [gettext("Failed to find Conferencing Node.")]})
    elif values.get("system_location"):
        rows = rows.filter(system_location__name=values["system_location"])
    statuses = platform().snapshot().statuses
    there = [name for row in rows if (name := node_name(row.pk)) in statuses]
    running = {node for node, status in statuses.items() if any(part.name == service for part in status.conferences)}
    return sorted(there, key=lambda node: (node not in running, node))
