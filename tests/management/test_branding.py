"""Packages of the web app's branding: what is refused, and the ones that can be downloaded."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from rostra.configuration.models import WebappBranding
from rostra.management import branding, packages

from .conftest import Api

SITE = "/admin/configuration/webappbranding"
STYLE = b".brand-logo { background: url(logo.png) } .brand-background { color: red }"


def package(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


@pytest.mark.spec("CONF-041", "CONF-042")
@pytest.mark.parametrize(
    ("files", "passes"),
    [
        ({"settings.js": b"", "locales/it.json": b"{}"}, True),
        ({"brand.css": b"a {}"}, True),
        ({"logo.png": b"x", "brand.css": STYLE}, True),
        ({"mine/background.jpg": b"x", "mine/brand.css": STYLE}, True),
        ({"logo.png": b"x"}, False),
        ({"background.jpg": b"x", "brand.css": b".brand-logo {}"}, False),
        ({"locales/it.json": b"{"}, False),
    ],
)
def test_pictures_need_a_style_that_puts_them_in_place(files: dict[str, bytes], passes: bool) -> None:
    content = io.BytesIO(package(files))
    if passes:
        packages.check_branding(content)
        return
    with pytest.raises(ValidationError):
        packages.check_branding(content)


@pytest.mark.spec("CONF-039", "PLAT-210")
def test_default_and_uploaded_files_can_be_downloaded(
    api: Api, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    (shipped / "locales").mkdir(parents=True)
    (shipped / "locales" / "en.json").write_text("{}")
    (shipped / "brand.css").write_bytes(STYLE)
    monkeypatch.setattr(branding, "DEFAULT", shipped)
    default = browser.get(f"{SITE}/default/")
    assert "branding_default.zip" in default.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(default.content)) as archive:
        assert archive.namelist() == ["brand.css", "locales/en.json"]
    values = {"name": "Ours", "webapp_type": "webapp3", "branding_file": default.content}
    assert api.upload("POST", "webapp_branding/", values).status_code == 201
    row = WebappBranding.objects.get()
    custom = browser.get(f"{SITE}/{row.pk}/download/")
    assert custom.content == default.content
    assert "branding_custom.zip" in custom.headers["content-disposition"]
