"""PIN rules (CONF-046, CONF-047)."""

from __future__ import annotations

import pytest

from rostra.domain import pins


@pytest.mark.spec("CONF-046", "SVC-018")
@pytest.mark.parametrize(
    ("pin", "bad"),
    [
        ("", False),
        ("1234", False),
        ("123#", False),
        ("1" * 20, False),
        ("1" * 19 + "#", False),
        ("123", True),
        ("12#", True),
        ("1" * 21, True),
        ("1" * 20 + "#", True),
        ("12#4", True),
        ("1234##", True),
        ("12a4", True),
        ("١٢٣٤", True),
        ("1234\n", True),
        (" 1234", True),
    ],
)
def test_form_of_a_pin(pin: str, bad: bool) -> None:
    assert pins.malformed(pin) is bad


@pytest.mark.spec("CONF-047", "SVC-020", "SVC-024", "SVC-025")
@pytest.mark.parametrize(
    ("host", "guest", "allow", "fields"),
    [
        ("", "", False, set()),
        ("1234", "", False, set()),
        ("1234", "", True, set()),
        ("1234", "5678", True, set()),
        ("1234#", "567890#", True, set()),
        ("", "1234", False, {"guest_pin"}),
        ("", "", True, {"allow_guests"}),
        ("", "1234", True, {"guest_pin", "allow_guests"}),
        ("1234", "1234", True, {"guest_pin"}),
        ("1234#", "5678", True, {"guest_pin"}),
        ("1234", "5678#", True, {"guest_pin"}),
        ("1234", "56789", True, {"guest_pin"}),
        ("12", "5678", True, {"pin"}),
        ("12", "5", True, {"pin", "guest_pin"}),
    ],
)
def test_pairs_of_pins(host: str, guest: str, allow: bool, fields: set[str]) -> None:
    assert set(pins.problems(host, guest, allow_guests=allow)) == fields
