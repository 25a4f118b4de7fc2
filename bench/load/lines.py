"""Ways of media: ports of RTP and RTCP as SIP endpoints have them, and one port for all as browsers have it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

from pylibsrtp import Error, Policy, Session

from bench.load import stun
from bench.load.dtls import Handshake

_TIMESTAMP = getattr(socket, "SO_TIMESTAMPNS", 35)
_ROOM = socket.CMSG_SPACE(16)
_TIME = struct.Struct("@ll")
Media = Callable[[int, bytes, float], None]
"""Which stream (RTP by the payload type), a packet of RTP, when it came (wall clock)."""
Control = Callable[[int, bytes], None]


def opened() -> socket.socket:
    """A port, whose packets bear the time the kernel had them."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
    made.setblocking(False)
    return made


def read(one: socket.socket) -> Iterator[tuple[bytes, float, tuple[str, int]]]:
    """What has come."""
    for _ in range(64):
        try:
            data, extra, _, sender = one.recvmsg(2048, _ROOM)
        except (BlockingIOError, ConnectionRefusedError):
            return
        seconds, nanoseconds = _TIME.unpack_from(extra[0][2])
        yield data, seconds + nanoseconds / 1e9, sender


def session(key: bytes, *, inbound: bool) -> Session:
    """SRTP with this key and salt, AES-CM and HMAC-SHA1-80."""
    kind = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
    return Session(Policy(key=key, ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80))


class Ports:
    """RTP and RTCP of one stream."""

    def __init__(self, own: str) -> None:
        while True:  # an even port and the one after it
            self.rtp, self.rtcp = opened(), opened()
            self.rtp.bind((own, 0))
            try:
                if self.rtp.getsockname()[1] % 2 == 0:
                    self.rtcp.bind((own, self.port + 1))
                    break
            except OSError:
                pass
            self.rtp.close()
            self.rtcp.close()
        self._out: Session | None = None
        self._in: Session | None = None
        self.broken = 0
        """Packets that could not be read."""

    @property
    def port(self) -> int:
        return self.rtp.getsockname()[1]

    def connect(self, address: str, port: int, control: int, keys: tuple[bytes, bytes] | None) -> None:
        self.rtp.connect((address, port))
        self.rtcp.connect((address, control))
        if keys:
            self._out, self._in = session(keys[0], inbound=False), session(keys[1], inbound=True)

    def send(self, packet: bytes) -> None:
        _send(self.rtp, self._out.protect(packet) if self._out else packet)

    def send_control(self, packet: bytes) -> None:
        _send(self.rtcp, self._out.protect_rtcp(packet) if self._out else packet)

    def received(self) -> Iterator[tuple[bytes, float]]:
        for data, when, _ in read(self.rtp):
            try:
                yield (self._in.unprotect(data) if self._in else data), when
            except Error:
                self.broken += 1

    def controlled(self) -> Iterator[bytes]:
        for data, _, _ in read(self.rtcp):
            try:
                yield self._in.unprotect_rtcp(data) if self._in else data
            except Error:
                self.broken += 1

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def _send(one: socket.socket, data: bytes) -> None:
    try:
        one.send(data)
    except (BlockingIOError, ConnectionRefusedError):
        return  # lost, as on any network


class Bundle:
    """One port for all streams of a call: ICE (we control), DTLS (we wait), SRTP."""

    def __init__(self, own: str, ufrag: str, password: str) -> None:
        self.socket = opened()
        self.socket.bind((own, 0))
        self.ready = threading.Event()
        self.broken = 0
        self._ufrag, self._password = ufrag, password
        self._theirs = ("", "")
        self._to: tuple[str, int] | None = None
        self._handshake = Handshake(self._raw)
        self._out: Session | None = None
        self._in: Session | None = None

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def connect(self, address: str, port: int, ufrag: str, password: str) -> None:
        self._theirs = (ufrag, password)
        self._to = (address, port)
        self.tick()

    def tick(self) -> None:
        """Check the way, and send again what is not answered; call it ten times a second until `ready`, then at
        least every few seconds (RFC 7675)."""
        if self._to:
            self._raw(stun.request(f"{self._theirs[0]}:{self._ufrag}", self._theirs[1]))
            self._handshake.tick()

    def _raw(self, data: bytes) -> None:
        if self._to:
            try:
                self.socket.sendto(data, self._to)
            except BlockingIOError:
                return

    def send(self, packet: bytes) -> None:
        if self._out:
            self._raw(self._out.protect(packet))

    def send_control(self, packet: bytes) -> None:
        if self._out:
            self._raw(self._out.protect_rtcp(packet))

    def received(self) -> Iterator[tuple[bytes, float, bool]]:
        """Packets of RTP and, marked, of RTCP."""
        for data, when, sender in read(self.socket):
            if data[0] < 4:
                if stun.kind(data) == stun.REQUEST:
                    self.socket.sendto(stun.response(data, sender, self._password), sender)
            elif data[0] < 64:
                self._handshake.take(data)
                if self._handshake.keys and self._out is None:
                    ours, theirs = self._handshake.keys
                    self._out, self._in = session(ours, inbound=False), session(theirs, inbound=True)
                    self.ready.set()
            elif self._in:
                control = 192 <= data[1] < 224
                try:
                    yield (self._in.unprotect_rtcp if control else self._in.unprotect)(data), when, control
                except Error:
                    self.broken += 1

    def close(self) -> None:
        self.socket.close()
