"""The empty tables of a Management Node, made once: the migrations of a first start take some two seconds each time.

tests/management/test_server.py starts a Management Node without them.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rostra.environment import Environment
from tests import postgresql

_RUN = """
from rostra.environment import Environment
from rostra.management import settings
settings.configure(Environment.load())
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0, interactive=False)
connection.close()
"""


@functools.cache
def _made() -> Path:
    home = tempfile.mkdtemp(prefix="rostra-tables-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    subprocess.run([sys.executable, "-c", _RUN], env={**variables, "ROSTRA_HOME": home}, check=True, timeout=120)
    return Path(home) / "management" / "management.db"


def lay(home: Path) -> None:
    """Give a Management Node that has not been started yet its tables; what is in them, it makes itself."""
    management = home / "management"
    if postgresql.CHOSEN != "sqlite" or management.exists():
        return
    assert Environment(home=home).management_home == management
    management.mkdir(mode=0o700, parents=True)
    shutil.copy(_made(), management / "management.db")
