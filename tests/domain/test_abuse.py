"""Who is not heard for a while, and who is whatever others at the same place do."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import abuse
from rostra.domain.abuse import NARROW, WINDOW, Allowed, Change, Kind, Rules, Shield, Tally, allowed, source_of

SCANNER, OFFICE = "198.51.100.7", "203.0.113.9"


def scan(shield: Shield, address: str = SCANNER, count: int = 20, now: float = 0.0, *, proven: bool = True) -> None:
    for number in range(count):
        shield.wrong_alias(address, f"{number}", now, proven=proven)


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense:", "nonsense:"),
        ("", ""),
    ],
)
def test_sources(address: str, source: str) -> None:
    assert source_of(address) == source


def test_who_tries_many_aliases_is_not_heard_for_ten_minutes() -> None:
    shield = Shield()
    scan(shield, count=19)
    assert shield.hears(SCANNER, 0, proven=True)
    assert shield.quiet
    shield.wrong_alias(SCANNER, "one more", 0, proven=True)
    assert not shield.hears(SCANNER, 1, proven=True)
    assert shield.hears(OFFICE, 1, proven=True)
    assert shield.changes(1) == [Change(Kind.ALIASES, SCANNER, shut=True)]
    assert shield.changes(WINDOW - 1) == []
    assert shield.changes(WINDOW) == [Change(Kind.ALIASES, SCANNER, shut=False)]
    assert shield.hears(SCANNER, WINDOW, proven=True)
    assert shield.quiet


def test_the_same_wrong_alias_again_and_again_is_one_mistake() -> None:
    shield = Shield()
    for number in range(1000):
        shield.wrong_alias(OFFICE, "Mistyped" if number % 2 else "mistyped", number / 10, proven=True)
    assert shield.quiet


def test_few_mistakes_are_forgiven_in_time() -> None:
    shield = Shield()
    for number in range(200):
        shield.wrong_alias(OFFICE, f"{number}", number * WINDOW / 15, proven=True)
    assert shield.quiet


def test_datagrams_that_claim_a_source_do_not_shut_out_its_connections() -> None:
    shield = Shield()
    scan(shield, proven=False)
    assert not shield.hears(SCANNER, 1, proven=False)
    assert shield.hears(SCANNER, 1, proven=True)
    scan(shield, OFFICE, proven=True)
    assert not shield.hears(OFFICE, 1, proven=False), "what a connection shows holds for datagrams as well"


def test_where_something_is_in_order_there_is_a_narrow_way() -> None:
    shield = Shield()
    scan(shield)
    assert not shield.new(SCANNER, 1, proven=True)
    shield.known = lambda address: address == SCANNER
    passed = [shield.new(SCANNER, 1 + second, proven=True) for second in range(100)]
    assert sum(passed) == 100 / NARROW


def test_unreadable_messages() -> None:
    shield = Shield()
    for _ in range(abuse.UNREADABLE):
        shield.unreadable(SCANNER, 0, proven=False)
    assert not shield.hears(SCANNER, 1, proven=False)
    assert shield.changes(1) == [Change(Kind.UNREADABLE, SCANNER, shut=True)]


def test_guessing_the_password_of_one_leaves_its_neighbours_alone() -> None:
    shield = Shield()
    for _ in range(abuse.PASSWORDS_OF_ONE):
        assert shield.may_try(OFFICE, "Ada", 0)
        shield.wrong_password(OFFICE, "ada", 0)
    assert shield.changes(0) == [Change(Kind.PASSWORD, OFFICE, shut=True)]
    assert not shield.may_try(OFFICE, "ada", 1)
    assert shield.may_try(OFFICE, "bob", 1)
    assert shield.may_try("192.0.2.1", "ada", 1), "from elsewhere"
    assert shield.may_try(OFFICE, "ada", WINDOW + 1)


def test_guessing_of_many_leaves_those_whose_password_was_right() -> None:
    shield = Shield()
    shield.right_password(OFFICE, "ada", 0)
    for number in range(abuse.PASSWORDS_OF_SOURCE):
        shield.wrong_password(OFFICE, f"user{number}", 0)
    assert shield.changes(0) == [Change(Kind.PASSWORDS, OFFICE, shut=True)]
    assert all(shield.may_try(OFFICE, "ADA", second) for second in range(50))
    tried = [shield.may_try(OFFICE, "new", second) for second in range(100)]
    assert sum(tried) == 100 / NARROW, "somebody new has a way as well"


def test_a_right_password_forgives() -> None:
    shield = Shield()
    for _ in range(100):
        for _ in range(abuse.PASSWORDS_OF_ONE - 1):
            shield.wrong_password("192.0.2.8", "ada", 0)
            shield._of_source.forgive("192.0.2.8")
        shield.right_password("192.0.2.8", "ada", 0)
    assert shield.may_try("192.0.2.8", "ada", 0)


def test_a_service_in_quarantine_asks_those_who_were_right_before() -> None:
    shield = Shield()
    shield.right_pin(OFFICE, "Board", 0)
    for number in range(20):
        assert shield.may_enter(f"192.0.2.{number}", "Board", 0)
        shield.wrong_pin(f"192.0.2.{number}", "Board", 0)
    assert shield.changes(0) == [Change(Kind.PINS, "Board", shut=True)]
    assert not shield.may_enter("192.0.2.99", "Board", 1)
    assert shield.may_enter(OFFICE, "Board", 1)
    assert shield.may_enter("192.0.2.99", "Other", 1)
    shield.known = lambda address: address == "192.0.2.50"
    assert [shield.may_enter("192.0.2.50", "Board", 1), shield.may_enter("192.0.2.50", "Board", 2)] == [True, False]
    assert shield.changes(WINDOW) == [Change(Kind.PINS, "Board", shut=False)]


@dataclasses.dataclass
class Case:
    rules: Rules
    address: str
    shut: bool


@pytest.mark.parametrize(
    "case",
    [
        Case(Rules(), "192.0.2.1", True),
        Case(Rules(aliases=None, pins=None), "192.0.2.1", False),
        Case(Rules(allowed=allowed([("192.0.2.0", 24, True, True)])), "192.0.2.1", False),
        Case(Rules(allowed=allowed([("192.0.2.77", 24, True, True)])), "192.0.2.1", False),
        Case(Rules(allowed=allowed([("192.0.2.0", 24, False, False)])), "192.0.2.1", True),
        Case(Rules(allowed=allowed([("192.0.2.0", 24, True, True)])), "192.0.3.1", True),
        Case(Rules(allowed=allowed([("2001:db8::", 32, True, True)])), "2001:db8:5::1", False),
        Case(Rules(allowed=allowed([("2001:db8::", 32, True, True)])), "not an address", True),
    ],
)
def test_what_the_administrator_has_set(case: Case) -> None:
    shield = Shield(case.rules)
    scan(shield, case.address, 30)
    for _ in range(30):
        shield.wrong_pin(case.address, "Board", 0)
    assert shield.hears(case.address, 1, proven=True) is not case.shut
    assert shield.may_enter("192.0.9.9", "Board", 1) is not case.shut


def test_aliases_and_pins_are_allowed_apart() -> None:
    network = ipaddress.ip_network("192.0.2.0/24")
    shield = Shield(Rules(allowed=(Allowed(network, aliases=True, pins=False),)))
    scan(shield, "192.0.2.1", 30)
    for _ in range(30):
        shield.wrong_pin("192.0.2.1", "Board", 0)
    assert shield.quiet
    assert not shield.may_enter("192.0.2.1", "Board", 1)


def test_switching_off_opens_at_once() -> None:
    shield = Shield()
    scan(shield)
    for _ in range(20):
        shield.wrong_pin(SCANNER, "Board", 0)
    shield.changes(0)
    shield.obey(Rules(aliases=None, pins=None))
    assert shield.hears(SCANNER, 1, proven=True)
    assert shield.may_enter(SCANNER, "Board", 1)
    told = {(change.kind, change.shut) for change in shield.changes(1)}
    assert told == {(Kind.ALIASES, False), (Kind.PINS, False)}


def test_another_limit_counts_from_now_on() -> None:
    shield = Shield()
    scan(shield, count=10)
    shield.obey(Rules(aliases=5))
    shield.wrong_alias(SCANNER, "next", 0, proven=True)
    assert not shield.hears(SCANNER, 1, proven=True)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 30), st.booleans()), max_size=300))
def test_memory_is_bounded_and_nobody_is_shut_for_longer_than_the_window(
    attempts: list[tuple[int, float, bool]],
) -> None:
    tally: Tally[str] = Tally(3, capacity=10, window=60)
    now, shut_since = 0.0, dict[str, float]()
    for who, pause, _ in attempts:
        now += pause
        for key in tally.over(now):
            shut_since.pop(key, None)
        key = f"{who}"
        if tally.add(key, now):
            shut_since[key] = now
        assert len(tally) <= 10
        assert len(tally.shut_keys) <= 10
        assert all(now - shut_since[one] < 60 for one in tally.shut_keys if tally.shut(one, now))


@given(st.integers(1, 200), st.floats(1, 100))
def test_a_rate_below_the_limit_is_never_shut_out(most: int, factor: float) -> None:
    tally: Tally[str] = Tally(most + 1, window=WINDOW)
    between = WINDOW / most * factor
    assert not any(tally.add("x", number * between, about=f"{number}") for number in range(3 * most + 5))
