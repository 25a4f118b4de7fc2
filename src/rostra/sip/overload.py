"""How much of what is new a node takes while there is more than it can do (in the spirit of RFC 7339). Pure.

What has begun goes on; of new requests a part is refused at little cost, so that the rest is served in time instead of
everything too late. Those who ask little are served first: a flood from one place is refused at the flood's expense.
"""

from __future__ import annotations

import collections

LAG = 0.1
"""Seconds that work may wait for its turn; a call takes several."""
FILL = 0.3
"""Share of a socket's buffer that may be filled by what has not been read yet."""
WAITING = 400
"""Calls that may wait for their answer from us."""
CROWD = 0.75
"""Share of the room for transactions under way that may be taken: when it is full nobody gets in, however little he
asks."""
SMOOTH = 0.3
"""Weight of the newest measurement,"""
MOST_LOAD = 3.0
"""and the most that one counts: a single hiccup refuses nobody."""
CALM = 0.5
"""Load below which nothing is noted of what is taken."""
LEAST = 0.02
"""Share that is always taken."""
LIGHT = 10
"""New requests a second of one source or registered device that are taken in any case,"""
LIGHT_IN_ALL = 100
"""for so many a second of all strangers together, and as many of all registered devices."""
RETRY_AFTER = 5
"""Seconds after which those who are refused may try again."""
MOST_ASKING = 20_000
MOST_TAKEN = 20_000
"""Requests remembered, so that their repetitions are taken as well,"""
MOST_REFUSED = 20_000
REPEATED = 10.0
"""and, for so many seconds, those that were refused: whoever was told so does not wait for a call any more, which a
repetition on its way would begin."""


class Few:
    """Tells those who ask little, as long as they are not many. Time comes in as an argument, seconds of any clock."""

    def __init__(self) -> None:
        self._second = float("-inf")
        self._asked: dict[str, int] = {}
        self._light = {True: 0, False: 0}

    def has(self, asking: str, now: float, *, ours: bool = False) -> bool:
        """Is a new request of somebody one of the few? Strangers take no place of devices of `ours`, however many they
        seem to be."""
        if now - self._second >= 1.0:
            self._second, self._light = now, {True: 0, False: 0}
            self._asked.clear()
        asked = self._asked[asking] = self._asked.get(asking, 0) + 1
        if len(self._asked) > MOST_ASKING:
            self._asked.clear()
        if asked > LIGHT or self._light[ours] >= LIGHT_IN_ALL:
            return False
        self._light[ours] += 1
        return True


class Overload:
    """Of one node. Time comes in as an argument, seconds of any clock."""

    def __init__(self) -> None:
        self.share = 1.0
        """Of new requests, taken."""
        self.refused = 0
        """Since the node began."""
        self._load = 0.0
        self._few = Few()
        self._credit = 0.0
        self._taken: collections.OrderedDict[int, None] = collections.OrderedDict()
        self._refused: collections.OrderedDict[int, float] = collections.OrderedDict()

    @property
    def calm(self) -> bool:
        """Nothing is refused, nor will be soon."""
        return self.share >= 1.0 and self._load < CALM

    def measured(self, lag: float, fill: float, waiting: int, crowd: float = 0.0) -> None:
        """What a look every tenth of a second has found: see the constants above."""
        load = max(lag / LAG, fill / FILL, waiting / WAITING, crowd / CROWD)
        self._load += SMOOTH * (min(load, MOST_LOAD) - self._load)
        if self._load > 1.0:
            self.share = max(LEAST, self.share * max(0.9, 1.0 / self._load))
        else:
            self.share = min(1.0, self.share * (1.0 + 0.2 * (1.0 - self._load)) + 0.002)

    def takes(self, asking: str, request: int, now: float, *, ours: bool = False) -> bool:
        """May a new request of somebody, by a number that its repetitions share, go on?"""
        if request in self._taken:
            return True
        if self.has_refused(request, now) or (
            self.share < 1.0 and not (self._few.has(asking, now, ours=ours) or self._draw())
        ):
            self.refuse(request, now)
            return False
        self._taken[request] = None
        if len(self._taken) > MOST_TAKEN:
            self._taken.popitem(last=False)
        return True

    def refuse(self, request: int, now: float) -> None:
        """It is, and so are its repetitions."""
        self.refused += 1
        self._refused.pop(request, None)
        self._refused[request] = now
        if len(self._refused) > MOST_REFUSED:
            self._refused.popitem(last=False)

    def has_refused(self, request: int | None, now: float) -> bool:
        """Was it refused a short while ago? None: was anything?"""
        while self._refused and now - next(iter(self._refused.values())) > REPEATED:
            self._refused.popitem(last=False)
        return bool(self._refused) if request is None else request in self._refused

    def _draw(self) -> bool:
        """Evenly rather than by chance."""
        self._credit += self.share
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True
