"""New software gets ready on this machine: unpacked, tried out, and only then made the one to start from."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from rostra import bundle, release, software
from rostra.bundle import BundleProblem, Manifest
from rostra.environment import Environment

_PATIENCE = 60.0
"""Seconds the new software has to say its version."""
_SPARE = 256 * 1024 * 1024


def judge(manifest: Manifest) -> None:
    """Can this machine be upgraded by that software? Raises BundleProblem."""
    ours = software.order(release.VERSION, release.build())
    if software.order(manifest.version, manifest.build) <= ours:
        raise BundleProblem(
            f"This bundle has version {manifest.version} (build {manifest.build}), and version {release.VERSION}"
            f" (build {release.build()}) is running already. There is no way back by a bundle."
        )
    if ours[0] < software.order(manifest.minimum_version, "0")[0]:
        raise BundleProblem(
            f"Version {manifest.version} can be upgraded to from version {manifest.minimum_version} on; this is"
            f" {release.VERSION}. Upgrade to that one first."
        )
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if (manifest.python, manifest.machine) != (python, platform.machine()):
        raise BundleProblem(
            f"This bundle is for Python {manifest.python} on {manifest.machine}; this machine has {python} on"
            f" {platform.machine()}."
        )


def stage(environment: Environment, file: Path) -> Path:
    """Unpack a bundle and try it out; returns the tree, which `software.make_current` takes. Raises BundleProblem."""
    directory = software.directory(environment.home)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = directory / ".fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        if shutil.disk_usage(directory).free < file.stat().st_size * 2 + _SPARE:
            raise BundleProblem("The disk is too full for another version.")
        manifest = bundle.unpack(file, bundle.trusted_keys(environment), fresh)
        judge(manifest)
        (fresh / "src" / "rostra" / "BUILD").write_text(f"{manifest.build}\n")
        _try_out(fresh, manifest)
        tree = directory / manifest.name
        shutil.rmtree(tree, ignore_errors=True)
        return fresh.rename(tree)
    except OSError as problem:
        raise BundleProblem(f"The software could not be unpacked: {problem.strerror or problem}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _try_out(tree: Path, manifest: Manifest) -> None:
    """Does it start at all, with the libraries of this machine?"""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    try:
        run = subprocess.run(
            [sys.executable, "-m", "rostra.cli", "version"],
            env={**clean, "PYTHONPATH": software.search_path(tree)},
            cwd=tree,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BundleProblem("The new software does not start on this machine.") from None
    if run.returncode != 0 or run.stdout.split() != [manifest.version]:
        said = (run.stderr.strip().splitlines() or ["nothing"])[-1]
        raise BundleProblem(f"The new software does not start on this machine; it says: {said[:300]}")
