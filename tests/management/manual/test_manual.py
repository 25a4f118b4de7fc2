"""The manual in the site: what Help leads to, what its pages show, and what they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from rostra.management import menu
from rostra.management.manual import places, reading


def test_everything_that_help_leads_to_is_there() -> None:
    for section in places.sections():
        name, _, where = section.partition("#")
        page = reading.page(name)
        assert page is not None, section
        assert not where or where in [heading.anchor for heading in page.headings], section


def test_every_page_of_the_menu_has_its_section(browser: Client) -> None:
    lost = [one.link for _, lines in menu.entries() for one in lines if places.section(one.link) == places.START]
    assert lost == []
    assert places.section("/admin/") == places.START
    assert places.section("/admin/configuration/sipproxy/7/change/") == "admin/sip.md#proxies"


def test_links_between_pages_lead_somewhere() -> None:
    lost: list[str] = []
    for name, _title in reading.contents():
        page = reading.page(name)
        assert page is not None
        for target in re.findall(r'(?:href|src)="([^":]+)"', page.body):
            path, _, where = target.partition("#")
            other = str((Path("/") / name).parent.joinpath(path).resolve())[1:] if path else name
            found = reading.page(other) if other.endswith(".md") else reading.file(other)
            if found is None or (where and where not in [one.anchor for one in reading.page(other).headings]):  # type: ignore[union-attr]
                lost.append(f"{name}: {target}")
    assert lost == []


@pytest.mark.spec("PLAT-165")
def test_help_opens_the_section_of_the_page(browser: Client) -> None:
    page = browser.get("/admin/configuration/sipproxy/add/").content.decode()
    link = re.search(r'<a id="rs-manual"[^>]*>', page)
    assert link
    assert 'href="/admin/manual/admin/sip.md#proxies"' in link[0]
    assert 'target="rostra-manual"' in link[0]
    shown = browser.get("/admin/manual/admin/sip.md").content.decode()
    assert '<h2 id="proxies">' in shown
    assert shown.count("<table>") > 1
    contents = shown.partition("<nav")[2].partition("</nav>")[0]
    assert 'aria-current="page"' in contents
    assert '<a lang="en" href="#proxies">' in contents
    assert "/admin/manual/admin/dial-plan.md" in contents
    assert browser.get("/admin/manual/").headers["Location"] == "/admin/manual/admin/site.md"
    picture = browser.get("/admin/manual/admin/images/dashboard.png")
    assert picture["Content-Type"] == "image/png"
    assert picture.content[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["admin/%00.md", f"admin/{'a' * 5000}.md", "admin/sip%0A.md"])
def test_names_that_no_file_can_have(browser: Client, name: str) -> None:
    assert browser.get(f"/admin/manual/{name}").status_code == 404


def test_only_files_are_kept_in_memory() -> None:
    before = reading._read.cache_info().currsize
    for number in range(5):
        assert reading.page(f"admin/nothing-{number}.md") is None
        assert reading.page("admin/" + "./" * number + "sip.md") is not None
    assert reading._read.cache_info().currsize <= before + 1


def test_it_is_searched(browser: Client) -> None:
    page = browser.get("/admin/manual/search/?q=passphrase wrong").content.decode()
    assert "/admin/manual/admin/backup.md#" in page
    first = reading.search("toll fraud")[0]
    assert (first.page.name, first.heading.title) == ("admin/dial-plan.md", "Toll fraud")
    assert "set the tag" in next(one for one in reading.search("tag PINs theme layout")).excerpt
    page = browser.get("/admin/manual/search/?q=<b>zzqq").content.decode()
    assert "No section has all these words" in page
    assert "<b>zzqq" not in page


@pytest.mark.parametrize("name", ["../README.md", "../pyproject.toml", "admin/../../Makefile", "decisions/README.md"])
def test_nothing_else_is_shown(browser: Client, name: str) -> None:
    assert browser.get(f"/admin/manual/{name}").status_code == 404
    assert reading.page(name) is None
    assert reading.file(name) is None


def test_who_is_not_signed_in_reads_nothing(database: Path) -> None:
    for path in ("", "admin/site.md", "search/?q=pin", "admin/images/dashboard.png"):
        answer = Client().get(f"/admin/manual/{path}")
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


def test_markup_in_a_file_is_text(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("# One `two`\n<script>x</script>\n\n[y](javascript:z)\n\n## A, b\n\n## A b\n")
    page = reading.page("x.md", tmp_path)
    assert page is not None
    assert "<script" not in page.body
    assert "javascript:" not in re.sub(r"\[y\]\(.*?\)", "", page.body)
    assert [(one.level, one.title, one.anchor) for one in page.headings] == [
        (1, "One two", "one-two"),
        (2, "A, b", "a-b"),
        (2, "A b", "a-b-1"),
    ]
