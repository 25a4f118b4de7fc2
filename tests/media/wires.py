"""A far end that is nothing but two sockets: it sees and sends packets as they are."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

from rostra.domain.media import CodecParameters, Direction, MediaDescription, MediaKind, MediaStream
from rostra.media.client import Worker

PICTURES, FEEDBACK = 206, 205
"""Packet types of RTCP feedback about pictures, and about transport (RFC 4585 6.1)."""


class Socketed:
    """One stream; RTP and RTCP on ports of their own."""

    def __init__(self, codec: CodecParameters, source: int = 0x5EED) -> None:
        self.codec = codec
        self.source = source
        self.rtp, self.rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (self.rtp, self.rtcp):
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        self.port = 0
        """Of the leg."""

    async def join(self, worker: Worker, leg: str, kind: MediaKind = MediaKind.VIDEO, profile: str = "RTP/AVP") -> None:
        self.port = (await worker.reserve_rtp(leg, (kind,)))[1][0]
        await worker.connect_rtp(leg, self.side(kind, profile, self.port), self.side(kind, profile, 0))
        await worker.start(leg)

    def side(self, kind: MediaKind, profile: str, port: int) -> MediaDescription:
        rtcp = port + 1 if port else self.rtcp.getsockname()[1]
        stream = MediaStream(
            kind=kind, address="127.0.0.1", port=port or self.rtp.getsockname()[1], rtcp_port=rtcp,
            codecs=(self.codec,), profile=profile, direction=Direction.SENDRECV,
        )  # fmt: skip
        return MediaDescription(address="127.0.0.1", streams=(stream,))

    async def media(self) -> bytes:
        """The next packet of RTP."""
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.rtp, 2000), 10)

    async def control(self) -> list[tuple[int, int, bytes]]:
        """The next compound packet: type, form (or count) and what follows the header of each part."""
        return list(parts(await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.rtcp, 2000), 10)))

    async def feedback(self, kind: int, form: int) -> bytes:
        """The next feedback of this kind: senders and control information."""
        async with asyncio.timeout(15):
            while True:
                found = [body for packet, count, body in await self.control() if (packet, count) == (kind, form)]
                if found:
                    return found[0]

    def send(self, number: int, payload: bytes, timestamp: int, *, marker: bool = False) -> None:
        """A packet of RTP."""
        header = struct.pack(
            "!BBHII", 0x80, self.codec.payload_type | marker << 7, number & 0xFFFF, timestamp, self.source
        )
        self.rtp.sendto(header + payload, ("127.0.0.1", self.port))

    def tell(self, packet: bytes) -> None:
        """A compound packet of RTCP."""
        self.rtcp.sendto(packet, ("127.0.0.1", self.port + 1))

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


def parts(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    while len(packet) >= 4:
        first, kind, words = struct.unpack("!BBH", packet[:4])
        yield kind, first & 0x1F, packet[4 : 4 + 4 * words]
        packet = packet[4 + 4 * words :]
