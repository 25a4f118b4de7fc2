"""1080p as the main picture of far ends that take it, where the conference has Full HD."""

from __future__ import annotations

import msgspec
import pytest

from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m

from .conftest import Driven
from .endpoints import H264, Far, Screen, ends

__all__ = ["ends"]

LEVEL_4 = msgspec.structs.replace(H264, parameters={"profile-level-id": "42e028", "packetization-mode": "1"})
LEFT, RIGHT = 0x20C040, 0xC02040


@pytest.mark.spec("SYS-120", "API-091")
async def test_who_takes_1080p_gets_it_and_who_does_not_gets_720p(driven: Driven, ends: list[Far]) -> None:
    await driven.worker.assign("c", "Conference", quality="fullhd")
    halves = tuple(Tile(source=source, x=x, y=0, width=640, height=720) for source, x in (("ada", 0), ("bob", 640)))
    view = Scene(tiles=halves)
    await driven.worker.compose(m.Compose(views={"v": view}, watching={"large": "v", "small": "v"}))
    senders = {"ada": LEFT, "bob": RIGHT}
    for leg, colour in senders.items():
        far = Screen(LEVEL_4, colour, (1920, 1080))
        ends.append(far)
        await far.join(driven.worker, leg)
    large, small = Screen(LEVEL_4), Screen(H264)
    ends += [large, small]
    await large.join(driven.worker, "large")
    await small.join(driven.worker, "small")
    for far, size in ((large, (1920, 1080)), (small, (1280, 720))):
        for far.look, colour in ((0.25, LEFT), (0.75, RIGHT)):
            await far.shows(colour)
        assert await far.size() == size
    for source in senders:
        assert driven.told(m.FirstPicture(leg=source, width=1920, height=1080))
