"""Lines of the administrator log."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.management.audit import lines

TIME = datetime.datetime(2031, 3, 5, 7, 31, 9, 216_900, tzinfo=datetime.UTC)
SHEET = re.compile(
    r"^(?P<syslog_time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}[+-]\d{2}:\d{2}) (?P<system>\S+) "
    r"(?P<originating_time>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2},\d{3}) "
    r'Level="(?P<level>DEBUG|INFO|WARNING|ERROR)" Name="(?P<name>[^"]+)" (?P<details>.*)$'
)
"""The regular expression of sheet 07."""


@pytest.mark.spec("DIAG-124", "DIAG-125")
def test_a_line_reads_as_the_sheet_says() -> None:
    line = lines.render(
        "mgr-a",
        TIME.astimezone(datetime.timezone(datetime.timedelta(hours=2))),
        "INFO",
        "administrator.configuration",
        "User login failed",
        [("User", "ops7"), ("Remote-Address", "10.61.9.4"), ("Remote-Port", 41022)],
        stored=TIME + datetime.timedelta(milliseconds=2),
    )
    assert line == (
        '2031-03-05T07:31:09.218+00:00 mgr-a 2031-03-05 07:31:09,216 Level="INFO" Name="administrator.configuration" '
        'Message="User login failed" User="ops7" Remote-Address="10.61.9.4" Remote-Port="41022"'
    )
    assert SHEET.match(line)


@pytest.mark.spec("DIAG-134")
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=40))
def test_whatever_a_value_holds_it_stays_one_line_that_can_be_read_back(text: str) -> None:
    line = lines.render("m", TIME, "INFO", "administrator.x", text, [("Key", "v")], stored=TIME)
    assert "\n" not in line
    assert SHEET.match(line)
    read = lines.parse(line)
    printable = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text).replace("\n", "^M")
    assert (read["Message"], read["Key"], read["system"]) == (printable, "v", "m")


def test_what_is_no_line_is_not_read() -> None:
    with pytest.raises(ValueError, match="not a line"):
        lines.parse("Mar  5 07:31:09 host sshd[1]: hello")


@pytest.mark.spec("DIAG-131")
def test_posix_classes_in_patterns() -> None:
    pattern = lines.pattern(r"^2031-03-05T07:[34][[:digit:]]:")
    assert re.search(pattern, "2031-03-05T07:30:00.000+00:00 m")
    assert re.search(pattern, "2031-03-05T07:49:59.999+00:00 m")
    assert not re.search(pattern, "2031-03-05T07:50:00.000+00:00 m")
    assert re.fullmatch(lines.pattern("[^[:space:][:punct:]]+"), "abc1")
    assert lines.pattern("[[:nothing:]]") == "[[:nothing:]]"
