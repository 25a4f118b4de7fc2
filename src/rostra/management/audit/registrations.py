"""Registrations in the administrator log, from what nodes tell (DIAG-160, CONF-034)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from rostra.domain import history as domain
from rostra.fabric.outbox import Record
from rostra.management.audit.noting import gathered, note
from rostra.management.directory import Directory, protocol
from rostra.management.history.receiving import followers, moment
from rostra.management.registrations import with_scheme

logger = structlog.get_logger("rostra.management.audit")

NAME = "administrator.registration"


def follow(events: Sequence[tuple[Record, domain.Event]], directory: Directory) -> None:
    """Take new events, in the order they came."""
    with gathered():
        for record, event in events:
            try:
                _note(record, event, directory)
            except (ValueError, OverflowError, OSError) as problem:
                logger.warning("An event makes no sense", node=record.node, problem=str(problem))


def _note(record: Record, event: domain.Event, directory: Directory) -> None:
    match event:
        case domain.RegistrationAdded():
            message, pairs = "Registration added", {"Natted": str(event.is_natted)}
        case domain.RegistrationDeleted():
            message, pairs = "Registration deleted", {"Reason": event.reason}
        case _:
            return
    common = {
        "Alias": with_scheme(event.alias, event.protocol),
        "Protocol": protocol(event.protocol),
        "Registration-id": event.id,
    }
    system = directory.address(record.node)
    note(message, {**common, **pairs}, name=NAME, level="INFO", system=system, time=moment(event.time))


def register() -> None:
    """Follow events from now on."""
    if follow not in followers:
        followers.append(follow)
