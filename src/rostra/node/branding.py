"""The branding of the web app on this node: the packages of its paths, unpacked in memory (CONF-038…CONF-044)."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

import structlog

from rostra.configuration.queries import Lookup

logger = structlog.get_logger("rostra.node")

LARGEST = 64 * 1024 * 1024
"""Bytes of all files of a package."""
MOST = 8
"""Packages kept unpacked."""
_NOTHING: Mapping[str, bytes] = {}


class Branding:
    """What the web app is to look like now. Thread-safe."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._unpacked: dict[str, Mapping[str, bytes]] = {}
        """By the sum of the package, the latest last."""
        self._shown: dict[str, Mapping[str, bytes]] = {}
        """By path."""

    def files(self, slug: str = "") -> Mapping[str, bytes]:
        """The files of the package by name; none when the app looks as it was shipped.

        `slug`: the path that was opened; empty, or one that the configuration does not have: that of the default path.
        A package that has not come in full yet, or cannot be read, changes nothing.
        """
        if slug and self._lookup.leads_to_webapp(slug) is None:
            slug = ""
        row = self._lookup.branding(slug)
        with self._lock:
            if row is None:
                self._shown.pop(slug, None)
                return _NOTHING
            found = self._unpacked.get(row.sha256)
            if found is None:
                package = self._lookup.file(row.file)
                if hashlib.sha256(package).hexdigest() != row.sha256:
                    logger.info("Branding of the web app has not come in full")
                    return self._shown.get(slug, _NOTHING)
                found = _unpacked(package)
                self._unpacked[row.sha256] = found
                while len(self._unpacked) > MOST:
                    del self._unpacked[next(iter(self._unpacked))]
            self._shown[slug] = found
            return found

    def leads_here(self, slug: str) -> bool | None:
        """Whether the path of this name to the web app can be used; None: the configuration has none."""
        return self._lookup.leads_to_webapp(slug)


def _unpacked(package: bytes) -> Mapping[str, bytes]:
    try:
        return unpack(package)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError) as problem:
        logger.error("Branding of the web app cannot be read: it looks as it was shipped", problem=str(problem))
        return _NOTHING


def unpack(package: bytes) -> dict[str, bytes]:
    """Names and contents of a package; a folder around everything is left out. Raises ValueError when too large."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        members = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
        if sum(one.file_size for one in members) > LARGEST:
            raise ValueError("too large")
        folders = {PurePosixPath(one.filename).parts[0] for one in members}
        around = f"{folders.pop()}/" if len(folders) == 1 else ""
        wrapped = bool(around) and all(one.filename.startswith(around) for one in members)
        skip = len(around) if wrapped else 0
        return {one.filename[skip:]: archive.read(one) for one in members}
