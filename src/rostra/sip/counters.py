"""What an engine has seen."""

from __future__ import annotations

import collections
import dataclasses


@dataclasses.dataclass(slots=True)
class Counters:
    """What the engine has seen, since it was made."""

    requests: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    responses: collections.Counter[int] = dataclasses.field(default_factory=collections.Counter)
    malformed: int = 0
