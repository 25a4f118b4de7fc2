"""Random operations of clients on five real nodes while nodes are killed and the network is parted.

`python -m tests.cluster.chaos 300 [SEED]` runs it for so many seconds; the suite runs a short one.
"""

from __future__ import annotations

import collections
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.cluster.callers import Caller, Refused, history, until_same
from tests.cluster.cluster import Cluster, cluster
from tests.e2e.platform import wait_until

NODES = ("one", "two", "three", "four", "five")
MOST = 12
"""People at a time."""
HEALED = 20.0
"""Seconds after the last fault within which all must be one: 2 s to notice, 7 s to let go, and a busy machine."""
TOLD = 100.0
"""Seconds until every end is in history: that of a node killed at that moment only when it has been missed for 60 s."""


class Chaos:
    """The platform, the people on it, and what became of them."""

    def __init__(self, platform: Cluster, seed: int) -> None:
        self.platform = platform
        self.random = random.Random(seed)
        self.people: list[Caller] = []
        self.left: list[str] = []
        self.down: set[str] = set()
        self.done: collections.Counter[str] = collections.Counter()
        self._serial = 0
        self._keeping = True
        threading.Thread(target=self._keep, daemon=True).start()

    def build(self) -> None:
        self.platform.location("A")
        self.platform.location("B")
        self.platform.room("chaos")
        files = {name: self.platform.add(name, "AB"[index % 2]) for index, name in enumerate(NODES)}
        for name, file in files.items():
            self.platform.start(name, file, wait=False)
        for name in NODES:
            self.platform.programs[name].wait_ready()

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        steps: dict[Callable[[], None], int] = {
            self.join: 8, self.leave: 4, self.act: 10, self.call: 3, self.kill: 1, self.revive: 2, self.part: 1,
            self.heal: 2,
        }  # fmt: skip
        while time.monotonic() < end:
            (step,) = self.random.choices(list(steps), list(steps.values()))
            try:
                step()
                self.done[step.__name__] += 1
            except (Refused, httpx.HTTPError, AssertionError):
                self.done[f"{step.__name__} refused"] += 1
            time.sleep(0.05 + 0.2 * self.random.random())

    def _keep(self) -> None:
        """Refresh tokens, as clients do."""
        while self._keeping:
            time.sleep(20)
            for caller in list(self.people):
                try:
                    caller.refresh()
                except (Refused, httpx.HTTPError, RuntimeError):
                    continue  # it has just left, or its node is down; who is lost otherwise is missed in the end

    # ---- steps

    def join(self) -> None:
        up = [name for name in NODES if name not in self.down]
        if len(self.people) < MOST and up:
            self._serial += 1
            self.people.append(Caller(self.platform, self.random.choice(up), "chaos", f"p{self._serial}"))

    def leave(self) -> None:
        if self.people:
            caller = self.people.pop(self.random.randrange(len(self.people)))
            caller.post("release_token")
            self.left.append(caller.uuid)
            caller.leave()

    def call(self) -> None:
        if self.people:
            self.random.choice(self.people).call(media_type="audio")

    def act(self) -> None:
        if not self.people:
            return
        who = self.random.choice(self.people)
        if not who.roster:
            return
        target = self.random.choice(list(who.roster))
        match self.random.randrange(5):
            case 0:
                who.post(self.random.choice(["lock", "unlock"]))
            case 1:
                who.act(target, self.random.choice(["mute", "unmute"]))
            case 2:
                who.act(target, self.random.choice(["spotlighton", "spotlightoff"]))
            case 3:
                who.post("message", {"type": "text/plain", "payload": "hello"})
            case _:
                who.act(target, "disconnect")
                self.left.append(target)

    def kill(self) -> None:
        up = [name for name in NODES if name not in self.down]
        if len(up) > 3:
            victim = self.random.choice(up)
            self.down.add(victim)
            self.platform.programs[victim].kill()
            self.people = [caller for caller in self.people if caller.node != victim]

    def revive(self) -> None:
        if self.down:
            name = self.random.choice(sorted(self.down))
            self.platform.start(name)
            self.down.discard(name)

    def part(self) -> None:
        names = ["management", *NODES]
        side = [name for name in names if self.random.random() < 0.5]
        self.platform.network.part(side, [name for name in names if name not in side])

    def heal(self) -> None:
        self.platform.network.heal()

    # ---- afterwards

    def check(self) -> dict[str, float]:
        """Heal, and assert that all is one; returns how long that took."""
        self.platform.network.heal()
        for name in sorted(self.down):
            self.platform.start(name)
        self.down.clear()
        healed = time.monotonic()
        inside = [caller for caller in self.people if not caller.left and not self._waits(caller)]
        wait_until(lambda: len({caller.flags.get("locked") for caller in inside}) <= 1, HEALED, "the lock is two")
        assert self._unlocked() or self._empty()
        for name in NODES:
            self._serial += 1
            self.people.append(Caller(self.platform, name, "chaos", f"p{self._serial}"))
        try:
            wait_until(lambda: not [caller for caller in self.people if self._waits(caller)], HEALED)
        except AssertionError:
            waiting = [(c.name, c.node, c.uuid, c.roster.get(c.uuid)) for c in self.people if self._waits(c)]
            raise AssertionError(f"these do not get in: {waiting}") from None
        gone = [caller for caller in self.people if caller.left]
        assert {caller.uuid for caller in gone} <= set(self.left), f"lost: {[(c.name, c.left) for c in gone]}"
        self.people = [caller for caller in self.people if not caller.left]
        until_same(*self.people, names=[caller.name for caller in self.people], within=HEALED)
        agreed = time.monotonic() - healed
        locks = {caller.flags["locked"] for caller in self.people}
        assert locks == {False}, locks
        self._keeping = False
        for caller in self.people:
            caller.leave()
            self.left.append(caller.uuid)
        wait_until(lambda: not self._untold(), TOLD, "not every end is in history")
        return {"agreed": agreed, "people": float(self._serial), "ends": float(len(self.left))}

    def _unlocked(self) -> bool:
        """Has somebody inside opened the door?"""
        for caller in self.people:
            if not caller.left and not self._waits(caller):
                try:
                    caller.post("unlock")
                    return True
                except (Refused, httpx.HTTPError):
                    continue
        return False

    def _empty(self) -> bool:
        """Nobody is inside: with the last who waits the lock goes as well."""
        for caller in self.people:
            caller.leave()
            self.left.append(caller.uuid)
        self.people = []
        return True

    def _waits(self, caller: Caller) -> bool:
        own = caller.roster.get(caller.uuid)
        return not caller.left and (own is None or own["service_type"] == "waiting_room")

    def _untold(self) -> set[str]:
        """Those whose end must be in history and is not; nobody's is there twice."""
        ids = [str(one["id"]) for one in history(self.platform, "chaos")]
        assert len(ids) == len(set(ids)), "an end is in history twice"
        return set(self.left) - set(ids)


def run(directory: Path, seconds: float, seed: int) -> dict[str, float]:
    with cluster(directory) as platform:
        chaos = Chaos(platform, seed)
        chaos.build()
        chaos.run(seconds)
        result = chaos.check()
        print(f"seed {seed}: {dict(chaos.done)}; {result}")
        return result


if __name__ == "__main__":
    run(Path(tempfile.mkdtemp()), float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
