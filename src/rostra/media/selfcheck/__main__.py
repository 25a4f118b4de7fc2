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
from typing import NamedTuple, TypeVar

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
from rostra.media.codecs.h264 import BEST_LEVEL
from rostra.media.engine import branches
from rostra.media.engine.engine import Engine
from rostra.media.engine.gst import Gst
from rostra.media.engine.rungs import FULL_HD, LADDER, Rung
from rostra.media.selfcheck import TIMEOUT, Costs
from rostra.media.selfcheck.crowding import waited
from rostra.media.selfcheck.farends import FarEnds, Track, record

HERE = "127.0.0.1"
WARMING = 0.3
"""Seconds from everybody's first media to the measurement."""
STARTING = 5.0
"""Seconds until then at most."""
SECONDS = 0.8
"""Of each measurement."""
VIDEO_LEGS, LARGE_LEGS, AUDIO_LEGS = 4, 3, 24
"""Of HD and SD, of Full HD, without pictures. With three nobody's whole picture is somebody else's."""
SPEAKERS = 3
"""Who talks at a time where there is nothing but sound; the others have a quiet room."""
FRAME_RATE, PACKET_RATE = 30, 50
LARGE = {"profile-level-id": f"6400{BEST_LEVEL:02x}"}
"""Level 4.0: 1080p30."""
SD = next(rung for rung in LADDER if rung.height < LADDER[0].height)


Reply = TypeVar("Reply", m.Done, m.RtpPorts)


class Cost(NamedTuple):
    """What a call takes."""

    cores: float
    waited: float
    """Seconds without a processor for each second of work."""


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


def voice(volume: float = 0.1) -> Track:
    """Some noise in one second."""
    row = _row(MediaKind.AUDIO)
    payloader = row.payloader.format(payload_type=row.payload_type, mtu=branches.PACKET)
    launch = (
        f"audiotestsrc wave=pink-noise volume={volume} samplesperbuffer={row.sample_rate // PACKET_RATE} "
        f"num-buffers={PACKET_RATE} ! audio/x-raw,rate={row.sample_rate},channels=1 ! "
        f"{row.encoder.format(bitrate=0, kilobits=0, mtu=branches.PAYLOAD)} ! {payloader}"
    )
    return Track(record(launch, marked=False), 1 / PACKET_RATE, row.clock_rate, row.payload_type, marked=False)


def describe(
    kinds: tuple[MediaKind, ...], ports: tuple[int, ...], bandwidth: int | None = None, *, large: bool = False
) -> MediaDescription:
    """One codec for each kind, on these ports of this machine; `large`: up to 1080p."""
    streams: list[MediaStream] = []
    for kind, port in zip(kinds, ports, strict=True):
        row = _row(kind)
        codec = CodecParameters(
            name=row.name,
            payload_type=row.payload_type,
            clock_rate=row.clock_rate,
            channels=row.channels,
            parameters=row.offers[0] | (LARGE if large and kind is MediaKind.VIDEO else {}),
        )
        limit = bandwidth if kind is MediaKind.VIDEO else None
        streams.append(MediaStream(kind=kind, address=HERE, port=port, codecs=(codec,), bandwidth=limit))
    return MediaDescription(address=HERE, streams=tuple(streams))


async def cost(
    tracks: dict[MediaKind, Track],
    legs: int,
    bandwidth: int | None = None,
    *,
    large: bool = False,
    quiet: Track | None = None,
) -> Cost:
    """What a call with these tracks takes; where there is a `quiet` one, few send another. Raises NoCall."""
    engine = Engine(Environment(media_address=HERE), lambda _: None)
    await _ask(engine, m.Assign(conference="check", name="", quality="fullhd" if large else "hd"), m.Done)
    kinds = tuple(tracks)
    names = [f"leg{number}" for number in range(legs)]
    sent = [list(tracks.values()) if quiet is None or number < SPEAKERS else [quiet] for number in range(legs)]
    with FarEnds(sent) as ends:
        try:
            await _compose(engine, names)
            for number, leg in enumerate(names):
                reserved = await _ask(engine, m.ReserveRtp(leg=leg, kinds=kinds), m.RtpPorts)
                local = describe(kinds, reserved.ports, large=large)
                remote = describe(kinds, ends.ports(number), bandwidth, large=large)
                await _ask(engine, m.ConnectRtp(leg=leg, local=local, remote=remote), m.Done)
                await _ask(engine, m.Start(leg=leg), m.Done)
                ends.send_to(number, reserved.ports)
            cores, waiting = await _watch(ends)
            return Cost(cores / legs, waiting)
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


async def _watch(ends: FarEnds) -> tuple[float, float]:
    """Cores of the engine at work, as if nothing had come too late; and how long it waited for each second of work."""
    deadline = time.monotonic() + STARTING
    while not ends.all_served:
        if time.monotonic() > deadline:
            raise NoCall("the engine sends nothing")
        await asyncio.sleep(0.02)
    await asyncio.sleep(WARMING)
    began, done, queued = time.monotonic(), ends.received, waited()
    ran, used = time.process_time(), time.process_time() - ends.processor
    await asyncio.sleep(SECONDS)
    took, done, queued = time.monotonic() - began, ends.received - done, waited() - queued
    ran, used = time.process_time() - ran, time.process_time() - ends.processor - used
    if not done:
        raise NoCall("the engine sends nothing any more")
    return used / took / min(1.0, done / (ends.expected * took)), max(0.0, queued) / ran


async def main() -> None:
    Gst.init(None)
    speech = voice()
    hd = await cost({MediaKind.AUDIO: speech, MediaKind.VIDEO: picture(LADDER[0])}, VIDEO_LEGS)
    sd = await cost({MediaKind.AUDIO: speech, MediaKind.VIDEO: picture(SD)}, VIDEO_LEGS, SD.bitrate)
    full_hd = await cost({MediaKind.AUDIO: speech, MediaKind.VIDEO: picture(FULL_HD)}, LARGE_LEGS, large=True)
    audio = await cost({MediaKind.AUDIO: speech}, AUDIO_LEGS, quiet=voice(0.001))
    found = Costs(
        hd=hd.cores, sd=sd.cores, full_hd=full_hd.cores, audio=audio.cores,
        waited=max(one.waited for one in (hd, sd, full_hd, audio)),
    )  # fmt: skip
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")


if __name__ == "__main__":
    signal.alarm(int(TIMEOUT))  # whoever started us may be gone
    asyncio.run(main())
