"""A worker takes the theme's files from the first directory that has a good one: sounds heard, images seen."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rostra import themefiles
from rostra.domain import theme
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m
from rostra.media.client import MediaFailure
from rostra.media.engine.gst import Gst
from rostra.media.engine.themes import ThemeFiles
from rostra.media.pool import WorkerPool

from .conftest import Driven
from .endpoints import Screen, Voice


def hum(frequency: int, seconds: float = 2.0) -> bytes:
    out = io.BytesIO()
    samples = 12000 * np.sin(np.arange(int(48000 * seconds)) * 2 * np.pi * frequency / 48000)
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


@pytest.fixture
def directories(tmp_path: Path) -> tuple[str, ...]:
    own, default = tmp_path / "own", tmp_path / "default"
    for directory in (own, default):
        directory.mkdir()
    (own / theme.ENTRY_TONE).write_bytes(b"RIFF broken")
    (own / theme.WELCOME).write_bytes(hum(700))
    (default / theme.ENTRY_TONE).write_bytes(hum(1300))
    (default / theme.WELCOME).write_bytes(hum(2100))
    Image.new("RGB", theme.SCREEN, (200, 40, 40)).save(default / theme.TRANSFER, quality=95)
    return str(own), str(default), str(themefiles.BASE)


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Voice, Screen]]:
    Gst.init(None)
    made = Voice(), Screen()
    yield made
    for one in made:
        one.close()


@pytest.mark.spec("REF-002", "REF-005")
def test_sounds_come_from_the_first_theme_with_a_good_one(directories: tuple[str, ...]) -> None:
    files = ThemeFiles(directories)
    assert len(files.sound(theme.ENTRY_TONE)) == 2 * 96000
    base = (themefiles.BASE / theme.ASK_PIN).read_bytes()
    assert base.endswith(files.sound(theme.ASK_PIN))
    assert files.sound("../secret.wav") == b""
    assert ThemeFiles(()).sound(theme.ASK_PIN) == b""


async def test_a_leg_hears_and_sees_its_theme(
    pool: WorkerPool, directories: tuple[str, ...], ends: tuple[Voice, Screen]
) -> None:
    voice, screen = ends
    driven = Driven()
    worker = await pool.acquire("conference", "Test", driven.hear, driven.lost.append, directories)
    await voice.join(worker, "voice")
    await screen.join(worker, "screen")
    tile = Tile(x=0, y=0, width=1280, height=720, image=theme.TRANSFER)
    await worker.compose(m.Compose(views={"v": Scene(tiles=(tile,))}, watching={"screen": "v"}))
    await screen.shows(0xC82828)
    assert await worker.play("voice", theme.WELCOME) == pytest.approx(2.0, abs=0.1)
    assert await worker.play("voice", theme.ENTRY_TONE, "nothing.wav") > 2.5
    await voice.hears(700)
    await voice.hears(1300)
    assert await worker.play("voice", theme.WELCOME) > 2.0
    await worker.stop_playing("voice")
    assert await worker.play("voice") == pytest.approx(0, abs=0.02), "what is cut off dies away"
    with pytest.raises(MediaFailure):
        await worker.play("nobody", theme.WELCOME)
