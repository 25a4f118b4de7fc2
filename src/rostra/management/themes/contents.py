"""What themes hold, and packages of it for download (REF-006, REF-015)."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rostra import themefiles
from rostra.configuration.models import GlobalSettings, IvrTheme, StoredFile
from rostra.domain import theme, themecheck

FOLDER = "theme"
"""Name of the one folder in a package that is made here."""


class Source(NamedTuple):
    """A theme as the place files come from."""

    title: str
    theme: IvrTheme | None
    """None: the base theme."""

    def names(self) -> frozenset[str]:
        """The files it has."""
        if self.theme is not None and self.theme.package is not None:
            return frozenset(_members(self.theme.package.sha256, self.theme.package.pk)[1])
        return frozenset(_shipped_files(self._directories()))

    def read(self, name: str) -> bytes:
        """One of its files."""
        if self.theme is not None and self.theme.package is not None:
            package, members = _members(self.theme.package.sha256, self.theme.package.pk)
            with zipfile.ZipFile(io.BytesIO(package)) as archive:
                return archive.read(members[name])
        return _shipped_files(self._directories())[name].read_bytes()

    def _directories(self) -> tuple[Path, ...]:
        if self.theme is None:
            return (themefiles.BASE,)
        shipped = themefiles.shipped(self.theme.uuid)
        return shipped.directories if shipped else ()


def sources(chosen: IvrTheme | None) -> list[Source]:
    """Where files come from for a service with this theme, in order (REF-002)."""
    default = GlobalSettings.objects.select_related("default_theme__package").filter(pk=1).first()
    rows = [chosen, default.default_theme if default else None]
    found = [Source(row.name, row) for row in rows if row is not None]
    unique = {source.theme.pk: source for source in found if source.theme is not None}
    return [*unique.values(), Source("Base theme", None)]


def settings_of(found: Iterable[Source]) -> tuple[Source, dict[str, object], dict[str, str]]:
    """Where the `themeconfig.json` comes from, its values, and what is wrong with them by key."""
    source = next(one for one in found if theme.CONFIG in one.names())
    values = theme.read_config(themecheck.config_text(source.read(theme.CONFIG)))
    return source, values, theme.problems(values)


def shown(value: object) -> str:
    """A value of `themeconfig.json` as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def package(source: Source) -> bytes:
    """All files of a theme in one archive, which may be uploaded again as it is."""
    if source.theme is not None and source.theme.package is not None:
        return b"".join(source.theme.package.chunks())
    return packed((name, source.read(name)) for name in sorted(source.names()))


def packed(files: Iterable[tuple[str, bytes]], folder: str = FOLDER) -> bytes:
    """An archive of one folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files:
            archive.writestr(f"{folder}/{name}", data)
    return out.getvalue()


@functools.lru_cache(maxsize=2)
def _members(sha256: str, key: int) -> tuple[bytes, dict[str, str]]:
    """A stored package, and where in it each file is; `sha256` tells when it is another one."""
    data = b"".join(StoredFile.objects.get(pk=key, sha256=sha256).chunks())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return data, themecheck.placed([info.filename for info in archive.infolist() if not info.is_dir()])[0]


def _shipped_files(directories: Iterable[Path]) -> dict[str, Path]:
    return dict(_each(reversed(tuple(directories))))


def _each(directories: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for directory in directories:
        for file in directory.iterdir():
            if file.name in theme.FILES:
                yield file.name, file
