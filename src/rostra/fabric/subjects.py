"""Every subject of the fabric: who may publish on it, and who listens to it. The only place that makes subjects.

The guard of a connection (see `guard`) goes by this table, what stays on one machine is set in the NATS server by it
(see `server`), and the page for administrators shows it.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import re

VERSION = 1
"""Of the messages between nodes. What the Management Node says about the configuration has none: see `changes`."""


class Who(enum.StrEnum):
    """Whose word counts."""

    MANAGEMENT = "Management Node"
    NODE = "the node itself"
    """The machine that carries the node named in the subject."""
    MEMBER = "any member"
    MACHINE = "same machine"
    """Other processes of the machine; nothing of it crosses to another."""


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """One row. `*` in the pattern stands for one word; where a node speaks or listens, it is the node."""

    pattern: str
    says: Who
    hears: Who
    purpose: str
    """What it is for, as an administrator reads it."""
    answered: bool = False
    """Those who hear it answer."""
    fresh: bool = True
    """Only from who is there now (see `sessions`); false for the question that finds that out."""

    def of(self, word: str) -> str:
        """The subject for one node, conference or worker."""
        return self.pattern.replace("*", word)

    def word(self, subject: str) -> str | None:
        """What `*` stands for in `subject`; None when it is not of this row, empty when there is no `*`."""
        found = _expression(self.pattern).fullmatch(subject)
        return None if found is None else "".join(found.groups())

    def node(self, subject: str) -> str:
        """The node that `subject` names; the id of a media worker begins with that of its node."""
        return (self.word(subject) or "").partition("-")[0]


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", r"([^.\s]+)"))


_V = f"rostra.v{VERSION}"

CHANGES = Subject(
    "rostra.config.changes",
    Who.MANAGEMENT,
    Who.MEMBER,
    "changes of the configuration, and every second which one is the newest",
)
CATCH_UP = Subject(
    "rostra.config.catch_up", Who.MEMBER, Who.MANAGEMENT, "a node asks for changes it has missed", answered=True
)
SNAPSHOT = Subject(
    "rostra.config.snapshot", Who.MEMBER, Who.MANAGEMENT, "a node asks for the whole configuration", answered=True
)
KEY = Subject(
    "rostra.config.key",
    Who.MEMBER,
    Who.MANAGEMENT,
    "a node asks for the key of the secrets in the configuration",
    answered=True,
)
CLAIM = Subject("rostra.identity.*.claim", Who.NODE, Who.MEMBER, "a node says that it runs, to find copies of it")
LEAVE = Subject(
    "rostra.identity.*.leave",
    Who.MEMBER,
    Who.NODE,
    "tells one of two machines with one identity to leave: by the Management Node, or by two other members",
)
REPORT = Subject(f"{_V}.nodes.*.report", Who.NODE, Who.MEMBER, "a node is there, and how loaded it is")
PROBE = Subject(f"{_V}.nodes.*.probe", Who.MEMBER, Who.NODE, "asks a silent node whether it is there", answered=True)
STATUS = Subject(f"{_V}.nodes.*.status", Who.MEMBER, Who.NODE, "asks a node what it carries", answered=True)
COMMAND = Subject(
    f"{_V}.nodes.*.command",
    Who.MANAGEMENT,
    Who.NODE,
    "commands of administrators: disconnect, mute, lock, move calls away",
    answered=True,
)
SOFTWARE = Subject(
    f"{_V}.nodes.*.software", Who.MANAGEMENT, Who.NODE, "tells a node to upgrade, asks how far it is", answered=True
)
HOLDINGS = Subject(
    f"{_V}.nodes.*.licences", Who.MANAGEMENT, Who.NODE, "asks a node which licenses its calls hold", answered=True
)
ORDERS = Subject(
    f"{_V}.nodes.*.conference",
    Who.MEMBER,
    Who.NODE,
    "nodes ask each other to carry media, streams and relayed traffic of a conference",
    answered=True,
)
REGISTRATIONS = Subject(
    f"{_V}.nodes.*.registrations",
    Who.MEMBER,
    Who.NODE,
    "asks a node which devices are registered there under an alias",
    answered=True,
)
CONFERENCE = Subject(
    f"{_V}.conference.*.change", Who.MEMBER, Who.MEMBER, "what changes in a conference, each node its own part"
)
SYNC = Subject(
    f"{_V}.conference.*.sync", Who.MEMBER, Who.MEMBER, "a node new to a conference asks for all of it", answered=True
)
RELEASE = Subject(
    f"{_V}.clients.release", Who.MEMBER, Who.MEMBER, "a client went on elsewhere: its former node ends its session"
)
EVENTS = Subject(
    f"{_V}.management.events", Who.MEMBER, Who.MANAGEMENT, "what nodes tell for history, log and alarms", answered=True
)
LICENCES = Subject(
    f"{_V}.management.licences", Who.MEMBER, Who.MANAGEMENT, "a node takes and gives back licenses", answered=True
)
POLICY = Subject(f"{_V}.licensing", Who.MANAGEMENT, Who.MEMBER, "whether calls are counted, and the limit")
CONTROL = Subject(
    f"{_V}.media.*.control",
    Who.MEMBER,
    Who.NODE,
    "a node steers its media workers; others steer there the calls that they put there, and only those",
    answered=True,
)
MEDIA_EVENTS = Subject(f"{_V}.media.*.events", Who.MACHINE, Who.MACHINE, "what media workers tell their node")
SESSION = Subject(
    f"{_V}.session.*",
    Who.MEMBER,
    Who.MEMBER,
    "asks whether the process that signed a message still runs, so that nothing recorded is played again",
    answered=True,
    fresh=False,
)

ALL: tuple[Subject, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Subject))
_known = {row.pattern: row for row in ALL}


@functools.lru_cache(4096)
def row_of(subject: str) -> Subject | None:
    """The row a subject, or a pattern that is listened to, belongs to; None when there is none."""
    return _known.get(subject) or next((row for row in ALL if row.word(subject) is not None), None)


def as_markdown() -> str:
    """The table as the page for administrators shows it."""
    lines = ["| Subject | Speaks | Listens | What for |", "|---|---|---|---|"]
    for row in ALL:
        answer = ", and answers" if row.answered else ""
        lines.append(f"| `{row.pattern}` | {row.says} | {row.hears}{answer} | {row.purpose} |")
    return "\n".join(lines) + "\n"
