"""The running engine of a conference as a drawing and as a table: from what its worker tells to boxes and lines (pure).

Few legs are drawn one by one. With more, those that are alike stand for each other: things of one kind and make that
get their media from the like and give it to the like are one box.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from rostra.fabric.status import MediaGraph, MediaNode
from rostra.management import media_words as words
from rostra.management.media_words import COLUMNS, Who

SINGLY = 8
"""Boxes in a column up to which everything has one of its own."""
MOST = 14
"""Boxes in a column at most, wherever alike ones can be taken together."""
_ROUNDS = 6
BOX = (172, 46)
_GAP = (48, 14)
_HEAD = 34
_EDGE = 8
_LANE = 18
"""Below all boxes: where lines run that pass columns by."""
_SWEEPS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Box:
    """One thing, or several alike."""

    key: str
    kind: str
    title: str
    facts: str
    count: int
    running: bool
    column: int
    x: int = 0
    y: int = 0
    sources: tuple[str, ...] = ()
    """Titles of those it gets media from."""
    takers: tuple[str, ...] = ()
    """Titles of those that get media from it."""

    @property
    def what(self) -> str:
        """The kind, in words."""
        return words.kind(self.kind, 1)

    @property
    def state(self) -> str:
        return words.state(self.kind, running=self.running)

    @property
    def below(self) -> str:
        """Second line of the box."""
        return self.facts or ("" if self.running else self.state)

    @property
    def said(self) -> str:
        """For who does not see it."""
        return ", ".join(filter(None, (self.what, self.title, self.facts, self.state)))

    @property
    def middle(self) -> int:
        return self.x + BOX[0] // 2


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """Media from one box to another."""

    origin: str
    target: str
    count: int
    idle: bool
    passed: bool
    """Not transcoded."""
    path: str

    @property
    def width(self) -> str:
        return "3" if self.count > 1 else "1.5"


@dataclasses.dataclass(frozen=True, slots=True)
class Drawing:
    """What one node does for the conference."""

    summary: str
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    heads: tuple[tuple[int, str], ...] = ()
    width: int = 0
    height: int = 0


def drawing(told: MediaGraph, people: Mapping[str, Who]) -> Drawing:
    """Lay out what a worker tells; `people` are known by their calls."""
    nodes = {node.id: node for node in told.nodes if node.kind in COLUMNS}
    edges = [(origin, target) for origin, target in told.edges if origin in nodes and target in nodes]
    groups = _grouped(nodes, edges, people)
    place = {node.id: number for number, group in enumerate(groups) for node in group}
    counted: dict[tuple[int, int], int] = defaultdict(int)
    for origin, target in edges:
        counted[place[origin], place[target]] += 1
    columns = _ordered([group[0].kind for group in groups], counted)
    boxes = _placed(groups, columns, _titles(groups, people), counted)
    height = _HEAD + max((len(column) for column in columns), default=0) * (BOX[1] + _GAP[1]) + _LANE
    heads = tuple((boxes[column[0]].middle, words.heads()[boxes[column[0]].column]) for column in columns)
    return Drawing(
        summary=words.summary(told.nodes, edges),
        boxes=tuple(boxes[number] for column in columns for number in column),
        lines=tuple(
            _line(boxes[one], boxes[two], count, height - _LANE // 2) for (one, two), count in sorted(counted.items())
        ),
        heads=heads,
        width=len(columns) * (BOX[0] + _GAP[0]) - _GAP[0] + 2 * _EDGE if columns else 0,
        height=height,
    )


# ---- what is alike


def _grouped(
    nodes: Mapping[str, MediaNode], edges: Sequence[tuple[str, str]], people: Mapping[str, Who]
) -> list[list[MediaNode]]:
    if _largest(nodes.values(), {key: key for key in nodes}) <= SINGLY:
        return [[node] for node in nodes.values()]
    colours: dict[str, Hashable] = {key: words.make(node, people) for key, node in nodes.items()}
    chosen = colours
    for _ in range(_ROUNDS):
        finer = _refined(colours, edges)
        if _largest(nodes.values(), finer) > MOST:
            break
        chosen = finer
        if len(set(finer.values())) == len(set(colours.values())):
            break
        colours = finer
    found: dict[Hashable, list[MediaNode]] = {}
    for key, node in nodes.items():
        found.setdefault((node.kind, chosen[key]), []).append(node)
    return list(found.values())


def _refined(colours: Mapping[str, Hashable], edges: Iterable[tuple[str, str]]) -> dict[str, Hashable]:
    """Those of one colour are told apart by the colours around them; how many of each there are does not count."""
    before: dict[str, set[Hashable]] = defaultdict(set)
    after: dict[str, set[Hashable]] = defaultdict(set)
    for origin, target in edges:
        before[target].add(colours[origin])
        after[origin].add(colours[target])
    numbers: dict[Hashable, int] = {}
    return {
        key: numbers.setdefault((colour, frozenset(before[key]), frozenset(after[key])), len(numbers))
        for key, colour in colours.items()
    }


def _largest(nodes: Iterable[MediaNode], colours: Mapping[str, Hashable]) -> int:
    """Boxes in the fullest column."""
    found: dict[int, set[Hashable]] = defaultdict(set)
    for node in nodes:
        found[COLUMNS[node.kind]].add((node.kind, colours[node.id]))
    return max((len(column) for column in found.values()), default=0)


def _titles(groups: Sequence[Sequence[MediaNode]], people: Mapping[str, Who]) -> list[tuple[str, str]]:
    return [words.described(group, people) for group in groups]


# ---- where it is


def _ordered(kinds: Sequence[str], counted: Mapping[tuple[int, int], int]) -> list[list[int]]:
    """Boxes by column, each near what it is tied to; mixes are below pictures."""
    found: dict[int, list[int]] = defaultdict(list)
    for number, kind in enumerate(kinds):
        found[COLUMNS[kind]].append(number)
    columns = [found[column] for column in sorted(found)]
    tied: dict[int, list[int]] = defaultdict(list)
    for one, two in counted:
        tied[one].append(two)
        tied[two].append(one)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            rows = {
                number: (row - (len(other) - 1) / 2)
                for other in columns
                if other is not column
                for row, number in enumerate(other)
            }
            kept = {number: row for row, number in enumerate(column)}
            means = {number: _mean([rows[one] for one in tied[number] if one in rows]) for number in column}
            column.sort(key=lambda number: (kinds[number] == "mix", means[number], kept[number]))
    return columns


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _placed(
    groups: Sequence[Sequence[MediaNode]],
    columns: Sequence[Sequence[int]],
    titles: Sequence[tuple[str, str]],
    counted: Mapping[tuple[int, int], int],
) -> list[Box]:
    most = max((len(column) for column in columns), default=0)
    found: dict[int, Box] = {}
    for across, column in enumerate(columns):
        top = _HEAD + (most - len(column)) * (BOX[1] + _GAP[1]) // 2
        for row, number in enumerate(column):
            first, (title, facts) = groups[number][0], titles[number]
            found[number] = Box(
                key=first.id,
                kind=first.kind,
                title=title,
                facts=facts,
                count=len(groups[number]),
                running=any(node.running for node in groups[number]),
                column=COLUMNS[first.kind],
                x=_EDGE + across * (BOX[0] + _GAP[0]),
                y=top + row * (BOX[1] + _GAP[1]),
                sources=tuple(titles[one][0] for one, two in counted if two == number),
                takers=tuple(titles[two][0] for one, two in counted if one == number),
            )
    return [found[number] for number in range(len(groups))]


def _line(one: Box, two: Box, count: int, lane: int) -> Line:
    left, right = one.x + BOX[0], two.x
    high, low = one.y + BOX[1] // 2, two.y + BOX[1] // 2
    bend = _GAP[0] // 2
    if right - left > _GAP[0]:
        path = (
            f"M{left} {high}C{left + bend} {high} {left + bend} {lane} {left + 2 * bend} {lane}"
            f"L{right - 2 * bend} {lane}C{right - bend} {lane} {right - bend} {low} {right} {low}"
        )
    else:
        path = f"M{left} {high}C{left + bend} {high} {right - bend} {low} {right} {low}"
    passed = "forwarded" in (one.kind, two.kind)
    return Line(one.key, two.key, count, not (one.running and two.running), passed, path)
