"""Tests that say the same at greater length: `ROSTRA_LONG_TESTS=1` (see CONTRIBUTING)."""

from __future__ import annotations

import os
from typing import Final

LONG: Final = bool(os.environ.get("ROSTRA_LONG_TESTS"))
