"""When far ends are asked for key frames."""

from rostra.media.engine.asking import PAUSES, Asking


def test_what_is_missing_is_asked_for_at_once_and_again_until_it_is_there() -> None:
    asking = Asking()
    assert asking.due([]) == []
    asked = [poll for poll in range(40) if asking.due(["one"])]
    assert asked == [0, 3, 8, 18, 28, 38]
    assert asking.due([]) == []
    assert asking.due(["one", "two"]) == ["one", "two"], "missing again, and another one"


def test_the_first_requests_are_over_within_a_second() -> None:
    assert sum(PAUSES[:2]) <= 10, "of ten polls a second"
