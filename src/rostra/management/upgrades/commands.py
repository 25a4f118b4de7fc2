"""The command `platform/upgrade` (sheet 10, 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from rostra import release
from rostra.bundle import BundleProblem
from rostra.management.api import wire
from rostra.management.commands import Command, Failed, Parameter
from rostra.management.upgrades import running, uploads
from rostra.management.upgrades.models import UpgradeRequest

PERMISSION = "modify_utilities"
_PIECE = 1024 * 1024


def address(request: UpgradeRequest, action: str = "") -> str:
    """Of an upload, or of something that can be done with it."""
    return f"{wire.BASE}upgrade_request/{request.uuid}/{action}"


def version_info(version: str, build: str, build_date: str | None) -> dict[str, Any]:
    """A version as the API tells it."""
    return {
        "build_date": build_date,
        "major": version,
        "pseudo_version": f"{build}.0.0",
        "version": f"{version} ({build})",
    }


def describe(request: UpgradeRequest) -> dict[str, Any]:
    """What is known of an upload."""
    found = request.version or None
    date = wire.moment(request.build_date) if request.build_date else None
    return {
        "uuid": str(request.uuid),
        "state": request.state,
        "offset": uploads.offset(request),
        "current": version_info(release.VERSION, release.build(), None),
        "upgrade": version_info(request.version, request.build, date) if found else None,
        "resource_uri": address(request),
    }


def answer(request: UpgradeRequest, next_action: str = "") -> dict[str, Any]:
    """What the steps of an upload answer."""
    described = describe(request)
    return {
        "current": described["current"],
        "upgrade": described["upgrade"],
        "next_url": address(request, next_action),
        "ok": True,
        "offset": described["offset"],
        "timestamp": wire.moment(timezone.now()),
        "upload_id": str(request.uuid),
    }


def upgrade(values: Mapping[str, Any]) -> dict[str, Any]:
    """Upgrade by the bundle that came along, or open an upload. Raises ValidationError, Failed."""
    try:
        if values.get("request"):
            if "total_size" not in values:
                raise ValidationError({"total_size": ["Say how many bytes will come."]})
            return answer(uploads.open_request(values["total_size"]), "upload/")
        package = values.get("package")
        if package is None:
            raise ValidationError({"package": ["This field is required."]})
        found = uploads.take(package.size, package.chunks(_PIECE))
    except BundleProblem as problem:
        raise Failed(str(problem)) from None
    running.begin(found)
    return answer(found)


COMMANDS = (
    Command(
        scope="platform",
        name="upgrade",
        summary="Upgrade the whole platform by a software bundle, or open an upload of one in pieces.",
        parameters=(
            Parameter("package", "file", "The bundle.", required=False),
            Parameter("request", "boolean", "Open an upload instead: an upgrade_request.", required=False),
            Parameter("total_size", "integer", "Bytes that will come in an upload.", required=False),
        ),
        run=upgrade,
        permission=PERMISSION,
    ),
)
