"""What relaying costs: packets a core forwards and delay added, next to a plain asyncio relay and a minimal C loop.

Each relay is a process of its own with 50 flows to one sink; the references forward the same way (first source
latched, one socket each side) without any of the checks. Load comes as single packets (voice: every packet wakes the
relay) and as bursts of eight (the packets of a picture), 1200 bytes each. Packets for a core are those forwarded by a
second of processor time, so other work on the machine hardly matters. Delay is one way by loopback, one packet at a
time, while the other flows are busy at 2,000 packets a second. Run: `python -m bench.relay [seconds for each load]`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rostra.environment import Environment
from rostra.media.relay import Relays, Shape
from rostra.media.relay_sdp import Place

FLOWS = 50
PACKET = bytes([0x80]) + bytes(1199)
LOADS = {"single packets": 1, "bursts of 8": 8}
ROUNDS, SHARES = 10, (0.5, 0.99)
BACKGROUND = 2000
"""Packets a second while delay is measured."""
LOOP = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
struct side { int own, other; struct sockaddr_in to; struct side *far; };
static int bound(struct sockaddr_in *at) {
  socklen_t size = sizeof *at;
  int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), room = 1 << 20;
  *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(made, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (bind(made, (struct sockaddr *)at, size)) exit(1);
  getsockname(made, (struct sockaddr *)at, &size);
  return made;
}
int main(int count, char **words) {
  int flows = atoi(words[1]), poller = epoll_create1(0), ended = 0;
  unsigned long forwarded = 0;
  struct side *sides = calloc(2 * (size_t)flows, sizeof *sides);
  (void)count;
  for (int i = 0; i < flows; i++) {
    struct sockaddr_in at, unused;
    struct side *out = &sides[2 * i], *in = out + 1;
    *out = (struct side){.own = bound(&at), .other = bound(&unused), .far = in};
    *in = (struct side){.own = out->other, .other = out->own, .far = out};
    out->to = (struct sockaddr_in){AF_INET, htons(atoi(words[2])), {htonl(INADDR_LOOPBACK)}, {0}};
    struct epoll_event a = {EPOLLIN, {.ptr = out}}, b = {EPOLLIN, {.ptr = in}};
    epoll_ctl(poller, EPOLL_CTL_ADD, out->own, &a);
    epoll_ctl(poller, EPOLL_CTL_ADD, in->own, &b);
    printf("%s%d", i ? ", " : "[", ntohs(at.sin_port));
  }
  printf("]\n"), fflush(stdout);
  struct epoll_event input = {EPOLLIN, {.ptr = NULL}}, events[64];
  epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input);
  while (!ended) {
    int ready = epoll_wait(poller, events, 64, -1);
    for (int i = 0; i < ready; i++) {
      struct side *side = events[i].data.ptr;
      if (!side) { ended = 1; continue; }
      struct sockaddr_in from;
      socklen_t size = sizeof from;
      char data[2048];
      ssize_t got = recvfrom(side->own, data, sizeof data, 0, (struct sockaddr *)&from, &size);
      if (got < 0) continue;
      if (!side->far->to.sin_port) side->far->to = from;
      forwarded += sendto(side->other, data, (size_t)got, 0, (struct sockaddr *)&side->to, sizeof side->to) == got;
    }
  }
  printf("%lu\n", forwarded);
}
"""


# ---- the relays, each in a process: prints its ports, then at the end of its input what it forwarded --------


def serve_rostra(sink: int) -> None:
    with Relays(dataclasses.replace(Environment(), media_address="127.0.0.1")) as relays:
        calls = [str(number) for number in range(FLOWS)]
        places = [relays.open(call, (Shape.RTP,))[0] for call in calls]
        for call in calls:
            relays.aim(call, (Place("127.0.0.1", sink),))
        print(json.dumps([place.port for place in places]), flush=True)
        sys.stdin.read()
        print(sum(relays.statistics(call)[0].inward.packets for call in calls))


async def serve_asyncio(sink: int) -> None:
    loop, forwarded, ports = asyncio.get_running_loop(), 0, []

    class Side(asyncio.DatagramProtocol):
        other: Side
        to: tuple[str, int] | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
            nonlocal forwarded
            self.other.to = self.other.to or source
            if self.to:
                self.other.transport.sendto(data, self.to)  # type: ignore[attr-defined]
                forwarded += 1

    for _ in range(FLOWS):
        sides: list[Side] = []
        for _ in range(2):
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            made.bind(("127.0.0.1", 0))
            sides.append((await loop.create_datagram_endpoint(Side, sock=made))[1])
        out, into = sides
        out.other, into.other, out.to = into, out, ("127.0.0.1", sink)
        ports.append(out.transport.get_extra_info("sockname")[1])
    await asyncio.to_thread(time.sleep, 0)  # its thread is there before anything is measured
    print(json.dumps(ports), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(forwarded)


@contextmanager
def running(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


def processor_seconds(process: subprocess.Popen[str]) -> float:
    """Of all its threads."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


# ---- measuring --------------------------------------------------------------------------------------------


def endpoints(ports: Sequence[int]) -> list[socket.socket]:
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
    for one, port in zip(made, ports, strict=True):
        one.connect(("127.0.0.1", port))
    return made


def throughput(command: Sequence[str], burst: int, seconds: float) -> tuple[float, float]:
    """Packets forwarded by a second of processor time, and by a second of the clock."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        with running([*command, str(sink.getsockname()[1])]) as (process, ports):
            ends, before = endpoints(ports), processor_seconds(process)
            began = time.perf_counter()
            while time.perf_counter() < began + seconds:
                for end in ends:
                    for _ in range(burst):
                        end.send(PACKET)
            took, used = time.perf_counter() - began, processor_seconds(process) - before
            forwarded = int(process.communicate("")[0])
            for end in ends:
                end.close()
    return forwarded / used, forwarded / took


@dataclasses.dataclass(slots=True)
class Way:
    """From 50 sockets by a relay, or straight, to a sink."""

    sink: socket.socket
    ends: list[socket.socket]
    rounds: list[list[float]]
    """One-way times in microseconds."""


def delays(relays: dict[str, list[str]], seconds: float) -> dict[str, Way]:
    """One-way times, in short rounds that take turns, so that what else the machine does meets all alike."""
    with ExitStack() as ways:
        found: dict[str, Way] = {}
        for name, command in {"no relay": [], **relays}.items():
            sink = ways.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            sink.bind(("127.0.0.1", 0))
            ports = [sink.getsockname()[1]] * FLOWS
            if command:
                ports = ways.enter_context(running([*command, str(ports[0])]))[1]
            ends = [ways.enter_context(end) for end in endpoints(ports)]
            found[name] = Way(sink, ends, [])
        for _ in range(ROUNDS):
            for way in found.values():
                way.rounds.append(_delays(way.sink, way.ends, seconds / ROUNDS))
    return found


def _delays(sink: socket.socket, ends: list[socket.socket], seconds: float) -> list[float]:
    taken, ended = list[float](), threading.Event()

    def keep_busy() -> None:
        while not ended.wait((len(ends) - 1) / BACKGROUND):
            for end in ends[1:]:
                end.send(PACKET)

    thread = threading.Thread(target=keep_busy)
    thread.start()
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        began = time.perf_counter()
        stamp = time.monotonic_ns().to_bytes(8)
        ends[0].send(PACKET[:8] + stamp + PACKET[16:])
        while select.select([sink], [], [], 0.2)[0]:
            if sink.recv(2048)[8:16] == stamp:
                taken.append((time.perf_counter() - began) * 1e6)
                break
        time.sleep(0.001)
    ended.set()
    thread.join()
    return taken


def typical(rounds: list[list[float]], share: float) -> float:
    """The median of the rounds' quantile."""
    return statistics.median(sorted(taken)[int(share * len(taken))] for taken in rounds if taken)


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as directory:
        loop = Path(directory) / "loop"
        compiler = ["cc", "-O3", "-x", "c", "-", "-o", str(loop)]
        subprocess.run(compiler, input=LOOP, text=True, check=True, timeout=30)
        relays = {
            "this relay": [sys.executable, "-m", "bench.relay", "rostra"],
            "minimal C loop": [str(loop), str(FLOWS)],
            "asyncio": [sys.executable, "-m", "bench.relay", "asyncio"],
        }
        for load, burst in LOADS.items():
            found = {name: throughput(command, burst, seconds) for name, command in relays.items()}
            ours = found["this relay"][0]
            for name, (core, clock) in found.items():
                ratio = "" if name == "this relay" else f"  this relay: x {ours / core:.2f}"
                print(f"{load:15} {name:15} {core:9,.0f} packets/s a core ({clock:9,.0f}/s here){ratio}")
        measured = delays(relays, seconds)
        without = [typical(measured["no relay"].rounds, share) for share in SHARES]
        for name, way in measured.items():
            p50, p99 = (typical(way.rounds, share) for share in SHARES)
            added = f"  added {p50 - without[0]:5.0f} {p99 - without[1]:5.0f}" if name in relays else ""
            print(f"{'delay, µs':15} {name:15} p50 {p50:5.0f}  p99 {p99:5.0f}  of {sum(map(len, way.rounds))}{added}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["rostra", sink]:
            serve_rostra(int(sink))
        case ["asyncio", sink]:
            asyncio.run(serve_asyncio(int(sink)))
        case options:
            main(float(options[0]) if options else 1.5)
