import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.voice import TICK, Voice, step, without

LOUD, QUIET = -20.0, -90.0


def run(voice: Voice, seconds: float, **levels: float) -> Voice:
    for _ in range(round(seconds / TICK)):
        voice = step(voice, levels)
    return voice


@pytest.mark.spec("CONF-084")
def test_a_new_speaker_takes_over_within_a_second() -> None:
    voice = run(Voice(), 3, ada=LOUD, ben=QUIET)
    assert voice.order == ("ada",)
    voice = run(voice, 0.8, ada=QUIET, ben=LOUD)
    assert voice.order == ("ben", "ada")


@pytest.mark.parametrize("length", [0.1, 0.2, 0.3, 0.4])
def test_a_cough_takes_nothing(length: float) -> None:
    voice = run(Voice(), 3, ada=LOUD, ben=QUIET)
    during = run(voice, length, ada=LOUD, ben=0.0)
    assert run(during, 2, ada=LOUD, ben=QUIET).order == ("ada",)
    in_a_pause = run(run(voice, 0.2, ada=QUIET, ben=QUIET), length, ada=QUIET, ben=0.0)
    assert in_a_pause.order == ("ada",)


def test_two_who_speak_at_once_do_not_flap() -> None:
    voice = run(Voice(), 2, ada=LOUD, ben=QUIET)
    orders = set()
    for _ in range(100):
        voice = step(voice, {"ada": LOUD, "ben": LOUD + 3})
        orders.add(voice.order[0])
    assert orders == {"ada"}


def test_a_clearly_louder_interrupter_wins_after_a_second() -> None:
    voice = run(Voice(), 2, ada=-30.0, ben=QUIET)
    assert run(voice, 1.2, ada=-30.0, ben=-15.0).order[0] == "ben"


def test_who_fell_silent_does_not_take_the_next_pause() -> None:
    voice = run(run(Voice(), 2, ada=LOUD, ben=QUIET), 2, ada=LOUD, ben=LOUD)
    voice = run(voice, 0.2, ada=LOUD, ben=QUIET)
    assert run(voice, 0.4, ada=QUIET, ben=QUIET).order[0] == "ada"


def test_speaking_follows_the_voice() -> None:
    voice = run(Voice(), 0.3, ada=LOUD)
    assert voice.speaking == {"ada"}
    assert run(voice, 2, ada=QUIET).speaking == frozenset()


def test_who_leaves_is_forgotten() -> None:
    voice = without(run(Voice(), 2, ada=LOUD), "ada")
    assert voice.order == ()
    assert voice.speaking == frozenset()


def test_a_steady_noise_takes_no_pause_of_a_speaker() -> None:
    voice = run(Voice(), 3, ada=LOUD, fan=-40.0)
    for _ in range(10):
        voice = run(run(voice, 1.5, ada=LOUD, fan=-41.0), 0.6, ada=QUIET, fan=-39.0)
    assert voice.order[0] == "ada"
    assert "fan" not in voice.speaking


def test_somebody_in_a_noisy_room_is_heard_over_the_noise() -> None:
    voice = run(Voice(), 15, ada=LOUD, ben=-40.0)
    assert run(voice, 0.8, ada=QUIET, ben=-22.0).order[0] == "ben"


def test_a_long_speech_without_a_pause_stays_a_speech() -> None:
    voice = run(Voice(), 120, ada=LOUD, ben=QUIET)
    assert voice.speaking == {"ada"}


def test_who_is_muted_keeps_its_place_until_another_speaks() -> None:
    voice = run(run(Voice(), 2, ada=LOUD, ben=QUIET), 2, ada=QUIET, ben=LOUD)
    assert voice.order == ("ben", "ada")
    muted = run(voice, 3, ada=QUIET)
    assert (muted.order, muted.speaking) == (("ben", "ada"), frozenset())
    assert run(muted, 0.8, ada=LOUD).order == ("ada", "ben")


def test_pictures_stay_while_the_levels_come_back_one_by_one() -> None:
    voice = run(run(Voice(), 2, ada=LOUD, ben=QUIET), 2, ada=QUIET, ben=LOUD)
    assert run(voice, 1, ada=QUIET).order == voice.order


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.floats(-127, 0)), max_size=80))
def test_order_never_repeats_anybody(ticks: list[dict[str, float]]) -> None:
    voice = Voice()
    for levels in ticks:
        voice = step(voice, levels)
        assert len(set(voice.order)) == len(voice.order)
        assert voice.speaking <= set(levels)
