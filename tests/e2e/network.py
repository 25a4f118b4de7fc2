"""A telephone network made by hand: it sends a tone before it answers (early media), which baresip 1.0 does not."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time

import numpy

from rostra.sip.message import Request, parse_message

_PACKET = 160
"""Samples of 20 ms at 8 kHz."""
_RATE = 8000


class CalledNetwork:
    """Takes one call after the other; used as a context. What it hears is kept for a second."""

    def __init__(self, tone: int) -> None:
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for one in (self._sip, self._media):
            one.bind(("127.0.0.1", 0))
        self.port = self._sip.getsockname()[1]
        times = numpy.arange(_RATE) / _RATE
        self._tone = _encoded(numpy.sin(2 * numpy.pi * tone * times) * 12000)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._hear, self._speak)]
        self._running = True
        self._caller: tuple[str, int] | None = None
        self._invite: tuple[Request, bytes, tuple[str, int]] | None = None
        self._heard: list[bytes] = []
        self.rings = 0
        """Calls that have come."""
        self.packets = 0
        """Heard in the present call."""
        self.ended = 0

    def __enter__(self) -> CalledNetwork:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        for one in (self._sip, self._media):
            with contextlib.suppress(OSError):
                one.sendto(b"", one.getsockname())
        for thread in self._threads:
            thread.join(5)
        for one in (self._sip, self._media):
            one.close()

    def accept(self) -> None:
        assert self._invite is not None
        self._respond(self._invite, "200 OK")

    def hear(self, frequency: int) -> float:
        """Level in dB of a tone in the last second."""
        last = _decoded(b"".join(self._heard[-50:]))
        if len(last) < _RATE // 2:
            return -200.0
        spectrum = numpy.abs(numpy.fft.rfft(last * numpy.hanning(len(last)))) * 4 / len(last)
        centre = round(frequency * len(last) / _RATE)
        return 20 * float(numpy.log10(max(float(spectrum[max(0, centre - 4) : centre + 5].max()), 1e-10)))

    # ---- inside

    def _listen(self) -> None:
        while self._running:
            data, where = self._sip.recvfrom(65536)
            message = parse_message(data) if data else None
            if not isinstance(message, Request) or message.method == "ACK":
                continue
            if message.method != "INVITE":
                self._respond((message, data, where), "200 OK")
                if message.method == "BYE":
                    self._caller = None
                    self.ended += 1
            elif self._invite is None or self._invite[0].headers.get("Call-ID") != message.headers.get("Call-ID"):
                self._take(message)
                self._invite = message, data, where
                self._respond(self._invite, "183 Session Progress")
                self.rings += 1
            else:  # its media moves
                self._take(message)
                self._respond((message, data, where), "200 OK")

    def _take(self, message: Request) -> None:
        sdp = message.body.decode()
        address, port = re.search(r"c=IN IP4 (\S+)", sdp), re.search(r"m=audio (\d+)", sdp)
        assert address
        assert port
        self._heard, self.packets = [], 0
        self._caller = address[1], int(port[1])

    def _respond(self, asked: tuple[Request, bytes, tuple[str, int]], status: str) -> None:
        request, data, where = asked
        lines = data.split(b"\r\n\r\n")[0].decode().split("\r\n")
        kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        if not request.to.tag:
            kept = [f"{line};tag=network" if line.startswith("To:") else line for line in kept]
        sections = re.findall(r"m=(\w+) \d+ (\S+)", request.body.decode()) if request.method == "INVITE" else []
        body = "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" if sections else ""
        for number, (kind, profile) in enumerate(sections):
            port = 0 if number else self._media.getsockname()[1]
            body += f"m={kind} {port} {profile} 0\r\n"
        described = ["Content-Type: application/sdp"] if body else []
        contact = f"Contact: <sip:network@127.0.0.1:{self.port}>"
        head = [f"SIP/2.0 {status}", *kept, contact, *described, f"Content-Length: {len(body)}"]
        self._sip.sendto(("\r\n".join(head) + "\r\n\r\n" + body).encode(), where)

    def _hear(self) -> None:
        while self._running:
            packet = self._media.recv(2048)
            if len(packet) > 12 and packet[1] & 0x7F == 0:
                self.packets += 1
                self._heard = [*self._heard[-60:], packet[12:]]

    def _speak(self) -> None:
        number, began = 0, time.monotonic()
        while self._running:
            time.sleep(max(0.0, began + number * 0.02 - time.monotonic()))
            number += 1
            if (caller := self._caller) is None:
                continue
            at = number * _PACKET % _RATE
            head = b"\x80\x00" + (number & 0xFFFF).to_bytes(2) + (number * _PACKET & 0xFFFFFFFF).to_bytes(4) + b"tone"
            self._media.sendto(head + self._tone[at : at + _PACKET], caller)


def _encoded(samples: numpy.ndarray) -> bytes:
    """G.711 mu-law."""
    magnitude = numpy.minimum(numpy.abs(samples).astype(int), 32635) + 132
    exponent = numpy.floor(numpy.log2(magnitude)).astype(int) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = numpy.where(samples < 0, 0x80, 0)
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(numpy.uint8))


def _decoded(data: bytes) -> numpy.ndarray:
    """Between -1 and 1."""
    code = ~numpy.frombuffer(data, numpy.uint8).astype(int) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 132 << ((code >> 4) & 7)) - 132
    return numpy.where(code & 0x80, -magnitude, magnitude) / 32768
