"""What the site says in other languages."""

from __future__ import annotations

import gettext
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rostra.configuration.resources import register
from rostra.management import languages

from .conftest import Api

ROOT = Path(languages.__file__).parent


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    return languages.collect(register, ROOT)


def test_everything_that_is_said_is_collected(found: dict[str, list[str]]) -> None:
    assert "conference.name" in found["A name no other service has."]
    assert "conference.host_view" in found["Two large and up to 21 small pictures"]
    assert "conference" in found["Virtual Meeting Rooms"]
    assert "templates/admin/csv/upload.html" in found["Check the file"]
    assert "templates/admin/index.html" in found["Nothing is wrong."]
    assert "csvreading.py" in found["This is not text in UTF-8. Save the file in that encoding."]
    assert "conference" in found["Who may enter"]


def test_catalogues_are_written_with_what_is_translated_already(tmp_path: Path) -> None:
    file = tmp_path / "nb/LC_MESSAGES/django.po"
    file.parent.mkdir(parents=True)
    file.write_text(languages.catalogue({"Services": [], "No longer said": []}, {"Services": "Tjenester"}))
    count = languages.update(register, ROOT, tmp_path)
    texts = (tmp_path / "django.pot").read_text()
    assert texts.count("\nmsgid ") == count > 1000
    assert 'msgid "Virtual Auditoriums"' in texts
    assert languages.read(file.read_text()) == {"Services": "Tjenester"}
    assert gettext.GNUTranslations(file.with_suffix(".mo").open("rb")).gettext("Services") == "Tjenester"


def test_what_is_shipped_is_compiled() -> None:
    """Else: python -m rostra.management languages"""
    for file in languages.LOCALE.glob("*/LC_MESSAGES/django.po"):
        assert file.with_suffix(".mo").read_bytes() == languages.compiled(languages.read(file.read_text()))


def test_a_catalogue_is_read_as_it_was_written() -> None:
    said = {'a "b"': "ä\\n\n\t", "two": "zwei", "untranslated": ""}
    text = languages.catalogue({name: ["x"] for name in said}, said)
    assert languages.read(text) == {name: value for name, value in said.items() if value}
    opened = gettext.GNUTranslations(io.BytesIO(languages.compiled({"two": "zwei", "a": "b"})))
    assert (opened.gettext("two"), opened.gettext("a"), opened.gettext("c")) == ("zwei", "b", "c")


def test_texts_that_count_have_two_forms() -> None:
    pair = "%(count)d day\0%(count)d days"
    said = {pair: "%(count)d Tag\0%(count)d Tage"}
    text = languages.catalogue({pair: ["x"]}, said)
    assert 'msgid_plural "%(count)d days"' in text
    assert languages.read(text) == said
    opened = gettext.GNUTranslations(io.BytesIO(languages.compiled(said)))
    assert [opened.ngettext(*pair.split("\0"), count) for count in (1, 2)] == said[pair].split("\0")


def test_the_site_speaks_the_browsers_language_and_the_api_english(browser: Client, api: Api) -> None:
    menu = languages.titles()
    known = languages.read((languages.LOCALE / "de/LC_MESSAGES/django.po").read_text())
    assert len(set(menu) - set(known)) < len(menu) / 5
    german: Any = {"Accept-Language": "de-CH,de;q=0.9"}
    page = browser.get("/admin/configuration/conference/add/", headers=german).content.decode()
    for text in ("Virtuelle Besprechungsräume", "Rufsteuerung", "Ein Name, den kein anderer Dienst hat."):
        assert text in page
    assert 'lang="de"' in page
    assert "Was Gastgeber eingeben: 4 bis 20 Ziffern" in page
    for language in ("en", "fr", "xx", ""):
        page = browser.get("/admin/configuration/conference/", headers={"Accept-Language": language}).content.decode()
        assert "Virtual Meeting Rooms" in page
        assert "Besprechung" not in page
    refused = api("POST", "conference/", {"name": ""}, **german)
    assert refused.json() == {"conference": {"name": ["This field cannot be blank."]}}
    assert api.read("conference/schema/")["fields"]["name"]["help_text"] == "A name no other service has."


def test_the_log_is_written_in_english(browser: Client) -> None:
    from rostra.configuration.models import Conference, ConferenceAlias
    from rostra.management.audit.models import AdministratorLog

    alias = ConferenceAlias.objects.get(alias="meet.demo")
    body = {
        "alias": "meet.demo",
        "conference": Conference.objects.get(name="Demo").pk,
        "description": "x",
        "view_order": 0,
    }
    page = f"/admin/configuration/conferencealias/{alias.pk}/change/"
    assert browser.post(page, body, headers={"Accept-Language": "de"}).status_code == 302
    entry = AdministratorLog.objects.filter(resource="conference_alias").latest("pk")
    assert [change["label"] for change in entry.changes] == ["Description"]
    assert "Type=Alias " in entry.line or 'Type="Alias"' in entry.line


@pytest.mark.parametrize("language", sorted(file.name for file in languages.LOCALE.iterdir() if file.is_dir()))
def test_a_language_has_everything_in_the_catalogue(language: str, found: dict[str, list[str]]) -> None:
    """Whoever writes the catalogue anew (`python -m rostra.management languages`) says the new texts in it, too."""
    entries = re.findall(r'^msgid ((?:".*"\n)+)', languages.catalogue(found), re.MULTILINE)
    said = (languages.LOCALE / language / "LC_MESSAGES/django.po").read_text()
    assert len(entries) > 2500
    assert [entry for entry in entries if f"msgid {entry}" not in said] == []
    pairs = languages.read(said).items()
    marks = re.compile(r"%\([a-z_]+\)[sd]")
    assert [text for text, other in pairs if sorted(marks.findall(text)) != sorted(marks.findall(other))] == []
