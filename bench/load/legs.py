"""Calls of the load: SIP with RTP or SRTP, and WebRTC, each with a voice and maybe a picture."""

from __future__ import annotations

import dataclasses
import os
import secrets
import time
from collections.abc import Callable

from bench.load import browsers, footage, sip
from bench.load.footage import Track, Voice
from bench.load.lines import Bundle, Ports
from bench.load.receiving import Receiver
from bench.load.sending import PictureSender, VoiceSender
from bench.load.traffic import Stream, Traffic

JOINED = 10.0
"""Seconds in which the way of a WebRTC leg has to be found."""


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """Where calls go."""

    address: str
    sip_port: int
    web: str
    alias: str


@dataclasses.dataclass(frozen=True, slots=True)
class Equipment:
    """What an endpoint has."""

    number: int
    voice: Voice
    pictures: tuple[Track, ...]
    """What it sends: the same footage, best first; empty: sound only. Of more than one, what is asked for."""
    speaks: Callable[[float], bool]
    recorded: bool
    bandwidth: int = footage.BITRATE
    protocol: str = "sip"
    """`sip`, `srtp` or `webrtc`."""
    pin: str = ""


class Leg:
    """One call."""

    def __init__(self, traffic: Traffic, equipment: Equipment) -> None:
        self.equipment = equipment
        self._traffic = traffic
        codecs = [equipment.voice.speech.codec]
        if equipment.pictures:
            codecs.append(equipment.pictures[0].codec)
        self.codecs = codecs
        self.receivers = [Receiver(codec, recorded=equipment.recorded) for codec in codecs]
        self.streams: list[Stream] = []

    @property
    def voice(self) -> Stream:
        return self.streams[0]

    @property
    def picture(self) -> Stream | None:
        return self.streams[1] if len(self.streams) > 1 else None

    @property
    def broken(self) -> int:
        """Packets that could not be decrypted."""
        raise NotImplementedError

    def hang_up(self) -> None:
        raise NotImplementedError

    def _sender(self, number: int, send: Callable[[bytes], None]) -> PictureSender | VoiceSender:
        own = self.equipment
        source = 0x10000 + own.number * 2 + number
        payload_type = self.codecs[number].payload_type
        if number and own.pictures:
            return PictureSender(own.pictures, source, own.number * 29, send, payload_type)
        return VoiceSender(own.voice, source, own.speaks, send, payload_type)

    def _stream(self, number: int, send: Callable[[bytes], None], send_control: Callable[[bytes], None]) -> None:
        self.streams.append(Stream(self._sender(number, send), self.receivers[number], send_control))

    def _listen(self, number: int, ports: Ports) -> None:
        receiver, stream = self.receivers[number], self.streams[number]

        def media() -> None:
            for data, when in ports.received():
                receiver.take(data, when)

        def control() -> None:
            for packet in ports.controlled():
                stream.controlled(packet)

        self._traffic.listen(ports.rtp, media)
        self._traffic.listen(ports.rtcp, control)


class SipLeg(Leg):
    """By SIP, each stream on ports of its own."""

    def __init__(self, traffic: Traffic, equipment: Equipment, node: Node) -> None:
        super().__init__(traffic, equipment)
        self._call = sip.Call((node.address, node.sip_port), node.alias, f"load{equipment.number}")
        self._ports = [Ports(self._call.own) for _ in self.codecs]
        keys = [secrets.token_bytes(30) if equipment.protocol == "srtp" else b"" for _ in self.codecs]
        wanted = [
            sip.Wanted("audio" if codec.clock_rate != 90000 else "video", codec, ports.port,
                       equipment.bandwidth if codec.clock_rate == 90000 else 0, key, len(equipment.pictures) > 1)
            for codec, ports, key in zip(self.codecs, self._ports, keys, strict=True)
        ]  # fmt: skip
        agreed = sip.answered(self._call.invite(sip.offer(self._call.own, wanted)))
        for number, (ports, one, key) in enumerate(zip(self._ports, agreed, keys, strict=True)):
            ports.connect(one.address, one.port, one.control, (key, one.key) if key else None)
            self._stream(number, ports.send, ports.send_control)
            self._listen(number, ports)
        self._call.socket.setblocking(False)
        traffic.listen(self._call.socket, self._call.readable)
        for stream in self.streams:
            traffic.play(stream)

    @property
    def broken(self) -> int:
        return sum(ports.broken for ports in self._ports)

    def hang_up(self) -> None:
        self._traffic.forget_socket(self._call.socket)
        self._call.hang_up()


class WebRtcLeg(Leg):
    """By the client API, everything on one port."""

    def __init__(self, traffic: Traffic, equipment: Equipment, node: Node) -> None:
        super().__init__(traffic, equipment)
        ufrag, password = os.urandom(4).hex(), os.urandom(16).hex()
        self._bundle = Bundle(node.address, ufrag, password)
        self._participant = browsers.Participant(node.web, node.alias, f"Load {equipment.number}", equipment.pin)
        for number in range(len(self.codecs)):
            self._stream(number, self._bundle.send, self._bundle.send_control)
        offer = browsers.offer(node.address, self._bundle.port, ufrag, password, self.codecs, equipment.bandwidth)
        way = browsers.answered(self._participant.call(offer))
        traffic.listen(self._bundle.socket, self._read)
        self._bundle.connect(*way)
        self._last = 0.0
        traffic.every(0.1, self._tick)
        self._participant.acknowledge()
        if not self._bundle.ready.wait(JOINED):
            raise RuntimeError("no way was found, or no keys were agreed")
        for stream in self.streams:
            traffic.play(stream)

    def _tick(self) -> bool:
        now = time.monotonic()
        if not self._bundle.ready.is_set() or now - self._last > 5:
            self._bundle.tick()
            self._last = now
        return self._bundle.socket.fileno() >= 0

    def _read(self) -> None:
        for data, when, control in self._bundle.received():
            if control:
                self._control(data)
            else:
                payload_type = data[1] & 0x7F
                for receiver in self.receivers:
                    if receiver.codec.payload_type == payload_type:
                        receiver.take(data, when)

    def _control(self, packet: bytes) -> None:
        """Feedback names the stream it is about; a sender report is about the one that its source sends."""
        for stream in self.streams:
            about = stream.sender.source.to_bytes(4)
            theirs = stream.receiver.source.to_bytes(4)
            if about in packet or packet[4:8] == theirs:
                stream.controlled(packet)

    @property
    def broken(self) -> int:
        return self._bundle.broken

    def hang_up(self) -> None:
        self._traffic.forget_socket(self._bundle.socket)
        self._participant.leave()
        self._bundle.close()
