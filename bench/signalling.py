"""SIP calls of one node on one core, without media: how many a second, how soon answered, and what happens beyond.

A SIP service with its sockets, dialogs and agents, before a switchboard that only says yes, on a core of its own; sipp
calls it from another (INVITE, 200, ACK, BYE, 200 over UDP). Reference in the same run: sipp answering sipp there.
Overload is five times the calls that the node can do, by callers who do not wait; what counts are the calls that were
answered and ended in time.
"""

from __future__ import annotations

import asyncio
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
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog
from tests.conftest import free_port
from tests.sip.fakes import FakeSession, FakeSwitchboard

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

    async def _show(what: str, figures: str) -> None:
    print(f"{what:<40}{figures}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        reference = _reference(folder)
        _show("reference: sipp answers sipp", f"{reference:8.0f} calls/s")
        peak, cost = _peak(folder)
        _show("calls set up and ended", f"{peak:8.0f} calls/s    {peak / reference:5.2f} of the reference")
        _show("processor time of a call", f"{cost * 1000:8.2f} ms    that is {1 / cost:.0f} calls/s of a core of its own")
        if "--profile" in sys.argv:
            return
        node = Node()
        _, delays = Sipp(folder, node.port, rate=STEADY, seconds=SECONDS, most=5_000).figures()
        _show(f"post-dial delay at {STEADY} calls/s", f"p50 {_percent(delays, 50):.1f} ms, p95 {_percent(delays, 95):.1f} ms")
        good, delays = Sipp(folder, node.port, rate=OVERLOAD * peak, seconds=SECONDS, most=50_000).figures()
        refused = node.state()[0]["overload"]["refused"]
        _show(f"{OVERLOAD} times the peak: answered and ended", f"{good:8.0f} calls/s    {good / peak:5.2f} of the peak")
        _show("  until answered, and refused by 503", f"p95 {_percent(delays, 95):.1f} ms, {refused} calls")
        time.sleep(3)
        good, delays = Sipp(folder, node.port, rate=STEADY, seconds=5, most=5_000).figures()
        _show(f"afterwards at {STEADY} calls/s", f"{good:8.0f} calls/s, p95 {_percent(delays, 95):.1f} ms")
        node.end()
        _show("memory of a call that is up", f"{_memory(folder) / 1024:8.1f} KiB")


if __name__ == "__main__":
    main()
