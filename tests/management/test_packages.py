"""Uploaded archives: what is not safe to open, or not what it claims to be, is refused."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from rostra.management import packages

Make = Callable[[zipfile.ZipFile], None]


def archive(make: Make) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        make(opened)
    return file


def link(opened: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo("theme/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    opened.writestr(member, "/etc/passwd")


def many(opened: zipfile.ZipFile) -> None:
    for number in range(packages.MEMBERS + 1):
        opened.writestr(str(number), "")


def end(count: int, length: int, comment: bytes = b"") -> bytes:
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, length, 0, len(comment)) + comment


def test_a_theme_passes() -> None:
    def theme(opened: zipfile.ZipFile) -> None:
        opened.mkdir("theme")
        opened.writestr("theme/themeconfig.json", '{"test_call_service_media_delay": 2}')
        opened.writestr("theme/conf-test_call_48kHz_mono.wav", b"")

    packages.check_theme(archive(theme))
    packages.check_branding(archive(theme))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda z: z.writestr("../outside", "x"), "leads out"),
        (lambda z: z.writestr("theme/../../outside", "x"), "leads out"),
        (lambda z: z.writestr("/etc/cron.d/x", "x"), "absolute"),
        (lambda z: z.writestr("C:/x", "x"), "absolute"),
        (lambda z: z.writestr("theme\\x", "x"), "absolute"),
        (lambda z: z.writestr("theme/\x1b[31m", "x"), "cannot be shown"),
        (link, "link"),
        (many, "more than"),
        (lambda z: z.writestr("bomb", b"\0" * 10_000_000), "too tightly"),
        (lambda z: z.mkdir("nothing"), "empty"),
        (lambda z: (z.writestr("a", "x"), z.writestr("A", "y")), "twice"),
        (lambda z: z.writestr("theme/themeconfig.json", '{\n"a": 1\n"b": 2}'), "not JSON: line 3, column 1"),
        (lambda z: z.writestr("theme/themeconfig.json", "[]"), "object"),
        (lambda z: z.writestr("theme/themeconfig.json", b"{\n\xff"), "UTF-8, found something else in line 2"),
        (lambda z: z.writestr("theme/themeconfig.json", "[" * 60_000), "not JSON"),
    ],
)
def test_what_is_refused(make: Make, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        packages.check_theme(archive(make))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + b"\0" * 17, end(1, 46)])
def test_what_is_no_archive(content: bytes) -> None:
    with pytest.raises(ValidationError, match="not a ZIP file"):
        packages.check_branding(io.BytesIO(content))


def large_end(count: int, length: int) -> bytes:
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, 0)
    return record + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + end(1, 46)


ENTRY = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", *[0] * 18)
"""A file of the directory with neither name nor content."""


@pytest.mark.parametrize(
    "last",
    [
        end(packages.MEMBERS + 1, 46),
        end(packages.MEMBERS + 1, 46, b"a comment"),
        large_end(1 << 40, 46),
        large_end(1, 46 * 200_000),
        end(1, 46 * 200_000),
        end(1, 46 * 200_000, b"PK" * 1000),
    ],
)
def test_directories_of_hundreds_of_thousands_are_not_read(last: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when they say so, nor when they say otherwise."""
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ValidationError, match="more than"):
        packages.check_theme(io.BytesIO(ENTRY * 200_000 + last))


def test_large_archives_are_looked_at_where_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The format for large archives is fine, as long as they are not, and comments are."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    file = archive(
        lambda z: (
            z.writestr("themeconfig.json", "{}"),
            z.writestr("conf-getpin_48kHz_mono.wav", ""),
            setattr(z, "comment", b"fine"),
        )
    )
    assert b"PK\x06\x07" in file.getvalue()
    packages.check_theme(file)
    monkeypatch.setattr(packages, "MEMBERS", 1)
    with pytest.raises(ValidationError, match="more than"):
        packages.check_theme(file)


def test_size_counts_as_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    file = archive(lambda z: z.writestr("a", b"0123456789" * 10_000))
    monkeypatch.setattr(packages, "UNPACKED", 99_999)
    with pytest.raises(ValidationError, match="larger than"):
        packages.check_theme(file)


def test_a_lying_directory_is_noticed() -> None:
    """Sizes in the directory of an archive are claims."""
    file = archive(lambda z: z.writestr("a", b"\0" * 1_000_000))
    content = file.getvalue().replace((1_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    with pytest.raises(ValidationError, match="damaged"):
        packages.check_theme(io.BytesIO(content))
