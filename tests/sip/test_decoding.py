"""tshark reads what we send: every message decodes, without marks of malformed or dubious content."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from rostra.sip.flow import Flow
from rostra.sip.info import KEYFRAME
from tests.sip.by_hand import request
from tests.sip.conftest import Running
from tests.sip.pair import answered, call, ended, serving
from tests.sip.test_wire import SDP, Peer

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

RAW_IP = 101
WARNING = 0x600000
"""Least severity that tshark's experts give to what is wrong."""


class Capture:
    """What goes over the UDP port of a service, as a capture file."""

    def __init__(self, running: Running) -> None:
        self.packets: list[bytes] = []
        engine = running.service._engine
        receive, transmit = engine.receive, engine.transmit

        def received(data: bytes, flow: Flow, now: float) -> None:
            self._add(flow.remote, flow.local, data)
            receive(data, flow, now)

        def sent(flow: Flow, data: bytes) -> None:
            self._add(flow.local, flow.remote, data)
            transmit(flow, data)

        engine.receive = received  # type: ignore[method-assign]
        engine.transmit = sent  # type: ignore[method-assign]
        engine._transactions.send = sent

    def _add(self, source: tuple[str, int], target: tuple[str, int], data: bytes) -> None:
        udp = struct.pack("!HHHH", source[1], target[1], 8 + len(data), 0) + data
        addresses = b"".join(ipaddress.IPv4Address(one[0]).packed for one in (source, target))
        self.packets.append(struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp)

    def write(self, file: Path) -> None:
        head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP)
        framed = (struct.pack("<IIII", n, 0, len(one), len(one)) + one for n, one in enumerate(self.packets))
        file.write_bytes(head + b"".join(framed))


async def decoded(file: Path, *ports: int) -> Iterator[list[str]]:
    """For each packet: protocols, what it is, whether it is malformed, worst severity, and what the expert says."""
    fields = ["frame.protocols", "sip.Request-Line", "sip.Status-Line", "_ws.malformed", "_ws.expert.severity"]
    fields += ["_ws.expert.message"]
    words = ["-r", str(file), "-T", "fields", *(word for field in fields for word in ("-e", field))]
    words += [word for port in ports for word in ("-d", f"udp.port=={port},sip")]
    process = await asyncio.create_subprocess_exec(
        "tshark", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaint.decode()
    return (line.split("\t") for line in out.decode().splitlines())


async def test_dialogs_decode_without_a_mark(running: Running, tmp_path: Path) -> None:
    capture = Capture(running)
    async with serving(running.service.environment) as far:
        far.switchboard.aliases.add("other")
        session = call(running, f"sip:meet.demo@127.0.0.1:{far.port};transport=udp", source_name='Ada "the" Löwe')
        await answered(running, session)
        theirs = far.switchboard.sessions[0]
        for held, direction in ((True, "recvonly"), (False, "sendrecv")):
            assert session.on_hold is not None
            session.on_hold(held)
            await running.until(lambda wanted=direction: theirs.local.streams[0].direction == wanted)  # type: ignore
        running.service.inform(next(iter(running.service._agents)), *KEYFRAME)
        await running.until(lambda: theirs.did("keyframe"))
        assert session.listener.refer(f"sip:other@127.0.0.2:{far.port}", None)
        await running.until(lambda: session.left and theirs.left)
        assert theirs.conference.sent == [("somebody", "other", None)]
        refused = call(running, f"sip:nobody@127.0.0.1:{far.port};transport=udp")
        await running.until(lambda: refused.left)
        again = call(running, f"sip:meet.demo@127.0.0.1:{far.port};transport=udp")
        await answered(running, again)
        await ended(running, again)
        await by_hand(running)
        ports = (running.port, far.port)
    capture.write(tmp_path / "dialogs.pcap")
    found = list(await decoded(tmp_path / "dialogs.pcap", *ports))
    assert len(found) == len(capture.packets) > 40
    for protocols, asked, said, malformed, severities, remarks in found:
        what = f"{asked}{said}: {remarks}"
        assert "sip" in protocols.split(":"), what
        assert malformed == "", what
        assert all(int(severity, 0) < WARNING for severity in severities.split(",") if severity), what
    methods = {asked.split(" ")[0] for _, asked, *_ in found} - {""}
    assert methods >= {"INVITE", "ACK", "BYE", "INFO", "REFER", "NOTIFY", "PRACK", "OPTIONS"}
    assert any("sdp" in protocols for protocols, *_ in found)


async def by_hand(running: Running) -> None:
    """Answers to what a service of ours does not ask."""
    peer = Peer(running.port)
    peer.send(request("OPTIONS", cseq=9, extra="Accept: application/sdp\r\n"))
    assert await peer.reply("9 OPTIONS") == "SIP/2.0 200 OK"
    invite = request("INVITE", body=SDP, extra="Require: 100rel\r\nSupported: timer\r\n").replace(
        b"bob@", b"meet.demo@"
    )
    peer.send(invite)
    assert await peer.reply("1 INVITE") == "SIP/2.0 200 OK"
    peer.send(request("ACK", to_tag=peer.tag, branch="ack"))
    peer.send(request("PRACK", cseq=2, to_tag=peer.tag, extra="RAck: 1 1 INVITE\r\n"))
    assert await peer.reply("2 PRACK") == "SIP/2.0 481 Call/Transaction Does Not Exist"
    peer.send(request("UPDATE", cseq=3, to_tag=peer.tag, extra="Session-Expires: 20\r\nSupported: timer\r\n"))
    assert await peer.reply("3 UPDATE") == "SIP/2.0 422 Session Interval Too Small"
    peer.send(request("BYE", cseq=4, to_tag=peer.tag))
    assert await peer.reply("4 BYE") == "SIP/2.0 200 OK"
    peer.socket.close()
