"""The themes on this node: packages of the configuration, unpacked where media workers find their files.

A package is unpacked once, into a directory named by its content, so files that a conference uses never change under
it. A directory is complete or not there: it is made beside its place and renamed. What cannot be unpacked (disk full,
not all of it has come yet) is left out, and the next theme in line takes its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import secrets
import shutil
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from rostra import themefiles
from rostra.background import Background
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import ThemeRow
from rostra.domain import theme, themecheck
from rostra.domain.theme import ThemeSettings

logger = structlog.get_logger("rostra.node")

KEPT = 24 * 3600.0
"""Seconds after its last use for which a package stays that is configured no more: conferences go on with it."""
SETTLE = 0.3
"""Seconds of quiet after a change before themes are looked at."""
_OF_INTEREST = frozenset({"ivr_theme", "stored_file"})
_SHIPPED = "shipped:"


class ThemeStore:
    """Directories below `home`, and which of them a service's theme consists of. Thread-safe."""

    def __init__(self, home: Path, lookup: Lookup, now: Callable[[], float] = time.time) -> None:
        self._home = home
        self._lookup = lookup
        self._now = now
        self._lock = threading.Lock()
        self._background = Background()
        self._due = False
        self._looking: asyncio.Task[None] | None = None

    # ---- what conferences ask

    def names(self, *themes: int | None) -> tuple[str, ...]:
        """What the themes with these ids are called by `directories`, in their order (REF-002)."""
        rows = [self._lookup.theme(key) for key in themes if key is not None]
        found = [name for row in rows if row is not None and (name := _name(row))]
        return tuple(dict.fromkeys(found))

    def settings(self, names: tuple[str, ...]) -> ThemeSettings:
        """What the first `themeconfig.json` of these themes says (REF-004)."""
        for directory in self._directories(names):
            try:
                text = themecheck.config_text((directory / theme.CONFIG).read_bytes())
                return theme.settings(theme.read_config(text))
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as problem:
                logger.warning("Settings of a theme cannot be read", directory=str(directory), problem=str(problem))
        return theme.BASE_SETTINGS

    async def directories(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Where the files of these themes are, in their order, with the base theme at the end."""
        return tuple(map(str, await asyncio.to_thread(self._directories, names)))

    def _directories(self, names: tuple[str, ...]) -> list[Path]:
        found = [directory for name in names for directory in self._of(name)]
        return list(dict.fromkeys([*found, themefiles.BASE]))

    def _of(self, name: str) -> Iterator[Path]:
        if name.startswith(_SHIPPED):
            shipped = themefiles.shipped(name.removeprefix(_SHIPPED))
            yield from shipped.directories if shipped else ()
        elif (directory := self._unpacked(name)) is not None:
            yield directory

    # ---- packages

    def _unpacked(self, sha256: str) -> Path | None:
        """The directory of a package; made when it is not there. None: it cannot be had."""
        directory = self._home / sha256
        with self._lock:
            if not directory.is_dir():
                row = next((row for row in self._lookup.themes() if row.sha256 == sha256 and row.file), None)
                if row is None or not self._unpack(row, directory):
                    return None
            try:
                os.utime(directory, (self._now(), self._now()))
            except OSError as problem:
                logger.info("Use of a theme not noted", directory=str(directory), problem=str(problem))
        return directory

    def _unpack(self, row: ThemeRow, directory: Path) -> bool:
        package = self._lookup.file(row.file or 0)
        if hashlib.sha256(package).hexdigest() != row.sha256:
            logger.info("Package of a theme has not come in full", theme=row.uuid)
            return False
        making = self._home / f"new-{secrets.token_hex(8)}"
        try:
            making.mkdir(parents=True)
            for name, data in _files(package):
                (making / name).write_bytes(data)
            making.rename(directory)
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as problem:
            logger.error("Theme cannot be unpacked: another takes its place", theme=row.uuid, problem=str(problem))
            shutil.rmtree(making, ignore_errors=True)
            return False
        return True

    # ---- following the configuration

    def changed(self, resource: str, _key: int) -> None:
        """A configured row is another one now: unpack what is new before a call asks for it, remove what is old."""
        if resource in _OF_INTEREST:
            self._due = True
            if self._looking is None or self._looking.done():
                self._looking = self._background.spawn(self._look())

    async def _look(self) -> None:
        while self._due:
            await asyncio.sleep(SETTLE)
            self._due = False
            await asyncio.to_thread(self.tidy)

    def tidy(self) -> None:
        """Unpack all packages that are configured, and remove directories that have long been of no use."""
        wanted = {row.sha256 for row in self._lookup.themes() if row.sha256}
        for sha256 in wanted:
            self._unpacked(sha256)
        with self._lock:
            for directory in self._home.iterdir() if self._home.is_dir() else ():
                try:
                    unfinished = directory.name.startswith("new-")
                    unused = self._now() - directory.stat().st_mtime
                except OSError:
                    continue
                if unfinished or (directory.name not in wanted and unused > KEPT):
                    shutil.rmtree(directory, ignore_errors=True)

    async def stop(self) -> None:
        """Safe to repeat."""
        await self._background.finish(1)


def _name(row: ThemeRow) -> str:
    if row.sha256:
        return row.sha256
    return _SHIPPED + row.uuid if themefiles.shipped(row.uuid) else ""


def _files(package: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        found, _ = themecheck.placed([info.filename for info in archive.infolist() if not info.is_dir()])
        for name, member in found.items():
            yield name, archive.read(member)
