"""What the site says in other languages.

Labels, help and choices are declared in English with the models; `make_translatable` has Django look them up when a
page shows them. `collect` finds everything that can be translated, for a catalogue.
"""

from __future__ import annotations

import ast
import functools
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy, override
from django.utils.translation.template import templatize

from rostra.configuration import orm
from rostra.configuration.fields import KnownListField
from rostra.configuration.resources import Resource
from rostra.management import layouts, menu
from rostra.management.accounts import permissions
from rostra.management.accounts.models import Account
from rostra.management.alarms import catalogue as alarms
from rostra.management.audit.actor import API, COMMAND_LINE, CSV, PLATFORM, SITE
from rostra.management.declared import commands, tables
from rostra.management.provisioning import models as sync
from rostra.management.services import KINDS
from rostra.management.upgrades.deciding import Status

LOCALE = Path(__file__).parent / "locale"
_SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]*\.")
_CALLS = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"})
_QUOTED = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\""""
_IN_SCRIPT = re.compile(rf"\bt\(({_QUOTED})")
_IN_TEMPLATE = re.compile(rf"\b(?:_|gettext|ngettext)\(\s*u?({_QUOTED})(?:\s*,\s*u?({_QUOTED}))?")
_WORDS = r'((?:"(?:\\.|[^"\\])*"\s*)+)'
_ENTRY = re.compile(rf"^msgid {_WORDS}^msgstr {_WORDS}", re.MULTILINE)
_COUNTED = re.compile(rf"^msgid {_WORDS}^msgid_plural {_WORDS}^msgstr\[0\] {_WORDS}^msgstr\[1\] {_WORDS}", re.MULTILINE)
_FRAMEWORK = (
    *("Add row", "Apply Filters", "Choose file to upload", "Dark", "Expand row", "False", "General", "Go back"),
    *("Image preview", "Light", "Loading more results...", "More actions", "No data", "No recent searches"),
    *("No results found", "No results matching your query", "Recent searches", "Reset filters", "Return to site"),
    *("Run", "Search apps and models...", "Select all rows", "Submit", "This item will be deleted."),
    *("This page yielded into no results. Create a new item or reset your filters.", "Toggle password visibility"),
    *("True", "Type to search", "You have been successfully logged out from the administration"),
)
"""What pages say that the framework has in English only."""
_PAIR = "\0"
"""Between one and many, in texts that count: as compiled catalogues have it."""


def make_translatable(models: Iterable[type[Any]]) -> None:
    """Have the names, labels, help and choices of `models` looked up in the language of who reads them. Idempotent."""
    with override(None):  # in their own words, whoever asks
        for model in models:
            _make_translatable(model)


def _make_translatable(model: type[Any]) -> None:
    meta = orm.meta(model)
    for name in ("verbose_name", "verbose_name_plural"):
        setattr(meta, name, _lazy(getattr(meta, name)))
    for field in (*meta.local_fields, *meta.local_many_to_many):
        field.verbose_name = _lazy(field.verbose_name)
        field.help_text = _lazy(field.help_text)
        if field.choices:
            field.choices = [(value, _lazy(label)) for value, label in field.flatchoices]


def _lazy(text: Any) -> Any:
    return gettext_lazy(str(text)) if text else text


def collect(resources: Iterable[Resource], root: Path) -> dict[str, list[str]]:
    """Every text that can be translated, and where it is: of the register, and of templates and code below `root`."""
    found: dict[str, list[str]] = {}
    code = (*_code(root), *_code(root.parent / "configuration"))
    for text, place in (
        *_declared(resources),
        *_stated(),
        *_templates(root),
        *_scripts(root),
        *_judgements(root),
        *code,
    ):
        if text.strip() and place not in found.setdefault(text, []):
            found[text].append(place)
    return dict(sorted(found.items()))


def _declared(resources: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    for resource in resources:
        yield resource.summary, resource.name
        yield from ((title, resource.name) for title, _members in layouts.groups(resource))
        yield from _of_model(resource.model, resource.name)
    for kind in KINDS:
        meta = orm.meta(kind.model)
        yield from ((str(text), kind.service_type) for text in (meta.verbose_name, meta.verbose_name_plural))
        yield from ((title, kind.service_type) for title, _members in kind.groups)


def _of_model(model: type[Any], name: str) -> Iterator[tuple[str, str]]:
    meta = orm.meta(model)
    yield from ((str(text), name) for text in (meta.verbose_name, meta.verbose_name_plural))
    for field in (*meta.concrete_fields, *meta.many_to_many):
        labels = [label for _value, label in field.flatchoices or ()]
        if isinstance(field, KnownListField):
            labels = [*field.offered, *(label for _value, label in field.known)]
        yield from ((str(text), f"{name}.{field.name}") for text in (field.verbose_name, field.help_text, *labels))


def _stated() -> Iterator[tuple[str, str]]:
    """What is declared beside the resources: tables, commands, alarms, permissions and states."""
    yield from ((text, "framework") for text in _FRAMEWORK)
    yield from _of_model(Account, "account")
    for table in tables():
        place = f"{table.api}/{table.name}"
        children = [column for columns, _rows in table.children.values() for column in columns]
        yield from ((text, place) for text in (table.title, table.summary))
        yield from ((text, place) for one in (*table.columns, *children) for text in (one.label, one.help))
    for command in commands():
        yield command.summary, command.name
        yield from ((one.help, command.name) for one in command.parameters)
    for alarm in alarms.KINDS.values():
        yield from ((text, alarm.name) for text in (alarm.level, alarm.title, alarm.remedy))
    yield from ((text, name) for name, text in permissions.PERMISSIONS.items())
    yield from ((str(status), "upgrade") for status in Status)
    yield from ((title, "conference_sync") for title in sync.TITLES.values())
    yield from ((way, "administrator log") for way in (SITE, API, CSV, COMMAND_LINE, PLATFORM))


def _templates(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(root.glob("**/templates/**/*.html")):
        place = str(file.relative_to(root))
        for match in _IN_TEMPLATE.finditer(templatize(file.read_text(), origin=place)):
            yield _PAIR.join(ast.literal_eval(text) for text in match.groups() if text), place


def _judgements(root: Path) -> Iterator[tuple[str, str]]:
    """Sentences with which the domain and the configuration refuse values, which know of no language."""
    for file in (*sorted((root.parent / "domain").glob("**/*.py")), *(root.parent / "configuration").glob("**/*.py")):
        tree = ast.parse(file.read_text())
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in told:
                continue
            if _SENTENCE.fullmatch(node.value):
                yield node.value, file.name


def _scripts(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(root.glob("static/**/*.js")):
        for text in _IN_SCRIPT.findall(file.read_text()):
            yield ast.literal_eval(text), str(file.relative_to(root))


@functools.cache
def of_scripts() -> tuple[str, ...]:
    """What scripts of pages say."""
    return tuple(dict.fromkeys(text for text, _place in _scripts(Path(__file__).parent)))


def _code(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(root.glob("**/*.py")):
        place = str(file.relative_to(root))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
                parts = node.args[: 2 if node.func.id.startswith("n") else 1]
                texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                if texts:
                    yield _PAIR.join(texts), place


def catalogue(found: dict[str, list[str]], known: dict[str, str] | None = None) -> str:
    """A catalogue in the form of GNU gettext; `known`: translations there are already."""
    parts = ['msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n']
    for text, places in found.items():
        where = "".join(f"#: {place}\n" for place in places[:3])
        parts.append(where + _entry(text, (known or {}).get(text, "")))
    return "\n".join(parts)


def _entry(text: str, said: str) -> str:
    one, counts, many = text.partition(_PAIR)
    if not counts:
        return f"msgid {_quote(text)}\nmsgstr {_quote(said)}\n"
    first, _, second = said.partition(_PAIR)
    return f"msgid {_quote(one)}\nmsgid_plural {_quote(many)}\nmsgstr[0] {_quote(first)}\nmsgstr[1] {_quote(second)}\n"


def read(text: str) -> dict[str, str]:
    """Translations in a catalogue; those that are missing are left out."""
    pairs = [(_unquote(first), _unquote(second)) for first, second in _ENTRY.findall(text)]
    for one, many, first, second in _COUNTED.findall(text):
        if _unquote(first) and _unquote(second):
            pairs.append((_unquote(one) + _PAIR + _unquote(many), _unquote(first) + _PAIR + _unquote(second)))
    return {source: translated for source, translated in pairs if source and translated}


def compiled(translations: dict[str, str]) -> bytes:
    """The catalogue as programs read it (a .mo file)."""
    header = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"}
    pairs = sorted((source.encode(), text.encode()) for source, text in (header | translations).items())
    start = 7 * 4 + 16 * len(pairs)
    tables_of: list[list[tuple[int, int]]] = [[], []]
    body = b""
    for column in (0, 1):
        for pair in pairs:
            tables_of[column].append((len(pair[column]), start + len(body)))
            body += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    index = b"".join(struct.pack("<2I", *entry) for table in tables_of for entry in table)
    return head + index + body


def update(resources: Iterable[Resource], root: Path, locale: Path = LOCALE) -> int:
    """Write the catalogue of all texts, and each language's anew with what it has; returns how many texts there are."""
    found = collect(resources, root)
    locale.mkdir(exist_ok=True)
    (locale / "django.pot").write_text(catalogue(found))
    for file in sorted(locale.glob("*/LC_MESSAGES/django.po")):
        known = {text: said for text, said in read(file.read_text()).items() if text in found}
        file.write_text(catalogue({text: found[text] for text in found if text in known}, known))
        file.with_suffix(".mo").write_bytes(compiled(known))
    return len(found)


def titles() -> list[str]:
    """Every text of the menu."""
    entries = [str(one.title) for _name, lines in menu.entries() for one in lines]
    return [*(str(title) for title in menu.SECTIONS.values()), *entries]


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _unquote(quoted: str) -> str:
    return "".join(ast.literal_eval(part) for part in re.findall(r'"(?:\\.|[^"\\])*"', quoted))
