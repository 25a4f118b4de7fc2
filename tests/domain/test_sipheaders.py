"""Headers that people have their calls carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import sipheaders


@pytest.mark.parametrize(
    "given_",
    ["X-Desk: 7\r\n\r\nX-Room:  Blue: left ", '{"X-Desk": "7", "X-Room": "Blue: left"}',
     {"X-Desk": "7", "X-Room": "Blue: left"}],
)  # fmt: skip
def test_every_form_is_read(given_: object) -> None:
    assert sipheaders.read(given_) == (("X-Desk", "7"), ("X-Room", "Blue: left"))
    assert sipheaders.read("") == ()


@pytest.mark.parametrize(
    "wrong",
    ["X-Desk", "{", '{"X-Desk": 7}', '{"X-Desk": "7\\r\\nVia: x"}', {"X-Desk": "a" * 1001}, 7, ["X-Desk: 7"],
     "{" * 100_000, "X-A: 1\n" * 21, "X-Desk: a\x00b"],
)  # fmt: skip
def test_what_is_no_header_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        sipheaders.read(wrong)


@pytest.mark.parametrize(
    ("name", "host", "administrator"),
    [
        ("X-Desk", True, True),
        ("user-to-user", True, True),
        ("P-Asserted-Identity", False, True),
        ("Diversion", False, True),
        ("Alert-Info", False, True),
        ("Call-Info", False, True),
        ("From", False, False),
        ("via", False, False),
        ("Content-Length", False, False),
        ("l", False, False),
        ("X Desk", False, False),
        ("", False, False),
        ("X-Dësk", False, False),
    ],
)
def test_who_may_write_which(name: str, host: bool, administrator: bool) -> None:
    for right, may in ((False, host), (True, administrator)):
        assert (sipheaders.allowed(((name, "1"),), administrator=right) == "") is may


@given(st.text(max_size=60) | st.dictionaries(st.text(max_size=8), st.text(max_size=12) | st.integers(), max_size=3))
def test_nothing_that_is_let_through_can_break_a_message(anything: object) -> None:
    try:
        headers = sipheaders.read(anything)
    except ValueError:
        return
    if sipheaders.allowed(headers, administrator=True) == "":
        for name, value in headers:
            assert (name + value).isprintable()
            assert ":" not in name
            assert " " not in name
