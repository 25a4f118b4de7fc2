"""Alarms from what nodes tell: calls that found no room, and alarms that nodes raise about themselves."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from rostra.domain import history as domain
from rostra.fabric.outbox import Record
from rostra.management.alarms.catalogue import KINDS
from rostra.management.alarms.raising import lower_alarm, lower_of, raise_alarm
from rostra.management.directory import Directory
from rostra.management.history.receiving import followers, moment, text

logger = structlog.get_logger("rostra.management.alarms")


def follow(events: Sequence[tuple[Record, domain.Event]], directory: Directory) -> None:
    """Take new events, in the order they came."""
    for record, event in events:
        try:
            _take(record, event, directory)
        except (ValueError, OverflowError, OSError) as problem:
            logger.warning("An event makes no sense", node=record.node, problem=str(problem))


def _take(record: Record, event: domain.Event, directory: Directory) -> None:
    match event:
        case domain.CapacityRefused():
            _refused(event, directory.location(event.location) or directory.location_of(record.node))
        case domain.ParticipantJoined() if event.participant.has_media:
            place = directory.location(event.participant.location) or directory.location_of(record.node)
            lower_alarm("capacity_exhausted", instance=place, time=moment(event.time))
        case domain.NodeEvent() if event.kind == "started":
            lower_of(record.node, record.boot)
        case domain.AlarmChanged() if event.name in KINDS:
            _changed(record, event, directory.address(record.node))
        case domain.AlarmChanged():
            logger.warning("A node raises an alarm of an unknown kind", node=record.node, name=event.name)
        case _:
            pass


def _refused(event: domain.CapacityRefused, place: str) -> None:
    """It stays up until the next participant joins (DIAG-100, DIAG-107)."""
    details = f"No node had room for a call to {event.alias or event.conference_name}."
    raise_alarm("capacity_exhausted", instance=place, details=text(details), time=moment(event.time))


def _changed(record: Record, event: domain.AlarmChanged, address: str) -> None:
    if not event.up:
        lower_alarm(event.name, node=address, instance=text(event.instance), time=moment(event.time))
        return
    raise_alarm(
        event.name,
        node=address,
        instance=text(event.instance),
        details=text(event.details),
        time=moment(event.time),
        source=f"{record.node[:64]}:{record.boot[:64]}",
    )


def register() -> None:
    """Follow events from now on."""
    if follow not in followers:
        followers.append(follow)
