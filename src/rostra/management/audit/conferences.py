"""Conferences and calls in the administrator log, from what nodes tell (DIAG-147…DIAG-152; sheet 07, Interfaces)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from rostra.domain import history as domain
from rostra.fabric.outbox import Record
from rostra.management.audit.noting import gathered, note
from rostra.management.directory import Directory, licence, protocol
from rostra.management.history.models import ConferenceRecord
from rostra.management.history.receiving import followers, moment

logger = structlog.get_logger("rostra.management.audit")

NAME = "administrator.conference"
FULL = "insufficient capacity"
"""What administrators look for when calls find no room (DIAG-107)."""


def follow(events: Sequence[tuple[Record, domain.Event]], directory: Directory) -> None:
    """Take new events, in the order they came."""
    ended = {event.id[:100] for _, event in events if isinstance(event, domain.ConferenceEnded)}
    starts = dict(ConferenceRecord.objects.filter(pk__in=ended).values_list("pk", "start_time"))
    with gathered():
        for record, event in events:
            try:
                told = _told(record, event, directory)
                if isinstance(event, domain.ConferenceEnded) and event.id[:100] in starts and told is not None:
                    took = (moment(event.time) - starts[event.id[:100]]).total_seconds()
                    told[2]["Duration"] = f"{max(0.0, took):.3f}"
                if told is not None:
                    level, message, pairs = told
                    system = directory.address(record.node)
                    name = "administrator.system" if isinstance(event, domain.NodeEvent) else NAME
                    note(message, pairs, name=name, level=level, system=system, time=moment(event.time))
            except (ValueError, OverflowError, OSError) as problem:
                logger.warning("An event makes no sense", node=record.node, problem=str(problem))


def _told(record: Record, event: domain.Event, directory: Directory) -> tuple[str, str, dict[str, object]] | None:
    """Level, message and pairs; None for what is not told."""
    match event:
        case domain.ConferenceStarted():
            return "INFO", "Conference has been created.", _service(event.name, event.tag, event.service_type)
        case domain.ConferenceEnded():
            return "INFO", "Conference has been stopped.", _service(event.name, event.tag, event.service_type)
        case domain.ParticipantJoined():
            return "INFO", "Participant has joined.", _participant(record, event.participant, directory)
        case domain.ParticipantEnded():
            pairs = _participant(record, event.participant, directory)
            took = event.duration or max(0.0, event.time - event.participant.start_time)
            pairs |= {"Duration": f"{took:.3f}", "Detail": event.disconnect_reason}
            return "INFO", "Participant has disconnected.", pairs
        case domain.CapacityRefused():
            return "WARNING", "Participant failed to join conference.", _refused(record, event, directory)
        case domain.NodeEvent() if event.kind == "started":
            return "INFO", "Starting application.", {"Address": directory.address(record.node)}
        case _:
            return None


def _service(name: str, tag: str, kind: str) -> dict[str, object]:
    return {"Conference": name, "Service-tag": tag, "Service-type": kind}


def _participant(record: Record, who: domain.ParticipantRecord, directory: Directory) -> dict[str, object]:
    place = directory.location(who.location) or directory.location_of(record.node)
    licences, _ = licence(who.has_media, who.license_count, who.license_type)
    call = who.call_uuid or who.uuid
    return {
        **_service(who.conference_name, who.service_tag, who.service_type),
        **_given({"ConferenceAlias": who.local_alias, "Participant": who.remote_alias or who.display_name}),
        **_given({"DisplayName": who.display_name, "Protocol": protocol(who.protocol)}),
        **_given({"Direction": who.call_direction, "Vendor": who.vendor}),
        "Call-id": call,
        "Conversation-id": who.conversation_id or call,
        "Participant-id": who.uuid,
        "Location": place,
        "Licenses": licences,
        "Signaling-node": directory.address(record.node),
        "Signaling-location": place,
        **_given({"Media-node": directory.address(who.media_node) if who.media_node else ""}),
    }


def _refused(record: Record, event: domain.CapacityRefused, directory: Directory) -> dict[str, object]:
    return {
        **_given({"Conference": event.conference_name, "ConferenceAlias": event.alias}),
        **_given({"Participant-id": event.participant}),
        "Location": directory.location(event.location) or directory.location_of(record.node),
        "Reason": f"{FULL}: {event.reason}" if event.reason else FULL,
    }


def _given(pairs: Mapping[str, str]) -> dict[str, object]:
    return {key: value for key, value in pairs.items() if value}


def register() -> None:
    """Follow events from now on."""
    if follow not in followers:
        followers.append(follow)
