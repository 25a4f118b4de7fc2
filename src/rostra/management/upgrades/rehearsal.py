"""Before the Management Node starts by new software: can that software take over its database? Tried with a copy."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from rostra import software
from rostra.bundle import BundleProblem
from rostra.environment import Environment

_PATIENCE = 600.0
"""Seconds the new software has for bringing the tables up to date."""


def rehearse(environment: Environment, tree: Path) -> None:
    """Have the software in `tree` migrate a copy of the database. Raises BundleProblem when it cannot.

    Only for SQLite: whoever keeps the database in PostgreSQL has his own ways to copy it.
    """
    file = environment.management_home / "management.db"
    if environment.database_url or not file.exists():
        return
    with tempfile.TemporaryDirectory(dir=environment.management_home, prefix="rehearsal-") as home:
        copied = Path(home) / "management"
        copied.mkdir(mode=0o700)
        with (
            contextlib.closing(sqlite3.connect(file)) as source,
            contextlib.closing(sqlite3.connect(copied / file.name)) as target,
        ):
            source.backup(target)
        for name in ("platform.key", "secret.key"):
            if (environment.management_home / name).exists():
                shutil.copy(environment.management_home / name, copied / name)
        _run(tree, home)


def _run(tree: Path, home: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    try:
        run = subprocess.run(
            [sys.executable, "-m", "rostra.cli", "process", "rehearsal"],
            env={**clean, "PYTHONPATH": software.search_path(tree), "ROSTRA_HOME": home},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BundleProblem("The new software takes too long to take over the database.") from None
    if run.returncode != 0:
        said = (run.stderr.strip().splitlines() or ["nothing"])[-1]
        raise BundleProblem(f"The new software cannot take over the database; it says: {said[:300]}")
