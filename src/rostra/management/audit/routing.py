"""Calls that are placed, in the administrator log: by which rule, and to whom (DIAG-158, DIAG-159)."""

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

MATCHER = "administrator.gatewayroutingrulematcher"
DIALLER = "administrator.participantdialer"


def follow(events: Sequence[tuple[Record, domain.Event]], directory: Directory) -> None:
    """Take new events, in the order they came."""
    with gathered():
        for record, event in events:
            told = _told(event)
            if told is None:
                continue
            name, message, pairs = told
            try:
                system, time = directory.address(record.node), moment(event.time)
                note(message, pairs, name=name, level="INFO", system=system, time=time)
            except (ValueError, OverflowError, OSError) as problem:
                logger.warning("An event makes no sense", node=record.node, problem=str(problem))


def _told(event: domain.Event) -> tuple[str, str, dict[str, object]] | None:
    """Name of the module, message and pairs; None for what is not told here."""
    match event:
        case domain.RuleMatched():
            return (
                MATCHER,
                "Alias matched gateway rule",
                {
                    "Name": event.name,
                    "Description": event.description,
                    "Service-tag": event.tag,
                    "Unparsed-alias": event.alias,
                    "Parsed-alias": event.parsed,
                    "Matched-alias-type": "Unparsed-alias" if event.full else "Parsed-alias",
                },
            )
        case domain.CallPlaced():
            return (
                DIALLER,
                "Placing outbound call",
                {
                    "Conference": event.conference,
                    "ConferenceAlias": event.alias,
                    "DisplayName": event.display_name,
                    "Participant-alias": with_scheme(event.destination, event.protocol),
                    "Protocol": protocol(event.protocol),
                },
            )
        case _:
            return None


def register() -> None:
    """Follow events from now on."""
    if follow not in followers:
        followers.append(follow)
