"""Everything that the site says can be said in another language: nothing in templates or code is left unmarked."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.utils import translation

from rostra.configuration.resources import register
from rostra.management import languages, menu

from .conftest import Api

TEMPLATES = Path(languages.__file__).parent / "templates"
_WORD = re.compile(r"[^\W\d_]{2,}")
_TAGS = re.compile(r"{%-?\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}|{%.*?%}|{{.*?}}", re.DOTALL)
_SAID = re.compile(r"⟦[^⟦⟧]*⟧")
_TYPES = frozenset({"boolean", "datetime", "file", "float", "identifier", "integer", "string"})
"""As the API calls them."""
_NAMES = frozenset({"UTC", "CSV", "POST", "Rostra", "esc", "Worker_vm"}) | _TYPES
"""Words that are the same in every language."""
_TEXTS = (models.CharField, models.TextField, models.GenericIPAddressField)


class Visible(HTMLParser):
    """The texts of a page that people see or hear."""

    _UNREAD = frozenset({"script", "style", "code", "pre", "template", "textarea"})
    _SPOKEN = frozenset({"aria-label", "placeholder", "title", "alt"})
    _EMPTY = frozenset({"area", "br", "hr", "img", "input", "link", "meta", "col", "path", "line"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.texts += [given[name] for name in self._SPOKEN if name in given]
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.texts.append(given.get("value", ""))
        if tag not in self._EMPTY:
            icon = "material-symbols" in given.get("class", "")
            self._open.append((tag, tag in self._UNREAD or icon))

    def handle_endtag(self, tag: str) -> None:
        while self._open and any(name == tag for name, _ in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(unread for _, unread in self._open):
            self.texts.append(data.strip())


@pytest.mark.parametrize("name", sorted(str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html")))
def test_templates_say_nothing_unmarked(name: str) -> None:
    page = Visible(_TAGS.sub("", (TEMPLATES / name).read_text()))
    unmarked = [text for text in page.texts if set(_WORD.findall(text)) - _NAMES]
    assert not unmarked


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language in which every message stands in brackets."""
    active: Any = translation._trans
    monkeypatch.setattr(active, "gettext", lambda text: f"⟦{text}⟧" if text else "")
    monkeypatch.setattr(active, "ngettext", lambda one, many, count: f"⟦{one if count == 1 else many}⟧")
    monkeypatch.setattr(active, "pgettext", lambda _context, text: f"⟦{text}⟧" if text else "")


def data() -> list[str]:
    """What rows hold, the longest first."""
    found: set[str] = set()
    for model in apps.get_models():
        rows: Any = model._default_manager
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, _TEXTS)]
        for values in rows.values_list(*names) if names else ():
            found.update(str(value) for value in values if value)
        found.update(str(row) for row in rows.all())
    found |= {text[:1].upper() + text[1:] for text in found | {one.name for one in register}}
    return sorted((text for text in found if len(text) > 1), key=len, reverse=True)


def unsaid(page: str, known: list[str]) -> list[str]:
    """Visible texts that are neither marked nor data."""
    found: list[str] = []
    while (shorter := _SAID.sub(" ", page)) != page:
        page = shorter
    for text in Visible(page).texts:
        left = text
        for value in known:
            if value in left:
                left = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", " ", left)
        if set(_WORD.findall(left)) - _NAMES:
            found.append(text)
    return found


FURTHER = (
    *("/admin/", "/admin/first-steps/", "/admin/first-steps/room/", "/admin/csv/import/configuration/conference/"),
    *("/admin/accounts/authenticationsettings/test/", "/admin/accounts/authenticationsettings/1/change/"),
    *("/admin/configuration/globalsettings/1/change/", "/admin/utilities/upgrade/status/", "/admin/platform/schema/"),
    *("/admin/platform/schema/configuration/conference/", "/admin/platform/schema/status/worker_vm/"),
    *("/admin/configuration/tlscertificate/by-node", "/admin/configuration/tlscertificate/import-files"),
    "/admin/configuration/conference/1/delete/",
)
"""Pages that the menu does not lead to."""


def test_pages_say_nothing_unmarked(browser: Client, brackets: None) -> None:
    known = data()
    faults: dict[str, list[str]] = {}
    seen = 0
    links = [one.link for _, lines in menu.entries() for one in lines]
    for path in (*FURTHER, *links, *(f"{link}add/" for link in links)):
        page = browser.get(path, follow=True)
        if "text/html" not in page["Content-Type"] or page.status_code != 200:
            continue
        seen += 1
        left = unsaid(page.content.decode(), known)
        if left:
            faults[path] = sorted(set(left))
    assert not faults, "\n".join(f"{path}: {left}" for path, left in faults.items())
    assert seen > 115


def test_refusals_say_nothing_unmarked(browser: Client, brackets: None) -> None:
    known = data()
    forms: tuple[tuple[str, dict[str, str]], ...] = (
        ("/admin/configuration/conference/add/", {"name": "x" * 999, "pin": "12"}),
        ("/admin/configuration/dnsserver/add/", {"address": "no address"}),
        ("/admin/configuration/conferencealias/add/", {"alias": "two words"}),
        ("/admin/configuration/tlscertificate/add/", {"certificate": "nothing", "private_key": "nothing"}),
        ("/admin/licences/licence/add/", {"text": ""}),
        ("/admin/utilities/backup/", {"passphrase": "one", "again": "two"}),
        ("/admin/accounts/role/add/", {"name": "Empty"}),
        ("/admin/accounts/rolemapping/add/", {"name": "x", "source": "LDAP", "value": "no name"}),
        ("/admin/csv/import/configuration/conference/", {}),
    )
    for path, given in forms:
        answer = browser.post(path, given)
        assert answer.status_code in (200, 400), path
        entered = sorted(given.values(), key=len, reverse=True)
        assert not unsaid(answer.content.decode(), [*entered, *known]), path


def test_the_login_says_nothing_unmarked(database: Path, brackets: None) -> None:
    client = Client()
    page = client.post("/admin/login/", {"username": "somebody", "password": "wrong"})
    assert not unsaid(page.content.decode(), [*data(), "somebody"])


def test_what_the_api_says_is_english(api: Api) -> None:
    """Clients compare its words."""
    refusals = (
        ("POST", "conference_alias/", {"alias": "two words", "conference": None}),
        ("POST", "dns_server/", {"address": "no address"}),
        ("POST", "tls_certificate/", {"certificate": "nothing", "private_key": "nothing"}),
        ("POST", "ivr_theme/", {"name": ""}),
        ("GET", "/api/admin/status/v1/participant/?limit=many", None),
        ("POST", "/api/admin/command/v1/conference/lock/", {}),
    )
    for method, path, body in refusals:
        english = api(method, path, body)
        assert english.status_code >= 400
        for language in ("de", "de-CH,de;q=0.9,en;q=0.1"):
            assert api(method, path, body, **{"Accept-Language": language}).content == english.content, path
    told = api("GET", "conference/schema/")
    assert api("GET", "conference/schema/", **{"Accept-Language": "de"}).content == told.content
