"""The branding of the web app on this node: the package of the default path, unpacked in memory (CONF-038…CONF-044)."""

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
_NOTHING: Mapping[str, bytes] = {}


class Branding:
    """What the web app is to look like now. Thread-safe."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._sha256 = ""
        self._files = _NOTHING

    def files(self) -> Mapping[str, bytes]:
        """The files of the package by name; none when the app looks as it was shipped.

        A package that has not come in full yet, or cannot be read, changes nothing.
        """
        row = self._lookup.branding()
        if row is None:
            return _NOTHING
        with self._lock:
            if row.sha256 != self._sha256:
                package = self._lookup.file(row.file)
                if hashlib.sha256(package).hexdigest() != row.sha256:
                    logger.info("Branding of the web app has not come in full")
                    return self._files
                self._sha256, self._files = row.sha256, _unpacked(package)
            return self._files


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
