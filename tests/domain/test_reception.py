"""Virtual Receptions and control by keypad: what digits do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import keypad, reception
from rostra.domain.reception import Keyed, KeyedOutcome, ReceptionRules, destination
from rostra.domain.theme import ThemeSettings

DESTINATIONS = [
    ("", "", "1234", "1234"),
    ("", "99", "1234", "1234"),
    (r"(\d{4})", "", "1234", "1234"),
    (r"(\d{4})", "", "12345", None),
    (r"(\d{4})", "", "123", None),
    (r"8(.*)", "", "81", "81"),
    (r"8(.*)", "", "71", None),
    (r"(1111|1112|1113)", "", "1112", "1112"),
    (r"(1111|1112|1113)", "", "1114", None),
    (r"(1111|1112|1113)", "", "11121", None),
    (r"(\d{4})", r"88\1", "1234", "881234"),
    (r"(\d{4})", r"\1@example.com", "1234", "1234@example.com"),
    (r"(\d)(\d)", r"\2\1", "12", "21"),
    (r"(\d", "", "1", None),
    (r"(\d)", r"\3", "1", None),
    ("", "", "", None),
    ("", "", "x" * 300, None),
]


@pytest.mark.spec("SVC-051", "SVC-052", "SVC-053", "SVC-054")
@pytest.mark.parametrize(("match", "replace", "keyed", "alias"), DESTINATIONS)
def test_where_a_number_leads(match: str, replace: str, keyed: str, alias: str | None) -> None:
    assert destination(ReceptionRules(match=match, replace=replace), keyed) == alias


@pytest.mark.spec("API-034")
def test_the_kind_of_reception_that_clients_are_told() -> None:
    assert [ReceptionRules(kind=kind).challenge for kind in ("regular", "mssip", "gms")] == [
        "standard", "mssip", "standard",
    ]  # fmt: skip


@pytest.mark.spec("SVC-050", "REF-038")
@pytest.mark.parametrize(
    ("keys", "digits", "numbers"),
    [("12#", "12", ["12"]), ("1*23#", "23", ["23"]), ("#", "", []), ("A1#", "1", ["1"]), ("12", "12", [])],
)
def test_keying_a_number(keys: str, digits: str, numbers: list[str]) -> None:
    keyed, found = Keyed(), []
    for key in keys:
        keyed, outcome = reception.press(keyed, key)
        if outcome is KeyedOutcome.NUMBER:
            found.append(keyed.digits)
    assert (keyed.digits, found) == (digits, numbers)


@pytest.mark.spec("REF-039")
def test_three_invalid_numbers_are_too_many() -> None:
    keyed = Keyed()
    for attempt in range(3):
        assert not keyed.exhausted
        keyed, _ = reception.press(keyed, str(attempt))
        keyed = reception.refused(keyed)
        assert keyed.digits == ""
    assert keyed.exhausted


BASE = ThemeSettings().commands
OVERLAPPING = {"57": "toggle_lock", "75": "toggle_guest_mute", "77": "end_conference"}


@pytest.mark.spec("CONF-137", "CONF-138", "CONF-139", "REF-067", "REF-069")
@pytest.mark.parametrize(
    ("commands", "keys", "done"),
    [
        (BASE, "*7", ["toggle_lock"]),
        (BASE, "*5", ["toggle_guest_mute"]),
        (BASE, "##", ["end_conference"]),
        (BASE, "*8", ["cycle_layout"]),
        (BASE, "*7*7", ["toggle_lock", "toggle_lock"]),
        (BASE, "1*7", ["toggle_lock"]),
        (BASE, "**7", ["toggle_lock"]),
        (BASE, "*#7", []),
        (BASE, "7*", []),
        (BASE, "###", ["end_conference"]),
        (OVERLAPPING, "5775", ["toggle_lock", "toggle_guest_mute"]),
        (OVERLAPPING, "775", ["end_conference"]),
        ({}, "*7##", []),
    ],
)
def test_control_by_keypad(commands: dict[str, str], keys: str, done: list[str]) -> None:
    pending, found = "", []
    for key in keys:
        pending, command = keypad.press(commands, pending, key)
        if command is not None:
            found.append(str(command))
    assert found == done


@given(st.text(alphabet="0123456789*#", max_size=40))
def test_every_command_takes_two_digits_of_its_own(keys: str) -> None:
    pending, found = "", 0
    for key in keys:
        pending, command = keypad.press(BASE, pending, key)
        found += command is not None
        assert len(pending) <= 1
    assert 2 * found <= len(keys)
