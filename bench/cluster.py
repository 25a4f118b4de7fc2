"""What a platform of several machines costs and how fast it gets over failures, on namespaces of one machine.

Parts, in this order: `join` (SIP INVITE to 200 with media on the same and on another node; reference: OPTIONS of the
same node), `faults` (until others notice, until rosters are right), `anchor` (10 SIP legs whose media node is killed:
how long they hear nothing), `fabric` (messages and bytes, idle and for each participant), `configuration` (a change on
20 replicas; reference: the request that makes it), `memory` (of an idle node).
Run: `python -m bench.cluster [--runs N] [part …]`. Five runs of each fault take about five minutes, 20 a quarter hour.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from tests.cluster import net
from tests.cluster.callers import Caller, Ear, SipSystem, phone, sip, until_same
from tests.cluster.cluster import Cluster, cluster
from tests.e2e.platform import wait_until

from bench.sip_caller import SipCaller
from rostra.environment import Environment
from rostra.fabric.bus import Bus
from rostra.fabric.replication import ConfigurationReplica

JOINS = 20
LEGS = 10
REPLICAS = 20
COUNTED = 10.0
"""Seconds for which messages are counted."""
NOTICED = re.compile(r'"Node is gone"')


def report(what: str, taken: Sequence[float], unit: str = "s", digits: int = 2) -> None:
    ordered = sorted(taken)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    print(
        f"{what}: p50 {statistics.median(ordered):.{digits}f} {unit}, p95 {p95:.{digits}f} {unit}, "
        f"worst {ordered[-1]:.{digits}f} {unit} of {len(ordered)}",
        flush=True,
    )  # fmt: skip


@contextlib.contextmanager
def platform(**sizes: tuple[str, int]) -> Generator[Cluster]:
    """Nodes by name: location and capacity in HD calls."""
    with tempfile.TemporaryDirectory() as directory, cluster(Path(directory)) as site:
        for location in dict.fromkeys(location for location, _ in sizes.values()):
            site.location(location)
        site.room("meet")
        for name, (location, size) in sizes.items():
            site.start(name, site.add(name, location), wait=False, ROSTRA_CAPACITY=str(size))
        for name in sizes:
            site.programs[name].wait_ready()
        yield site


# ---- joining


def join(_runs: int) -> None:
    with platform(front=("A", 1), big=("A", 40)) as site:
        local, remote = SipCaller(site.address("big"), "meet"), SipCaller(site.address("front"), "meet")
        with phone(site, Path(site.directory), "resident", 500) as resident:
            resident.call(sip(site, "big", "meet"))
            for caller in (local, remote):
                caller.call("warm")
            here, there = [], []
            for number in range(JOINS):
                here.append(local.call(f"here{number}"))
                there.append(remote.call(f"there{number}"))
            options = [local.options(f"options{n}") for n in range(JOINS)]
            resident.hang_up()
    report("join, INVITE to 200, media on the node called", here, "ms", 1)
    report("join, INVITE to 200, media on another node", there, "ms", 1)
    report("OPTIONS to 200 of the same node", options, "ms", 1)
    print(f"another node against the same: ratio {statistics.median(there) / statistics.median(here):.2f}")


# ---- faults


def faults(runs: int) -> None:
    with platform(one=("A", 40), two=("B", 40), three=("C", 40)) as site:
        for what, fail, mend in (
            ("node killed", _kill, lambda s: s.start("two")),
            ("node cut off", lambda s: _machine(s).cut(), lambda s: _machine(s).mend()),
            (
                "partition",
                lambda s: s.network.part(["one", "three", "management"], ["two"]),
                lambda s: s.network.heal(),
            ),
        ):
            _fault(site, what, fail, mend, runs)
        _nats(site)


def _machine(site: Cluster) -> net.Machine:
    return site.network.machines["two"]


def _kill(site: Cluster) -> None:
    site.programs["two"].kill()


def _fault(site: Cluster, what: str, fail: Callable[[Cluster], Any], mend: Callable[[Cluster], Any], runs: int) -> None:
    noticed: list[float] = []
    right: list[float] = []
    merged: list[float] = []
    for _ in range(runs):
        callers = {name: Caller(site, name, "meet", name) for name in ("one", "two", "three")}
        until_same(*callers.values(), names=["one", "two", "three"], within=30)
        log = site.programs["one"].home / "log" / "node.log"
        mark, started = log.stat().st_size, time.monotonic()
        fail(site)
        wait_until(lambda m=mark, f=log: NOTICED.search(f.read_text()[m:]) is not None, 20)
        noticed.append(time.monotonic() - started)
        until_same(callers["one"], callers["three"], names=["one", "three"], within=20)
        right.append(time.monotonic() - started)
        started = time.monotonic()
        mend(site)
        if site.programs["two"].process.poll() is None and not callers["two"].left and what != "node killed":
            until_same(*callers.values(), names=["one", "two", "three"], within=30)
            merged.append(time.monotonic() - started)
        for caller in callers.values():
            caller.leave()
    report(f"{what}: until others notice", noticed)
    report(f"{what}: until rosters are right", right)
    if merged:
        report(f"{what}: until one conference again", merged)


def _nats(site: Cluster) -> None:
    """Somebody on the node whose server dies says something: when is it heard elsewhere?

    Twice on each node: who kills a server more often waits longer and longer for the next one.
    """
    taken: list[float] = []
    callers = {name: Caller(site, name, "meet", name) for name in ("one", "two", "three")}
    for run in range(6):
        victim, witness = (("one", "two"), ("two", "three"), ("three", "one"))[run % 3]
        until_same(*callers.values(), names=list(callers), within=30)
        (process,) = site.programs[victim].find("nats-server")
        started = time.monotonic()
        os.kill(process, signal.SIGKILL)
        wait_until(lambda r=run, v=victim, w=witness: _heard(callers[v], callers[w], f"run {r}"), 20)
        taken.append(time.monotonic() - started)
    for caller in callers.values():
        caller.leave()
    report("NATS server killed: until messages pass again", taken)


def _heard(sender: Caller, receiver: Caller, text: str) -> bool:
    sender.post("message", {"type": "text/plain", "payload": text})
    return any(said.endswith(text) for said in receiver.chat)


# ---- media on another node


def anchor(runs: int) -> None:
    with platform(front=("A", 1), left=("A", 40), right=("A", 40), far=("B", 40)) as site:
        directory = Path(site.directory)
        with contextlib.ExitStack() as stack:
            talker = stack.enter_context(phone(site, directory, "talker", 500))
            legs = [stack.enter_context(phone(site, directory, f"leg{n}", 900)) for n in range(LEGS)]
            talker.call(sip(site, "far", "meet"))
            for leg in legs:
                leg.call(sip(site, "front", "meet"))
                leg.mute()
            taken = [seconds for _ in range(runs) for seconds in _outages(site, legs)]
            dialled = sum(len(leg.events("CALL_CLOSED")) for leg in legs)
    report(f"media node killed: {LEGS} SIP legs hear nothing for", taken)
    print(f"calls that ended: {dialled}")


def _outages(site: Cluster, legs: list[SipSystem]) -> list[float]:
    wait_until(lambda: all(leg.hear(500)[0] > -50 for leg in legs), 30)
    carrying = {media for name, (_, media) in site.media().items() if name != "talker"}
    (victim,) = carrying
    ears = [Ear(leg, 500) for leg in legs]
    wait_until(lambda: min(ear.recorded() for ear in ears) > 0.5, 10)
    site.programs[victim].kill()
    wait_until(lambda: victim not in {media for _, media in site.media().values()}, 20)
    wait_until(lambda: min(ear.since_last_gap() for ear in ears) > 1.0, 30)
    found = [ear.longest_gap() for ear in ears]
    site.start(victim)
    return found


# ---- messages


def fabric(_runs: int) -> None:
    with platform(one=("A", 40), two=("B", 40), three=("C", 40)) as site:
        idle, idle_bytes = _traffic(site, "one", "two")
        with contextlib.ExitStack() as stack:
            phones = [stack.enter_context(phone(site, Path(site.directory), f"p{n}", 500)) for n in range(6)]
            for number, someone in enumerate(phones):
                someone.call(sip(site, ("one", "two", "three")[number % 3], "meet"))
                if number:
                    someone.mute()
            wait_until(lambda: all(someone.hear(500)[0] > -50 for someone in phones[1:]), 30)
            busy, busy_bytes = _traffic(site, "one", "two")
    _tell("idle platform of three nodes", idle, idle_bytes)
    _tell("one conference, two audio calls on each of three nodes", busy, busy_bytes)
    more = (sum(n for n, _ in busy.values()) - sum(n for n, _ in idle.values())) / 6
    print(f"for each participant: {more:.1f} messages/s more, {(busy_bytes - idle_bytes) / 6:.0f} bytes/s on each link")


def _traffic(site: Cluster, sender: str, receiver: str) -> tuple[dict[str, tuple[float, float]], float]:
    """By kind: messages and bytes a second on the whole fabric; and bytes a second between two machines."""
    machines = site.network.machines
    source, target = machines[sender], machines[receiver]
    with contextlib.suppress(AssertionError):  # it is there from the first time
        target.meter(source)
    before = target.metered(source, "tcp")
    command = source.command(
        sys.executable, "-m", "bench.cluster", "--count", str(site.programs[sender].home)
    )  # fmt: skip
    counted = subprocess.run(command, check=True, capture_output=True, text=True, timeout=COUNTED + 30)
    # Counting draws all messages to the sender's machine, and nothing away from it.
    return json.loads(counted.stdout), (target.metered(source, "tcp") - before) / COUNTED


def _tell(what: str, kinds: dict[str, tuple[float, float]], crossed: float) -> None:
    messages, size = (sum(part) for part in zip(*kinds.values(), strict=True))
    print(
        f"{what}: {messages:.1f} messages/s with {size:.0f} bytes/s; TCP from one machine to another {crossed:.0f} B/s"
    )
    for kind, (number, octets) in sorted(kinds.items(), key=lambda item: -item[1][0])[:6]:
        print(f"    {kind}: {number:.1f}/s, {octets:.0f} bytes/s")


async def count(home: Path) -> None:
    """Count everything on the fabric for a while; prints JSON."""
    bus = await Bus.join(Environment(home=home), name="counter")
    number: Counter[str] = Counter()
    size: Counter[str] = Counter()

    async def take(subject: str, payload: bytes) -> None:
        kind = "answers" if subject.startswith("_INBOX") else re.sub(r"\.n\d+\.|\.[0-9a-f]{16,}\.", ".*.", subject)
        number[kind] += 1
        size[kind] += len(payload) + len(subject)

    await bus.subscribe(">", take)
    await asyncio.sleep(COUNTED)
    await bus.close()
    print(json.dumps({kind: (number[kind] / COUNTED, size[kind] / COUNTED) for kind in number}))


# ---- configuration


def configuration(_runs: int) -> None:
    with platform(one=("A", 40)) as site:
        machine, home = site.network.machines["one"], site.programs["one"].home
        command = machine.command(sys.executable, "-m", "bench.cluster", "--replicas", str(home))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as replicas:
            assert replicas.stdout is not None
            wait_for_line(replicas.stdout, "ready")
            (row,) = site.rows("configuration", "conference", name="meet")
            requests: list[float] = []
            last: list[float] = []
            every: list[float] = []
            for number in range(JOINS):
                started = time.time()
                site.change(row["resource_uri"], description=f"change {number}")
                requests.append((time.time() - started) * 1000)
                arrived = [(float(wait_for_line(replicas.stdout, "")) - started) * 1000 for _ in range(REPLICAS)]
                every += arrived
                last.append(max(arrived))
            replicas.terminate()
    report(f"configuration change, request to each of {REPLICAS} replicas", every, "ms", 0)
    report(f"configuration change, request to the last of {REPLICAS} replicas", last, "ms", 0)
    report("the request itself", requests, "ms", 0)
    print(f"last replica against the request: ratio {statistics.median(last) / statistics.median(requests):.2f}")


def wait_for_line(lines: Any, start: str) -> str:
    for line in lines:
        if line.startswith(start):
            return str(line).strip()
    raise RuntimeError("the replicas have ended")


async def follow(home: Path) -> None:
    """Replicas with databases of their own; prints when each has taken a change."""
    with tempfile.TemporaryDirectory() as directory:
        replicas: list[ConfigurationReplica] = []
        for number in range(REPLICAS):
            bus = await Bus.join(Environment(home=home), name=f"replica{number}")
            replica = ConfigurationReplica(Environment(home=home), bus, Path(directory) / f"{number}.db")
            await replica.start()
            await asyncio.wait_for(replica.synchronised.wait(), 60)
            replicas.append(replica)
        for replica in replicas:
            replica.on_change(lambda resource, _key: _print_time(resource))
        print("ready", flush=True)
        await asyncio.Event().wait()


def _print_time(resource: str) -> None:
    if resource == "conference":
        print(time.time(), flush=True)


# ---- memory


def memory(_runs: int) -> None:
    with platform(one=("A", 40), two=("A", 40)) as site:
        time.sleep(5)
        parts: Counter[str] = Counter()
        for pid, line in site.programs["two"].descendants().items():
            name = next((n for n in ("nats-server", "engine.worker", "process node", "cli", "rostra") if n in line), "")
            if name:
                parts[name] += _proportional(pid)
    print(f"memory of an idle node: {sum(parts.values()) / 1024:.0f} MiB")
    for name, size in parts.most_common():
        print(f"    {name}: {size / 1024:.0f} MiB")


def _proportional(pid: int) -> int:
    """KiB, with shared pages divided among those who share them."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


PARTS: dict[str, Callable[[int], None]] = {
    "join": join,
    "faults": faults,
    "anchor": anchor,
    "fabric": fabric,
    "configuration": configuration,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--runs", type=int, default=5, help="of each fault")
    parser.add_argument("--count", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--replicas", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.count:
        asyncio.run(count(told.count))
    elif told.replicas:
        asyncio.run(follow(told.replicas))
    elif reason := net.missing():
        print(f"not measured: {reason}")
    else:
        for name in told.parts or PARTS:
            PARTS[name](told.runs)


if __name__ == "__main__":
    main()
