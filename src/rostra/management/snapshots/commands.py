"""The command `platform/snapshot` (sheet 10, 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from rostra.management.api.tables import uri
from rostra.management.commands import Command, Failed, FileAnswer, Parameter
from rostra.management.jobs import Busy
from rostra.management.snapshots import keeping

PERMISSION = "modify_utilities"
ADDRESS = "/api/admin/status/v1/snapshot_request/file/"
"""Below it a file is fetched by its name."""


def _snapshot(values: Mapping[str, Any]) -> dict[str, str] | FileAnswer:
    limit, end = values.get("limit"), values.get("end_limit")
    most = keeping.FULL
    if limit is not None and not 1 <= limit <= most:
        raise ValidationError({"limit": [gettext("From 1 to %(most)s hours.") % {"most": most}]})
    if end is not None and end >= (most if limit is None else limit):
        raise ValidationError({"end_limit": [gettext("It has to end after it begins: give fewer hours than limit.")]})
    wanted = keeping.span(limit, end, metrics=values.get("include_diagnostic_metrics", False))
    if values.get("request"):
        asked = keeping.JOBS.begin(lambda progress: f"{ADDRESS}{keeping.make(wanted, progress).name}/")
        return {"resource_uri": uri("status", "snapshot_request", asked.id)}
    try:
        with keeping.JOBS.alone():
            return FileAnswer(keeping.make(wanted), keeping.TYPE)
    except (Busy, OSError) as problem:
        raise Failed(str(problem)) from None


COMMANDS = (
    Command(
        scope="platform",
        name="snapshot",
        summary="A file with logs, configuration, status and history for whoever looks for a fault; without secrets.",
        parameters=(
            Parameter("limit", "integer", "How many hours back it begins; without it: 28 days.", required=False),
            Parameter("end_limit", "integer", "How many hours back it ends; without it: now.", required=False),
            Parameter("include_diagnostic_metrics", "boolean", "Also the load of nodes and locations.", required=False),
            Parameter(
                "request", "boolean", "Do not wait: answer with a snapshot_request of the status.", required=False
            ),
        ),
        run=_snapshot,
        permission=PERMISSION,
        noted=("limit", "end_limit"),
        answers=keeping.TYPE,
    ),
)
