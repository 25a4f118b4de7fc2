"""Filters, names and attempts of the directory: pure."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rostra.management.accounts.ldap import names, templates
from rostra.management.accounts.ldap.targets import LDAPS, PLAIN, STARTTLS, Address, NoAddress, Target, targets

DNS = {
    "_ldaps._tcp.example.com": [("dc1.example.com", 636)],
    "_ldap._tcp.example.com": [("dc2.example.com", 389), ("dc3.example.com", 1389)],
    "_gc._tcp.example.com": [("dc2.example.com", 3268)],
}


def services(name: str) -> Sequence[tuple[str, int]]:
    return DNS.get(name, [])


def attempts(server: str, *, insecure: bool = False, catalog: bool = False) -> list[str]:
    found = targets(Address.parse(server), services, insecure=insecure, global_catalog=catalog)
    return [f"{target.host}:{target.port} {target.how}" for target in found]


@pytest.mark.spec("SYS-055", "DIAG-207", "DIAG-208", "DIAG-209", "DIAG-210", "SVC-125")
def test_a_domain_is_asked_of_dns_first() -> None:
    assert attempts("example.com") == [
        f"dc1.example.com:636 {LDAPS}",
        f"dc2.example.com:389 {STARTTLS}",
        f"dc3.example.com:1389 {STARTTLS}",
        f"example.com:636 {LDAPS}",
        f"example.com:389 {STARTTLS}",
    ]
    insecure = attempts("example.com", insecure=True)
    assert [one for one in insecure if one.endswith(PLAIN)] == [
        f"dc2.example.com:389 {PLAIN}",
        f"dc3.example.com:1389 {PLAIN}",
        f"example.com:389 {PLAIN}",
    ]
    assert insecure.index(f"dc2.example.com:389 {STARTTLS}") < insecure.index(f"dc2.example.com:389 {PLAIN}")


@pytest.mark.spec("SVC-125")
def test_an_address_is_asked_directly() -> None:
    assert attempts("192.0.2.1") == [f"192.0.2.1:636 {LDAPS}", f"192.0.2.1:389 {STARTTLS}"]
    assert attempts("[2001:db8::1]:1636") == [f"2001:db8::1:1636 {LDAPS}", f"2001:db8::1:1636 {STARTTLS}"]


@pytest.mark.spec("SYS-060", "SVC-129")
def test_the_global_catalog_has_ports_of_its_own() -> None:
    assert attempts("example.com", catalog=True) == [
        f"dc2.example.com:3268 {STARTTLS}",
        f"example.com:3269 {LDAPS}",
        f"example.com:3268 {STARTTLS}",
    ]


def test_attempts_have_addresses_as_logs_name_them() -> None:
    assert Target("dc1.example.com", 636, LDAPS).uri == "ldaps://dc1.example.com"
    assert Target("dc1.example.com", 389, STARTTLS).uri == "ldap://dc1.example.com"
    assert Target("2001:db8::1", 1636, LDAPS).uri == "ldaps://[2001:db8::1]:1636"


@pytest.mark.parametrize("text", ["", "ldap://x", "a b", "x:0", "x:y", "-x", "x" * 300, "a..b"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(NoAddress):
        Address.parse(text)


@pytest.mark.spec("SYS-062", "SYS-066")
def test_values_stay_values() -> None:
    filled = templates.fill("(|(uid={username})(x={other}))", username="a*)(uid=*\\\0")
    assert filled == "(|(uid=a\\2a\\29\\28uid=\\2a\\5c\\00)(x={other}))"
    nested = "(member:1.2.840.113556.1.4.1941:={userdn})"
    assert templates.fill(nested, userdn="cn=Ada (1),dc=x") == "(member:1.2.840.113556.1.4.1941:=cn=Ada \\281\\29,dc=x)"
    assert templates.fill("{username}{username}", username="{username}") == "{username}{username}"


def test_filters_are_put_together() -> None:
    assert templates.both("(a=1)", "(b=2)") == "(&(a=1)(b=2))"
    assert templates.both("", "(b=2)") == "(b=2)"
    assert templates.both("", " ") == "(objectClass=*)"
    assert templates.tested("(|(uid={username})(sAMAccountName = {username})(cn=x))") == ["uid", "sAMAccountName"]
    assert templates.within("ou=people", "dc=x") == "ou=people,dc=x"
    assert templates.within("", "dc=x") == "dc=x"


def test_excluded_classes_are_looked_at_by_us() -> None:
    split = templates.without_classes
    assert split("(&(objectclass=person)(!(objectClass=Computer)))") == ("(&(objectclass=person))", {"computer"})
    assert split("(&(!(objectclass=a))(!(objectclass=b)))") == ("", {"a", "b"})
    for text in ("(objectclass=person)", "(|(a=1)(!(objectclass=b)))", "(&(|(!(objectclass=b))(c=1))(d=2))", ""):
        assert split(text) == (text, set())


def test_names_are_compared_as_directories_do() -> None:
    assert names.normal("CN=Ops, OU=Groups,DC=example") == names.normal("cn=ops,ou=groups,dc=EXAMPLE")
    assert names.normal("cn=a\\,b,dc=x") != names.normal("cn=a,dc=x")
    assert names.normal(" Operators ") == "operators"
    assert names.is_name("cn=x")
    assert not names.is_name("x")
