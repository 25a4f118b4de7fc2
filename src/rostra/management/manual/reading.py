"""Pages of the manual from their files: Markdown to HTML with an anchor at each heading, contents, search."""

from __future__ import annotations

import dataclasses
import functools
import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

import rostra

HOME = Path(rostra.__file__).resolve().parents[2] / "docs"
"""The documentation that belongs to this version."""
FOLDERS = ("admin", "user", "protocols", "images", "layouts", "recipes")
PICTURES = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}
_NAME = re.compile(r"[\w./-]{1,200}", re.ASCII)
_LINK = re.compile(r"\[([^\]]+)\]\(([a-z0-9/-]+\.md)\)")
_MARKS = re.compile(r"[`*_|#>]|\]\([^)]*\)|[\[\]]")
_PUNCTUATION = re.compile(r"[^\w\- ]")
_AROUND = 90
"""Characters of a section shown on each side of what was found."""
_MOST = 40
"""Sections that a search shows."""


@dataclasses.dataclass(frozen=True, slots=True)
class Heading:
    level: int
    title: str
    anchor: str


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A page as it is shown."""

    name: str
    title: str
    body: str
    """HTML; nothing in a file is taken for HTML."""
    headings: tuple[Heading, ...]
    sections: tuple[tuple[Heading, str], ...]
    """Plain text below each heading."""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A section in which the words of a search are."""

    page: Page
    heading: Heading
    excerpt: str


def file(name: str, home: Path = HOME) -> Path | None:
    """The file called `name`, below `home`, if it is part of the manual."""
    known = name.split("/")[0] in FOLDERS or "/" not in name
    if not known or _NAME.fullmatch(name) is None:
        return None
    path = (home / name).resolve()
    return path if path.is_relative_to(home.resolve()) and path.is_file() else None


def anchor(title: str, taken: Sequence[str] = ()) -> str:
    """What a heading is linked by: small letters, and dashes for blanks; numbered where there is one already."""
    plain = _PUNCTUATION.sub("", title.lower()).strip().replace(" ", "-")
    number = sum(1 for one in taken if one == plain or re.fullmatch(rf"{re.escape(plain)}-\d+", one))
    return f"{plain}-{number}" if number else plain


def page(name: str, home: Path = HOME) -> Page | None:
    """The page called `name`, as in admin/site.md; None for none."""
    path = file(name, home) if name.endswith(".md") else None
    return None if path is None else _read(path, path.relative_to(home.resolve()).as_posix())


@functools.cache
def _read(path: Path, name: str) -> Page:
    """Kept for each file there is, whatever names are asked for."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    source = path.read_text()
    tokens = reader.parse(source)
    headings: list[Heading] = []
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _text(tokens[number + 1])
            headings.append(Heading(int(token.tag[1]), title, anchor(title, [one.anchor for one in headings])))
            token.attrSet("id", headings[-1].anchor)
    body = reader.renderer.render(tokens, reader.options, {})
    title = headings[0].title if headings else name
    return Page(name, title, body, tuple(headings), tuple(_sections(tokens, headings)))


def _text(token: Token) -> str:
    ends = {"softbreak": " ", "hardbreak": " "}
    return "".join(ends.get(child.type, child.content) for child in token.children or () if child.type != "image")


def _sections(tokens: list[Token], headings: list[Heading]) -> Iterator[tuple[Heading, str]]:
    texts: list[list[str]] = []
    for token in tokens:
        if token.type == "heading_open":
            texts.append([])
        elif texts and token.type in ("inline", "fence", "code_block"):
            texts[-1].append(_text(token) if token.children else token.content)
    yield from ((heading, " ".join(parts)) for heading, parts in zip(headings, texts, strict=True))


@functools.cache
def contents(home: Path = HOME) -> tuple[tuple[str, str], ...]:
    """Names and titles of the pages for people and administrators, in the order of the index."""
    index = (home / "README.md").read_text() if (home / "README.md").is_file() else ""
    told = index.partition("For developers")[0]
    names = dict.fromkeys(name for _title, name in _LINK.findall(told))
    administrators_first = sorted(names, key=lambda name: name.startswith("user/"))
    return tuple((name, found.title) for name in administrators_first if (found := page(name, home)) is not None)


def search(words: str, home: Path = HOME) -> list[Found]:
    """Sections that have all the words, those with one in the heading first."""
    wanted = words.casefold().split()
    found: list[tuple[int, Found]] = []
    for name, _title in contents(home) if wanted else ():
        shown = page(name, home)
        for heading, text in shown.sections if shown else ():
            whole = f"{heading.title} {text}".casefold()
            if shown and all(word in whole for word in wanted):
                rank = -sum(word in heading.title.casefold() for word in wanted)
                found.append((rank, Found(shown, heading, _excerpt(text, wanted[0]))))
    return [one for _rank, one in sorted(found, key=lambda pair: pair[0])[:_MOST]]


def _excerpt(text: str, word: str) -> str:
    plain = " ".join(_MARKS.sub(" ", html.unescape(text)).split())
    place = max(0, plain.casefold().find(word))
    start, end = max(0, place - _AROUND), place + _AROUND
    return ("… " if start else "") + plain[start:end] + (" …" if end < len(plain) else "")
