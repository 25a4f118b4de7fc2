"""Themes in API and site: uploads, downloads, preview, generated screens, who uses them."""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from rostra import themefiles
from rostra.configuration.models import Conference, GlobalSettings, IvrTheme, StoredFile
from rostra.domain import theme
from rostra.management.themes import contents, pages, pinscreens
from tests.themes import picture, wav

from .conftest import Api
from .test_resources_services import package

SITE = "/admin/configuration/ivrtheme"


def names(data: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.rpartition("/")[2] for name in archive.namelist()}


def key(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


@pytest.mark.spec("REF-016", "REF-018")
def test_a_refusal_names_the_file_and_nothing_is_stored(api: Api) -> None:
    bad = package(**{theme.ASK_PIN: wav(rate=8000), theme.TRANSFER: picture((100, 50)), "hello__txt": b"hi"})
    refused = api.upload("POST", "ivr_theme/", {"name": "Bad", "package": bad})
    assert refused.status_code == 400
    told = refused.json()["ivr_theme"]["package"]
    assert f"{theme.ASK_PIN}: expected 48000 Hz, found 8000 Hz" in told
    assert f"{theme.TRANSFER}: expected 1920x1080 pixels, found 100x50" in told
    assert any(one.startswith("folder/hello.txt: no file of a theme") for one in told)
    assert not StoredFile.objects.exists()
    assert not IvrTheme.objects.filter(name="Bad").exists()


def test_a_picture_that_cannot_be_decoded_is_refused(api: Api) -> None:
    good = picture(theme.ICON, "RGBA", "PNG")
    at = good.index(b"IDAT")
    data = b"IDAT" + bytes(64)
    broken = good[: at - 4] + struct.pack(">I", 64) + data + struct.pack(">I", zlib.crc32(data)) + good[-12:]
    refused = api.upload("POST", "ivr_theme/", {"name": "Bad", "package": package(**{theme.NO_MAIN_VIDEO: broken})})
    assert f"{theme.NO_MAIN_VIDEO}: is damaged: it cannot be decoded" in refused.json()["ivr_theme"]["package"]


@pytest.mark.spec("REF-014", "REF-015")
def test_packages_come_back_as_they_went_and_replace_each_other(api: Api, browser: Any) -> None:
    first, second = package(**{theme.ASK_PIN: wav()}), package(**{theme.WELCOME: wav()})
    made = api.upload("POST", "ivr_theme/", {"name": "Mine", "package": first})
    path = f"ivr_theme/{key(made.headers['Location'])}/"
    download = f"{SITE}/{key(path)}/download/"
    assert browser.get(download).content == first
    assert api.upload("PATCH", path, {"package": second}).status_code == 202
    again = browser.get(download)
    assert names(again.content) == {theme.WELCOME}
    assert again["Content-Disposition"] == 'attachment; filename="Mine.ZIP"'
    assert api.upload("PATCH", path, {"package": again.content}).status_code == 202


@pytest.mark.spec("REF-006", "REF-007", "REF-015")
def test_the_themes_that_come_along_can_be_downloaded_and_uploaded_again(api: Api, browser: Any) -> None:
    shipped = {row.name: row for row in IvrTheme.objects.all()}
    assert list(shipped) == [one.name for one in themefiles.SHIPPED]
    base = browser.get(f"{SITE}/base/").content
    assert names(base) == theme.FILES.keys()
    tones = shipped["Rostra theme (English_UK) with entry tones"]
    whole = browser.get(f"{SITE}/{tones.pk}/download/").content
    assert names(whole) == theme.FILES.keys()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        data = archive.read(f"{contents.FOLDER}/{theme.ENTRY_TONE}")
    assert data == (themefiles.HOME / "tones" / theme.ENTRY_TONE).read_bytes()
    assert api.upload("PATCH", f"ivr_theme/{tones.pk}/", {"package": whole}).status_code == 202
    assert contents.Source("", IvrTheme.objects.get(pk=tones.pk)).names() == theme.FILES.keys()


@pytest.mark.spec("REF-024", "REF-025", "REF-026", "REF-027")
def test_screens_of_pin_entry_are_generated(api: Api, browser: Any) -> None:
    out = io.BytesIO()
    Image.new("RGB", theme.SCREEN, (10, 20, 120)).save(out, "JPEG")
    form = {"background_image": SimpleUploadedFile("Blue sky.jpg", out.getvalue()), "foreground_color": "#F0A020"}
    made = browser.post("/admin/themes/generate/", form)
    assert made["Content-Disposition"] == 'attachment; filename="Blue sky.ZIP"'
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        files = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert set(files) == set(theme.PIN_IMAGES)
    for digits in (0, 1, 20):
        image = Image.open(io.BytesIO(files[theme.pin_entry(digits)]))
        assert (image.size, image.mode) == (theme.SCREEN, "RGB")
        row = [near(image.getpixel((x, 634 + 35)), (240, 160, 32)) for x in range(1920)]
        runs = sum(1 for before, now in itertools.pairwise(row) if now and not before)
        assert runs == digits
        assert sum(row) == pytest.approx(70 * digits, abs=2 * digits + 1)
        if digits == 20:
            assert row.index(True) == pytest.approx(127, abs=2)
            assert not near(image.getpixel((162, 632)), (240, 160, 32))
            assert near(image.getpixel((162, 637)), (240, 160, 32))
    assert api.upload("POST", "ivr_theme/", {"name": "Sky", "package": made.content}).status_code == 201


def near(found: Any, wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("image", "colour", "said"),
    [
        (picture((1280, 720)), "F0A020", "expected 1920x1080 pixels, found 1280x720"),
        (picture(form="PNG"), "F0A020", "expected a JPEG, found a PNG"),
        (picture(mode="CMYK"), "F0A020", "found CMYK"),
        (picture(), "orange", "expected a colour such as F38B3C"),
    ],
)
@pytest.mark.spec("REF-026")
def test_screens_are_not_made_of_anything_else(image: bytes, colour: str, said: str, browser: Any) -> None:
    form = {"background_image": SimpleUploadedFile("x.jpg", image), "foreground_color": colour}
    refused = browser.post("/admin/themes/generate/", form)
    assert (refused.status_code, said in refused.content.decode()) == (400, True)


@pytest.mark.parametrize("text", ["F0A020", "#f0a020", "0xF0A020"])
def test_forms_of_colours(text: str) -> None:
    assert pinscreens.colour(text) == (240, 160, 32)


@pytest.mark.spec("REF-003")
def test_the_preview_tells_where_everything_comes_from(api: Api, browser: Any) -> None:
    pins = {name: picture() for name in (theme.pin_entry(1), theme.PIN_CORRECT)}
    default = api.upload("POST", "ivr_theme/", {"name": "House", "package": package(**pins)}).headers["Location"]
    own = package(**{theme.AVATAR_IMAGE: picture((128, 128)), theme.CONFIG: b'{"no_main_video_bg": "red", "hue": 1}'})
    mine = api.upload("POST", "ivr_theme/", {"name": "Alice", "package": own}).headers["Location"]
    GlobalSettings.objects.filter(pk=1).update(default_theme=key(default))
    row = IvrTheme.objects.get(pk=key(mine))
    found = contents.sources(row)
    assert [source.title for source in found] == ["Alice", "House", "Base theme"]
    page = browser.get(f"/admin/themes/{row.pk}/preview/").content.decode()
    assert "expected a colour 0xRRGGBB, found &quot;red&quot;" in page
    assert "is no setting of a theme" in page
    for name, source in ((theme.AVATAR_IMAGE, "Alice"), (theme.pin_entry(1), "House"), (theme.TRANSFER, "Base theme")):
        at = page.index(f"<span>{name}</span>")
        assert page[at:].split("<small>")[1].split("</small>")[0] == source
    assert browser.get(f"/admin/themes/{row.pk}/{theme.AVATAR_IMAGE}").content == picture((128, 128))
    base = browser.get(f"/admin/themes/{row.pk}/{theme.WELCOME}")
    assert (base.content, base["Content-Type"]) == ((themefiles.BASE / theme.WELCOME).read_bytes(), "audio/wav")
    assert browser.get(f"/admin/themes/{row.pk}/settings.py").status_code == 404


@pytest.mark.spec("REF-010", "REF-011", "REF-012")
def test_services_are_chosen_on_the_page_of_a_theme(api: Api, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = [Conference.objects.create(name=f"Room {number}") for number in range(3)]
    row = IvrTheme.objects.get(uuid="defaultuk")
    page = f"{SITE}/{row.pk}/change/"
    assert browser.post(page, {"name": row.name, "services": [rooms[0].pk, rooms[1].pk]}).status_code == 302
    assert browser.post(page, {"name": row.name, "services": [rooms[1].pk, rooms[2].pk]}).status_code == 302
    assert set(row.conference.values_list("name", flat=True)) == {"Room 1", "Room 2"}
    listed = browser.get(f"{SITE}/").content.decode()
    assert "Service count" in listed
    monkeypatch.setattr(pages, "MOST_SERVICES", 2)
    shown = browser.get(page).content.decode()
    assert "There are more than 2 services" in shown
    assert 'name="services"' not in shown
    assert browser.post(page, {"name": row.name}).status_code == 302
    assert row.conference.count() == 2
