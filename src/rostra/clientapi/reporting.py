"""Unexpected failures in the log: where they happened, but not the local variables, which hold tokens."""

from __future__ import annotations

import traceback

import structlog

logger = structlog.get_logger("rostra.clientapi")


def report(problem: Exception, event: str, **fields: object) -> None:
    """Log a failure that no rule of ours foresees."""
    logger.error(event, problem=repr(problem), trace="".join(traceback.format_exception(problem)), **fields)
