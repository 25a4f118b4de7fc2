"""The login history as a table (DIAG-121): for its page, and for clients of the history API."""

from __future__ import annotations

from typing import Any

from rostra.management.accounts.models import LoginAttempt
from rostra.management.accounts.permissions import VIEW_LOGS
from rostra.management.api.stored import ModelSource
from rostra.management.api.tables import Column, Row, Table

_COLUMNS = (
    Column("id", "integer", "Number of the attempt."),
    Column("time", "datetime", "When it was."),
    Column("username", "string", "The name that was entered."),
    Column("success", "boolean", "Was the account let in?"),
    Column("interface", "string", "What was to be used: web, or api. On the API only refusals are noted."),
    Column("remote_address", "string", "Address of the client."),
    Column("remote_port", "integer", "Port of the client."),
)


def _row(attempt: Any) -> Row:
    return {column.name: getattr(attempt, column.name) for column in _COLUMNS}


TABLE = Table(
    api="history",
    name="login_history",
    title="Login History",
    summary="The newest 100 attempts to sign in, with and without success.",
    columns=_COLUMNS,
    source=ModelSource(LoginAttempt.objects.all, _row, "-time"),
    viewing=VIEW_LOGS,
    shown=("time", "username", "success", "interface", "remote_address", "remote_port"),
)
