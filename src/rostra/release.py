"""Which software this is: its version, and the build of it."""

from __future__ import annotations

from pathlib import Path

import rostra

VERSION = rostra.__version__


def build() -> str:
    """What tells two packages of one version apart: put into the package when it is made; `0` in a checkout."""
    file = Path(__file__).with_name("BUILD")
    return file.read_text().strip() if file.exists() else "0"
