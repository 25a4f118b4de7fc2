"""When a received picture is sent on as it came: as rules, and with media both ways."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from rostra.domain.scene import Fit, Scene, Tile
from rostra.media import codecs
from rostra.media import messages as m
from rostra.media.engine import direct
from rostra.media.engine.direct import Arriving, Steady, Taker

from .conftest import Driven
from .endpoints import H264, Far, Screen, ends

__all__ = ["ends"]

HD = (1280, 720)
BASELINE = {"profile-level-id": "42e01f", "packetization-mode": "1"}
H264_ROW, VP8_ROW = codecs.BY_NAME["H264"], codecs.BY_NAME["VP8"]
WHOLE = Tile(source="far", x=0, y=0, width=1280, height=720)
OVER = Tile(x=0, y=0, width=100, height=50, colour=None)


@pytest.mark.parametrize(
    ("tiles", "found"),
    [
        ((WHOLE,), "far"),
        ((Tile(x=0, y=0, width=1280, height=720), WHOLE), "far"),
        ((msgspec.structs.replace(WHOLE, image="icon of who has no picture.png"),), "far"),
        ((WHOLE, msgspec.structs.replace(OVER, image="missing.png")), "far"),
        ((), ""),
        ((msgspec.structs.replace(WHOLE, width=1278),), ""),
        ((msgspec.structs.replace(WHOLE, text="Name"),), ""),
        ((msgspec.structs.replace(WHOLE, frozen=True),), ""),
        ((msgspec.structs.replace(WHOLE, delay=2.0),), ""),
        ((WHOLE, msgspec.structs.replace(OVER, image="mark.png")), ""),
        ((WHOLE, msgspec.structs.replace(OVER, text="Recording")), ""),
        ((WHOLE, msgspec.structs.replace(OVER, source="inset")), ""),
    ],
)
def test_only_a_picture_with_nothing_over_it_makes_up_a_scene(tiles: tuple[Tile, ...], found: str) -> None:
    assert direct.whole(Scene(tiles=tiles), lambda name: name == "mark.png") == found


def arriving(**changed: object) -> Arriving:
    known = {"profile": "constrained-baseline", "bitrate": 1e6, "row": H264_ROW, "size": HD}
    return Arriving("far", "far/full/H264", **(known | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("taker", "coming", "scene", "already", "taken"),
    [
        (Taker(BASELINE, None), arriving(), HD, False, True),
        (Taker(BASELINE, None), arriving(size=(640, 360)), HD, False, True),
        (Taker(BASELINE, None), arriving(profile="high"), HD, False, False),
        (Taker(BASELINE | {"profile-level-id": "64001f"}, None), arriving(profile="high"), HD, False, True),
        (Taker(BASELINE, None), arriving(profile=""), HD, False, False),
        (Taker(BASELINE | {"packetization-mode": "0"}, None), arriving(), HD, False, False),
        (Taker(BASELINE, None), arriving(row=VP8_ROW), HD, False, False),
        (Taker(BASELINE, None), arriving(size=(1920, 1080)), HD, False, False),
        (
            Taker(BASELINE | {"profile-level-id": "42e028"}, None, "fullhd"),
            arriving(size=(1920, 1080)),
            HD,
            False,
            True,
        ),
        (Taker(BASELINE | {"profile-level-id": "42e00d"}, None), arriving(), HD, False, False),
        (Taker(BASELINE, None, "sd"), arriving(), HD, False, False),
        (Taker(BASELINE, None), arriving(size=(640, 480)), HD, False, False),
        (Taker(BASELINE, None), arriving(size=(640, 480)), (960, 720), False, True),
        (Taker(BASELINE, 2_000_000), arriving(), HD, False, True),
        (Taker(BASELINE, 1_000_000), arriving(), HD, False, False),
        (Taker(BASELINE, 1_000_000), arriving(), HD, True, True),
        (Taker(BASELINE, 800_000), arriving(), HD, True, False),
        (Taker(BASELINE, 800_000), arriving(bitrate=0.0), HD, False, False),
    ],
)
def test_what_a_leg_takes_as_it_comes(
    taker: Taker, coming: Arriving, scene: tuple[int, int], already: bool, taken: bool
) -> None:
    assert direct.passes(taker, H264_ROW, coming, scene, already=already) is taken


def test_it_begins_when_it_will_last_and_does_not_flap() -> None:
    steady, changes, before = Steady(), 0, ""
    assert steady.choose(0.0, "far") == ""
    assert steady.choose(direct.DWELL, "far") == "far"
    assert steady.choose(30.0, "") == "", "ends at once"
    for tick in range(300, 3000):  # possible and not, in turn, for 270 s
        chosen = steady.choose(tick / 10, "far" if tick // 20 % 2 else "")
        changes += chosen != before
        before = chosen
    assert 2 <= changes <= 20
    assert steady.choose(500.0, "") == ""
    assert steady.choose(600.0, "other") == ""
    assert steady.choose(602.0, "other") == "other"
    assert steady.choose(602.1, "far") == "far", "from one to another there is no need to wait"
    steady.failed(602.2)
    assert steady.choose(602.3, "far") == ""


async def state(driven: Driven) -> dict[str, int]:
    found = (await driven.worker.statistics()).debug["graph"]
    return found["counts"]  # type: ignore[index]


async def test_two_parties_are_joined_as_they_send_and_composed_when_there_is_more_to_see(
    driven: Driven, ends: list[Far]
) -> None:
    """Both ways: nothing is decoded or encoded, requests for key frames get across; then a name is laid over one."""
    red, blue = Screen(H264, 0xC02020, (320, 180)), Screen(H264, 0x2040C0, (320, 180))
    ends += [red, blue]
    await red.join(driven.worker, "red")
    await blue.join(driven.worker, "blue")
    views = {leg: Scene(tiles=(msgspec.structs.replace(WHOLE, source=leg, fit=Fit.COVER),)) for leg in ("red", "blue")}
    watching = {"red": "blue", "blue": "red"}
    await driven.worker.compose(m.Compose(views=views, watching=watching))
    await asyncio.gather(red.shows(0x2040C0), blue.shows(0xC02020))
    assert await red.size() == HD, "composed to begin with"
    async with asyncio.timeout(8):
        while (await state(driven))["forwarded"] < 2 or (await state(driven))["encoders"]:
            await red.sample(0.2)
            await blue.sample(0.2)
    for one, colour in ((red, 0x2040C0), (blue, 0xC02020)):
        one.forget()
        await one.shows(colour, 3)
        assert await one.size() == (320, 180)
    async with asyncio.timeout(4):
        while (await state(driven))["decoders"]:
            await red.sample(0.2)
            await blue.sample(0.2)
    asked = red.asked
    await driven.worker.request_keyframe("blue")
    async with asyncio.timeout(2):
        while red.asked == asked:
            await blue.sample(0.2)
    views["red"] = Scene(
        tiles=(msgspec.structs.replace(WHOLE, source="red"), msgspec.structs.replace(OVER, text="Red"))
    )
    await driven.worker.compose(m.Compose(views=views, watching=watching))
    async with asyncio.timeout(4):
        while await blue.size() != HD:
            pass
    await blue.shows(0xC02020, 1)
    async with asyncio.timeout(2):
        while (counts := await state(driven))["decoders"] != 1:
            await blue.sample(0.1)
    assert (counts["forwarded"], counts["encoders"]) == (1, 1)
