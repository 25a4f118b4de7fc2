"""How every Rostra process logs: structured events on standard error, JSON lines unless a person watches.

Code logs with `structlog.get_logger("rostra.<room>")`; what libraries log with the standard module takes the
same way out, so a log file holds one format.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from rostra.environment import Environment, Secret

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_TALKATIVE = ("asyncio", "httpcore", "httpx", "nats", "uvicorn.access", "django.db.backends")
"""Libraries whose information is our debugging detail."""


def configure(environment: Environment, *, process: str, stream: TextIO | None = None) -> None:
    """Send the log of this process, named `process` in every line, to `stream` (default: standard error).

    The level is `environment.log_level`; `Environment.load` has checked it.
    """
    target = sys.stderr if stream is None else stream
    level = LEVELS[environment.log_level]
    common = _common(process)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(target)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))


def _common(process: str) -> list[Processor]:
    def name_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_process,
        _hide_secrets,
    ]


def _hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if isinstance(value, Secret):
            event[key] = "***"
    return event


def _rendering(target: TextIO) -> Sequence[Processor]:
    if target.isatty():
        return [structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
