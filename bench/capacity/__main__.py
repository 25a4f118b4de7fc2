"""The capacity of a node on this machine: `python -m bench.capacity [row …]`.

A platform is started, loads (`bench.load`) call in, and only the processor time of its node and media workers counts.
A run counts only if every receiver gets its pictures and sound as they should be (`bench.load.judging`). All rows
together are kept in `bench/results`, and the page for administrators is written from them; single ones are printed,
and kept with `--save` beside what that day's file has already. `--page` writes the page from what is kept.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

from bench.capacity import page, plot
from bench.capacity.figures import KEYS, Figure, Results, machine, newest, table, today
from bench.capacity.node import measured
from bench.capacity.rows import ROWS, Bench
from rostra.media.engine import stage

_ENOUGH = 480.0
"""Seconds after which nothing larger is tried,"""
_LATEST = 900
"""and after which it is over, whatever there is."""


def say(text: str) -> None:
    print(text, flush=True)


def measure(names: Sequence[str]) -> list[Figure]:
    """These rows; one that cannot be measured says why, and the others go on."""
    figures: list[Figure] = []
    began = time.monotonic()
    for name in names:
        left = began + _LATEST - time.monotonic()
        if left < 1:
            say(f"{name}: not measured, as the bench has taken too long")
            continue
        signal.alarm(int(left))
        with measured() as node:
            say(f"{name}:")
            try:
                figures += ROWS[name](Bench(node, say, began + _ENOUGH))
            except (RuntimeError, TimeoutError, subprocess.SubprocessError) as problem:
                say(f"  not measured: {problem}")
    return figures


def keep(figures: Sequence[Figure], seconds: float) -> None:
    """Together with what was measured of other rows on the same day."""
    before = newest()
    own = {one.key for one in figures}
    others = [one for one in before.figures if one.key not in own] if before and before.date == today() else []
    merged = sorted((*others, *figures), key=lambda one: KEYS.index(one.key))
    results = Results(date=today(), machine=machine(), seconds=round(seconds), figures=tuple(merged))
    say(f"kept in {results.save()}")
    publish(results)


def publish(results: Results) -> None:
    plot.draw(results)
    page.write(results)
    say(f"written: {page.PATH}")


def _over(_: int, __: FrameType | None) -> None:
    raise TimeoutError("the bench takes too long")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="row", help=", ".join(ROWS))
    parser.add_argument("--save", action="store_true", help="also when these are not all rows")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    options = parser.parse_args()
    if unknown := [name for name in options.rows if name not in ROWS]:
        parser.error(f"no such row: {', '.join(unknown)}")
    if options.page:
        results = newest()
        if results is None:
            parser.error("nothing has been measured yet")
        publish(results)
        return 0
    stage.load()  # says so when it has not been built
    signal.signal(signal.SIGALRM, _over)
    began = time.monotonic()
    figures = measure(options.rows or list(ROWS))
    signal.alarm(0)
    say("")
    say(table(figures))
    if figures and (options.save or not options.rows):
        keep(figures, time.monotonic() - began)
    return 0 if figures else 1


if __name__ == "__main__":
    sys.exit(main())
