"""A platform as policy sees it, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rostra.domain.vocabulary import CallProtocol
from rostra.policy.checking import Thing
from rostra.policy.profile import Profile
from rostra.policy.questions import Asking, CallFacts, Question, Trigger
from rostra.policy.scripts import Rendered, Runner

NODE = Asking(location="London", address="10.47.2.43", version="14", build="36402.0.0")
CALL = CallFacts(
    local_alias="sip:meet.alice@example.com",
    protocol=CallProtocol.SIP,
    trigger=Trigger.INVITE,
    remote_alias="sip:bob@example.com",
    remote_display_name="Bob & Zoë",
    remote_address="10.44.1.2",
    remote_port=5061,
    vendor="Roomkit/9",
)
MEETING = {"service_type": "conference", "name": "Alice", "service_tag": ""}


class Names:
    """Three locations, a theme, a SIP proxy."""

    KNOWN: Mapping[Thing, tuple[str, ...]] = {
        Thing.LOCATION: ("London", "Oslo", "DMZ"),
        Thing.THEME: ("Night",),
        Thing.SIP_PROXY: ("Trunk",),
    }

    def find(self, thing: Thing, name: str) -> int | None:
        known = self.KNOWN.get(thing, ())
        return known.index(name) + 1 if name in known else None


NAMES = Names()


class Server:
    """Answers what it is told to, by the kind of question; nothing told: as a server that fails."""

    def __init__(self, **answers: object) -> None:
        self.answers = answers
        self.asked: list[Question] = []

    async def ask(self, profile: Profile, question: Question) -> object:
        self.asked.append(question)
        return self.answers.get(question.kind.name.lower())


class Scripts:
    """Runs scripts in this process."""

    def __init__(self) -> None:
        self.runs: list[Mapping[str, Any]] = []
        self._runner = Runner()

    async def run(self, source: str, variables: Mapping[str, Any]) -> Rendered:
        self.runs.append(variables)
        return self._runner.run(source, variables)
