"""Who holds licences now: the Management Node's account of what it granted to which run of which node. Pure.

A grant belongs to a run of a node and to a holder there (a participant). It ends when it is given back, when the run
ends, or when the node, asked what is held there, does not name it; so neither a lost message nor a dead node keeps a
licence. A Management Node that begins anew takes over what the nodes say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rostra.domain.licensing import LicenceKind, Pool, Shortage, choose_all

SETTLED = 5.0
"""Seconds after which a grant has reached its node, or never will."""

Run = tuple[str, str]
"""A node and its boot."""
Kinds = tuple[LicenceKind, ...]


class Grant(msgspec.Struct, frozen=True):
    """What one holder has."""

    kinds: Kinds
    at: float
    """When it was granted, by the clock of whoever calls."""


class Grants:
    """Not safe for use in several threads; `used` may be read from any."""

    def __init__(self) -> None:
        self._held: dict[Run, dict[str, Grant]] = {}
        self._used = dict.fromkeys(LicenceKind, 0)
        self._returned: dict[tuple[Run, str], float] = {}

    @property
    def used(self) -> Mapping[LicenceKind, int]:
        """Licences in use by kind."""
        return dict(self._used)

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(self._held)

    def held(self, run: Run) -> Mapping[str, Kinds]:
        """What the holders of a run have."""
        return {holder: grant.kinds for holder, grant in self._held.get(run, {}).items()}

    def take(self, run: Run, holder: str, wanted: Sequence[LicenceKind], pool: Pool, now: float) -> Kinds | Shortage:
        """Licences for a call; nobody holds more than its call needs (SYS-185).

        Who holds some already keeps them when there are no better ones: it asks because video is added.
        """
        before = self._held.get(run, {}).get(holder)
        others = dict(self._used)
        for kind in before.kinds if before else ():
            others[kind] -= 1
        found = choose_all(pool, others, wanted)
        if before is not None and (isinstance(found, Shortage) or _ports(found) <= _ports(before.kinds)):
            return before.kinds
        if not isinstance(found, Shortage):
            self._put(run, holder, Grant(found, now))
        return found

    def give_back(self, run: Run, holder: str, now: float) -> None:
        """A call is over; what nobody knows of is fine. An answer that was asked for before is older than this."""
        self._returned[run, holder] = now
        self._end(run, holder)

    def _end(self, run: Run, holder: str) -> None:
        grant = self._held.get(run, {}).pop(holder, None)
        self._count(grant, -1)
        if run in self._held and not self._held[run]:
            del self._held[run]

    def forget(self, run: Run) -> None:
        """A run of a node is over."""
        for holder in list(self._held.get(run, ())):
            self._end(run, holder)

    def keep_only(self, runs: Iterable[Run]) -> None:
        """All runs but these are over."""
        kept = set(runs)
        for run in set(self._held) - kept:
            self.forget(run)
        self._returned = {key: at for key, at in self._returned.items() if key[0] in kept}

    def settle(self, run: Run, holdings: Mapping[str, Kinds], asked: float) -> None:
        """Take over what a node says it holds; `asked`: when it was asked, by the clock of the grants.

        What it does not name and must know by now is given back.
        """
        for holder, grant in list(self._held.get(run, {}).items()):
            if holder not in holdings and grant.at < asked - SETTLED:
                self._end(run, holder)
        for holder, kinds in holdings.items():
            if self._returned.get((run, holder), asked - 1.0) >= asked:
                continue
            present = self._held.get(run, {}).get(holder)
            if present is None or (present.kinds != kinds and present.at < asked - SETTLED):
                self._put(run, holder, Grant(kinds, asked - 2 * SETTLED))
        self._returned = {key: at for key, at in self._returned.items() if key[0] != run or at >= asked}

    def _put(self, run: Run, holder: str, grant: Grant) -> None:
        held = self._held.setdefault(run, {})
        self._count(held.get(holder), -1)
        held[holder] = grant
        self._count(grant, 1)

    def _count(self, grant: Grant | None, step: int) -> None:
        for kind in grant.kinds if grant else ():
            self._used[kind] += step


def _ports(kinds: Kinds) -> int:
    return sum(kind is LicenceKind.PORT for kind in kinds)
