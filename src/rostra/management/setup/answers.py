"""What an installation is asked, and which answers pass. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from django.core.exceptions import ValidationError

from rostra.configuration import validators

MOST_SERVERS = 10


class Invalid(Exception):
    """Answers that cannot be used: sentences by question."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in problems.items()))
        self.problems = dict(problems)


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was answered; None: left as it is."""

    address: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    hostname: str | None = None
    domain: str | None = None
    dns_servers: list[str] | None = None
    ntp_servers: list[str] | None = None
    username: str | None = None
    password: str | None = None
    incident_reporting: bool | None = None
    usage_statistics: bool | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The answers there are."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


QUESTIONS = {
    "address": "IP address",
    "netmask": "Network mask",
    "gateway": "Gateway",
    "hostname": "Hostname",
    "domain": "Domain suffix",
    "dns_servers": "DNS servers",
    "ntp_servers": "NTP servers",
    "username": "Web administration username",
    "password": "Web administration password",
    "incident_reporting": "Enable incident reporting",
    "usage_statistics": "Send deployment and usage statistics",
}
"""Questions in the order they are asked (CLOUD-026)."""
SEVERAL = frozenset({"dns_servers", "ntp_servers"})
YES_OR_NO = frozenset({"incident_reporting", "usage_statistics"})
SECRET = frozenset({"password"})


def understand(name: str, text: str) -> Any:
    """The value of an answer typed by a person. Raises ValueError with a sentence."""
    if name in SEVERAL:
        value: Any = text.replace(",", " ").split()
    elif name in YES_OR_NO:
        word = text.strip().lower()
        if word not in ("yes", "y", "true", "no", "n", "false"):
            raise ValueError("Answer yes or no.")
        value = word in ("yes", "y", "true")
    else:
        value = text if name in SECRET else text.strip()
    problem = _problem(name, value)
    if problem:
        raise ValueError(problem)
    return value


def read(content: bytes) -> Answers:
    """Answers from a file in YAML or JSON. Raises Invalid."""
    try:
        found: Any = msgspec.yaml.decode(content)
        if not isinstance(found, Mapping):
            raise Invalid({"file": "It has to hold names and values."})
        named = {str(name): _plain(str(name), value) for name, value in found.items()}
        answers = msgspec.convert(named, type=Answers)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, ValueError) as problem:
        raise Invalid({"file": str(problem)}) from None
    return checked(answers)


def _plain(name: str, value: Any) -> Any:
    """Lists may be written in one line, and yes and no as words."""
    return understand(name, value) if isinstance(value, str) and name in (SEVERAL | YES_OR_NO) else value


def merged(first: Answers, *others: Answers) -> Answers:
    """What the last one that answers a question says."""
    given = dict(first.given)
    for other in others:
        given |= other.given
    return Answers(**given)


def checked(answers: Answers) -> Answers:
    """The same. Raises Invalid."""
    problems = {name: problem for name, value in answers.given.items() if (problem := _problem(name, value))}
    if problems:
        raise Invalid(problems)
    return answers


def _problem(name: str, value: Any) -> str:
    try:
        _CHECKS[name](value)
    except ValidationError as problem:
        return " ".join(problem.messages)
    except ValueError as problem:
        return str(problem)
    return ""


def _ipv4(value: str) -> None:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        raise ValueError("Enter an IPv4 address.") from None


def _netmask(value: str) -> None:
    _ipv4(value)
    try:
        ipaddress.IPv4Network(f"0.0.0.0/{value}")
    except ValueError:
        raise ValueError("Enter a network mask, for example 255.255.255.0.") from None


def _servers(check: Callable[[str], None]) -> Callable[[list[str]], None]:
    def judge(values: list[str]) -> None:
        if not values:
            raise ValueError("Name at least one server.")
        if len(values) > MOST_SERVERS:
            raise ValueError(f"Name at most {MOST_SERVERS} servers.")
        for value in values:
            check(value)

    return judge


def _username(value: str) -> None:
    if not value or len(value) > 150 or not all(one.isalnum() or one in "@.+-_" for one in value):
        raise ValueError("Enter 1 to 150 letters, digits and @.+-_ only.")


def _password(value: str) -> None:
    if not value:
        raise ValueError("Enter a password.")
    if not value.isprintable():  # a stray Ctrl-V of a console would become part of it (CLOUD-032)
        raise ValueError("The password has characters in it that cannot be printed.")


def _fine(_value: object) -> None:
    """Nothing can be wrong with it."""


_CHECKS: dict[str, Callable[[Any], None]] = {
    "address": _ipv4,
    "netmask": _netmask,
    "gateway": _ipv4,
    "hostname": validators.hostname,
    "domain": validators.domain,
    "dns_servers": _servers(validators.ip_address),
    "ntp_servers": _servers(validators.host_or_address),
    "username": _username,
    "password": _password,
    "incident_reporting": _fine,
    "usage_statistics": _fine,
}
