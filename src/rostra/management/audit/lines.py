"""Lines of the administrator log (pure; sheet 07, "Log line syntax")."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

Pairs = Iterable[tuple[str, object]]

_LINE = re.compile(
    r"(?P<syslog_time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}[+-]\d{2}:\d{2}) (?P<system>\S+) "
    r"(?P<originating_time>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3}) (?P<pairs>.*)"
)
_PAIR = re.compile(r'([^\s="]+)="((?:[^"\\]|\\.)*)"')
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CLASSES = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9A-Fa-f",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "word": r"\w",
}


def render(
    system: str,
    time: datetime.datetime,
    level: str,
    name: str,
    message: str,
    pairs: Pairs,
    *,
    stored: datetime.datetime,
) -> str:
    """One line: when it was stored, by which system it was told, when it happened there, and what.

    Quotes and backslashes in values are escaped by a backslash; line breaks become `^M` (DIAG-134).
    """
    happened, kept = time.astimezone(datetime.UTC), stored.astimezone(datetime.UTC)
    first = [("Level", level), ("Name", name), ("Message", message)]
    values = " ".join(f'{key}="{_value(value)}"' for key, value in (*first, *pairs))
    return (
        f"{kept:%Y-%m-%dT%H:%M:%S}.{kept.microsecond // 1000:03}+00:00 {system or 'mgmt'} "
        f"{happened:%Y-%m-%d %H:%M:%S},{happened.microsecond // 1000:03} {values}"
    )


def _value(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return _CONTROL.sub("", text.replace("\r\n", "^M").replace("\n", "^M").replace("\r", "^M"))


def parse(line: str) -> dict[str, str]:
    """The members of a line: `syslog_time`, `system`, `originating_time`, then its pairs. Raises ValueError."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError("not a line of a log")
    members = {key: found[key] for key in ("syslog_time", "system", "originating_time")}
    members |= {key: re.sub(r"\\(.)", r"\1", value) for key, value in _PAIR.findall(found["pairs"])}
    return members


def pattern(text: str) -> str:
    """A regular expression with POSIX classes (`[[:digit:]]`) as every database understands it (DIAG-130)."""
    return re.sub(r"\[:(\w+):\]", lambda found: _CLASSES.get(found[1], found[0]), text)
