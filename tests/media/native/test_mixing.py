"""Who is heard, how loud, and without clicks: the mixer in simulated time."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import RATE
from .mixing import BLOCK, OPUS, PCMU, Mixer, level, tone

LATENCY = 1
"""Blocks between what is pushed and what is heard of it, once a source plays."""


LEGS = 4
WORDS = st.lists(st.tuples(*[st.booleans()] * LEGS), min_size=4, max_size=24)


@settings(deadline=None, max_examples=60)
@given(words=WORDS)
def test_everybody_hears_all_others_from_their_first_block_and_never_himself(
    library: ctypes.CDLL, words: list[tuple[bool, ...]]
) -> None:
    """Each says a number of his own: what is heard is the sum of those who talk, without one's own, sample by sample
    where a listener takes samples, and to the precision of its codec where it takes packets."""
    mixer = Mixer(library)
    try:
        legs = [f"leg{i}" for i in range(LEGS)]
        for leg in legs:
            mixer.speaker(leg)
            mixer.listener(leg)
            mixer.ear(leg, PCMU)
            mixer.push(leg, np.zeros(BLOCK))
        mixer.listener("silent")
        for i, talking in enumerate([*words, words[-1]]):
            for number, leg in enumerate(legs):
                mixer.push(leg, np.full(BLOCK, 1200 << number if talking[number] else 0))
            mixer.library.sim_tick()
            exact, coded = mixer.exact(), mixer.coded()
            if i < LATENCY:
                continue
            wanted = words[i - LATENCY]
            numbers = [1200 << n if one else 0 for n, one in enumerate(wanted)]
            assert exact["silent"][BLOCK // 2] == sum(numbers)
            for number, leg in enumerate(legs):
                others = sum(numbers) - numbers[number]
                assert exact[leg][BLOCK // 2] == others
                assert coded[leg][BLOCK // 2] == pytest.approx(others, abs=560)
    finally:
        mixer.close()


def test_a_tone_goes_on_without_a_click_while_its_listener_talks(mixer: Mixer) -> None:
    """Who begins to talk moves from the encoder that all share to one of his own, and back when he is done."""
    there = mixer.coders
    mixer.speaker("tone")
    mixer.speaker("ear")
    mixer.ear("ear", OPUS)
    mixer.ear("other", OPUS)
    random = np.random.default_rng(1)
    words = np.zeros(RATE * 4)
    for second in (1, 2):
        words[second * RATE : second * RATE + RATE // 5] = random.normal(0, 3000, RATE // 5)
    heard = mixer.run({"tone": tone(440, 4, 6000), "ear": words})["ear"]
    # what annihilates a tone of this frequency leaves what is none
    left = np.abs(heard[2:] - 2 * np.cos(2 * np.pi * 440 / RATE) * heard[1:-1] + heard[:-2])
    steady, moved = left[RATE // 2 : RATE], left[RATE:]
    assert moved.max() < 3 * steady.max()
    assert level(heard[RATE:]) == pytest.approx(level(heard[RATE // 2 : RATE]), abs=0.5)
    assert mixer.coders == there + 2, "one for all, and one for who talks"


def test_many_loud_voices_are_turned_down_and_not_clipped(mixer: Mixer) -> None:
    """Ten at once at nearly full scale, each a tone: the loudest eight are heard, and nothing that nobody said."""
    tones = [300, 450, 650, 800, 1050, 1250, 1550, 1850, 2150, 2450]
    for i in range(10):
        mixer.speaker(f"leg{i}")
    mixer.listener("ear")
    heard = mixer.run({f"leg{i}": tone(one, 2, 25000) for i, one in enumerate(tones)})["ear"]
    assert np.abs(heard).max() <= 32767
    window = heard[RATE : RATE + RATE // 2].astype(float)
    spectrum = np.abs(np.fft.rfft(window * np.blackman(len(window)))) ** 2
    bins = np.arange(len(spectrum)) * 2
    said = np.zeros(len(spectrum), bool)
    for one in tones:
        said |= np.abs(bins - one) <= 60  # what is turned down a little now and then is near its tone
    assert 10 * np.log10(spectrum[~said].sum() / spectrum.sum()) < -30
    assert len(mixer.chosen([f"leg{i}" for i in range(10)])) == 8
    assert level(window) > -12


def test_all_mute_is_not_dead_on_a_call_and_silent_on_a_recording(mixer: Mixer) -> None:
    mixer.speaker("mute")
    mixer.ear("call", PCMU)
    mixer.listener("recording")
    heard = mixer.run({"mute": np.zeros(RATE)})
    assert -76 < level(heard["call"][RATE // 2 :]) < -62
    assert not heard["recording"].any()


def babble(seconds: float, loudness: float, seed: int) -> np.ndarray:
    """Noise that comes and goes as syllables and words do; `loudness` dBov while it is there."""
    random = np.random.default_rng(seed)
    samples = random.normal(0, 32768 * 10 ** (loudness / 20), round(seconds * RATE))
    time = np.arange(len(samples)) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 4 * time) + 0.4, 0, 1)
    return samples * syllables * (time % 3 < 2.2) + random.normal(0, 10, len(samples))


@pytest.mark.parametrize("loudness", [-40.0, -30.0, -14.0])
def test_voices_come_out_about_equally_loud(mixer: Mixer, loudness: float) -> None:
    mixer.speaker("voice", even=True)
    mixer.listener("ear")
    heard = mixer.run({"voice": babble(15, loudness, 2)})["ear"][-3 * RATE :]
    blocks = np.array([level(heard[i : i + BLOCK]) for i in range(0, len(heard), BLOCK)])
    assert np.median(blocks[blocks > blocks.max() - 10]) == pytest.approx(-24, abs=5)


@pytest.mark.parametrize("what", ["tone", "noise", "music"])
def test_what_is_no_voice_is_left_as_it_is(mixer: Mixer, what: str) -> None:
    random = np.random.default_rng(3)
    sound = {
        "tone": tone(1000, 6, 300),
        "noise": random.normal(0, 150, 6 * RATE),
        "music": babble(6, -40, 4),
    }[what]
    mixer.speaker("source", even=what != "music")  # slides and streams are not touched
    mixer.listener("ear")
    heard = mixer.run({"source": sound})["ear"]
    assert level(heard[RATE:]) == pytest.approx(level(sound[RATE:]), abs=1)


SIGNALS = {
    "beeps": ((1000,), 0.5, 0.5),
    "short beeps": ((941,), 0.2, 0.3),
    "busy": ((425,), 0.48, 0.48),
    "ringback": ((440, 480), 1.0, 1.0),
    "alarm": ((2000, 2350), 0.3, 0.2),
}
"""Frequencies, and seconds on and off."""


@pytest.mark.parametrize(("what", "amplitude"), [*((what, 600) for what in SIGNALS), ("beeps", 16000)])
def test_signals_that_come_and_go_are_no_voice(mixer: Mixer, what: str, amplitude: int) -> None:
    frequencies, on, off = SIGNALS[what]
    whole = sum(tone(one, 6, amplitude / len(frequencies)) for one in frequencies)
    sound = whole * (np.arange(len(whole)) / RATE % (on + off) < on)
    mixer.speaker("source", even=True)
    mixer.listener("ear")
    heard = mixer.run({"source": sound + np.random.default_rng(1).normal(0, 5, len(sound))})["ear"]
    assert level(heard) == pytest.approx(level(sound), abs=1)


def test_a_prompt_is_played_to_the_sample_and_a_tone_goes_on_below_it(mixer: Mixer) -> None:
    mixer.speaker("tone")
    mixer.listener("ear")
    mixer.listener("other")
    hum = np.round(tone(500, 2, 4000))
    mixer.run({"tone": hum[: RATE // 2]})
    prompt = np.random.default_rng(5).integers(-5000, 5000, 4321)
    mixer.play("ear", prompt)
    mixer.play("ear", prompt[::-1])
    heard = mixer.run({"tone": hum[RATE // 2 :]})
    expected = np.zeros(len(heard["ear"]))
    expected[: 2 * len(prompt)] = np.concatenate((prompt, prompt[::-1]))
    assert np.array_equal(heard["ear"] - heard["other"], expected)
    turn = 2 * np.cos(2 * np.pi * 500 / RATE)
    other = heard["other"]
    assert np.abs(other[2:] - turn * other[1:-1] + other[:-2]).max() <= 4, "the tone never breaks"


def test_a_tone_for_all_is_encoded_once(mixer: Mixer) -> None:
    """Somebody enters while one talks: all others are played the same, each from its first sample to its last."""
    legs = [f"leg{i}" for i in range(12)]
    mixer.speaker("talker")
    for leg in (*legs, "talker"):
        mixer.ear(leg, PCMU)
    mixer.run({"talker": tone(600, 1, 3000)})
    there, rung = mixer.coders, np.round(tone(1000, 0.5, 6000))
    for leg in (*legs, "talker"):
        mixer.play(leg, rung)
    heard = mixer.run({"talker": tone(600, 0.4, 3000)})
    assert mixer.coders == there + 1
    for leg in legs:
        assert np.array_equal(heard[leg], heard[legs[0]])
    for leg, both in ((legs[0], 3000), ("talker", 0)):
        spectrum = (
            np.abs(np.fft.rfft(heard[leg][RATE // 10 : 3 * RATE // 10] * np.hanning(RATE // 5))) * 4 / (RATE // 5)
        )
        assert spectrum[200] == pytest.approx(6000, rel=0.05)
        assert spectrum[120] == pytest.approx(both, rel=0.05, abs=60)


def test_what_is_cut_off_dies_away(mixer: Mixer) -> None:
    mixer.listener("ear")
    mixer.play("ear", np.full(RATE, 8000))
    for _ in range(5):
        mixer.tick()
    mixer.stop_playing("ear")
    heard = np.concatenate([mixer.tick()["ear"] for _ in range(3)])
    assert heard[0] > 7000
    assert np.abs(np.diff(heard)).max() < 100
    assert not heard[BLOCK:].any()


def test_noise_is_taken_out_and_the_voice_is_kept(mixer: Mixer, tmp_path: Path) -> None:
    """A synthesiser's voice in the noise of a fan, 10 dB below it."""
    made = tmp_path / "voice.wav"
    text = "Good morning everybody. The figures of the last quarter are in, and they are better than we thought."
    subprocess.run(["espeak-ng", "-s", "150", "-w", made, text], check=True, timeout=20)
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", made, "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-"],
        check=True, capture_output=True, timeout=20,
    ).stdout  # fmt: skip
    voice = np.concatenate((np.zeros(3 * RATE), np.frombuffer(raw, "<i2") * 0.5, np.zeros(RATE)))
    voice = voice[: len(voice) // BLOCK * BLOCK]
    loud = level(voice[np.abs(voice) > 0])
    white = np.random.default_rng(6).normal(0, 1, len(voice))
    fan = np.convolve(white, np.ones(24) / 24, "same")
    fan *= 10 ** ((loud - 10 - level(fan)) / 20)
    mixer.library.rostra_set_denoise(1)
    try:
        mixer.speaker("clean", even=True)
        mixer.listener("ear")
        heard = mixer.run({"clean": voice + fan})["ear"].astype(float)
    finally:
        mixer.library.rostra_set_denoise(0)
    spoken = np.flatnonzero(np.abs(voice) > 300)
    begin, end = spoken[0], spoken[-1]
    part = slice(begin + RATE, begin + RATE + RATE // 4)
    delay = int(np.argmax(np.correlate(heard[part.start : part.stop + 4 * BLOCK], voice[part], "valid")))
    quiet, before = heard[2 * RATE : begin - BLOCK], level(voice[begin:end]) - level(fan)
    there = heard[delay:]
    assert level(there[begin:end]) - level(quiet) - before > 8, "between words"
    ratios: list[float] = []  # of the voice to the rest, half a second at a time, in which no gain moves much
    for at in range(begin, end - RATE // 2, RATE // 2):
        said, got = voice[at : at + RATE // 2], there[at : at + RATE // 2]
        kept = np.dot(got, said) / np.dot(said, said) * said
        ratios.append(level(kept) - level(got - kept) - (level(said) - level(fan)))

    assert np.median(ratios) > 2, "and below them"


def test_who_gives_way_to_louder_ones_is_not_heard_any_more(mixer: Mixer) -> None:
    mixer.speaker("soft")
    mixer.listener("ear")
    legs = [f"leg{i}" for i in range(8)]
    for leg in legs:
        mixer.speaker(leg)
    alone = mixer.run({"soft": tone(1000, 1, 300)})["ear"][RATE // 2 :]
    loud = dict.fromkeys(legs, tone(300, 1, 3000))
    heard = mixer.run(loud | {"soft": tone(1000, 1, 300)})["ear"][RATE // 2 :]
    found, before = (np.abs(np.fft.rfft(one))[500] for one in (heard, alone))
    assert found < before / 20


def test_who_gets_loud_suddenly_is_not_cut_off(mixer: Mixer) -> None:
    """Soft words are raised by 12 dB; the first loud ones need all the room there is."""
    mixer.speaker("voice", even=True)
    mixer.listener("ear")
    words = np.maximum(0.001, np.sin(2 * np.pi * 4 * np.arange(14 * RATE) / RATE)) * tone(220, 14, 500)
    words[12 * RATE :] *= 46
    heard = mixer.run({"voice": words})["ear"]
    assert np.abs(heard[10 * RATE : 11 * RATE]).max() > 2 * 500, "what is soft is raised"
    assert np.abs(heard[12 * RATE :]).max() < 32600, "tops of waves are cut off"


def test_ids_of_any_length_are_told_apart(mixer: Mixer) -> None:
    """Both begin alike; each hears the other, and nothing is left when one of them has gone."""
    one, other = ("x" * 200 + end for end in "ab")
    for leg in (one, other):
        mixer.speaker(leg)
        mixer.listener(leg)
    heard = mixer.run({one: np.full(10 * BLOCK, 2000), other: np.full(10 * BLOCK, 5000)})
    assert (np.median(heard[one][-BLOCK:]), np.median(heard[other][-BLOCK:])) == (5000, 2000)
