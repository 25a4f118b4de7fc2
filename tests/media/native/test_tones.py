"""Keys as tones in the sound of telephones that have no other way to tell them: found when quiet, never in speech."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.length import LONG

from .mixing import PCMU, Line, Mixer
from .test_lines import mu_law

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
FULL = 32768 * 10 ** (-3.14 / 20)
"""Peak of a tone of 0 dBm0 (ITU-T G.711)."""
VOICES = ("en", "en+f3", "de", "fr", "en+m7", "de+f2", "fr+m3", "es", "it", "ru")
TEXT = (
    "Three people were late, seven had gone, and nobody knew who had the key. Please press nothing at all. "
    "We sell easy chairs, blue shoes, sea shells; see, he, she, we, you, who, do, two. "
    "Eine Runde Bier für alle, sieben Mal sieben ist neunundvierzig. Un, deux, trois, nous irons au bois. "
)


@pytest.fixture
def line(mixer: Mixer) -> Iterator[Line]:
    made = mixer.line("telephone", PCMU, tones=True)
    made.keys()
    yield made
    made.close()


def say(line: Line, samples: np.ndarray) -> None:
    """Samples of 8 kHz."""
    for i in range(len(samples) // 160):
        line.rtp(i, 160 * i, mu_law(samples[160 * i : 160 * i + 160]))


def pressed(key: str, decibels: float, twist: float, off: float = 0.0, length: float = 0.06) -> np.ndarray:
    """A key and the pause after it; `twist` dB that the higher tone is louder, `off` as a share of the frequencies."""
    row, column = divmod(KEYS.index(key), 4)
    time = np.arange(round(8000 * length)) / 8000
    low, high = FULL * 10 ** (decibels / 20), FULL * 10 ** ((decibels + twist) / 20)
    both = low * np.sin(2 * np.pi * ROWS[row] * (1 + off) * time) + high * np.sin(
        2 * np.pi * COLUMNS[column] * (1 + off) * time
    )
    return np.concatenate((both, np.zeros(480)))


@pytest.mark.spec("DIAG-191")
@pytest.mark.parametrize(
    ("decibels", "twist", "off"), [(-10, 0, 0), (-25, 0, 0.012), (-25, 3, 0), (-18, -6, -0.012), (-3, 0, 0)]
)
def test_keys_are_found(line: Line, decibels: float, twist: float, off: float) -> None:
    random = np.random.default_rng(1)
    sound = np.concatenate([pressed(key, decibels, twist, off) for key in KEYS])
    say(line, sound + random.normal(0, 8, len(sound)))
    assert line.keys() == KEYS


def test_a_key_held_down_is_one_and_a_click_is_none(line: Line) -> None:
    say(line, pressed("5", -12, 0, length=1.5))
    say(line, pressed("7", -12, 0, length=0.015))
    assert line.keys() == "5"


def spoken(directory: Path, voice: str, seconds: float) -> np.ndarray:
    """A synthesiser's voice at 8 kHz, as loud as telephones are."""
    made = directory / f"{voice}.wav"
    repeats = max(1, round(seconds / 18))
    subprocess.run(
        ["espeak-ng", "-v", voice, "-s", "160", "-a", "180", "-w", made, TEXT * repeats], check=True, timeout=120
    )
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", made, "-f", "s16le", "-ar", "8000", "-ac", "1", "-"],
        check=True, capture_output=True, timeout=120,
    ).stdout  # fmt: skip
    return np.frombuffer(raw, "<i2").astype(float)


def test_speech_and_babble_press_nothing(line: Line, tmp_path: Path) -> None:
    """At length: half an hour of it."""
    voices = [spoken(tmp_path, voice, 180 if LONG else 8) for voice in (VOICES if LONG else VOICES[:3])]
    for voice in voices:
        say(line, voice)
    shortest = min(len(one) for one in voices)
    say(line, sum(one[:shortest] for one in voices) / len(voices) * 1.5)
    assert line.keys() == ""
