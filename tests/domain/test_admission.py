import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.admission import (
    AccessRules,
    Arrival,
    PinEntry,
    PinOutcome,
    Way,
    arrive,
    check_pin,
    has_room,
    may_admit,
    may_key_host_pin,
    place,
    press,
    press_waiting,
)
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


WAYS = [
    # rules, PIN, by keypad, outcome
    (OPEN, None, True, Arrival(way=Way.ENTER, role=Role.HOST)),
    (OPEN, None, False, Arrival(way=Way.ENTER, role=Role.HOST)),
    (HOSTS_ONLY, None, True, Arrival(way=Way.KEYPAD)),
    (HOSTS_ONLY, None, False, Arrival(way=Way.CHALLENGE)),
    (HOSTS_ONLY, "1234", True, Arrival(way=Way.ENTER, role=Role.HOST)),
    (HOSTS_ONLY, "9999", True, Arrival(way=Way.KEYPAD, wrong=1)),
    (HOSTS_ONLY, "9999", False, Arrival(way=Way.REFUSED)),
    (FREE_GUESTS, None, True, Arrival(way=Way.ENTER, role=Role.GUEST)),
    (FREE_GUESTS, None, False, Arrival(way=Way.CHALLENGE)),
    (FREE_GUESTS, "", False, Arrival(way=Way.ENTER, role=Role.GUEST)),
    (FREE_GUESTS, "1234", True, Arrival(way=Way.ENTER, role=Role.HOST)),
    (FREE_GUESTS, "9999", True, Arrival(way=Way.KEYPAD, wrong=1)),
    (PIN_GUESTS, None, True, Arrival(way=Way.KEYPAD)),
    (PIN_GUESTS, "5678", True, Arrival(way=Way.ENTER, role=Role.GUEST)),
    (POUND, "567890", True, Arrival(way=Way.ENTER, role=Role.GUEST)),
]


@pytest.mark.spec("CONF-048", "CONF-049", "CONF-055", "CONF-057", "API-031", "SVC-021")
@pytest.mark.parametrize(("rules", "pin", "by_keypad", "outcome"), WAYS)
def test_ways_in(rules: AccessRules, pin: str | None, by_keypad: bool, outcome: Arrival) -> None:
    assert arrive(rules, pin, by_keypad=by_keypad) == outcome


@pytest.mark.spec("CONF-099", "CONF-107", "API-027")
@pytest.mark.parametrize("rules", [OPEN, HOSTS_ONLY, FREE_GUESTS, PIN_GUESTS])
@pytest.mark.parametrize("role", [Role.HOST, Role.GUEST])
def test_whom_the_platform_brings_gives_no_pin(rules: AccessRules, role: Role) -> None:
    assert arrive(rules, None, by_keypad=True, role=role) == Arrival(way=Way.ENTER, role=role)


LOCK = [
    # rules, role, where a lock leaves somebody new when the conference runs
    (OPEN, Role.HOST, ServiceType.WAITING_ROOM),
    (OPEN, Role.GUEST, ServiceType.WAITING_ROOM),
    (HOSTS_ONLY, Role.HOST, ServiceType.CONFERENCE),
    (HOSTS_ONLY, Role.GUEST, ServiceType.WAITING_ROOM),
    (FREE_GUESTS, Role.HOST, ServiceType.CONFERENCE),
    (FREE_GUESTS, Role.GUEST, ServiceType.WAITING_ROOM),
    (PIN_GUESTS, Role.GUEST, ServiceType.WAITING_ROOM),
]


@pytest.mark.spec("CONF-132", "API-146")
@pytest.mark.parametrize(("rules", "role", "where"), LOCK)
def test_the_lock_table(rules: AccessRules, role: Role, where: ServiceType) -> None:
    assert place(role, rules, locked=True, started=True) is where
    assert place(role, rules, locked=False, started=True, lecture=True) is ServiceType.LECTURE


@pytest.mark.spec("CONF-132", "API-147")
@pytest.mark.parametrize(
    ("role", "joined", "hosted", "may"),
    [
        (Role.HOST, True, True, True),
        (Role.HOST, False, True, False),
        (Role.GUEST, True, True, False),
        (Role.HOST, True, False, True),
        (Role.GUEST, True, False, True),
        (Role.GUEST, False, False, False),
        (Role.UNKNOWN, False, False, False),
    ],
)
def test_who_admits(role: Role, joined: bool, hosted: bool, may: bool) -> None:
    assert may_admit(role, joined=joined, hosted=hosted) is may


@pytest.mark.spec("CONF-150")
@pytest.mark.parametrize(("limit", "present", "room"), [(None, 999, True), (2, 1, True), (2, 2, False), (2, 3, False)])
def test_room(limit: int | None, present: int, room: bool) -> None:
    assert has_room(limit, present) is room


@pytest.mark.spec("REF-032")
@pytest.mark.parametrize(
    ("rules", "role", "may"),
    [
        (FREE_GUESTS, Role.GUEST, True),
        (FREE_GUESTS, Role.HOST, False),
        (PIN_GUESTS, Role.GUEST, False),
        (OPEN, Role.GUEST, False),
        (HOSTS_ONLY, Role.GUEST, False),
    ],
)
def test_who_may_key_the_host_pin_while_waiting(rules: AccessRules, role: Role, may: bool) -> None:
    assert may_key_host_pin(rules, role) is may


@pytest.mark.spec("REF-032")
def test_a_waiting_caller_keys_the_host_pin_or_stays_a_guest() -> None:
    entry = PinEntry()
    for key in "#*1234":
        entry, outcome = press_waiting(FREE_GUESTS, entry, key)
    assert outcome is PinOutcome.HOST
    entry = PinEntry()
    for key in "000011112222":
        entry, outcome = press_waiting(FREE_GUESTS, entry, key)
    assert entry.exhausted
    for key in "1234":
        entry, outcome = press_waiting(FREE_GUESTS, entry, key)
        assert outcome is PinOutcome.ASK


@given(st.text(alphabet="0123456789#*", max_size=30))
def test_nobody_becomes_anything_but_host_by_keys_in_the_waiting_room(keys: str) -> None:
    entry = PinEntry()
    for key in keys:
        entry, outcome = press_waiting(FREE_GUESTS, entry, key)
        assert outcome is not PinOutcome.GUEST
