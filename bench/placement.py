"""Placement in a large deployment: 60 nodes, 12 locations, 100,000 calls, each decision held against an oracle.

Calls arrive and leave over simulated time in conferences of very different sizes; `domain.placement.choose` places
each. The oracle states the same rules once more, by ranking every node of the deployment at once, and must make the
identical choice. What locality, the limit of three and reservations cost is read off two references in the same run:
one big node with everybody's capacity that serves the same arrivals, and what no rule can avoid (demand above the
capacity of all). WAN streams are counted by `domain.backplane`, next to the same conferences without proxies and with
a single node each. Run: `python -m bench.placement [calls] [seed]`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from bench.demand import NODES, Call, Deployment, demand, deploy
from rostra.domain import backplane, capacity
from rostra.domain.capacity import CallClass
from rostra.domain.placement import MEDIA_NODES, Choice, NodeRole, choose

STAGE = 8
FULL, THUMBNAIL, AUDIO = 1.6, 0.128, 0.04
"""Mbit/s of a stream (PLAT-056)."""
SAMPLED = 500
"""One in so many arrivals, all distributed conferences are counted."""


@dataclasses.dataclass(slots=True)
class Wan:
    """Streams between locations, summed over samples of distributed conferences."""

    conferences: int = 0
    participants: int = 0
    rules: Counter[float] = dataclasses.field(default_factory=Counter[float])
    """Streams by their Mbit/s; likewise the others."""
    unproxied: Counter[float] = dataclasses.field(default_factory=Counter[float])
    central: Counter[float] = dataclasses.field(default_factory=Counter[float])


@dataclasses.dataclass(slots=True)
class Result:
    deployment: Deployment
    hours: float = 0.0
    calls: Counter[int] = dataclasses.field(default_factory=Counter[int])
    refused: Counter[int] = dataclasses.field(default_factory=Counter[int])
    overflowed: Counter[int] = dataclasses.field(default_factory=Counter[int])
    relayed: int = 0
    reasons: Counter[str] = dataclasses.field(default_factory=Counter[str])
    """Why calls were refused."""
    disagreements: list[tuple[Call, Choice | None, Choice | None]] = dataclasses.field(default_factory=list)
    decisions: list[int] = dataclasses.field(default_factory=list)
    """Nanoseconds each."""
    used: defaultdict[str, float] = dataclasses.field(default_factory=lambda: defaultdict(float))
    """Token-hours of each node, until the last arrival; likewise all others."""
    carried: float = 0.0
    """Token-hours of calls, without reservations."""
    demanded: float = 0.0
    avoidable: float = 0.0
    """Token-hours that fit into the capacity of all at their time: no rule can carry more."""
    pool_refused: int = 0
    pool_carried: float = 0.0
    widths: Counter[int] = dataclasses.field(default_factory=Counter[int])
    """How many media nodes at once an instance had in a location, at most."""
    wan: Wan = dataclasses.field(default_factory=Wan)


def oracle(
    call: Call, deployment: Deployment, carrying: Mapping[str, int], cost: int, reservation: int, edge_cost: int | None
) -> Choice | None:
    """The rules once more: every node of the deployment gets a rank, the lowest is chosen."""
    nodes, here = deployment.nodes, deployment.locations[call.location]
    preference = lambda node: (  # noqa: E731
        -node.weight,
        node.used - node.capacity,
        -int.from_bytes(hashlib.blake2b(f"{call.conference}\n{node.node}".encode(), digest_size=8).digest()),
    )
    relay = None
    if edge_cost is not None:
        relays = [n for n in nodes.values() if (n.role, n.location) == ("PROXYING", call.location)]
        relays = sorted((n for n in relays if n.used + edge_cost <= n.capacity), key=preference)
        if here.transcoding is None or not relays:
            return None
        relay = relays[0].node
    tried = [call.location if here.transcoding is None else here.transcoding, *here.overflow]
    hosts = Counter(nodes[name].location for name in carrying)
    ranked = [
        (tried.index(n.location), n.node not in carrying, preference(n), n)
        for n in nodes.values()
        if n.role == "CONFERENCING" and n.location in tried
        if (n.node in carrying and n.used + cost <= n.capacity)
        or (n.node not in carrying and hosts[n.location] < 3 and n.used + cost + reservation <= n.capacity)
    ]
    if not ranked:
        return None
    turn, new, _, node = min(ranked, key=lambda rank: rank[:3])
    return Choice(
        node=node.node,
        location=node.location,
        overflowed_from=tried[0] if turn else None,
        proxy=relay,
        fresh=new,
    )


class Simulation:
    """The deployment while calls come and go."""

    def __init__(self, deployment: Deployment, end: float) -> None:
        self.result = Result(deployment, hours=end)
        self._end = end
        self._nodes = deployment.nodes
        self._legs: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._hosts: defaultdict[int, dict[str, backplane.Host]] = defaultdict(dict)
        self._media: defaultdict[int, dict[int, tuple[str, Call]]] = defaultdict(dict)
        self._placed: dict[int, Choice] = {}
        self._widest: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._reservation = capacity.reservation(transcoding_nodes=NODES)
        self._edges = {n.location for n in self._nodes.values() if n.role is NodeRole.PROXYING}
        self._pool = _Pool(deployment.tokens, self._reservation, end)
        self._changed: dict[str, float] = dict.fromkeys(self._nodes, 0.0)
        self._demand = 0
        self._moved = 0.0

    def run(self, calls: list[Call]) -> Result:
        """Every arrival and leaving in its order; at the end nobody is left."""
        leaving: list[tuple[float, int, Call]] = []
        for count, call in enumerate(calls):
            while leaving and leaving[0][0] <= call.arrives:
                self._leave(heapq.heappop(leaving)[2])
            self._arrive(call)
            heapq.heappush(leaving, (call.leaves, call.number, call))
            if count % SAMPLED == 0:
                for conference in self._hosts:
                    self._count_streams(conference)
        while leaving:
            self._leave(heapq.heappop(leaving)[2])
        self.result.pool_refused, self.result.pool_carried = self._pool.refused, self._pool.carried
        return self.result

    def _arrive(self, call: Call) -> None:
        result = self.result
        edge_cost = capacity.edge(call.call) if call.location in self._edges else None
        carrying = self._legs[call.conference]
        began = time.perf_counter_ns()
        choice = choose(
            location=call.location,
            nodes=self._nodes,
            locations=result.deployment.locations,
            carrying=carrying,
            cost=call.call,
            reservation=self._reservation,
            key=str(call.conference),
            edge_cost=edge_cost,
        )
        result.decisions.append(time.perf_counter_ns() - began)
        expected = oracle(call, result.deployment, carrying, call.call, self._reservation, edge_cost)
        if choice != expected:
            result.disagreements.append((call, choice, expected))
        result.calls[call.location] += 1
        self._offer(call.arrives, call.call)
        self._pool.arrive(call)
        if choice is None:
            result.refused[call.location] += 1
            result.reasons[self._reason(call)] += 1
            return
        result.overflowed[call.location] += choice.overflowed_from is not None
        result.carried += call.call * (min(call.leaves, self._end) - call.arrives)
        self._place(call, choice, edge_cost or 0)

    def _reason(self, call: Call) -> str:
        """Why a call was refused: its locations are those it may be placed in."""
        here, need = self.result.deployment.locations[call.location], call.call + self._reservation
        tried = {call.location if here.transcoding is None else here.transcoding, *here.overflow}
        role = NodeRole.CONFERENCING
        room = {n.location for n in self._nodes.values() if n.role is role and n.available >= need}
        return "limit of three" if room & tried else "room elsewhere" if room else "full everywhere"

    def _place(self, call: Call, choice: Choice, edge_cost: int) -> None:
        self._book(choice.node, call.arrives, call.call + self._reservation * choice.fresh)
        if choice.proxy:
            self._book(choice.proxy, call.arrives, edge_cost)
            self.result.relayed += 1
        self._placed[call.number] = choice
        legs, hosts = self._legs[call.conference], self._hosts[call.conference]
        legs[choice.node] += 1
        if choice.fresh:
            hosts[choice.node] = backplane.Host(node=choice.node, location=choice.location, since=call.arrives)
            now = sum(host.location == choice.location for host in hosts.values())
            widest = self._widest[call.conference]
            widest[choice.location] = max(widest[choice.location], now)
        self._media[call.conference][call.number] = choice.node, call

    def _leave(self, call: Call) -> None:
        self._offer(call.leaves, -call.call)
        self._pool.leave(call)
        choice = self._placed.pop(call.number, None)
        if choice is None:
            return
        legs = self._legs[call.conference]
        legs[choice.node] -= 1
        over = legs[choice.node] == 0
        self._book(choice.node, call.leaves, -call.call - self._reservation * over)
        if choice.proxy:
            self._book(choice.proxy, call.leaves, -capacity.edge(call.call))
        del self._media[call.conference][call.number]
        if over:
            del legs[choice.node], self._hosts[call.conference][choice.node]
        if not legs:
            for kept in (self._legs, self._hosts, self._media):
                del kept[call.conference]
            self.result.widths.update(self._widest.pop(call.conference).values())

    def _book(self, name: str, now: float, tokens: int) -> None:
        node, now = self._nodes[name], min(now, self._end)
        self.result.used[name] += node.used * (now - self._changed[name])
        self._changed[name] = now
        self._nodes[name] = msgspec.structs.replace(node, used=node.used + tokens)
        assert 0 <= self._nodes[name].used <= node.capacity, f"{name} is overbooked"

    def _offer(self, now: float, tokens: int) -> None:
        now = min(now, self._end)
        took = now - self._moved
        self.result.demanded += self._demand * took
        self.result.avoidable += min(self._demand, self._pool.tokens) * took
        self._demand += tokens
        self._moved = now

    def _count_streams(self, conference: int) -> None:
        """What crosses between locations for one conference, by the rules and without them."""
        hosts, media, wan = self._hosts[conference], self._media[conference], self.result.wan
        places = Counter(host.location for host in hosts.values())
        if len(places) < 2:
            return
        on_stage = [(number, node) for number, (node, call) in media.items() if call.call > CallClass.AUDIO][:STAGE]
        wan.conferences += 1
        wan.participants += len(media)
        for (_, origin, receiver), rate in _video(on_stage, hosts).items():
            wan.rules[rate] += hosts[origin].location != hosts[receiver].location
        wan.rules[AUDIO] += sum(
            hop is backplane.Hop.OTHER_LOCATION for me in hosts for hop in backplane.neighbours(me, hosts).values()
        )
        apart = {me: len(hosts) - places[host.location] for me, host in hosts.items()}
        wan.unproxied[AUDIO] += sum(apart.values())
        for turn, (_, origin) in enumerate(on_stage):
            wan.unproxied[THUMBNAIL if turn else FULL] += apart[origin]
        main = backplane.proxy(places.most_common(1)[0][0], hosts)
        assert main is not None
        far = [call.call for node, call in media.values() if hosts[node].location != hosts[main].location]
        wan.central[AUDIO] += 2 * len(far)
        wan.central[FULL] += 2 * sum(call > CallClass.AUDIO for call in far)


_Streams = dict[tuple[int, str, str], float]


def _video(on_stage: list[tuple[int, str]], hosts: Mapping[str, backplane.Host]) -> _Streams:
    """Mbit/s of each (participant, sender, receiver): the speaker is large, the previous one only for the speaker."""
    streams: _Streams = {}
    for turn, (number, origin) in enumerate(on_stage):
        for me in hosts:
            rate = FULL if turn == 0 or (turn == 1 and me == on_stage[0][1]) else THUMBNAIL
            for sender, receiver in _way(me, origin, hosts):
                stream = (number, sender, receiver)
                streams[stream] = max(rate, streams.get(stream, 0.0))
    return streams


class _Pool:
    """One big node: the same arrivals, one reservation per conference, no locations."""

    def __init__(self, tokens: int, reservation: int, end: float) -> None:
        self.tokens, self.refused, self.carried = tokens, 0, 0.0
        self._end = end
        self._reservation, self._used = reservation, 0
        self._in: set[int] = set()
        self._legs = Counter[int]()

    def arrive(self, call: Call) -> None:
        need = call.call + self._reservation * (not self._legs[call.conference])
        if self._used + need > self.tokens:
            self.refused += 1
            return
        self._used += need
        self._legs[call.conference] += 1
        self._in.add(call.number)
        self.carried += call.call * (min(call.leaves, self._end) - call.arrives)

    def leave(self, call: Call) -> None:
        if call.number in self._in:
            self._in.remove(call.number)
            self._legs[call.conference] -= 1
            self._used -= call.call + self._reservation * (not self._legs[call.conference])


def _way(me: str, origin: str, hosts: Mapping[str, backplane.Host]) -> Iterator[tuple[str, str]]:
    """The links a stream passes from its origin to `me`."""
    while (hop := backplane.next_hop(me, origin, hosts)) is not None:
        yield hop, me
        me = hop


def simulate(calls: int, seed: int = 1) -> Result:
    """The whole run; the same seed gives the same."""
    chance = random.Random(seed)
    deployment = deploy(chance)
    arriving = demand(chance, calls, deployment.tokens)
    return Simulation(deployment, arriving[-1].arrives).run(arriving)


def report(result: Result) -> None:
    nodes, calls = result.deployment.nodes, result.calls.total()
    print(f"{calls} calls in {result.hours:.1f} simulated hours, {len(nodes)} nodes, {len(result.calls)} locations")
    print("location   nodes  HD calls  overflow  utilisation   calls  refused  overflowed")
    for where, place in result.deployment.locations.items():
        there = [node for node in nodes.values() if node.location == where]
        size = sum(node.capacity for node in there)
        share = sum(result.used[node.node] for node in there) / size / result.hours
        came, overflow = result.calls[where] or 1, ", ".join(map(str, place.overflow)) or "none"
        print(
            f"{place.name:10} {len(there):5}  {size // CallClass.HD:8}  {overflow:8}  {share:11.1%}  {came:6}  "
            f"{result.refused[where] / came:7.2%}  {result.overflowed[where] / came:10.2%}"
        )
    widths, refused = result.widths, result.refused.total()
    shares = (f"{width}: {count} ({count / widths.total():.1%})" for width, count in sorted(widths.items()))
    print(f"media nodes of an instance in a location: {', '.join(shares)}; the limit is {MEDIA_NODES}")
    print(f"overflowed: {result.overflowed.total() / calls:.2%} of calls; relayed: {result.relayed / calls:.2%}")
    print(f"refused because of: {', '.join(f'{why}: {count}' for why, count in result.reasons.most_common())}")
    print("                  refused calls  carried of capacity  carried of demand")
    for name, share, carried in (
        ("the rules", f"{refused / calls:.2%}", result.carried),
        ("one big node", f"{result.pool_refused / calls:.2%}", result.pool_carried),
        ("no rule exceeds", "", result.avoidable),
    ):
        of_capacity = carried / result.deployment.tokens / result.hours
        print(f"{name:16}  {share:>13}  {of_capacity:19.1%}  {carried / result.demanded:17.2%}")
    report_streams(result.wan)
    quantiles = statistics.quantiles(result.decisions, n=100)
    print(f"decision: median {quantiles[49] / 1000:.1f} µs, 99 % within {quantiles[98] / 1000:.1f} µs")
    print(f"oracle: {len(result.disagreements)} other choices")


def report_streams(wan: Wan) -> None:
    print(
        f"between locations, {wan.conferences} samples of {wan.participants / wan.conferences:.1f} participants; each:"
    )
    print("                    streams  Mbit/s  ratio")
    reference = sum(rate * count for rate, count in wan.rules.items())
    for name, streams in (
        ("the rules", wan.rules),
        ("without proxies", wan.unproxied),
        ("one central node", wan.central),
    ):
        rate, count = sum(each * count for each, count in streams.items()), streams.total()
        print(f"  {name:16} {count / wan.participants:8.2f} {rate / wan.participants:7.2f} {rate / reference:6.2f}")


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    began = time.process_time()
    found = simulate(*(arguments or [100_000]))
    report(found)
    print(f"whole run: {time.process_time() - began:.1f} s of one core")
    if found.disagreements:
        raise SystemExit(f"the oracle disagrees: {found.disagreements[0]}")
