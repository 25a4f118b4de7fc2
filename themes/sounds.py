"""The sounds: prompts by festival with the voice cmu_us_slt_arctic_hts (free software), tones by sums."""

from __future__ import annotations

import io
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rostra.domain import theme

Samples = np.ndarray
RATE = theme.SAMPLE_RATE
LEAD = 2.0
"""Seconds of silence before what may be heard just after a call is answered (REF-020)."""
LOUDNESS = 10 ** (-21 / 20)
"""Root of the mean square of a prompt, without its pauses."""
VOICE = "(voice_cmu_us_slt_arctic_hts)"
_STRETCH = "(Parameter.set 'Duration_Stretch 1.0)"

FIRST = {
    theme.ASK_NUMBER: "Please enter the number you would like to reach, followed by the {key} key.",
    theme.CAPACITY_EXCEEDED: "Sorry, there is no room for another participant at the moment.",
    theme.INSUFFICIENT_LICENSES: "Sorry, all licenses for calls are in use at the moment.",
    theme.INVALID_LICENSE: "Sorry, this system has no valid license.",
    theme.ASK_PIN: "Please enter the PIN of this conference.",
    theme.ASK_PIN_POUND: "Please enter the PIN of this conference, followed by the {key} key.",
    theme.WAIT_OR_PIN: "You are waiting for the host. If you are the host, please enter your PIN now.",
    theme.WAIT_OR_PIN_POUND: "You are waiting for the host. If you are the host, please enter your PIN now, "
    "followed by the {key} key.",
    theme.WAIT_FOR_HOST: "You are waiting for the host of this conference.",
    theme.WELCOME: "Welcome to the conference.",
    theme.TEST_CALL: "This is a test of your picture and your sound. Please count aloud: one, two, three.",
}
"""What may be heard first."""
LATER = {
    theme.NUMBER_NOT_VALID: "This number is not valid. Please try again.",
    theme.NUMBER_NEVER_VALID: "The number was not valid three times. You will now be disconnected.",
    theme.NO_NUMBER: "No valid number was entered. You will now be disconnected.",
    theme.PLEASE_HOLD: "Please hold while you are being connected.",
    theme.WILL_DISCONNECT: "Your call will now be disconnected.",
    theme.INVALID_PIN: "This PIN is not valid for the conference.",
    theme.ALONE: "You are the only participant.",
    theme.HOST_HAS_LEFT: "The host has left. The conference will end soon.",
    theme.TEST_CALL_DISCONNECT: "If anything was wrong, please check the settings of your device, "
    "or ask your administrator.",
}
WITH_KEY = (theme.ASK_NUMBER, theme.ASK_PIN_POUND, theme.WAIT_OR_PIN_POUND)
HIGH, LOW = 987.8, 659.3
"""Hz of the tones for entry and exit."""


def all_sounds() -> Iterator[tuple[str, bytes]]:
    """All sounds by their path below `themes`."""
    for name, text in FIRST.items():
        yield f"base/{name}", _wav(_after(LEAD, spoken(text.format(key="pound"))))
    for name, text in LATER.items():
        yield f"base/{name}", _wav(spoken(text))
    for name in WITH_KEY:
        yield f"hash/{name}", _wav(_after(LEAD, spoken(FIRST[name].format(key="hash"))))
    for name in (theme.ENTRY_TONE, theme.EXIT_TONE):
        yield f"base/{name}", _wav(np.zeros(0))
    yield f"tones/{theme.ENTRY_TONE}", _wav(np.concatenate([tone(HIGH, 0.16), tone(LOW, 0.3)]))
    yield f"tones/{theme.EXIT_TONE}", _wav(np.concatenate([tone(LOW, 0.16), tone(HIGH, 0.3)]))
    yield f"base/{theme.KNOCK}", _wav(np.concatenate([knock(), knock(), knock()]))


def spoken(text: str) -> Samples:
    """A prompt, without silence at its ends."""
    with tempfile.TemporaryDirectory() as folder:
        raw, fine = Path(folder, "raw.wav"), Path(folder, "fine.wav")
        subprocess.run(
            ["text2wave", "-eval", VOICE, "-eval", _STRETCH, "-o", str(raw)], input=text.encode(), check=True
        )
        subprocess.run(["sox", "-D", str(raw), "-r", str(RATE), str(fine), "rate", "-v", "highpass", "70"], check=True)
        with wave.open(str(fine)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[max(0, loud[0] - RATE // 20) : loud[-1] + RATE // 10]
    blocks = samples[: len(samples) // 480 * 480].reshape(-1, 480)
    powers = (blocks**2).mean(axis=1)
    level = np.sqrt(powers[powers > powers.max() / 1000].mean())
    return _soft(samples * LOUDNESS / level)


def tone(frequency: float, seconds: float) -> Samples:
    """A note like that of a small bell."""
    t = np.arange(int(RATE * seconds)) / RATE
    rise, fall = np.minimum(1, t / 0.008), np.exp(-t * 7) * np.minimum(1, (seconds - t) / 0.02)
    return 0.22 * rise * fall * (np.sin(2 * np.pi * frequency * t) + 0.25 * np.sin(4 * np.pi * frequency * t))


def knock() -> Samples:
    """A knuckle on wood, and the pause after it."""
    t = np.arange(int(RATE * 0.26)) / RATE
    noise = np.random.default_rng(7).standard_normal(len(t))
    noise = np.convolve(noise, np.hanning(24) / 12, "same")
    wood = np.sin(2 * np.pi * 210 * t) * np.exp(-t * 55) + 0.6 * np.sin(2 * np.pi * 470 * t) * np.exp(-t * 80)
    return _soft(0.5 * wood + 0.35 * noise * np.exp(-t * 160))


def _after(seconds: float, samples: Samples) -> Samples:
    return np.concatenate([np.zeros(int(RATE * seconds)), samples])


def _soft(samples: Samples) -> Samples:
    """Peaks are bent, not cut."""
    return np.tanh(samples / 0.7) * 0.7


def _wav(samples: Samples) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
