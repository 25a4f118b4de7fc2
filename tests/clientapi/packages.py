"""The official JavaScript packages, installed into the test folder by npm when they are missing."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent / "validators"


@functools.cache
def installed() -> Path:
    """The folder with `node_modules`; installs exactly what the lock file says."""
    if not (FOLDER / "node_modules" / ".package-lock.json").is_file():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, timeout=170)
    return FOLDER
