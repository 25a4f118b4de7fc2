"""A SIP endpoint of the load that is called: the far end of a gateway call."""

from __future__ import annotations

import os
import re
import socket

import msgspec

from bench.load import sip
from bench.load.legs import Equipment, Leg
from bench.load.lines import Ports
from bench.load.receiving import Receiver
from bench.load.traffic import Traffic
from rostra.domain.media import CodecParameters


def offered(section: str, codec: CodecParameters) -> CodecParameters:
    """The codec as a section of an offer numbers it. Raises RuntimeError when it is not there."""
    pattern = rf"^a=rtpmap:(\d+) {codec.name}/{codec.clock_rate}"
    numbers = re.findall(pattern, section, re.IGNORECASE | re.MULTILINE)
    numbers += [str(codec.payload_type)] if codec.payload_type < 96 else []
    for number in numbers:
        stated = re.search(rf"^a=fmtp:{number} (.*)$", section, re.MULTILINE)
        if all(f"{name}={value}" in (stated[1] if stated else "") for name, value in codec.parameters.items()):
            return msgspec.structs.replace(codec, payload_type=int(number))
    raise RuntimeError(f"{codec.name} is not offered:\n{section}")


class CalledLeg(Leg):
    """Waits at a port for one call and takes it."""

    def __init__(self, traffic: Traffic, equipment: Equipment, own: str) -> None:
        super().__init__(traffic, equipment)
        self.own = own
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((own, 0))
        self.socket.setblocking(False)
        self._ports = [Ports(own) for _ in self.codecs]
        self._tag = os.urandom(4).hex()
        self._answer = ""
        traffic.listen(self.socket, self._readable)

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def _readable(self) -> None:
        try:
            data, sender = self.socket.recvfrom(65536)
        except BlockingIOError:
            return
        text = data.decode()
        method = text.split(" ", 1)[0]
        if method in ("ACK", "SIP/2.0") or not text.strip():
            return
        head, _, body = text.partition("\r\n\r\n")
        if method == "INVITE" and not self._answer:
            self._take(body)
        names = ("via", "v", "from", "f", "call-id", "i", "cseq", "record-route")
        kept = [line for line in head.split("\r\n")[1:] if line.partition(":")[0].lower() in names]
        to = next(line for line in head.split("\r\n") if line.lower().startswith(("to:", "t:")))
        kept.append(to if ";tag=" in to else f"{to};tag={self._tag}")
        answer = self._answer if method == "INVITE" else ""
        more = ["Content-Type: application/sdp"] if answer else []
        lines = [
            "SIP/2.0 200 OK", *kept, f"Contact: <sip:load@{self.own}:{self.port}>", *more,
            f"Content-Length: {len(answer)}", "", answer,
        ]  # fmt: skip
        self.socket.sendto("\r\n".join(lines).encode(), sender)

    def _take(self, body: str) -> None:
        """Answer with our codecs, refuse other streams, and begin."""
        session, *sections = re.split(r"^(?=m=)", body.replace("\r\n", "\n"), flags=re.MULTILINE)
        lines = ["v=0", f"o=load 1 1 IN IP4 {self.own}", "s=-", f"c=IN IP4 {self.own}", "t=0 0"]
        for number, section in enumerate(sections):
            kind, _, profile, *_ = section.splitlines()[0].removeprefix("m=").split()
            if number >= len(self.codecs):
                lines.append(f"m={kind} 0 {profile} 0")
                continue
            codec = self.codecs[number] = offered(section, self.codecs[number])
            (far,) = sip.answered(session + section)
            ports = self._ports[number]
            ports.connect(far.address, far.port, far.control, None)
            self.receivers[number] = Receiver(codec, recorded=self.equipment.recorded)
            self._stream(number, ports.send, ports.send_control)
            bandwidth = self.equipment.bandwidth if kind == "video" else 0
            wanted = sip.Wanted(kind, codec, ports.port, bandwidth)
            lines += sip.section(wanted, profile)
        self._answer = "\r\n".join(lines) + "\r\n"
        for number, ports in enumerate(self._ports):
            self._listen(number, ports)
        for stream in self.streams:
            self._traffic.play(stream)

    @property
    def broken(self) -> int:
        return sum(ports.broken for ports in self._ports)

    def hang_up(self) -> None:
        """The caller does."""
        self._traffic.forget_socket(self.socket)
        self.socket.close()
