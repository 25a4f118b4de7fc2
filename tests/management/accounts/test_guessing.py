"""How long who guesses is not heard: pure, with time as an argument."""

from __future__ import annotations

from rostra.management.guessing import ACCOUNT, ADDRESS, FLOOD, HERE, Watch, place


def failing(watch: Watch, times: int, account: str = "ada", address: str = "192.0.2.1", now: float = 0.0) -> None:
    for _ in range(times):
        watch.failed(account, address, now)


def test_some_mistakes_are_free_then_the_wait_doubles() -> None:
    watch = Watch()
    failing(watch, HERE.free - 1)
    assert watch.wait("ada", "192.0.2.1", 0.0) == 0
    waits = []
    for _ in range(14):
        watch.failed("ada", "192.0.2.1", 0.0)
        waits.append(watch.wait("ada", "192.0.2.1", 0.0))
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == HERE.longest
    assert watch.wait("ada", "192.0.2.1", HERE.longest) == 0


def test_others_behind_the_same_address_are_heard() -> None:
    watch = Watch()
    failing(watch, 20)
    assert watch.wait("bob", "192.0.2.1", 0.0) == 0
    assert watch.wait("ada", "192.0.2.2", 0.0) == 0


def test_an_address_that_tries_many_accounts_waits_with_all() -> None:
    watch = Watch()
    for number in range(ADDRESS.free + 3):
        watch.failed(f"user{number}", "192.0.2.1", 0.0)
    assert watch.wait("bob", "192.0.2.1", 0.0) == 8
    assert watch.wait("bob", "192.0.2.2", 0.0) == 0


def test_many_addresses_slow_an_account_down_but_not_where_it_is_at_home() -> None:
    watch = Watch()
    watch.succeeded("ada", "198.51.100.7", 0.0)
    for number in range(ACCOUNT.free + 30):
        watch.failed("ada", f"192.0.2.{number}", 0.0)
    assert watch.wait("ada", "203.0.113.1", 0.0) == ACCOUNT.longest
    assert watch.wait("ada", "198.51.100.7", 0.0) == 0


def test_success_forgives() -> None:
    watch = Watch()
    failing(watch, 8)
    watch.succeeded("ada", "192.0.2.1", 100.0)
    failing(watch, 4, now=100.0)
    assert watch.wait("ada", "192.0.2.1", 100.0) == 0


def test_known_credentials_are_heard_until_it_is_a_flood() -> None:
    watch = Watch()
    failing(watch, 15)
    assert watch.wait("ada", "192.0.2.1", 0.0) > 0
    assert watch.wait("ada", "192.0.2.1", 0.0, known=True) == 0
    for _ in range(FLOOD):
        watch.turned_away("ada", "192.0.2.1", 0.0)
    assert watch.wait("ada", "192.0.2.1", 0.0, known=True) > 0


def test_failures_are_forgotten_after_an_hour() -> None:
    watch = Watch()
    failing(watch, 30)
    assert watch.wait("ada", "192.0.2.1", 3601.0) == 0
    watch.failed("ada", "192.0.2.1", 3601.0)
    assert watch.wait("ada", "192.0.2.1", 3601.0) == 0


def test_a_host_with_ipv6_is_its_network() -> None:
    assert place("2001:db8::1") == place("2001:db8::ffff:1") != place("2001:db8:0:1::1")
    assert place("::ffff:192.0.2.1") == "192.0.2.1"
    assert place("192.0.2.1") == "192.0.2.1"
    assert place("") == ""
