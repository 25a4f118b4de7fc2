"""Header fields: names, compact forms, lists and parameters (RFC 3261 7.3, 25.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rostra.sip.errors import RemoteError
from rostra.sip.limits import MAX_LIST
from rostra.sip.remembering import remembered

COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
}
_SPELLINGS = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "mime-version": "MIME-Version",
    "min-se": "Min-SE",
    "rack": "RAck",
    "rseq": "RSeq",
    "www-authenticate": "WWW-Authenticate",
}

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PIECE = re.compile(rf"{_QUOTED}|<[^<>]*>|[^,\"<>]+|,", re.DOTALL)
_SINGLE = re.compile(rf"(?:[^,\"<>]|{_QUOTED}|<[^<>]*>)+", re.DOTALL)
_PARAMETER = re.compile(
    rf"\s*;\s*([A-Za-z0-9\-.!%*_+`'~]+)(?:\s*=\s*({_QUOTED}|[^\s;,\"<>=][^\s;,\"<>]*))?\s*(?=;|$)", re.DOTALL
)


@remembered
def canonical(name: str) -> str:
    """The usual spelling of a header name, compact forms expanded."""
    lower = name.lower()
    if lower in COMPACT:
        return COMPACT[lower]
    return _SPELLINGS.get(lower) or "-".join(part.capitalize() for part in lower.split("-"))


class Headers:
    """Header fields in order. Names are case-insensitive and known in their long form."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = [(canonical(name), value) for name, value in fields]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # fields change

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"

    def get(self, name: str) -> str | None:
        """First field of that name; None without one."""
        for field, value in self._fields:
            if field == name:
                return value
        return None

    def all(self, name: str) -> list[str]:
        """All fields of that name, as written."""
        return [value for field, value in self._fields if field == name]

    def items(self, name: str) -> list[str]:
        """All members of a comma-separated list header. Raises RemoteError on an empty or unbalanced member."""
        found = [item for value in self.all(name) for item in split_list(value)]
        if len(found) > MAX_LIST:
            raise RemoteError(f"more than {MAX_LIST} values of {name}")
        return found

    def tokens(self, name: str) -> set[str]:
        """Members of an option list in lower case; stray commas are ignored."""
        return {item.strip().lower() for value in self.all(name) for item in value.split(",") if item.strip()}

    def add(self, name: str, value: str) -> None:
        self._fields.append((canonical(name), value))

    def set(self, name: str, value: str) -> None:
        """Replace all fields of that name by one, in the place of the first."""
        self.replace(name, [value])

    def replace(self, name: str, values: Iterable[str]) -> None:
        """Replace all fields of that name by these, in the place of the first."""
        name = canonical(name)
        at = next((n for n, (field, _) in enumerate(self._fields) if field == name), len(self._fields))
        rest = [entry for entry in self._fields if entry[0] != name]
        at -= sum(1 for field, _ in self._fields[:at] if field == name)
        self._fields = rest[:at] + [(name, value) for value in values] + rest[at:]


def split_list(value: str) -> list[str]:
    """Split at commas outside quotes and angle brackets. Raises RemoteError on empty members or unbalanced marks."""
    if _SINGLE.fullmatch(value) and (only := value.strip()):
        return [only]
    items: list[str] = []
    current: list[str] = []
    position = 0
    while position < len(value):
        match = _PIECE.match(value, position)
        if match is None:
            raise RemoteError("unbalanced quotes or angle brackets")
        position = match.end()
        if match[0] == ",":
            items.append("".join(current).strip())
            current = []
        else:
            current.append(match[0])
    items.append("".join(current).strip())
    if "" in items:
        raise RemoteError("an empty member in a list")
    return items


def parse_parameters(text: str) -> dict[str, str]:
    """`;name=value` pairs to the end of `text`; names in lower case, quotes kept. Raises RemoteError."""
    parameters: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            if not text[position:].strip():
                break
            raise RemoteError(f"unusable parameters {text[position : position + 40]!r}")
        parameters.setdefault(match[1].lower(), match[2] or "")
        position = match.end()
    return parameters


def unquote(text: str) -> str:
    """The content of a quoted string, or the text itself."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text


def quote(text: str) -> str:
    """As a quoted string."""
    cleaned = "".join(c for c in text if c >= " " and c != "\x7f")
    return '"' + cleaned.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unsigned(text: str | None, most: int, what: str) -> int:
    """A decimal number up to `most`. Raises RemoteError."""
    stripped = (text or "").strip()
    if not stripped.isascii() or not stripped.isdecimal() or len(stripped) > 20 or int(stripped) > most:
        raise RemoteError(f"{what} is not a number up to {most}")
    return int(stripped)
