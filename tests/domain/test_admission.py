import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.admission import AccessRules, PinEntry, PinOutcome, check_pin, place, press
from rostra.domain.vocabulary import Role, ServiceType

OPEN = AccessRules()
HOSTS_ONLY = AccessRules(host_pin="1234")
FREE_GUESTS = AccessRules(host_pin="1234", allow_guests=True)
PIN_GUESTS = AccessRules(host_pin="1234", allow_guests=True, guest_pin="5678")
POUND = AccessRules(host_pin="1234#", allow_guests=True, guest_pin="567890#")


@pytest.mark.spec("CONF-048", "API-032", "CONF-054", "SVC-019", "SVC-022")
@pytest.mark.parametrize(
    ("rules", "pin", "outcome"),
    [
        (OPEN, None, PinOutcome.HOST),
        (OPEN, "9999", PinOutcome.HOST),
        (HOSTS_ONLY, None, PinOutcome.ASK),
        (HOSTS_ONLY, "1234", PinOutcome.HOST),
        (HOSTS_ONLY, "1234#", PinOutcome.HOST),
        (HOSTS_ONLY, "none", PinOutcome.WRONG),
        (HOSTS_ONLY, "", PinOutcome.WRONG),
        (HOSTS_ONLY, "5678", PinOutcome.WRONG),
        (FREE_GUESTS, "1234", PinOutcome.HOST),
        (FREE_GUESTS, "none", PinOutcome.GUEST),
        (FREE_GUESTS, "", PinOutcome.GUEST),
        (FREE_GUESTS, "9999", PinOutcome.WRONG),
        (PIN_GUESTS, "1234", PinOutcome.HOST),
        (PIN_GUESTS, "5678", PinOutcome.GUEST),
        (PIN_GUESTS, "none", PinOutcome.WRONG),
        (PIN_GUESTS, None, PinOutcome.ASK),
        (POUND, "1234", PinOutcome.HOST),
        (POUND, "567890#", PinOutcome.GUEST),
    ],
)
def test_access_table(rules: AccessRules, pin: str | None, outcome: PinOutcome) -> None:
    assert check_pin(rules, pin) is outcome


def type_in(rules: AccessRules, keys: str) -> list[PinOutcome]:
    entry, outcomes = PinEntry(), []
    for key in keys:
        entry, outcome = press(rules, entry, key)
        outcomes.append(outcome)
    return outcomes


@pytest.mark.spec("CONF-052")
@pytest.mark.parametrize(
    ("rules", "keys", "last"),
    [
        (HOSTS_ONLY, "1234", PinOutcome.HOST),
        (HOSTS_ONLY, "123", PinOutcome.ASK),
        (HOSTS_ONLY, "99*1234", PinOutcome.HOST),
        (HOSTS_ONLY, "12#", PinOutcome.WRONG),
        (HOSTS_ONLY, "#", PinOutcome.ASK),
        (FREE_GUESTS, "#", PinOutcome.GUEST),
        (PIN_GUESTS, "5678", PinOutcome.GUEST),
        (POUND, "1234", PinOutcome.ASK),
        (POUND, "1234#", PinOutcome.HOST),
        (POUND, "567890#", PinOutcome.GUEST),
        (POUND, "12#1234#", PinOutcome.HOST),
    ],
)
def test_keypad(rules: AccessRules, keys: str, last: PinOutcome) -> None:
    assert type_in(rules, keys)[-1] is last


@pytest.mark.spec("CONF-050")
def test_three_wrong_pins_exhaust_the_entry() -> None:
    entry = PinEntry()
    for key in "000011112222":
        assert not entry.exhausted
        entry, _ = press(HOSTS_ONLY, entry, key)
    assert entry.exhausted


@given(st.text(alphabet="0123456789#*A ", max_size=60))
def test_typing_never_admits_without_the_right_digits(keys: str) -> None:
    admitted = {PinOutcome.HOST, PinOutcome.GUEST} & set(type_in(PIN_GUESTS, keys))
    assert (
        not admitted
        or "1234" in keys.replace("A", "").replace(" ", "")
        or "5678" in keys.replace("A", "").replace(" ", "")
    )


@pytest.mark.spec("CONF-059", "API-033")
@pytest.mark.parametrize(
    ("role", "rules", "locked", "started", "where"),
    [
        (Role.HOST, OPEN, False, False, ServiceType.CONFERENCE),
        (Role.HOST, OPEN, True, True, ServiceType.WAITING_ROOM),
        (Role.HOST, HOSTS_ONLY, True, True, ServiceType.CONFERENCE),
        (Role.GUEST, FREE_GUESTS, False, False, ServiceType.WAITING_ROOM),
        (Role.GUEST, FREE_GUESTS, False, True, ServiceType.CONFERENCE),
        (Role.GUEST, FREE_GUESTS, True, True, ServiceType.WAITING_ROOM),
    ],
)
def test_where_somebody_goes(role: Role, rules: AccessRules, locked: bool, started: bool, where: ServiceType) -> None:
    assert place(role, rules, locked=locked, started=started) is where
