"""A SIP endpoint of the load: calls, confirms, agrees to whatever comes, hangs up."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import socket
import time

from rostra.domain.media import CodecParameters

_AGAIN, _PATIENCE = 0.5, 32.0
SUITE = "AES_CM_128_HMAC_SHA1_80"


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One stream that is offered."""

    kind: str
    codec: CodecParameters
    port: int
    bandwidth: int = 0
    key: bytes = b""
    """Key and salt of SRTP by SDES; empty: without."""
    heeds: bool = False
    """Requests for another rate."""


@dataclasses.dataclass(frozen=True, slots=True)
class Agreed:
    """One stream as answered."""

    address: str
    port: int
    control: int
    key: bytes


def offer(own: str, streams: list[Wanted]) -> str:
    """The session description."""
    lines = ["v=0", f"o=load 1 1 IN IP4 {own}", "s=-", f"c=IN IP4 {own}", "t=0 0"]
    for one in streams:
        lines += section(one, "RTP/SAVP" if one.key else "RTP/AVP")
    return "\r\n".join(lines) + "\r\n"


def section(one: Wanted, profile: str) -> list[str]:
    """What a session description says of a stream."""
    codec = one.codec
    channels = f"/{codec.channels}" if codec.channels and codec.channels > 1 else ""
    lines = [f"m={one.kind} {one.port} {profile} {codec.payload_type}"]
    if one.bandwidth:
        lines += [f"b=AS:{one.bandwidth // 1000}", f"b=TIAS:{one.bandwidth}"]
    lines.append(f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}")
    if codec.parameters:
        members = ";".join(f"{name}={value}" for name, value in codec.parameters.items())
        lines.append(f"a=fmtp:{codec.payload_type} {members}")
    if one.kind == "video":
        lines += ["a=rtcp-fb:* nack pli", "a=rtcp-fb:* ccm fir"]
        lines += ["a=rtcp-fb:* ccm tmmbr"] if one.heeds else []
    if one.key:
        lines.append(f"a=crypto:1 {SUITE} inline:{base64.b64encode(one.key).decode()}")
    return [*lines, "a=sendrecv"]


def answered(body: str) -> list[Agreed]:
    """The streams of an answer."""
    session, *sections = re.split(r"^(?=m=)", body.replace("\r\n", "\n"), flags=re.MULTILINE)
    found = []
    for section in sections:
        port = int(section.split()[1])
        address = re.search(r"^c=IN IP4 (\S+)", section + session, re.MULTILINE)
        control = re.search(r"^a=rtcp:(\d+)", section, re.MULTILINE)
        key = re.search(r"^a=crypto:\d+ \S+ inline:([^\s|]+)", section, re.MULTILINE)
        if not port or address is None:
            raise RuntimeError(f"a stream was refused:\n{body}")
        key_salt = base64.b64decode(key[1] + "=" * (-len(key[1]) % 4)) if key else b""
        found.append(Agreed(address[1], port, int(control[1]) if control else port + 1, key_salt))
    return found


class Call:
    """One call over UDP."""

    def __init__(self, node: tuple[str, int], alias: str, name: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(node)
        self.own, port = self.socket.getsockname()
        self._name = name
        self._id = f"{name}-{os.urandom(4).hex()}"
        self._target = f"sip:{alias}@{node[0]}:{node[1]}"
        self._contact = f"<sip:{name}@{self.own}:{port}>"
        self._via = f"{self.own}:{port}"
        self._to = f"<{self._target}>"
        self._number = 1
        self._sent = self._acknowledgement = b""

    def invite(self, body: str) -> str:
        """The answer's session description."""
        self._send("INVITE", body)
        answer = self._final("INVITE")
        if not answer.startswith("SIP/2.0 200"):
            raise RuntimeError(f"the call was refused: {answer.splitlines()[0]}")
        self._to = next(line[3:].strip() for line in answer.split("\r\n") if line.lower().startswith("to:"))
        self._send("ACK")
        self._acknowledgement = self._sent
        return answer.partition("\r\n\r\n")[2]

    def readable(self) -> None:
        """Say yes to whatever the node asks."""
        try:
            text = self.socket.recv(65536).decode()
        except (BlockingIOError, ConnectionRefusedError):
            return
        if text.startswith("SIP/2.0 200") and " INVITE" in text:
            self.socket.send(self._acknowledgement)
        if text.startswith(("SIP/2.0", "ACK", "\r\n")):
            return
        kept = [
            line for line in text.partition("\r\n\r\n")[0].split("\r\n")[1:]
            if line.partition(":")[0].lower() in ("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq")
        ]  # fmt: skip
        self.socket.send("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode())

    def hang_up(self) -> None:
        self._number += 1
        self._send("BYE")
        self._final("BYE")
        self.socket.close()

    def _final(self, method: str) -> str:
        """The last answer to what was sent, which is sent again until there is any (RFC 3261 17.1)."""
        wait, end, heard = _AGAIN, time.monotonic() + _PATIENCE, False
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left if heard else min(wait, left))
            try:
                answer = self.socket.recv(65536).decode()
            except TimeoutError:
                self.socket.send(self._sent)
                wait *= 2
                continue
            if answer.startswith("SIP/2.0") and f" {method}" in answer:
                heard = True
                if not answer.startswith("SIP/2.0 1"):
                    return answer
        raise RuntimeError(f"{method} is not answered")

    def _send(self, method: str, body: str = "") -> None:
        lines = [
            f"{method} {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._via};branch=z9hG4bK{os.urandom(6).hex()};rport",
            "Max-Forwards: 70",
            f"From: {self._name} <sip:{self._name}@{self.own}>;tag={self._id}",
            f"To: {self._to}",
            f"Call-ID: {self._id}",
            f"CSeq: {self._number} {method}",
            f"Contact: {self._contact}",
            "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._sent = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
        self.socket.send(self._sent)
