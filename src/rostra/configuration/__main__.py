"""`python -m rostra.configuration makemigrations NAME`: write the migration for what changed in the models."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from django.core.management import call_command

from rostra.configuration import local


def main(arguments: list[str]) -> None:
    """Run a command of Django's for this app."""
    if len(arguments) != 2 or arguments[0] != "makemigrations":
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as directory:
        local.configure(Path(directory) / "scratch.db")
        call_command("makemigrations", "configuration", name=arguments[1], no_header=True)


if __name__ == "__main__":
    main(sys.argv[1:])
