"""Challenges of ours and what answers them: forged, stale, replayed, in another order, in every algorithm."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.sip import authenticating, digest
from rostra.sip.authenticating import WINDOW, Authenticator, Outcome
from rostra.sip.headers import Headers
from rostra.sip.message import Request
from tests.fuzzing import fuzzed

REALM, URI = "example.org", "sip:example.org"


def made(**changes: object) -> Authenticator:
    salts = itertools.count(1)
    return Authenticator(b"k" * 32, salt=lambda: next(salts).to_bytes(8), **changes)  # type: ignore[arg-type]


def asking(*answers: str, uri: str = URI, method: str = "REGISTER") -> Request:
    return Request(Headers([("Authorization", value) for value in answers]), b"", method, uri)


def answered(
    headers: list[tuple[str, str]], *, password: str = "secret", name: str = "alice", count: int = 1, uri: str = URI
) -> list[str]:
    """What a client says to each challenge."""
    found = [
        digest.answer(value, "REGISTER", uri, lambda _: (name, password), f"cn{count}", count=count)
        for _, value in headers
    ]
    return [value for value in found if value is not None]


def test_an_answer_is_right_stale_wrong_or_absent() -> None:
    keeper = made()
    headers = keeper.challenge(REALM, 100.0)
    assert [value.partition("algorithm=")[2].partition(",")[0] for _, value in headers] == ["SHA-256", "MD5"]
    strong, weak = answered(headers)
    assert keeper.check(asking(), "alice", "secret", 101.0) is Outcome.ABSENT
    assert keeper.check(asking("Bearer abc"), "alice", "secret", 101.0) is Outcome.ABSENT
    assert keeper.check(asking(strong), "Alice", "secret", 101.0) is Outcome.OK
    assert keeper.check(asking(strong), "alice", "secret", 101.0) is Outcome.STALE
    assert keeper.check(asking(weak), "alice", "other", 101.0) is Outcome.WRONG
    assert keeper.check(asking(weak), "bob", "secret", 101.0) is Outcome.WRONG
    assert keeper.username(asking(weak)) == "alice"
    (old, _) = answered(keeper.challenge(REALM, 100.0))
    assert keeper.check(asking(old), "alice", "secret", 100.0 + authenticating.LIFE + 1) is Outcome.STALE
    (again, *_) = keeper.challenge(REALM, 500.0, stale=True)
    assert "stale=true" in again[1]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda text: text.replace('realm="example.org"', 'realm="example.com"'), Outcome.WRONG),
        (lambda text: text.replace('uri="sip:example.org"', 'uri="sip:elsewhere.org"'), Outcome.WRONG),
        (lambda text: text.replace("nc=00000001", "nc=00000002"), Outcome.WRONG),
        (lambda text: text.replace("qop=auth", "qop=auth-int"), Outcome.WRONG),
        (lambda text: text.replace("algorithm=SHA-256", "algorithm=SHA-1"), Outcome.WRONG),
        (lambda text: text.replace('response="', 'response="\\u00e9'), Outcome.WRONG),
        (lambda text: text.partition(",")[0], Outcome.WRONG),
        (lambda _: "Digest", Outcome.WRONG),
        (lambda _: 'Digest username="alice", nonce="****"', Outcome.WRONG),
    ],
)
def test_what_was_changed_on_the_way_is_wrong(change: Callable[[str], str], outcome: Outcome) -> None:
    keeper = made()
    strong, _ = answered(keeper.challenge(REALM, 0.0))
    assert keeper.check(asking(change(strong)), "alice", "secret", 1.0) is outcome


def test_a_nonce_of_somebody_else_is_stale_whatever_it_looks_like() -> None:
    keeper = made()
    for nonce in ("x", "", "AAAA" * 16, Authenticator(b"other").challenge(REALM, 0.0)[0][1].split('nonce="')[1][:43]):
        asked = f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'
        (value,) = answered([("", asked)])
        assert keeper.check(asking(value), "alice", "secret", 1.0) is Outcome.STALE


def test_clients_of_the_oldest_kind_and_ports_in_the_uri_are_taken() -> None:
    """RFC 2069 answers without qop, once for each nonce."""
    keeper = made(algorithms=["MD5"])
    ((_, asked),) = keeper.challenge(REALM, 0.0)
    plain = answered([("", asked.replace(', qop="auth"', ""))])
    assert [keeper.check(asking(*plain), "alice", "secret", 1.0) for _ in range(2)] == [Outcome.OK, Outcome.STALE]
    (value,) = answered(keeper.challenge(REALM, 0.0), uri="sip:EXAMPLE.org:5060;transport=tcp")
    assert keeper.check(asking(value), "alice", "secret", 1.0) is Outcome.OK


@given(st.lists(st.integers(1, 200), max_size=60))
def test_no_count_passes_twice_and_late_ones_pass_once(counts: list[int]) -> None:
    keeper = made(algorithms=["SHA-256"])
    headers = keeper.challenge(REALM, 0.0)
    used: set[int] = set()
    for count in counts:
        outcome = keeper.check(asking(*answered(headers, count=count)), "alice", "secret", 1.0)
        expected = count not in used and count > max(used, default=0) - WINDOW
        assert outcome is (Outcome.OK if expected else Outcome.STALE)
        used |= {count} if expected else set()


def test_what_is_no_longer_remembered_cannot_be_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticating, "MAX_USED", 2)
    keeper = made(algorithms=["MD5"])
    answers = [answered(keeper.challenge(REALM, float(n)))[0] for n in range(5)]
    assert all(keeper.check(asking(value), "alice", "secret", 5.0) is Outcome.OK for value in answers)
    assert all(keeper.check(asking(value), "alice", "secret", 5.0) is Outcome.STALE for value in answers)


@fuzzed(10_000)
@given(st.text(max_size=120))
def test_whatever_stands_in_the_header_has_an_outcome(text: str) -> None:
    assert made().check(asking(f"Digest {text}"), "alice", "secret", 0.0) is Outcome.WRONG


@fuzzed(6_000)
@given(st.integers(0, 300), st.integers(0, 12), st.text(max_size=6), st.booleans())
def test_a_spoilt_answer_has_an_outcome_and_proves_no_other_password(at: int, cut: int, put: str, weak: bool) -> None:
    keeper = made()
    value = answered(keeper.challenge(REALM, 0.0))[weak]
    spoilt = asking(value[:at] + put + value[at + cut :])
    assert keeper.check(spoilt, "alice", "other", 0.0) is not Outcome.OK
    assert keeper.check(spoilt, "alice", "secret", 0.0) in Outcome
