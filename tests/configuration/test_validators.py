"""Forms of text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from rostra.configuration import validators
from rostra.configuration.validation import pattern_problem, replacement_problem

Check = Callable[[str], None]

GOOD: list[tuple[Check, list[str]]] = [
    (validators.host_or_address, ["192.0.2.1", "2001:db8::1", "sip.example.com", "host", "a-b.example.", "1and1.de"]),
    (validators.host_or_ipv4, ["192.0.2.1", "gate.example.com"]),
    (validators.hostname, ["node1", "a-b", "4u", "x" * 63]),
    (validators.domain, ["example.com", "local", "4711.example.com"]),
    (validators.ip_address, ["192.0.2.1", "::1"]),
    (validators.url, ["https://policy.example.com/path", "http://[2001:db8::1]:8080/", "HTTPS://x"]),
    (validators.rtmp_url, ["rtmp://a.rtmp.example.com/live2/key", "rtmps://host:443/x"]),
    (
        validators.dn,
        [
            "dc=example,dc=com",
            "ou=europe,ou=people",
            "CN=Parkes\\, Alice + UID=7 , OU=people",
            'cn="a,b",dc=x',
            "2.5.4.3=x",
            "cn=Ålesund",
            "cn=\\e2\\82\\ac",
        ],
    ),
    (
        validators.ldap_filter,
        [
            "(&(objectclass=person)(!(objectclass=computer)))",
            "(&(objectCategory=person)(objectClass=user) (memberOf=cn=sales,ou=groups,dc=example,dc=com))",
            "mail=*",
            "(&(objectCategory=person)(objectClass=user) (!(cn=Alice Parkes))(!(cn=Bob Lee)))",
        ],
    ),
    (
        validators.template,
        [
            "",
            "{{ [9,pex_random_pin(5)]|join }}",
            "{%if mailNickname %}{# old #}meet.{{mailNickname}}{% else %}{% endif %}",
            "{%set a = telephoneNumber|pex_clean_phone_number|pex_head(8)%}{%if a|pex_strlen== 8%}{{a}}{%endif%}",
        ],
    ),
    (validators.time_zone, ["UTC", "Europe/Oslo"]),
    (validators.slug, ["webapp3", "a_b-c"]),
    (validators.variable, ["mail", "_x1"]),
    (validators.dialled, ["alice@example.com", "sip:alice", "rtmp://host/x", "192.0.2.1##7"]),
]
BAD: list[tuple[Check, list[str]]] = [
    (validators.host_or_address, ["10.0.0", "1.2.3.4.5", "a..b", "-a", "a b", "sip:x", "fe80::1%eth0", "x" * 64, "ä"]),
    (validators.host_or_ipv4, ["::1", "10.0.0.256"]),
    (validators.hostname, ["a.b", "", "x" * 64, "a b", "a\n", "a_b", "-a", "4711"]),
    (validators.domain, [".com", "a b", "a/b", "example.com\n"]),
    (validators.ip_address, ["host", "192.0.2.1/24", "٣.1.1.1"]),
    (
        validators.url,
        ["ftp://x", "javascript:alert(1)", "https://", "https:///path", "https://a b", "//x", "https://x:99999/", "x"],
    ),
    (validators.rtmp_url, ["https://x", "rtmp:x"]),
    (validators.dn, ["", "example.com", "dc=", "=x", "dc=a,,dc=b", "dc=a;", "cn=<x>", 'cn="a', "cn=a\\"]),
    (validators.ldap_filter, ["mail", "(a=b", "a=b)", ")a=b(", "(&())(a=b)"]),
    (validators.template, ["{{", "{% if %}", "{% for x in y %}", "{{ a | }}", "{{ 'x }}", "{{" + "(" * 5000 + "}}"]),
    (validators.time_zone, ["Europe/Atlantis", "", "../etc/passwd", "/UTC"]),
    (validators.slug, ["a/b", "", "a b", "a\n"]),
    (validators.variable, ["with-hyphen", "1a", "", "a b"]),
    (validators.dialled, ["two words", "a\tb", "a\u200bb"]),
]


@pytest.mark.parametrize(("check", "value"), [(check, value) for check, values in GOOD for value in values])
def test_accepted(check: Check, value: str) -> None:
    check(value)


@pytest.mark.parametrize(("check", "value"), [(check, value) for check, values in BAD for value in values])
def test_refused(check: Check, value: str) -> None:
    with pytest.raises(ValidationError):
        check(value)


@pytest.mark.parametrize(
    ("pattern", "replacement", "fits"),
    [
        (r"(\d{4})", r"88\1", True),
        (r"(a(b))", r"\2\1", True),
        (r"\d{4}", r"\1", False),
        ("(a)", r"\2", False),
        ("", r"\1", True),
        ("(", r"\1", True),
        ("(a)", "\\" + "9" * 5000, False),
    ],
)
def test_replacements_name_groups_that_exist(pattern: str, replacement: str, *, fits: bool) -> None:
    assert (replacement_problem(pattern, replacement) is None) == fits


def test_patterns_too_large_are_told_from_wrong_ones() -> None:
    assert "too large" in (pattern_problem("a{99999999999999999999}") or "")
    assert pattern_problem("(?!meet).*") is None
