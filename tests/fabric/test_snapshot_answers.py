"""Answers the Management Node keeps for nodes that start together."""

from __future__ import annotations

import pytest

from rostra.fabric import snapshots
from rostra.fabric.snapshots import KEPT_SECONDS, Answers


def test_an_answer_holds_for_one_state() -> None:
    answers = Answers()
    assert answers.get(("e", 1), b"q", 0) is None
    answers.keep(b"q", b"a")
    assert answers.get(("e", 1), b"q", 1) == b"a"
    assert answers.get(("e", 1), b"other", 1) is None
    assert answers.get(("e", 2), b"q", 1) is None
    assert answers.get(("e", 1), b"q", 1) is None, "the older state is forgotten"
    answers.keep(b"q", b"a")
    assert answers.get(("f", 1), b"q", 1) is None


def test_answers_are_forgotten_when_nobody_asks_and_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "KEPT_BYTES", 10)
    answers = Answers()
    assert answers.get(("e", 1), b"q", 100) is None
    answers.keep(b"q", b"12345678")
    answers.keep(b"r", b"123")
    assert answers.get(("e", 1), b"r", 100) is None
    answers.expire(100 + KEPT_SECONDS)
    assert answers.get(("e", 1), b"q", 100) == b"12345678"
    answers.expire(101 + KEPT_SECONDS)
    assert answers.get(("e", 1), b"q", 100) is None
