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


def test_speaking_follows_the_voice() -> None:
    voice = run(Voice(), 0.3, ada=LOUD)
    assert voice.speaking == {"ada"}
    assert run(voice, 2, ada=QUIET).speaking == frozenset()


def test_who_leaves_is_forgotten() -> None:
    voice = without(run(Voice(), 2, ada=LOUD), "ada")
    assert voice.order == ()
    assert voice.speaking == frozenset()


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.floats(-127, 0)), max_size=80))
def test_order_never_repeats_anybody(ticks: list[dict[str, float]]) -> None:
    voice = Voice()
    for levels in ticks:
        voice = step(voice, levels)
        assert len(set(voice.order)) == len(voice.order)
        assert voice.speaking <= set(levels)
