"""SIP calls of one node on one core, without media: how many a second, how soon answered, and what happens beyond.

A SIP service with its sockets, dialogs and agents, before a switchboard that only says yes, on a core of its own; sipp
calls it from another (INVITE, 200, ACK, BYE, 200 over UDP). Reference in the same run: sipp answering sipp there.
Overload is five times the calls that the node can do, by callers who do not wait (`crowd`: sipp itself would be the
one that is overloaded); what counts are the calls that were answered in time and ended.
"""

from __future__ import annotations

import asyncio
import cProfile
import csv
import logging
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog
from tests.ports import free_port
from tests.sip.fakes import FakeSession, FakeSwitchboard

from bench import crowd
from rostra import garbage
from rostra.environment import Environment
from rostra.sip.service import SipService
from rostra.sip.settings import SipSettings

SECONDS = 12
TOGETHER = 20
"""Calls at a time where the peak is looked for."""
STEADY = 50
"""Calls a second of the second measurement."""
HELD = 1_000
"""Calls that stay, for their memory."""
NEAR = 1.3
"""Times the peak that sipp has found: callers who do not wait find a higher one."""
OVERLOAD = 5
WANTED = 0.8
"""Share of the peak that must be left under overload."""
CALLEE, CALLER = 0, 1
"""Cores."""

_HEAD = """\
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:bench@[local_ip]:[local_port]>;tag=[pid]b[call_number]
Call-ID: [call_id]
Contact: <sip:bench@[local_ip]:[local_port]>
Max-Forwards: 70
"""
_TO = "To: <sip:[service]@[remote_ip]:[remote_port]>"
_URI = "sip:[service]@[remote_ip]:[remote_port] SIP/2.0"
SCENARIO = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="calls">
<send retrans="500" start_rtd="1"><![CDATA[
INVITE {_URI}
{_HEAD}{_TO}
CSeq: 1 INVITE
Content-Type: application/sdp
Content-Length: [len]

v=0
o=bench 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 6000 RTP/AVP 0 8 101
a=rtpmap:101 telephone-event/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="503" optional="true" next="1"/>
<recv response="200" rtd="1"/>
<send start_rtd="2"><![CDATA[
ACK {_URI}
{_HEAD}{_TO}[peer_tag_param]
CSeq: 1 ACK
Content-Length: 0

]]></send>
<pause/>
<send retrans="500"><![CDATA[
BYE {_URI}
{_HEAD}{_TO}[peer_tag_param]
CSeq: 2 BYE
Content-Length: 0

]]></send>
<recv response="200" rtd="2" next="2"/>
<label id="1"/>
<send><![CDATA[
ACK {_URI}
{_HEAD}{_TO}[peer_tag_param]
CSeq: 1 ACK
Content-Length: 0

]]></send>
<label id="2"/>
</scenario>
"""


class _Yes(FakeSwitchboard):
    """Keeps nothing of calls that are over."""

    async def join(self, request: Any, listener: Any) -> Any:
        session: FakeSession = await super().join(request, listener)
        self.sessions.clear()
        return session


def _serve(port: int, told: Connection) -> None:
    """A node's SIP, until `told` says `end`; to anything else it says how it is."""

    async def main() -> None:
        environment = Environment(sip_port=port, sip_tls_port=free_port())
        service = SipService(_Yes({"meet.demo"}), environment, settings=SipSettings(datagrams=True))
        await service.start()
        garbage.settle()
        told.send("ready")
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, told.recv) != "end":
            used = resource.getrusage(resource.RUSAGE_SELF)
            told.send((service.debug_state(), used.ru_utime + used.ru_stime, _resident()))
        await service.stop()

    os.sched_setaffinity(0, {CALLEE % (os.cpu_count() or 1)})
    nowhere = sys.stderr if "--logs" in sys.argv else Path(os.devnull).open("w")  # noqa: SIM115 - until the end
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(nowhere),
    )
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(asyncio.run, main())
        profile.dump_stats("/tmp/signalling.prof")
    else:
        asyncio.run(main())


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Sipp:
    """Calls with what is given; see `figures` when it has ended."""

    def __init__(self, folder: Path, port: int, *, rate: float, seconds: float, most: int, hold: int = 0) -> None:
        self.seconds = seconds
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        (self._folder / "calls.xml").write_text(SCENARIO)
        options = {
            "-sf": "calls.xml", "-s": "meet.demo", "-i": "127.0.0.1", "-p": free_port(), "-t": "u1",
            "-r": max(1, round(rate)), "-l": most, "-d": hold, "-m": max(1, round(rate * seconds)),
            "-timeout": f"{seconds + hold / 1000 + 8:.0f}s", "-rtt_freq": 1, "-buff_size": 4_000_000,
        }  # fmt: skip
        words = [str(word) for option in options.items() for word in option]
        self._process = subprocess.Popen(
            ["taskset", "-c", str(CALLER % (os.cpu_count() or 1)), "sipp", f"127.0.0.1:{port}", "-nostdin",
             "-trace_rtt", *words],
            cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def figures(self) -> tuple[float, list[float]]:
        """Calls a second that were answered and ended, from the second second on; milliseconds to their 200."""
        try:
            self._process.wait(self.seconds + 1)
        except subprocess.TimeoutExpired:
            self.stop()
        delays: list[float] = []
        over: list[float] = []
        for file in self._folder.glob("*_rtt.csv"):
            for row in csv.reader(file.open(), delimiter=";"):
                if len(row) >= 3 and row[2].strip() == "1":
                    delays.append(float(row[1]))
                elif len(row) >= 3 and row[2].strip() == "2":
                    over.append(float(row[0]))
        if len(over) < 2:
            return 0.0, delays or [0.0]
        first, last = min(over) + 1000, min(max(over), min(over) + self.seconds * 1000)
        return sum(first <= at <= last for at in over) / max(0.1, (last - first) / 1000), delays


def _apart() -> None:
    os.sched_setaffinity(0, {CALLER % (os.cpu_count() or 1)})


def _percent(values: list[float], part: int) -> float:
    return statistics.quantiles(values, n=100)[part - 1] if len(values) > 1 else values[0]


def _reference(folder: Path) -> float:
    """Calls a second where sipp answers."""
    port = free_port()
    words = ["taskset", "-c", str(CALLEE), "sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
    answering = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return Sipp(folder, port, rate=5000, seconds=5, most=TOGETHER).figures()[0]
    finally:
        answering.kill()
        answering.wait()


class Node:
    """The process that answers."""

    def __init__(self) -> None:
        self.port = free_port()
        self._tell, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=_serve, args=(self.port, other))
        self._process.start()
        self._tell.recv()

    def state(self) -> tuple[dict[str, Any], float, int]:
        """What the service says, seconds of the processor, bytes resident."""
        self._tell.send("how")
        return self._tell.recv()

    def end(self) -> None:
        self._tell.send("end")
        self._process.join(20)
        self._process.kill()


def _peak(folder: Path) -> tuple[float, float]:
    """Calls a second, and seconds of the processor for each."""
    node = Node()
    before = node.state()
    peak, _ = Sipp(folder, node.port, rate=5000, seconds=SECONDS, most=TOGETHER).figures()
    after = node.state()
    calls = after[0]["requests"].get("BYE", 1) - before[0]["requests"].get("BYE", 0)
    node.end()
    return peak, (after[1] - before[1]) / max(1, calls)


def _memory(folder: Path) -> float:
    """Bytes of a call that is up."""
    node = Node()
    Sipp(folder, node.port, rate=STEADY, seconds=2, most=HELD).figures()
    before = node.state()[2]
    calling = Sipp(folder, node.port, rate=100, seconds=HELD / 100, most=HELD, hold=60_000)
    until = time.monotonic() + 30
    while len(node.state()[0]["calls"]) < HELD and time.monotonic() < until:
        time.sleep(0.2)
    state, _, now = node.state()
    calling.stop()
    node.end()
    return (now - before) / max(1, len(state["calls"]))


def _show(what: str, figures: str) -> None:
    print(f"{what:<40}{figures}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        reference = _reference(folder)
        _show("reference: sipp answers sipp", f"{reference:8.0f} calls/s")
        peak, cost = _peak(folder)
        _show("calls set up and ended", f"{peak:8.0f} calls/s    {peak / reference:5.2f} of the reference")
        _show(
            "processor time of a call", f"{cost * 1000:8.2f} ms    that is {1 / cost:.0f} calls/s of a core of its own"
        )
        if "--profile" in sys.argv:
            return
        node = Node()
        _, delays = Sipp(folder, node.port, rate=STEADY, seconds=SECONDS, most=5_000).figures()
        _show(
            f"post-dial delay at {STEADY} calls/s",
            f"p50 {_percent(delays, 50):.1f} ms, p95 {_percent(delays, 95):.1f} ms",
        )
        with ProcessPoolExecutor(1, initializer=_apart) as callers:
            best = callers.submit(crowd.call, node.port, NEAR * peak, float(SECONDS) / 2).result()
            peak = max(peak, best.ended)
            _show(f"{NEAR:g} times that by callers who do not wait", f"{best.ended:8.0f} calls/s")
            rush = callers.submit(crowd.call, node.port, OVERLOAD * peak, float(SECONDS)).result()
        _show(
            f"{OVERLOAD} times the peak: answered and ended",
            f"{rush.ended:8.0f} calls/s    {rush.ended / peak:5.2f} of the peak",
        )
        _show("  until answered, and refused by 503", f"p95 {_percent(rush.delays, 95):.1f} ms, {rush.refused} calls")
        _show("  of what was offered", f"{rush.offered:8.0f} calls/s")
        time.sleep(3)
        good, delays = Sipp(folder, node.port, rate=STEADY, seconds=5, most=5_000).figures()
        _show(f"afterwards at {STEADY} calls/s", f"{good:8.0f} calls/s, p95 {_percent(delays, 95):.1f} ms")
        node.end()
        _show("memory of a call that is up", f"{_memory(folder) / 1024:8.1f} KiB")


if __name__ == "__main__":
    main()
