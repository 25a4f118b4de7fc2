"""What a call costs here: `python -m rostra.media.selfcheck` prints Costs as JSON.

The media engine serves a small conference of far ends that send a recorded picture and voice over RTP and take what
comes back, as in a call. Counted is the processor time of this process without that of the thread which plays the far
ends. Pictures that came too late are accounted for, so that a busy machine does not look like a fast one.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from typing import TypeVar

import msgspec

from rostra.domain.casting import Performer, arrange
from rostra.domain.drawing import Around, draw
from rostra.domain.layouts import DEFAULT
from rostra.domain.look import Style
from rostra.domain.media import CodecParameters, MediaDescription, MediaKind, MediaStream
from rostra.environment import Environment
from rostra.media import codecs
from rostra.media import messages as m
from rostra.media.codecs import CodecRow
from rostra.media.engine import branches
from rostra.media.engine.engine import Engine
from rostra.media.engine.gst import Gst
from rostra.media.engine.rungs import LADDER, Rung
from rostra.media.selfcheck import TIMEOUT, Costs
from rostra.media.selfcheck.farends import FarEnds, Track, record

HERE = "127.0.0.1"
WARMING = 0.3
"""Seconds from everybody's first media to the measurement."""
STARTING = 5.0
"""Seconds until then at most."""
SECONDS = 0.8
"""Of each measurement."""
VIDEO_LEGS, AUDIO_LEGS = 4, 12
FRAME_RATE, PACKET_RATE = 30, 50
SD = next(rung for rung in LADDER if rung.height < LADDER[0].height)


Reply = TypeVar("Reply", m.Done, m.RtpPorts)


class NoCall(Exception):
    """The engine refuses, or nothing comes back in time."""


def _row(kind: MediaKind) -> CodecRow:
    """The codec we prefer."""
    return next(row for row in codecs.ROWS if row.kind is kind)


def picture(rung: Rung) -> Track:
    """A moving picture in one second."""
    row = _row(MediaKind.VIDEO)
    encoder = row.encoder.format(bitrate=rung.bitrate, kilobits=rung.bitrate // 1000, mtu=branches.PAYLOAD)
    payloader = row.payloader.format(payload_type=row.payload_type, mtu=branches.PACKET)
    launch = (
        f"videotestsrc num-buffers={FRAME_RATE} horizontal-speed=4 ! video/x-raw,format=I420,width={rung.width},"
        f"height={rung.height},framerate={FRAME_RATE}/1 ! {encoder} ! {row.encoded or 'identity'} ! {payloader}"
    )
    return Track(record(launch, marked=True), 1 / FRAME_RATE, row.clock_rate, row.payload_type, marked=True)


def voice() -> Track:
    """Some noise in one second."""
    row = _row(MediaKind.AUDIO)
    payloader = row.payloader.format(payload_type=row.payload_type, mtu=branches.PACKET)
    launch = (
        f"audiotestsrc wave=pink-noise volume=0.1 samplesperbuffer={row.sample_rate // PACKET_RATE} "
        f"num-buffers={PACKET_RATE} ! audio/x-raw,rate={row.sample_rate},channels=1 ! "
        f"{row.encoder.format(bitrate=0, kilobits=0, mtu=branches.PAYLOAD)} ! {payloader}"
    )
    return Track(record(launch, marked=False), 1 / PACKET_RATE, row.clock_rate, row.payload_type, marked=False)


def describe(kinds: tuple[MediaKind, ...], ports: tuple[int, ...], bandwidth: int | None = None) -> MediaDescription:
    """One codec for each kind, on these ports of this machine."""
    streams: list[MediaStream] = []
    for kind, port in zip(kinds, ports, strict=True):
        row = _row(kind)
        codec = CodecParameters(
            name=row.name,
            payload_type=row.payload_type,
            clock_rate=row.clock_rate,
            channels=row.channels,
            parameters=row.offers[0],
        )
        limit = bandwidth if kind is MediaKind.VIDEO else None
        streams.append(MediaStream(kind=kind, address=HERE, port=port, codecs=(codec,), bandwidth=limit))
    return MediaDescription(address=HERE, streams=tuple(streams))


async def cost(tracks: dict[MediaKind, Track], legs: int, bandwidth: int | None = None) -> float:
    """Cores that a call with these tracks takes. Raises NoCall."""
    engine = Engine(Environment(media_address=HERE), lambda _: None)
    kinds = tuple(tracks)
    names = [f"leg{number}" for number in range(legs)]
    with FarEnds(legs, list(tracks.values())) as ends:
        try:
            await _compose(engine, names)
            for number, leg in enumerate(names):
                reserved = await _ask(engine, m.ReserveRtp(leg=leg, kinds=kinds), m.RtpPorts)
                local = describe(kinds, reserved.ports)
                remote = describe(kinds, ends.ports(number), bandwidth)
                await _ask(engine, m.ConnectRtp(leg=leg, local=local, remote=remote), m.Done)
                await _ask(engine, m.Start(leg=leg), m.Done)
                ends.send_to(number, reserved.ports)
            return await _watch(ends) / legs
        finally:
            await engine.close()


async def _compose(engine: Engine, names: list[str]) -> None:
    """Everybody sees everybody else."""
    performers = [Performer(participant=leg, source=leg) for leg in names]
    style = Style(layout=DEFAULT)
    views = {leg: draw(arrange(performers, leg, style), style, Around()) for leg in names}
    await _ask(engine, m.Compose(views=views, watching={leg: leg for leg in names}), m.Done)


async def _ask(engine: Engine, request: m.Request, expected: type[Reply]) -> Reply:
    reply = await engine.handle(request)
    if not isinstance(reply, expected):
        raise NoCall(f"{type(request).__name__}: {reply}")
    return reply


async def _watch(ends: FarEnds) -> float:
    """Cores of the engine at work, as if nothing had come too late."""
    deadline = time.monotonic() + STARTING
    while not ends.all_served:
        if time.monotonic() > deadline:
            raise NoCall("the engine sends nothing")
        await asyncio.sleep(0.02)
    await asyncio.sleep(WARMING)
    began, used, done = time.monotonic(), time.process_time() - ends.processor, ends.received
    await asyncio.sleep(SECONDS)
    took, used, done = time.monotonic() - began, time.process_time() - ends.processor - used, ends.received - done
    if not done:
        raise NoCall("the engine sends nothing any more")
    return used / took / min(1.0, done / (ends.expected * took))


async def main() -> None:
    Gst.init(None)
    speech = voice()
    hd = await cost({MediaKind.AUDIO: speech, MediaKind.VIDEO: picture(LADDER[0])}, VIDEO_LEGS)
    sd = await cost({MediaKind.AUDIO: speech, MediaKind.VIDEO: picture(SD)}, VIDEO_LEGS, SD.bitrate)
    audio = await cost({MediaKind.AUDIO: speech}, AUDIO_LEGS)
    sys.stdout.buffer.write(msgspec.json.encode(Costs(hd=hd, sd=sd, audio=audio)) + b"\n")


if __name__ == "__main__":
    signal.alarm(int(TIMEOUT))  # whoever started us may be gone
    asyncio.run(main())
