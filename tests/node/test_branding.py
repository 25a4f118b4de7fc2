"""The web app's branding on a node: the package in effect, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any, cast

import pytest

from rostra.configuration.queries import Lookup
from rostra.configuration.rows import BrandingRow
from rostra.node.branding import Branding, unpack


def package(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


class Configured:
    """A database with one package at most."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)
        self.read = 0
        self.sha256 = hashlib.sha256(b"".join(parts)).hexdigest()
        self.there = True
        self.slug = ""
        """The path that has it."""

    def branding(self, slug: str = "") -> BrandingRow | None:
        return BrandingRow(7, self.sha256) if self.there and slug == self.slug else None

    def leads_to_webapp(self, slug: str) -> bool | None:
        return {"staff": True, "old": False}.get(slug)

    def file(self, key: int) -> bytes:
        assert key == 7
        self.read += 1
        return b"".join(self.parts)


def on(configured: Any) -> Branding:
    return Branding(cast("Lookup", configured))


@pytest.mark.spec("CONF-041", "CONF-043")
def test_files_of_the_package_are_there_and_gone_when_it_is_removed() -> None:
    configured = Configured(package(**{"brand.css": b"a", "locales/de.json": b"{}"}))
    branding = on(configured)
    assert branding.files() == {"brand.css": b"a", "locales/de.json": b"{}"}
    branding.files()
    assert configured.read == 1, "unpacked once"
    configured.there = False
    assert branding.files() == {}


def test_each_path_has_its_own_branding_and_unknown_ones_that_of_the_default() -> None:
    configured = Configured(package(**{"brand.css": b"a"}))
    branding = on(configured)
    assert branding.files("webapp") == {"brand.css": b"a"}, "no path of the configuration: the default one"
    assert branding.files("staff") == {}
    configured.slug = "staff"
    assert branding.files("staff") == {"brand.css": b"a"}
    assert branding.files("webapp") == {}
    assert (branding.leads_here("staff"), branding.leads_here("old"), branding.leads_here("webapp")) == (
        True,
        False,
        None,
    )


@pytest.mark.spec("CONF-040")
def test_another_package_replaces_all_files() -> None:
    configured = Configured(package(**{"brand.css": b"a", "logo.png": b"b"}))
    branding = on(configured)
    branding.files()
    configured.parts = [package(**{"brand.css": b"c"})]
    configured.sha256 = hashlib.sha256(configured.parts[0]).hexdigest()
    assert branding.files() == {"brand.css": b"c"}


def test_what_has_not_come_in_full_changes_nothing() -> None:
    whole = package(**{"brand.css": b"a" * 100})
    configured = Configured(whole[:40], whole[40:])
    branding = on(configured)
    rest = configured.parts.pop()
    assert branding.files() == {}
    configured.parts.append(rest)
    assert branding.files() == {"brand.css": b"a" * 100}


def test_what_is_no_archive_leaves_the_app_as_it_was_shipped() -> None:
    assert on(Configured(b"no archive")).files() == {}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a/brand.css", "a/locales/en.json"], ["brand.css", "locales/en.json"]),
        (["brand.css", "a/b.png"], ["a/b.png", "brand.css"]),
        (["brand.css"], ["brand.css"]),
        (["a/logo.png", "__MACOSX/a/._logo.png"], ["logo.png"]),
    ],
)
def test_a_folder_around_everything_is_left_out(names: list[str], found: list[str]) -> None:
    assert sorted(unpack(package(**dict.fromkeys(names, b"x")))) == found


def test_bombs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.node.branding.LARGEST", 10)
    with pytest.raises(ValueError, match="too large"):
        unpack(package(**{"brand.css": b"0123456789a"}))
