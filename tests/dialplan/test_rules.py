"""Call Routing Rules: which takes a call, and where it goes then."""

from __future__ import annotations

import time
from typing import Any

import pytest
import structlog.testing
from hypothesis import given
from hypothesis import strategies as st

from rostra.dialplan import rules
from rostra.dialplan.outward import Hop, NoRule, Route, identity, outside
from rostra.dialplan.rules import Reason, Rule, TransformFailed
from rostra.domain.dialling import Wanted
from rostra.domain.vocabulary import CallProtocol


def rule(match: str = ".*", **more: Any) -> Rule:
    return Rule(**{"id": 1, "name": "r", "priority": 100, "match": match, "outgoing": True, **more})


@pytest.mark.spec("SVC-093")
@pytest.mark.parametrize(
    ("alias", "plain"),
    [
        ("sip:alice@example.com;transport=tls", "alice@example.com"),
        ("sips:alice@10.0.0.1:5061", "alice"),
        ("alice@[2001:db8::1]", "alice"),
        ("h323:room", "room"),
        ("rtmp://host/live/x", "host/live/x"),
        ("alice@example.com?subject=x", "alice@example.com"),
    ],
)
def test_what_is_matched(alias: str, plain: str) -> None:
    assert rules.parsed(alias) == plain


@pytest.mark.spec("SVC-085", "SVC-086", "SVC-088", "SVC-089", "SVC-093", "SVC-094", "SVC-095", "REF-083")
@pytest.mark.parametrize(
    ("one", "alias", "matches"),
    [
        (rule(".+@example.com"), "sip:alice@EXAMPLE.com;transport=tls", True),
        (rule(".+@example.com"), "alice@example.com.evil", False),
        (rule(".+@example.com"), "bob alice@example.org", False),
        (rule(".+@example.com", full=True), "sip:alice@example.com;transport=tls", False),
        (rule("sip:.+@example.com.*", full=True), "sip:alice@example.com;transport=tls", True),
        (rule(enabled=False), "a", False),
        (rule(outgoing=False, incoming=True), "a", False),
        (rule(location=7), "a", True),
        (rule(location=8), "a", False),
        (rule(registered_only=True, sources=frozenset()), "a", True),  # settings of incoming calls play no part
        (rule("("), "a", False),
    ],
)
def test_outgoing(one: Rule, alias: str, matches: bool) -> None:
    assert (rules.outgoing([one], alias, 7) is not None) is matches


@pytest.mark.spec("SVC-087", "SVC-090", "SVC-091", "SVC-092", "SVC-113")
@pytest.mark.parametrize(
    ("one", "source", "registered", "matches"),
    [
        (rule(incoming=True), "sip", False, True),
        (rule(incoming=False), "sip", False, False),
        (rule(sources=frozenset({CallProtocol.WEBRTC})), "api", False, True),
        (rule(sources=frozenset({CallProtocol.WEBRTC})), "rtmp", False, True),
        (rule(sources=frozenset({CallProtocol.WEBRTC})), "sip", False, False),
        (rule(registered_only=True), "sip", False, False),
        (rule(registered_only=True), "sip", True, True),
        (rule(registered_only=True, sources=frozenset()), "sip", True, False),
        (rule(registered_only=True, sources=frozenset()), "mssip", True, True),
    ],
)
def test_incoming(one: Rule, source: str, registered: bool, matches: bool) -> None:
    assert (rules.incoming([one], "a", 1, CallProtocol(source), registered=registered) is not None) is matches


@pytest.mark.spec("SVC-096")
@pytest.mark.parametrize(
    ("match", "replace", "made"),
    [
        (r"(\d+)@old", r"\1@new", "12@new"),
        (r"(\d+)@old", "", "sip:12@old"),
        (r"(?P<n>\d+)@old", r"\g<n>", "12"),
        (r"([[:digit:]]+)@old", r"\1", "12"),
    ],
)
def test_transforms(match: str, replace: str, made: str) -> None:
    found = rules.outgoing([rule(match, replace=replace)], "sip:12@old", 1)
    assert found is not None
    assert found.alias == made


@pytest.mark.spec("SVC-084", "SVC-096")
def test_a_broken_transform_ends_the_search() -> None:
    with pytest.raises(TransformFailed):
        rules.outgoing([rule("(a)", replace=r"\2", priority=1), rule(priority=2)], "a", 1)


@pytest.mark.spec("SVC-084")
@given(st.lists(st.tuples(st.integers(1, 200), st.booleans(), st.sampled_from(["a", "b", ".*"])), max_size=8))
def test_the_first_that_matches(made: list[tuple[int, bool, str]]) -> None:
    every = [rule(match, priority=p, enabled=e, id=n) for n, (p, e, match) in enumerate(made)]
    fit = [one for one in every if one.enabled and one.match in ("a", ".*")]
    found = rules.outgoing(every, "a", 1)
    best = min(fit, key=lambda one: (one.priority, one.id), default=None)
    assert (found.rule if found else None) == best


class Configured:
    """A plan as given."""

    def __init__(self, *given: Rule) -> None:
        self.given = given
        self.hops = {1: Hop(address="proxy.one"), 2: Hop(address="proxy.two", transport="tcp")}

    def rules(self) -> tuple[Rule, ...]:
        return self.given

    def hop(self, protocol: CallProtocol, key: int | None) -> Hop | None:
        return self.hops.get(key or 0) if protocol is CallProtocol.SIP else None

    def hop_of(self, protocol: CallProtocol, location: int) -> Hop | None:
        return self.hop(protocol, location)


def way(wanted: Wanted, *given: Rule, here: int = 1) -> Route:
    return outside(wanted, Configured(*given), here)[0]  # type: ignore[arg-type]


@pytest.mark.spec("CONF-101", "CONF-102", "CONF-104", "CONF-109", "CONF-112", "SYS-148", "SVC-097", "SVC-107")
def test_ways_out() -> None:
    manual = Wanted(destination="a@x", call_type="audio")
    assert way(manual) == Route(
        protocol=CallProtocol.SIP, destination="a@x", hop=Hop(address="proxy.one"), call_type="audio"
    )
    there = way(Wanted(destination="a@x", location=2))
    assert (there.location, there.hop) == (2, Hop(address="proxy.two", transport="tcp"))
    by_rule = Wanted(destination="sip:a@x", protocol=None)
    with pytest.raises(NoRule):
        way(by_rule)
    found = way(by_rule, rule("(a)@x", replace=r"\1@y", outgoing_location=5, rate_out=512, call_type="video-only"))
    assert found == Route(
        protocol=CallProtocol.SIP, destination="a@y", location=5, call_type="video-only", rate_out=512_000
    )  # no proxy of its location: the rule has none
    assert way(by_rule, rule(proxy=2)).hop == Hop(address="proxy.two", transport="tcp")
    notional = Wanted(destination="a@x", protocol=None, location=9)
    assert way(notional, rule(location=9)).location == 0
    with pytest.raises(NoRule):
        way(Wanted(destination="a@x", protocol=None), rule(location=9))


@pytest.mark.spec("CONF-156", "SVC-099", "CONF-153")
@pytest.mark.parametrize(
    ("asked", "rule_says", "made"),
    [
        ("video", "auto", "video"),
        ("audio", "auto", "audio"),
        ("video", "video-only", "video-only"),
        ("video", "audio", "audio"),
        ("audio", "video", "audio"),
        ("video-only", "video", "video-only"),
    ],
)
def test_a_rule_limits_the_media_and_never_widens_it(asked: str, rule_says: str, made: str) -> None:
    assert way(Wanted(destination="a@x", protocol=None, call_type=asked), rule(call_type=rule_says)).call_type == made


@pytest.mark.spec("CONF-103")
def test_who_is_calling() -> None:
    assert identity(["meet.sales", "meet.sales@example.com"], CallProtocol.SIP) == "meet.sales"
    assert identity(["meet sales", "meet.sales@example.com"], CallProtocol.SIP) == "meet.sales@example.com"
    assert identity([], CallProtocol.SIP) == ""


@pytest.mark.spec("SVC-084", "SVC-085", "SVC-086", "SVC-087", "SVC-089", "SVC-090", "SVC-092")
def test_every_rule_says_why() -> None:
    """What the tester shows, in the order in which rules are tried."""
    given = [
        rule("x", priority=1, enabled=False),
        rule("a@y", priority=2, incoming=False),
        rule("a@y", priority=3, location=2),
        rule("a@y", priority=4, registered_only=True),
        rule("a@y", priority=5, sources=frozenset({CallProtocol.H323})),
        rule("b@y", priority=6),
        rule("(a|aa)+", priority=7, full=True),
        rule("(a)@y()", priority=9, replace=r"\2"),
        rule("(a)@y", priority=8, replace=r"9\1"),
    ]
    call = rules.Dialled(alias="sip:a@y;x=1", location=1, source=CallProtocol.SIP)
    steps = list(rules.search(given, call))
    assert [(step.rule.priority, step.reason.value, step.alias) for step in steps] == [
        (1, "disabled", ""),
        (2, "direction", ""),
        (3, "location", ""),
        (4, "unregistered", ""),
        (5, "source", ""),
        (6, "expression", ""),
        (7, "expression", ""),
        (8, "matches", "9a"),
        (9, "nothing left", ""),
    ]
    assert [step.decides for step in steps] == [False] * 7 + [True, True]
    assert {step.matched for step in steps} == {"a@y", "sip:a@y;x=1"}
    found = rules.incoming(given, call.alias, 1, CallProtocol.SIP, registered=False)
    assert found is not None
    assert (found.rule.priority, found.alias) == (8, "9a")


def test_slow_rules_take_no_longer_together_than_a_call_may_wait() -> None:
    slow = [rule("(a|aa)+$", id=number, name=f"slow {number}", priority=number) for number in range(1, 101)]
    given = [*slow, rule("never", priority=101, enabled=False), rule(priority=102)]
    began = time.thread_time()
    steps = list(rules.search(given, rules.Dialled(alias="a" * 200 + "!", location=1)))
    with structlog.testing.capture_logs() as logs:
        assert rules.outgoing(given, "a" * 200 + "!", 1) is None, "who is not looked at takes no call"
    assert time.thread_time() - began < 2.0, "instead of ten seconds"
    assert [step.reason for step in steps[-3:]] == [Reason.UNTRIED, Reason.DISABLED, Reason.UNTRIED]
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert told["slow"][0] == "slow 1"
    assert rules.outgoing(given, "b", 1) is not None


def test_a_slow_rule_does_not_match() -> None:
    slow, other = rule("(a|aa)+$", priority=1), rule(priority=2)
    steps = rules.search([slow, other], rules.Dialled(alias="a" * 200 + "!", location=1))
    assert [step.reason for step in steps] == [Reason.TOO_SLOW, Reason.MATCHES]
    assert rules.outgoing([slow, other], "a" * 200 + "!", 1) is not None
