"""Themes on a node: which directories a service's theme is, and that packages are unpacked whole or not at all."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rostra import themefiles
from rostra.configuration.rows import GlobalRow, ThemeRow
from rostra.domain import theme
from rostra.domain.theme import BASE_SETTINGS
from rostra.node import themes
from rostra.node.themes import KEPT, ThemeStore
from tests.themes import wav


def package(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"mine/{name}", data)
    return out.getvalue()


class Rows:
    """What the local database has."""

    def __init__(self, **packages: bytes) -> None:
        self.packages = {1 + number: data for number, data in enumerate(packages.values())}
        self.rows = {
            key: ThemeRow(f"u{key}", key, hashlib.sha256(data).hexdigest()) for key, data in self.packages.items()
        }
        self.rows |= {
            10 + number: ThemeRow(shipped.uuid, None, "") for number, shipped in enumerate(themefiles.SHIPPED)
        }
        self.rows[20] = ThemeRow("empty", None, "")

    def theme(self, key: int) -> ThemeRow | None:
        return self.rows.get(key)

    def themes(self) -> list[ThemeRow]:
        return list(self.rows.values())

    def file(self, key: int) -> bytes:
        return self.packages[key]

    def global_settings(self) -> GlobalRow:
        return GlobalRow()


def store(home: Path, rows: Rows, **more: Any) -> ThemeStore:
    return ThemeStore(home, rows, **more)  # type: ignore[arg-type]


def held(home: Path) -> set[str]:
    return {one.name for one in home.iterdir()}


ALICE = package(**{theme.AVATAR_IMAGE: b"picture"})
HOUSE = package(
    **{theme.CONFIG: b'{"test_call_service_media_delay": 1, "disable_watermark_icon": "?"}', theme.ASK_PIN: wav()}
)


@pytest.mark.spec("SVC-016", "REF-002", "REF-003", "REF-004")
async def test_a_service_has_its_theme_then_the_default_then_the_base(tmp_path: Path) -> None:
    made = store(tmp_path, Rows(alice=ALICE, house=HOUSE))
    names = made.names(1, 2)
    alice, house, base = (Path(directory) for directory in await made.directories(names))
    assert held(alice) == {theme.AVATAR_IMAGE}
    assert held(house) == {theme.CONFIG, theme.ASK_PIN}
    assert base == themefiles.BASE
    found = made.settings(names)
    assert (found.test_call_service_media_delay, found.disable_watermark_icon) == (1, False)
    assert found.test_call_service_disconnect_timeout == BASE_SETTINGS.test_call_service_disconnect_timeout
    assert made.settings(made.names(1, None)) == BASE_SETTINGS
    assert made.names(None, None) == made.names(20, 99) == ()
    assert await made.directories(()) == (str(themefiles.BASE),)
    assert made.names(2, 2) == made.names(2)


@pytest.mark.spec("REF-007")
async def test_a_shipped_theme_is_complete(tmp_path: Path) -> None:
    made = store(tmp_path, Rows(house=HOUSE))
    directories = await made.directories(made.names(13, 1))
    expected = [themefiles.HOME / "hash", themefiles.HOME / "tones", themefiles.BASE]
    assert [Path(directory) for directory in directories][:3] == expected


async def test_what_cannot_be_unpacked_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows(alice=ALICE, house=HOUSE)
    rows.packages[1] = ALICE[:50]  # not all of it has come
    made = store(tmp_path / "home", rows)
    assert len(await made.directories(made.names(1))) == 1
    rows.packages[1] = ALICE

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        assert len(await made.directories(made.names(1))) == 1
    assert held(tmp_path / "home") == set()
    assert len(await made.directories(made.names(1))) == 2


async def test_new_ones_are_unpacked_and_old_ones_stay_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(themes, "SETTLE", 0)
    now = [1_000_000_000.0]
    rows = Rows(alice=ALICE)
    made = store(tmp_path, rows, now=lambda: now[0])
    (tmp_path / "new-half").mkdir()
    made.changed("conference", 1)
    made.changed("ivr_theme", 1)
    await made.stop()
    first = rows.rows[1].sha256
    assert held(tmp_path) == {first}
    newer = Rows(alice=HOUSE)
    rows.rows, rows.packages = newer.rows, newer.packages
    made.tidy()
    assert held(tmp_path) == {first, rows.rows[1].sha256}
    now[0] += KEPT + 1
    made.tidy()
    assert held(tmp_path) == {rows.rows[1].sha256}
