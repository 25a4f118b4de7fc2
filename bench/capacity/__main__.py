"""The capacity of a node on this machine: `python -m bench.capacity [row …]`.

A platform is started, loads (`bench.load`) call in, and only the processor time of its node and media workers counts.
A run counts only if every receiver gets its pictures and sound as they should be (`bench.load.judging`).
"""

from __future__ import annotations

import argparse
from typing import Any

from bench.capacity.node import measured
from bench.capacity.rows import ROWS, Figure

_HEADS = ("", "at least", "stretch", "this run", "ratio")


def table(figures: list[Figure]) -> list[str]:
    """Lines of text."""
    rows: list[tuple[Any, ...]] = [_HEADS]
    for one in figures:
        value = "no valid run" if one.value is None else f"{one.value:.3g} {one.unit}"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        bound = "<" if one.lower else ""
        rows.append((one.title, f"{bound}{one.least:g}", f"{bound}{one.stretch:g}", value, ratio))
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADS))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="row", help=", ".join(ROWS))
    options = parser.parse_args()
    figures: list[Figure] = []
    with measured() as node:
        for name in options.rows or ROWS:
            print(f"{name}:", flush=True)
            figures += ROWS[name](node, lambda text: print(text, flush=True))
    print("\n".join(table(figures)))


if __name__ == "__main__":
    main()
