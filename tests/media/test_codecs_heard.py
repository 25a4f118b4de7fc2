"""Every codec we say we speak, against an independent far end: a tone and a colour, both ways, through a worker."""

from __future__ import annotations

import pytest

from rostra.domain.media import CodecParameters
from rostra.domain.scene import Fit, Scene, Tile
from rostra.media import codecs
from rostra.media import messages as m
from rostra.media.codecs import aac

from .conftest import Driven
from .endpoints import Far, ends
from .independent import FarPicture, FarVoice

__all__ = ["ends"]

SOUNDS = [row for row in codecs.ROWS if row.kind == "audio" and row.encoder]
GREEN, RED = 0x20A040, 0xC03030


def agreed(row: codecs.CodecRow, parameters: dict[str, str] | None = None) -> CodecParameters:
    usual = row.offers[0] if row.offers else {"MPEG4-GENERIC": aac.GENERIC, "MP4A-LATM": aac.LATM}.get(row.name, {})
    taken = row.accept(parameters or usual) or {}
    return CodecParameters(
        name=row.name,
        payload_type=row.payload_type,
        clock_rate=row.clock_rate,
        channels=row.channels,
        parameters=dict(parameters or taken),
        feedback=("nack pli",) if row.kind == "video" else (),
    )


TONES = (530, 620, 790, 900, 1480, 1640, 1740, 1920, 2340)
"""Hz; none is near what a codec makes of others: harmonics, sums and differences."""


@pytest.mark.spec("REF-128", "REF-131")
async def test_every_codec_of_sound_is_heard_both_ways(driven: Driven, ends: list[Far]) -> None:
    """All in one conference, each with a tone of its own: each hears all the others of its half, as a codec for speech
    makes too much of too many tones."""
    there = [row for row in SOUNDS if row.there()]
    tones = {row.name: tone for row, tone in zip(there, TONES, strict=False)}
    halves = {row.name: m.PARTICIPANT if row.offers else m.SAME_LOCATION for row in there}
    routes = {name: m.AudioRoute(group=half, listens=half) for name, half in halves.items()}
    await driven.worker.compose(m.Compose(views={}, watching={}, audio=routes))
    far = {row.name: FarVoice(tones[row.name], agreed(row)) for row in there}
    ends.extend(far.values())
    for name, voice in far.items():
        await voice.join(driven.worker, name)
    for name, voice in far.items():
        others = [other for other in tones if other != name and halves[other] == halves[name]]
        await voice.hears(*(tones[other] for other in others[:1] + others[-1:]), never=(tones[name],))


PICTURES = [
    ("H264", {"profile-level-id": "42e01f", "packetization-mode": "0"}),
    ("H264", {"profile-level-id": "42001f", "packetization-mode": "1"}),
    ("H264", {"profile-level-id": "64001f", "packetization-mode": "1"}),
    ("VP8", {}),
    ("VP9", {}),
    ("H263", {"cif": "1", "qcif": "1"}),
    ("H263-1998", {"cif4": "2", "cif": "1"}),
    ("H261", {"qcif": "1"}),
]


@pytest.mark.spec("REF-131", "REF-099", "REF-100", "REF-113", "REF-120")
@pytest.mark.parametrize(("name", "parameters"), PICTURES, ids=lambda value: "-".join(value) or None)
async def test_pictures_are_seen_both_ways(
    driven: Driven, ends: list[Far], name: str, parameters: dict[str, str]
) -> None:
    """The far end is shown itself: its colour has come and gone back."""
    codec = agreed(codecs.BY_NAME[name], parameters)
    old = codecs.BY_NAME[name].sizes(parameters)
    size = (352, 288) if old else (640, 360)
    picture = FarPicture(codec, GREEN, size)
    ends.append(picture)
    tile = Tile(source=name, x=0, y=0, width=1280, height=720, fit=Fit.COVER, colour=0)
    view = Scene(width=1280, height=720, background=RED, tiles=(tile,))
    await driven.worker.compose(m.Compose(views={"itself": view}, watching={name: "itself"}))
    await picture.join(driven.worker, name)
    await picture.shows(GREEN)
    assert await picture.size() == (old[0][:2] if old else (1280, 720))
    shown = (384, 288) if old else size  # pixels of the old sizes are wider than high
    await driven.until(lambda: driven.told(m.FirstPicture(leg=name, width=shown[0], height=shown[1])))
