"""Call Routing Rules in the administrator log: which one took a call, from what nodes tell (DIAG-159)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from rostra.domain import history as domain
from rostra.fabric.outbox import Record
from rostra.management.audit.noting import gathered, note
from rostra.management.directory import Directory
from rostra.management.history.receiving import followers, moment

logger = structlog.get_logger("rostra.management.audit")

NAME = "administrator.gatewayroutingrulematcher"


def follow(events: Sequence[tuple[Record, domain.Event]], directory: Directory) -> None:
    """Take new events, in the order they came."""
    with gathered():
        for record, event in events:
            if not isinstance(event, domain.RuleMatched):
                continue
            pairs = {
                "Name": event.name,
                "Description": event.description,
                "Service-tag": event.tag,
                "Unparsed-alias": event.alias,
                "Parsed-alias": event.parsed,
                "Matched-alias-type": "Unparsed-alias" if event.full else "Parsed-alias",
            }
            try:
                system, time = directory.address(record.node), moment(event.time)
                note("Alias matched gateway rule", pairs, name=NAME, level="INFO", system=system, time=time)
            except (ValueError, OverflowError, OSError) as problem:
                logger.warning("An event makes no sense", node=record.node, problem=str(problem))


def register() -> None:
    """Follow events from now on."""
    if follow not in followers:
        followers.append(follow)
