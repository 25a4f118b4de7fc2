"""One decision after another, in the order of section 2.4 of the sheet: the server first, then the script.

What is asked and what runs is handed in; nothing here waits for anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import structlog

from rostra.policy import decisions, participants, phonebook, questions
from rostra.policy.checking import Names, members
from rostra.policy.configurations import Configuration
from rostra.policy.decisions import FAILED, Decision, Disposition, Placement, Way
from rostra.policy.noticing import Noticed
from rostra.policy.participants import Properties, Verdict
from rostra.policy.phonebook import Listing, RegistrationVerdict
from rostra.policy.profile import Profile
from rostra.policy.questions import Asking, CallFacts, PersonFacts, Question, ServiceFacts
from rostra.policy.running import NoTurn, Scripts
from rostra.policy.services import shown

logger = structlog.get_logger("support.policy")
jinja2_log = structlog.get_logger("support.jinja2")
_HEADERS = {"p_asserted_identity": "asserted_identity", "ms_subnet": "subnet"}


class Server(Protocol):
    """Who asks policy servers."""

    async def ask(self, profile: Profile, question: Question) -> object:
        """What the JSON of the answer says; None for whatever is no usable answer, which has been logged."""
        ...


class Evaluation:
    """Of one profile, for one node."""

    def __init__(
        self, profile: Profile, node: Asking, server: Server, scripts: Scripts, names: Names,
        noticed: Noticed | None = None,
    ) -> None:  # fmt: skip
        """`noticed`: what the log has been told already."""
        self._profile = profile
        self._node = node
        self._server = server
        self._scripts = scripts
        self._names = names
        self._noticed = noticed or Noticed()

    # ---- services

    async def ask_service(self, call: CallFacts, calling: ServiceFacts | None = None) -> Decision:
        """What the server says of an alias; FAILED when it is not asked."""
        if not self._profile.enable_service_lookup:
            return FAILED
        answer = await self._server.ask(self._profile, questions.service(self._node, call, calling))
        decision = decisions.decide(answer, self._names)
        if answer is not None:
            self._log("service configuration", decision.problem, action=decision.action, unknown=decision.unknown)
        return decision

    async def adjust_service(
        self, call: CallFacts, found: Configuration | None, disposition: Disposition | None,
        calling: ServiceFacts | None = None,
    ) -> Decision:  # fmt: skip
        """What the script makes of what was found (None: nothing was); DEFAULT: nothing else. Raises NoTurn."""
        script = self._profile.service_script
        if not script:
            return FAILED
        info = self._call_info(call, calling, disposition)
        variables = {"call_info": info, "service_config": None if found is None else shown(found)}
        output = await self._run("service", script, variables)
        if output is None:
            return FAILED
        decision = decisions.decide_script(output, self._names)
        self._log("service script", decision.problem, action=decision.action)
        return decision

    # ---- participants

    async def participant(
        self, call: CallFacts, of: ServiceFacts, found: Configuration | None, person: PersonFacts
    ) -> Verdict:
        """What is different about somebody, or why he is refused (POL-052 to POL-055). Raises NoTurn."""
        verdict = Verdict()
        if self._profile.enable_participant_lookup:
            answer = await self._server.ask(self._profile, questions.participant(self._node, call, of, person))
            if answer is not None:
                verdict = participants.decide(answer, self._names)
                self._log("participant properties", verdict.problem)
        script = self._profile.participant_script
        if not script or verdict.refused:
            return verdict
        variables = {
            "call_info": {**self._call_info(call, of, verdict.disposition)},
            "service_config": None if found is None else shown(found),
            "participant": _person(call, person, verdict.properties),
        }
        output = await self._run("participant", script, variables)
        if output is None:
            return verdict
        scripted = participants.decide(output, self._names, script=True)
        self._log("participant script", scripted.problem)
        if scripted.problem:
            return verdict
        return msgspec.structs.replace(scripted, properties=scripted.properties.over(verdict.properties))

    # ---- media locations

    async def location(
        self, call: CallFacts, of: ServiceFacts, found: Configuration | None, usual: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The principal location of a call's media, and where it overflows to; `usual` without policy (POL-056)."""
        placed = Placement()
        if self._profile.enable_media_location_lookup:
            answer = await self._server.ask(self._profile, questions.location(self._node, call, of))
            if answer is not None:
                placed = decisions.decide_location(answer, self._names)
                self._log("media location", placed.problem)
        suggested = placed.locations or usual
        script = self._profile.location_script
        if not script:
            return suggested
        variables = {
            "call_info": self._call_info(call, of, None),
            "service_config": None if found is None else shown(found),
            "suggested_media_overflow_locations": _suggestion(suggested),
        }
        try:
            output = await self._run("media location", script, variables)
        except NoTurn:  # it lets nobody in or out
            output = None
        if output is None:
            return suggested
        scripted = decisions.decide_location(output, self._names, script=True)
        self._log("media location script", scripted.problem)
        if placed.by_list and scripted.locations:  # POL-063
            return tuple(dict.fromkeys((scripted.locations[0], *placed.locations[1:])))
        return scripted.locations or suggested

    # ---- phone book and registrations

    async def directory(self, searched: str, registration: str, call_tag: str = "") -> Listing:
        if not self._profile.enable_directory_lookup:
            return phonebook.NOTHING
        question = questions.directory(self._node, searched, registration, call_tag)
        return phonebook.listing(await self._server.ask(self._profile, question), questions.LIMIT)

    async def registration(self, question: Question) -> RegistrationVerdict:
        if not self._profile.enable_registration_lookup:
            return phonebook.OWN
        verdict = phonebook.registration(await self._server.ask(self._profile, question))
        if verdict.permission is phonebook.Permission.REFUSED:
            logger.info("Registration refused by policy", alias=question.alias, profile=self._profile.name)
        return verdict

    # ---- what they have in common

    async def _run(self, kind: str, script: str, variables: Mapping[str, Any]) -> object:
        """What the JSON of its output says; None when there is none, which is logged (POL-080). Raises NoTurn."""
        try:
            rendered = await self._scripts.run(script, variables)
        except NoTurn:
            jinja2_log.error(
                "Policy script gets no turn: too many are waiting", profile=self._profile.name, script=kind
            )
            raise
        for line in rendered.log:
            jinja2_log.info("pex_debug_log", arguments=line, profile=self._profile.name, script=kind)
        problem = rendered.problem
        if not problem:
            try:
                output = msgspec.json.decode(rendered.output)
                if members(output) is not None:
                    return output
                problem = "the output is not a JSON object"
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
                problem = f"the output is not JSON: {wrong}"
        jinja2_log.warning("Policy script changes nothing", profile=self._profile.name, script=kind, problem=problem)
        return None

    def _log(self, what: str, problem: str, *, action: str = "", unknown: tuple[str, ...] = ()) -> None:
        tell = logger.warning if problem else logger.info
        fresh = self._noticed.news(self._profile.name, unknown)
        told = {"action": action, "problem": problem, "unknown_members": fresh}
        tell("Policy answer", what=what, profile=self._profile.name, **{k: v for k, v in told.items() if v})

    def _call_info(self, call: CallFacts, of: ServiceFacts | None, disposition: Disposition | None) -> dict[str, Any]:
        """The facts of a request by the names that scripts know them by (section 10.2)."""
        info: dict[str, Any] = {**self._node.parameters(), **call.members()}
        if of is not None:
            info |= of.parameters()
        for name, member in _HEADERS.items():
            if (value := getattr(call, member)) is not None:
                info[name] = [value]
        if disposition is not None:
            info["external_policy_disposition"] = disposition.value
        return info


def _person(call: CallFacts, person: PersonFacts, changed: Properties) -> dict[str, Any]:
    """`participant` of a script, with what the server has changed already."""
    found: dict[str, Any] = {
        "participant_uuid": person.uuid,
        "call_uuid": person.call,
        "participant_type": person.type,
        "preauthenticated_role": person.preauthenticated,
        "receive_from_audio_mix": "main",
        "remote_alias": call.remote_alias,
        "remote_display_name": call.remote_display_name,
        "idp_attributes": {},
        "display_count": 0,
    }
    return found | dict(participants.shown(changed)) | {"send_to_audio_mixes": participants.mixes(changed)}


def _suggestion(suggested: tuple[str, ...]) -> dict[str, str | None]:
    first, second, third = (*suggested, None, None, None)[:3]
    return {
        "location": first,
        "primary_overflow_location": second,
        "secondary_overflow_location": third,
    }


__all__ = ["Evaluation", "Server", "Way"]
