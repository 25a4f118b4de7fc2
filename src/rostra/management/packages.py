"""Archives that administrators upload: safe to open, and what they should be."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from rostra.management.themes import checking

MEMBERS = 2000
"""Most files in an archive."""
UNPACKED = 200 * 1024 * 1024
"""Most bytes of all files together."""
RATIO = 200
"""Most bytes that one packed byte may stand for, in files of some size."""
_SMALL = 8 * 1024 * 1024
"""Below this silence and empty pictures may be packed as tightly as can be."""
_JSON = 1024 * 1024
_ENTRY = 1024
"""Bytes that a file takes in the directory of an archive on average, at most."""
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
"""The last record of an archive, and of a large one: counts and sizes of the directory are among it."""
_COMMENT = 1 << 16
_LOCATOR = 20
_END_MARK, _END64_MARK, _LOCATOR_MARK = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


def check_theme(file: BinaryIO) -> None:
    """Is `file` a theme package? Raises ValidationError."""
    with _opened(file) as archive:
        checking.check(archive)


def check_branding(file: BinaryIO) -> None:
    """Is `file` a branding package? Raises ValidationError."""
    with _opened(file) as archive:
        for member in _files(archive):
            if member.filename.endswith(".json"):
                _check_json(archive, member)
        _check_style(archive)


_PICTURES = frozenset({"background.jpg", "logo.png"})
_CLASSES = (b"brand-logo", b"brand-background")


def _check_style(archive: zipfile.ZipFile) -> None:
    """A package with pictures has a style that puts them in place (CONF-042)."""
    members = {member.filename.rpartition("/")[2]: member for member in _files(archive)}
    if not _PICTURES & members.keys():
        return
    style = archive.read(members["brand.css"]) if "brand.css" in members else b""
    if any(name not in style for name in _CLASSES):
        raise ValidationError(
            gettext("With background.jpg or logo.png there must be a brand.css with brand-logo and brand-background.")
        )


def _check_directory(file: BinaryIO) -> None:
    """Is the directory at the end of an archive of a size that is worth reading? Raises ValidationError.

    `zipfile` reads all of it before it tells how many files there are: as many bytes as the directory claims to have,
    whatever count stands there. So both are looked at, in the same place where `zipfile` will.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END.size - _COMMENT)
    file.seek(start)
    tail = file.read()
    place = len(tail) - _END.size
    if not (place >= 0 and tail[place : place + 4] == _END_MARK and tail[-2:] == b"\0\0"):
        place = tail.rfind(_END_MARK)
    if place < 0 or place + _END.size > len(tail):
        raise ValidationError("This is not a ZIP file.")
    count, length = _END.unpack_from(tail, place)[4:6]
    if start + place >= _LOCATOR + _END64.size:
        file.seek(start + place - _LOCATOR - _END64.size)
        end64 = file.read(_END64.size + _LOCATOR)
        if end64.startswith(_END64_MARK) and end64[_END64.size :].startswith(_LOCATOR_MARK):  # its numbers count
            count, length = _END64.unpack_from(end64)[7:9]
    if count > MEMBERS or length > MEMBERS * _ENTRY:
        raise ValidationError(f"The archive holds more than {MEMBERS} files.")


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, if everything about it can be trusted."""
    try:
        _check_directory(file)
        file.seek(0)
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise ValidationError(gettext("This is not a ZIP file.")) from None
    members = archive.infolist()
    if len(members) > MEMBERS:
        raise ValidationError(gettext("The archive holds more than %(members)s files.") % {"members": MEMBERS})
    seen: set[str] = set()
    for member in members:
        _check_member(member)
        if member.filename.lower() in seen:
            raise ValidationError(gettext("The archive holds %(filename)s twice.") % {"filename": member.filename})
        seen.add(member.filename.lower())
    if sum(member.file_size for member in members) > UNPACKED:
        raise ValidationError(
            gettext("Unpacked, the files are larger than %(unpacked)s MB.") % {"unpacked": UNPACKED // 1024 // 1024}
        )
    if not any(not member.is_dir() for member in members):
        raise ValidationError(gettext("The archive is empty."))
    _read_all(archive)
    return archive


def _files(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    return (member for member in archive.infolist() if not member.is_dir())


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or "\\" in name or (len(name) > 1 and name[1] == ":"):
        raise ValidationError(gettext("The archive holds an absolute path: %(name)s.") % {"name": repr(name)})
    if any(part in ("", ".", "..") for part in parts):
        raise ValidationError(
            gettext("The archive holds a path that leads out of it: %(name)s.") % {"name": repr(name)}
        )
    if not name.isprintable():
        raise ValidationError(
            gettext("The archive holds a name that cannot be shown: %(name)s.") % {"name": repr(name)}
        )
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ValidationError(gettext("The archive holds a link or a device: %(name)s.") % {"name": repr(name)})
    if member.flag_bits & 1:
        raise ValidationError(gettext("%(name)s is encrypted.") % {"name": name})
    if member.file_size > _SMALL and member.file_size > RATIO * max(1, member.compress_size):
        raise ValidationError(gettext("%(name)s is packed too tightly to be what it says.") % {"name": name})


def _read_all(archive: zipfile.ZipFile) -> None:
    """Unpack everything once: sizes in the directory are only claims, and files may be damaged."""
    left = UNPACKED
    for member in _files(archive):
        try:
            with archive.open(member) as content:
                while chunk := content.read(256 * 1024):
                    left -= len(chunk)
                    if left < 0:
                        raise ValidationError(
                            gettext("Unpacked, the files are larger than %(unpacked)s MB.")
                            % {"unpacked": UNPACKED // 1024 // 1024}
                        )
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, RuntimeError):
            raise ValidationError(gettext("%(filename)s is damaged.") % {"filename": member.filename}) from None


def _check_json(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    if member.file_size > _JSON:
        raise ValidationError(gettext("%(filename)s is larger than 1 MB.") % {"filename": member.filename})
    try:
        found = msgspec.json.decode(archive.read(member))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ValidationError(
            gettext("%(filename)s is not JSON: %(problem)s") % {"filename": member.filename, "problem": problem}
        ) from None
    if not isinstance(found, dict):
        raise ValidationError(gettext("%(filename)s has to hold an object.") % {"filename": member.filename})
