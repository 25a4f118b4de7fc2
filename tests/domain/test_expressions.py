"""Regular expressions for aliases: every example of the specification, and expressions that mean harm."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import expressions

OCTET = "([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
ADDRESS = rf"^({OCTET}\.){{3}}{OCTET}$"
MATCHES = [
    ("abc", "abc ABC aBC", "ab abcd"),
    ("abc|def", "abc def", "abd abcdef"),
    ("a.c", "aac abc azc a2c a$c", "ac"),
    (r"a\d", "a1 a2 a3", "aa ab"),
    (r"a\D", "ab", "a1 a2 a3"),
    (r"ab\Sd", "abcd abxd", "ab"),
    ("9[aeiou]", "9a 9e 9i 9A 9E 9I", "9b 9c 9B 9C"),
    ("9[a-z]", "9a 9b 9z 9A 9B 9Z", "91 99 9("),
    ("[0-9#*]", "0 9 # *", "a 12"),
    ("[^0-9#*]", "a $", "0 #"),
    ("[^a-z]", "1 $", "a Z"),
    ("ab*c", "ac abc abbc", "ab abd"),
    ("ab+c", "abc abbc", "ab ac abd"),
    ("[a-z.]+", "meet.alice A.b", "a1 a@b"),
    ("ab?c", "ac abc", "ab abbc abd"),
    ("a.*", "a alice A1", "ba"),
    ("ab{2}c", "abbc", "abc abbbc"),
    (r"a\d{3}", "a123 a789", "a12 456"),
    ("ab{2,4}c", "abbc abbbc abbbbc", "abc abbbbbc"),
    ("ab{2,}c", "abbc abbbc abbbbc", "abc"),
    (r"^meet\.(.*)", "meet.alice Meet.", "meetalice x.meet.alice"),
    (r".*\.com$", "a.com x@b.COM", "a.com.evil acom"),
    (r"(?!.*@example\.com$).*", "a@example.org a", "a@example.com A@EXAMPLE.COM"),
    ("(?!meet).*", "alice", "meet.bob meet"),
    (r"meet(?!\.).*", "meetalice meet", "meet.x"),
    (r".*(?<!@)example\.com.*", "a@b.example.com", "a@example.com"),
    (r"[a-z]+\d@example\.com", "oslo1@example.com newyork1@example.com", "oslo12@example.com"),
    (r"555\d{3}@example\.com", "555100@example.com 555234@example.com", "55510@example.com"),
    (r"([a-z]+\d|555\d{3})@example\.com", "oslo1@example.com 555100@example.com", "555@example.com"),
    (ADDRESS, "0.0.0.0 10.44.0.1 255.255.255.255", "256.1.1.1 01.1.1.1 1.2.3 1.2.3.4.5"),
    (r"(\d{4})", "1234", "123 12345"),
    (r".+@example\.com", "a@example.com", "a@example.com.evil @example.com"),
    (r"\{\}\[\]\(\)\^\$\.\|\*\+\?\\", "{}[]()^$.|*+?\\", "{}"),
    (r"[$.*]+", "$.* $", "a"),
    ("[[:digit:]]+", "123", "[:digit:] d a"),
    ("[[:alpha:]][[:digit:]-]*", "a1-2 Z", "1a"),
    ("a{e}", "a{e}", "a b"),
    ("(a)+", "a aaa", "b"),
]


@pytest.mark.spec("REF-077", "REF-078", "REF-079", "REF-080", "REF-081", "REF-084", "SVC-095")
@pytest.mark.parametrize(("pattern", "fit", "others"), MATCHES)
def test_what_matches(pattern: str, fit: str, others: str) -> None:
    assert [text for text in fit.split() if expressions.match(pattern, text) is None] == []
    assert [text for text in others.split() if expressions.match(pattern, text) is not None] == []


@pytest.mark.spec("REF-079")
def test_white_space() -> None:
    assert expressions.match(r"ab\sd", "ab d")
    assert expressions.match(r"ab\sd", "abcd") is None
    assert expressions.match(r"ab\Sd", "ab d") is None


@pytest.mark.spec("REF-084", "REF-085", "REF-086", "REF-087", "REF-088")
@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "made"),
    [
        (rf"^(({OCTET}\.){{3}}{OCTET})(@example\.com)?$", r"\1", "10.44.0.1@example.com", "10.44.0.1"),
        (rf"^(({OCTET}\.){{3}}{OCTET})(@example\.com)?$", r"\1", "10.44.0.1", "10.44.0.1"),
        (r"(.+)(@example\.net$)", r"\1@example.com", "Ann.Lee@EXAMPLE.net", "Ann.Lee@example.com"),
        (r"(.+)(@example\.(com|net|co\.uk)$)", r"\1@example.com", "x@example.co.uk", "x@example.com"),
        ("9([0-9]+$)", r"\1", "9123", "123"),
        ("((a)(b))c", r"\3\2\1", "abc", "baab"),
        ("(a)|(b)", r"\1-\2", "B", "-B"),
        ("(a)", r"\10", "a", "a0"),
        ("(a)", r"$1.[x]*\n\0", "a", r"$1.[x]*\n\0"),
        ("(?<n>a)b", r"\g<n>c", "ab", "ac"),
        ("a", r"\1", "a", None),
    ],
)
def test_what_becomes_of_it(pattern: str, replacement: str, text: str, made: str | None) -> None:
    found = expressions.match(pattern, text)
    assert found is not None
    assert expressions.expand(found, replacement) == made
    assert (expressions.replacement_problem(pattern, replacement) is None) is (made is not None)


@pytest.mark.parametrize("pattern", ["(", "*a", "[a", "a\\", "(?P<n", "(a{999}){999}", "a" * 1001, "[[:foo:]]"])
def test_what_is_no_expression(pattern: str) -> None:
    assert expressions.problem(pattern)
    assert expressions.match(pattern, pattern) is None


@pytest.mark.parametrize("pattern", ["(a|aa)+$", r"(.*a){20}x", "(a+)+$", "((a*)*)*b", r"(?:(a|b|ab)*)*c"])
def test_nothing_takes_long(pattern: str) -> None:
    began = time.process_time()
    with contextlib.suppress(expressions.TooSlow):
        assert expressions.match(pattern, "a" * 200 + "!") is None
    assert time.process_time() - began < 1.0


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_any_text(pattern: str, replacement: str, text: str) -> None:
    """Whatever is configured and dialled ends in an answer."""
    assert (expressions.problem(pattern) is None) or expressions.match(pattern, text) is None
    try:
        found = expressions.match(pattern, text)
    except expressions.TooSlow:
        return
    if found is not None:
        fits = expressions.replacement_problem(pattern, replacement) is None
        assert not pattern or fits is (expressions.expand(found, replacement) is not None)
