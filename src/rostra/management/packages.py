"""Archives that administrators upload: safe to open, and what they should be."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from django.core.exceptions import ValidationError

MEMBERS = 2000
"""Most files in an archive."""
UNPACKED = 200 * 1024 * 1024
"""Most bytes of all files together."""
RATIO = 200
"""Most bytes that one packed byte may stand for, in files of some size."""
_SMALL = 8 * 1024 * 1024
"""Below this silence and empty pictures may be packed as tightly as can be."""
_JSON = 1024 * 1024


def check_theme(file: BinaryIO) -> None:
    """Is `file` a theme package? Raises ValidationError."""
    with _opened(file) as archive:
        for member in _files(archive):
            if member.filename.rpartition("/")[2] == "themeconfig.json":
                _check_json(archive, member)


def check_branding(file: BinaryIO) -> None:
    """Is `file` a branding package? Raises ValidationError."""
    with _opened(file) as archive:
        for member in _files(archive):
            if member.filename.endswith(".json"):
                _check_json(archive, member)


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, if everything about it can be trusted."""
    try:
        file.seek(0)
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise ValidationError("This is not a ZIP file.") from None
    members = archive.infolist()
    if len(members) > MEMBERS:
        raise ValidationError(f"The archive holds more than {MEMBERS} files.")
    seen: set[str] = set()
    for member in members:
        _check_member(member)
        if member.filename.lower() in seen:
            raise ValidationError(f"The archive holds {member.filename} twice.")
        seen.add(member.filename.lower())
    if sum(member.file_size for member in members) > UNPACKED:
        raise ValidationError(f"Unpacked, the files are larger than {UNPACKED // 1024 // 1024} MB.")
    if not any(not member.is_dir() for member in members):
        raise ValidationError("The archive is empty.")
    _read_all(archive)
    return archive


def _files(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    return (member for member in archive.infolist() if not member.is_dir())


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or "\\" in name or (len(name) > 1 and name[1] == ":"):
        raise ValidationError(f"The archive holds an absolute path: {name!r}.")
    if any(part in ("", ".", "..") for part in parts):
        raise ValidationError(f"The archive holds a path that leads out of it: {name!r}.")
    if not name.isprintable():
        raise ValidationError(f"The archive holds a name that cannot be shown: {name!r}.")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ValidationError(f"The archive holds a link or a device: {name!r}.")
    if member.flag_bits & 1:
        raise ValidationError(f"{name} is encrypted.")
    if member.file_size > _SMALL and member.file_size > RATIO * max(1, member.compress_size):
        raise ValidationError(f"{name} is packed too tightly to be what it says.")


def _read_all(archive: zipfile.ZipFile) -> None:
    """Unpack everything once: sizes in the directory are only claims, and files may be damaged."""
    left = UNPACKED
    for member in _files(archive):
        try:
            with archive.open(member) as content:
                while chunk := content.read(256 * 1024):
                    left -= len(chunk)
                    if left < 0:
                        raise ValidationError(f"Unpacked, the files are larger than {UNPACKED // 1024 // 1024} MB.")
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, RuntimeError):
            raise ValidationError(f"{member.filename} is damaged.") from None


def _check_json(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    if member.file_size > _JSON:
        raise ValidationError(f"{member.filename} is larger than 1 MB.")
    try:
        found = msgspec.json.decode(archive.read(member))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ValidationError(f"{member.filename} is not JSON: {problem}") from None
    if not isinstance(found, dict):
        raise ValidationError(f"{member.filename} has to hold an object.")
