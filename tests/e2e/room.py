"""A room system with two video streams, by script: SIP, SDP and floor control written out, media by GStreamer."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket

from rostra.bfcp.message import Attribute, Kind, Message, Primitive, decode, encode
from rostra.media.engine import stage
from tests.media.endpoints import VP8, Screen

SLIDES = 0x2040D0
"""What it presents."""


class Room:
    """One call. Its camera is off; what is presented to it is on `slides`."""

    def __init__(self, alias: str, port: int) -> None:
        stage.load()
        self.alias = alias
        self._target = ("127.0.0.1", port)
        self._socket = _bound()
        self._floor = _bound()
        self._camera = [_bound(), _bound()]
        self.slides = Screen(VP8, SLIDES, (1280, 720))
        self._dialog = f"From: <sip:room@127.0.0.1>;tag={secrets.token_hex(4)}\r\nCall-ID: {secrets.token_hex(8)}\r\n"
        self._to = f"To: <sip:{alias}@127.0.0.1>\r\n"
        self._far_floor = ("127.0.0.1", 0)
        self._ids = (0, 0, 0)
        self._transaction = 1
        self.said: list[Message] = []
        """What the far end said of the floor, answers included."""
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- the call

    async def join(self) -> str:
        """Call; the answer's SDP. Media runs, and sends slides from now on."""
        self._send("INVITE", 1, self._offer())
        while True:
            response = await self._receive()
            if response.startswith("SIP/2.0 2"):
                break
            assert response.startswith("SIP/2.0 1"), response
        self._to = re.search(r"^To:.*\r\n", response, re.MULTILINE | re.IGNORECASE)[0]  # type: ignore[index]
        self._send("ACK", 1)
        answer = response.partition("\r\n\r\n")[2]
        sections = answer.split("\nm=")[1:]
        floor = next(s for s in sections if s.startswith("application"))
        slides = next(s for s in sections if "a=content:slides" in s)
        self._ids = tuple(int(re.search(rf"a={name}:(\d+)", floor)[1]) for name in ("confid", "userid", "floorid"))  # type: ignore[index,assignment]
        self._far_floor = ("127.0.0.1", int(floor.split()[1]))
        self.slides.play(int(slides.split()[1]))
        self._tasks.add(asyncio.create_task(self._read_floor()))
        return answer

    async def leave(self) -> None:
        self._send("BYE", 2)
        for task in self._tasks:
            task.cancel()
        self.slides.close()
        for endpoint in (self._socket, self._floor, *self._camera):
            endpoint.close()

    def _offer(self) -> str:
        camera, floor = self._camera[0].getsockname()[1], self._floor.getsockname()[1]
        video = "a=rtpmap:98 VP8/90000\r\na=rtcp-fb:98 nack pli\r\n"
        return (
            "v=0\r\no=room 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self._camera[1].getsockname()[1]} RTP/AVP 8\r\n"
            f"m=video {camera} RTP/AVPF 98\r\n{video}a=content:main\r\na=label:11\r\n"
            f"m=application {floor} UDP/BFCP *\r\na=floorctrl:c-only\r\na=confid:1\r\na=userid:1\r\n"
            "a=floorid:1 mstrm:12\r\na=setup:actpass\r\na=connection:new\r\n"
            f"m=video {self.slides._port} RTP/AVPF 98\r\n{video}a=rtcp:{self.slides._control}\r\n"
            "a=content:slides\r\na=label:12\r\na=sendrecv\r\n"
        )

    def _send(self, method: str, number: int, body: str = "") -> None:
        port = self._socket.getsockname()[1]
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{method} sip:{self.alias}@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{secrets.token_hex(6)};rport\r\nMax-Forwards: 70\r\n"
            f"{self._dialog}{self._to}CSeq: {number} {method}\r\nContact: <sip:room@127.0.0.1:{port}>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self._socket.sendto(text.encode(), self._target)

    async def _receive(self) -> str:
        data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 65536), 10)
        return data.decode()

    # ---- the floor

    def ask(self, primitive: Primitive, *attributes: Attribute) -> int:
        """Say something of the floor; its transaction."""
        conference, user, _ = self._ids
        self._transaction += 1
        message = Message(primitive, conference, self._transaction, user, attributes, 2)
        self._floor.sendto(encode(message), self._far_floor)
        return self._transaction

    @property
    def floor(self) -> Attribute:
        return Attribute(Kind.FLOOR_ID, self._ids[2])

    async def _read_floor(self) -> None:
        loop = asyncio.get_running_loop()
        acks = {
            Primitive.FLOOR_STATUS: Primitive.FLOOR_STATUS_ACK,
            Primitive.FLOOR_REQUEST_STATUS: Primitive.FLOOR_REQUEST_STATUS_ACK,
        }
        while True:
            message = decode(await loop.sock_recv(self._floor, 65536))
            assert isinstance(message, Message)
            self.said.append(message)
            if not message.response:
                ack = acks[Primitive(message.primitive)]
                answer = Message(ack, message.conference, message.transaction, message.user, (), 2, True)
                self._floor.sendto(encode(answer), self._far_floor)


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made
