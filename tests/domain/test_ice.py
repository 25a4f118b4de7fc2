"""Candidates and servers of ICE."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from rostra.domain.ice import LIFETIME, default_of, timed_credentials, usable_candidate

HOST = "1 1 UDP 2015363327 10.0.0.5 41049 typ host"


@pytest.mark.parametrize(
    ("candidate", "usable"),
    [
        (HOST, True),
        (HOST.replace("10.0.0.5", "2001:db8::5"), True),
        (HOST.replace("10.0.0.5", "fe80::5%eth0"), False),
        (HOST.replace("10.0.0.5", "somebody.local"), False),
        (HOST.replace("UDP", "TCP"), False),
        (HOST.replace("1 1", "1 3"), False),
        (HOST.replace("41049", "0"), False),
        (HOST.replace("41049", "70000"), False),
        (HOST.replace("41049", "9" * 5000), False),
        (HOST.replace(" typ host", ""), False),
        ("", False),
    ],
)
def test_candidates_that_can_be_tried(candidate: str, usable: bool) -> None:
    assert usable_candidate(candidate) is usable


def test_the_default_is_what_is_most_likely_reached() -> None:
    candidates = [
        HOST,
        HOST.replace("10.0.0.5 41049", "10.1.0.5 41050"),
        "2 1 UDP 1677721855 203.0.113.5 41051 typ srflx raddr 10.0.0.5 rport 41049",
        "3 1 UDP 33562367 198.51.100.9 58000 typ relay raddr 10.0.0.5 rport 41049",
        "4 1 UDP 2015363327 2001:db8::5 41052 typ host",
    ]
    assert default_of(candidates) == ("198.51.100.9", 58000)
    assert default_of(candidates[:3]) == ("203.0.113.5", 41051)
    assert default_of(candidates[:2], near="10.1.0.5") == ("10.1.0.5", 41050)
    assert default_of(candidates, family=6) == ("2001:db8::5", 41052)
    assert default_of(candidates, 2) is None


def test_credentials_from_a_shared_secret() -> None:
    username, password = timed_credentials("secret", 1_700_000_000.9)
    assert username == f"{1_700_000_000 + LIFETIME}:rostra"
    assert base64.b64decode(password) == hmac.digest(b"secret", username.encode(), hashlib.sha1)
