"""For developers.

`python -m rostra.management makemigrations APP NAME`: write the migration for what changed in an app's models.
`python -m rostra.management languages`: write the catalogues of what the site says.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

from django.core.management import call_command

from rostra.configuration.resources import register
from rostra.environment import Environment
from rostra.management import settings


def main(arguments: list[str]) -> None:
    """Run one of the commands."""
    migrations = len(arguments) == 3 and arguments[0] == "makemigrations"
    if not migrations and arguments != ["languages"]:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as home:
        settings.configure(dataclasses.replace(Environment(), home=Path(home)))
        if not migrations:
            from rostra.management import languages

            print(languages.update(register, Path(__file__).parent), "texts")
            return
        call_command("makemigrations", arguments[1], name=arguments[2], no_header=True)


if __name__ == "__main__":
    main(sys.argv[1:])
