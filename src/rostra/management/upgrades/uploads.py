"""Bundles on their way in: whole, or piece by piece, and what they turn out to be."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from rostra import bundle, staging
from rostra.bundle import LARGEST, BundleProblem
from rostra.environment import Environment
from rostra.management.upgrades.models import READY, UPLOADING, Upgrade, UpgradeRequest

_SPARE = 256 * 1024 * 1024


class WrongOffset(Exception):
    """A piece does not follow on what is there."""


def environment() -> Environment:
    """Of this process."""
    return settings.ROSTRA


def path(request: UpgradeRequest) -> Path:
    """Where its bundle is."""
    directory = environment().management_home / "upgrades"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory / f"{request.uuid}.tar"


def offset(request: UpgradeRequest) -> int:
    """Bytes that are there."""
    file = path(request)
    return file.stat().st_size if file.exists() else 0


def open_request(total_size: int) -> UpgradeRequest:
    """Begin an upload; others that never led to an upgrade are forgotten. Raises BundleProblem."""
    if not 0 < total_size <= LARGEST:
        raise BundleProblem("This is too large for a software bundle." if total_size > 0 else "The bundle is empty.")
    for other in UpgradeRequest.objects.exclude(pk__in=Upgrade.objects.values("request")):
        forget(other)
    request = UpgradeRequest.objects.create(total_size=total_size)
    if shutil.disk_usage(path(request).parent).free < total_size + _SPARE:
        request.delete()
        raise BundleProblem("The disk of the Management Node is too full for this bundle.")
    return request


def add(request: UpgradeRequest, pieces: Iterable[bytes], at: int | None = None) -> int:
    """Add what follows; returns how much is there. Raises WrongOffset, BundleProblem."""
    present = offset(request)
    if request.state != UPLOADING:
        raise BundleProblem("This upload is complete already.")
    if at is not None and at != present:
        raise WrongOffset(f"{present} bytes are there; go on from there.")
    with path(request).open("ab") as file:
        for piece in pieces:
            present += len(piece)
            if present > request.total_size:
                file.truncate(present - len(piece))
                raise BundleProblem(f"More bytes came than the {request.total_size} that were announced.")
            file.write(piece)
    return present


def complete(request: UpgradeRequest) -> None:
    """Check the bundle; afterwards the platform can be upgraded by it. Raises BundleProblem."""
    if offset(request) != request.total_size:
        raise BundleProblem(f"{offset(request)} of {request.total_size} bytes are there.")
    manifest = bundle.check(path(request), bundle.trusted_keys(environment()))
    staging.judge(manifest)
    request.version, request.build, request.build_date = manifest.version, manifest.build, manifest.build_date
    request.state = READY
    request.save()


def take(size: int, pieces: Iterable[bytes]) -> UpgradeRequest:
    """A bundle that came as a whole. Raises BundleProblem, and keeps nothing then."""
    request = open_request(size)
    try:
        add(request, pieces)
        complete(request)
    except BundleProblem:
        forget(request)
        raise
    return request


def forget(request: UpgradeRequest) -> None:
    """It is not wanted any more."""
    path(request).unlink(missing_ok=True)
    request.delete()
