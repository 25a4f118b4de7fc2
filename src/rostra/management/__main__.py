"""`python -m rostra.management makemigrations APP NAME`: write the migration for what changed in an app's models."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

from django.core.management import call_command

from rostra.environment import Environment
from rostra.management import settings


def main(arguments: list[str]) -> None:
    """Run a command of Django's for an app that is the Management Node's alone."""
    if len(arguments) != 3 or arguments[0] != "makemigrations":
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as home:
        settings.configure(dataclasses.replace(Environment(), home=Path(home)))
        call_command("makemigrations", arguments[1], name=arguments[2], no_header=True)


if __name__ == "__main__":
    main(sys.argv[1:])
