"""A backup as a file: an encrypted tar of the manifest, the rows of every table, and the files of the identity."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from rostra.management.backups import database, identity, openpgp
from rostra.management.backups.database import Damaged
from rostra.management.backups.manifest import FORMAT, Manifest
from rostra.management.backups.openpgp import DecryptionFailed

_MANIFEST = "manifest.json"
_LONGEST_LINE = 64 * 1024 * 1024
_LARGEST_MANIFEST = 4 * 1024 * 1024

Progress = Callable[[str, int, int], None]
"""Told what is being worked on, how much is done, and of how much."""


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody wants to know."""


class NotABackup(Exception):
    """The file opens, but is no backup that this software can use. The text says why."""


# ---- writing


def write(
    target: Path, passphrase: str, manifest: Manifest, files: Mapping[str, bytes], progress: Progress = quiet
) -> None:
    """Write a backup to `target`, whole or not at all. Raises OSError, as for a full disk."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            encrypted = openpgp.Writer(out, passphrase, name=target.stem)
            _write_members(encrypted.plain, manifest, files, part.parent, progress)
            encrypted.close()
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write_members(
    out: Any, manifest: Manifest, files: Mapping[str, bytes], directory: Path, progress: Progress
) -> None:
    moment = int(manifest.created.timestamp())
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:

        def add(name: str, content: IO[bytes], size: int) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = size, 0o600, moment
            tar.addfile(entry, content)

        def add_bytes(name: str, content: bytes) -> None:
            add(name, io.BytesIO(content), len(content))

        add_bytes(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        for name, content in files.items():
            add_bytes(f"files/{name}", content)
        found = database.tables()
        with database.snapshot() as alias:
            for done, name in enumerate(manifest.tables):
                progress(name, done, len(manifest.tables))
                with tempfile.SpooledTemporaryFile(8 * 1024 * 1024, dir=str(directory)) as lines:
                    lines.writelines(database.rows(found[name], alias))
                    size = lines.tell()
                    lines.seek(0)
                    add(f"database/{name}.jsonl", lines, size)


# ---- reading


class Archive:
    """A backup that was read through once: its passphrase is right and nothing in it was changed."""

    def __init__(self, file: Path, passphrase: str) -> None:
        """Raises DecryptionFailed or NotABackup."""
        self._file = file
        self._passphrase = passphrase
        with file.open("rb") as source:
            for _ in openpgp.decrypted(openpgp.pieces(source), passphrase):
                pass
        self.manifest = self._read_manifest()

    def _read_manifest(self) -> Manifest:
        with self._members() as tar:
            first = tar.next()
            if first is None or first.name != _MANIFEST or first.size > _LARGEST_MANIFEST:
                raise NotABackup("This file is not a backup of Rostra.")
            content = _content(tar, first).read()
        try:
            layout = msgspec.json.decode(content)["format"]
            if layout != FORMAT:
                raise NotABackup(f"This backup is laid out in another way (format {layout}, here {FORMAT}).")
            return msgspec.json.decode(content, type=Manifest)
        except (msgspec.DecodeError, KeyError, TypeError):
            raise NotABackup("This backup is damaged: it does not say what it holds.") from None

    def files(self) -> dict[str, bytes]:
        """The files of the identity. Raises NotABackup when one is missing."""
        found: dict[str, bytes] = {}
        known = identity.REQUIRED
        with self._members() as tar:
            for member in tar:
                kind, _, name = member.name.partition("/")
                if kind == "database":
                    break
                if kind == "files" and member.isreg() and member.size <= identity.LARGEST:
                    found[name] = _content(tar, member).read()
        if missing := known - set(found):
            raise NotABackup(f"This backup is damaged: {min(missing)} is missing.")
        return found

    def tables(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Every table and its lines, in the order in which they were written. Raises NotABackup, Damaged."""
        with self._members() as tar:
            for member in tar:
                kind, _, rest = member.name.partition("/")
                if kind == "database" and rest.endswith(".jsonl"):
                    yield rest.removesuffix(".jsonl"), _lines(_content(tar, member))

    def _members(self) -> _Members:
        return _Members(self._file, self._passphrase)


class _Members:
    def __init__(self, file: Path, passphrase: str) -> None:
        self._source = file.open("rb")
        self._plain: Any = openpgp.Reader(openpgp.pieces(self._source), passphrase)

    def __enter__(self) -> tarfile.TarFile:
        try:
            self._tar = tarfile.open(fileobj=self._plain, mode="r|")
        except tarfile.TarError:
            self._source.close()
            raise NotABackup("This file is not a backup of Rostra.") from None
        except BaseException:
            self._source.close()
            raise
        return self._tar

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        self._tar.close()
        self._source.close()
        if isinstance(problem, tarfile.TarError):
            raise NotABackup("This backup is damaged.") from problem


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise NotABackup("This backup is damaged: it holds something else than files.")
    return content


def _lines(content: IO[bytes]) -> Iterator[bytes]:
    try:
        while line := content.readline(_LONGEST_LINE):
            if not line.endswith(b"\n"):
                raise Damaged("a row has no end")
            yield line
    except tarfile.TarError:
        raise Damaged("it ends too early") from None


__all__ = ["Archive", "Damaged", "DecryptionFailed", "NotABackup", "Progress", "write"]
