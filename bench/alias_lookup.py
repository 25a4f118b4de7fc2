"""Look-ups of aliases in a node's local database with 100,000 rooms, beside a plain select by primary key.

python bench/alias_lookup.py [ROOMS]
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rostra.configuration.changes import SnapshotChunk
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica

ROUND = 20000
ROUNDS = 5


def main() -> None:
    rooms = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "configuration.db"
        fill(path, rooms)
        lookup = Lookup(path)
        plain = sqlite3.connect(path, isolation_level=None)
        keys = [random.randint(1, rooms) for _ in range(ROUND)]
        names = [f"Room.{key}@Example.test" for key in keys]
        select = "SELECT * FROM configuration_conferencealias WHERE id = ?"
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(rate(lambda: all(lookup.find_alias(name) for name in names)))
            theirs.append(rate(lambda: all(plain.execute(select, (key,)).fetchone() for key in keys)))
        fast, reference = statistics.median(ours), statistics.median(theirs)
        print(f"rooms                            {rooms}")
        print(f"find_alias, look-ups a second    {fast:.0f}  ({1e6 / fast:.1f} us each)")
        print(f"sqlite3 by primary key           {reference:.0f}")
        print(f"ratio                            {fast / reference:.2f}")
        lookup.close()
        plain.close()


def fill(path: Path, rooms: int) -> None:
    """Give the database `rooms` rooms with an alias each, as a snapshot would."""
    now = "2026-01-01T00:00:00Z"
    conferences = [{"id": key, "name": f"Room {key}", "creation_time": now} for key in range(1, rooms + 1)]
    aliases = [
        {"id": key, "alias": f"room.{key}@example.test", "conference_id": key, "creation_time": now}
        for key in range(1, rooms + 1)
    ]
    replica = Replica(path)
    began = time.perf_counter()
    with replica.snapshot() as load:
        load.add(SnapshotChunk("bench", 1, "configuration_conference", conferences, "", 0))
        load.add(SnapshotChunk("bench", 1, "configuration_conferencealias", aliases, "", 0))
    print(f"rows of a snapshot a second      {2 * rooms / (time.perf_counter() - began):.0f}")
    replica.close()


def rate(work: Callable[[], bool]) -> float:
    """Rounds of `ROUND` a second."""
    began = time.perf_counter()
    if not work():
        raise SystemExit("a look-up found nothing")
    return ROUND / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
