"""Where calls go that no service answers: by Call Routing Rules, or as policy says (SVC-073, SVC-078)."""

from __future__ import annotations

import uuid

import msgspec
import structlog

from rostra.calls.switchboard import CallRefused, Refusal
from rostra.conference.here import Here
from rostra.dialplan import rules
from rostra.dialplan.outward import NotRegistered, Plan, TransformFailed, by_rule, placed
from rostra.dialplan.rules import Match, Rule
from rostra.domain import gateway
from rostra.domain.dialling import Wanted
from rostra.domain.gateway import Onward, Route
from rostra.domain.history import RuleMatched
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.policy.questions import CallFacts, Direction
from rostra.policy.services import GatewayCall

logger = structlog.get_logger("rostra.calls")

ONLY_MAIN = "one_main_zero_pips"
"""Each sees the other."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway call that a rule makes of an incoming one, before it is known where it ends."""

    rule: Rule
    service: Service
    """Its one route leads to an external system."""


class GatewayRules:
    """Of one node."""

    def __init__(self, plan: Plan | None, here: Here) -> None:
        """Without a plan nothing goes anywhere."""
        self._plan = plan
        self._here = here

    def leads(self, alias: str, protocol: CallProtocol, *, registered: bool) -> bool:
        """Does a rule take a call to this alias, whatever becomes of it?"""
        if self._plan is None:
            return False
        try:
            return self._match(self._plan, alias, protocol, registered=registered) is not None
        except TransformFailed:
            return True

    def is_for_registered(self, alias: str, protocol: CallProtocol) -> bool:
        """Does a rule for registered callers only match? At any location: a device calls by the node it knows; and
        whatever rule for everybody it comes before."""
        if self._plan is None:
            return False
        members = (msgspec.structs.replace(one, location=None) for one in self._plan.rules() if one.registered_only)
        try:
            return rules.incoming(members, alias, self._here.location(), protocol, registered=True) is not None
        except TransformFailed:
            return True

    def draft(self, call: CallFacts) -> Draft | None:
        """The gateway call that an incoming call becomes unless policy decides otherwise; None: no rule takes it.

        Nothing is done yet. Raises CallRefused when nothing is left of the alias.
        """
        plan = self._plan
        if plan is None or call.direction is not Direction.DIAL_IN:
            return None
        try:
            found = self._match(plan, call.local_alias, call.protocol, registered=call.registered)
        except TransformFailed:
            self._log(call, "invalid gateway routing rule transform")
            raise CallRefused(Refusal.TRANSFORM) from None
        if found is None:
            return None
        rule, dress = found.rule, plan.dress(found.rule.theme)
        description = _described(
            dress, f"{rule.name}:{uuid.uuid4()}", rule.tag, rule.call_type, quality=rule.quality or dress.quality,
            crypto_mode=rule.crypto_mode or dress.crypto_mode,
            disabled_codecs=rule.disabled_codecs or dress.disabled_codecs,
        )  # fmt: skip
        onward = Onward(
            alias=call.local_alias,
            wanted=self._wanted(plan, call, found.alias, call.remote_alias, call.remote_display_name),
            routes=(by_rule(found, plan, "video"),), mirrors=rule.call_type == "auto", rate_in=_rate(rule),
            rule=rule.id,
        )  # fmt: skip
        return Draft(rule=rule, service=Service(description=description, onward=onward))

    async def place(self, call: CallFacts, draft: Draft) -> Service:
        """The rule takes the call: the devices it leads to, and whether it may be placed. Raises CallRefused."""
        plan, service, onward = self._plan, draft.service, draft.service.onward
        if plan is None or onward is None:
            raise CallRefused(Refusal.NOT_FOUND)
        self._check(plan, call)
        self._record(draft.rule, call.local_alias)
        routes = await self._routes(onward.routes[0], draft.rule.target, call)
        return msgspec.structs.replace(service, onward=msgspec.structs.replace(onward, routes=routes))

    async def find(self, call: CallFacts) -> Service | None:
        """Both at once, where nobody else is asked. Raises CallRefused."""
        draft = self.draft(call)
        return None if draft is None else await self.place(call, draft)

    async def by_policy(self, call: CallFacts, wanted: GatewayCall) -> Service:
        """The gateway call that policy wants instead of joining anything. Raises CallRefused."""
        plan = self._plan
        if plan is None or call.direction is not Direction.DIAL_IN:
            raise CallRefused(Refusal.NOT_FOUND)
        self._check(plan, call)
        dress = plan.dress(wanted.theme or None)
        view = wanted.view or ONLY_MAIN
        description = _described(
            dress, wanted.name, wanted.tag, wanted.call_type, crypto_mode=wanted.crypto_mode or dress.crypto_mode,
            quality=wanted.quality or dress.quality, host_view=view, guest_view=view, description=wanted.description,
            enable_overlay_text=wanted.enable_overlay_text,
            enable_active_speaker_indication=wanted.enable_active_speaker_indication,
        )  # fmt: skip
        route = Route(
            protocol=wanted.protocol, destination=wanted.destination, location=wanted.location or 0,
            hop=plan.hop(wanted.protocol, wanted.proxy), call_type=description.call_type, rate_out=wanted.rate_out,
        )  # fmt: skip
        person = self._wanted(plan, call, wanted.destination, wanted.source, wanted.source_name)
        onward = Onward(
            alias=call.local_alias, wanted=msgspec.structs.replace(person, dtmf_sequence=wanted.dtmf_sequence),
            routes=await self._routes(route, wanted.target, call), mirrors=wanted.call_type == "auto",
            rate_in=wanted.rate_in, stun=wanted.stun_server, turn=wanted.turn_server,
        )  # fmt: skip
        return Service(description=description, onward=onward, policy=wanted.text)

    def _match(self, plan: Plan, alias: str, protocol: CallProtocol, *, registered: bool) -> Match | None:
        return rules.incoming(plan.rules(), alias, self._here.location(), protocol, registered=registered)

    def _check(self, plan: Plan, call: CallFacts) -> None:
        """Raises CallRefused for what is switched off, or comes back (SYS-107, CONF-028)."""
        if not plan.allowed():
            self._log(call, "outbound calls are switched off")
            raise CallRefused(Refusal.DISABLED)
        if gateway.loops(call.trail, _mark(plan, call)):
            self._log(call, "the call has been here before")
            raise CallRefused(Refusal.LOOP)

    async def _routes(self, way: Route, target: str, call: CallFacts) -> tuple[Route, ...]:
        if self._plan is None:
            return ()
        try:
            return await placed(way, target, self._plan)
        except NotRegistered:
            self._log(call, "no registered device has the alias")
            raise CallRefused(Refusal.NOT_REGISTERED) from None

    @staticmethod
    def _wanted(plan: Plan, call: CallFacts, destination: str, source: str, name: str) -> Wanted:
        passed = ",".join((*call.trail, _mark(plan, call)))
        return Wanted(
            destination=destination, role=Role.HOST, source_alias=source, source_name=name,
            headers=((gateway.TRAIL, passed),), hops=max(0, call.hops - 1),
        )  # fmt: skip

    def _record(self, rule: Rule, alias: str) -> None:
        """For the administrator log (DIAG-159)."""
        self._here.record(
            RuleMatched(
                time=self._here.now(), name=rule.name, description=rule.description, tag=rule.tag, alias=alias,
                parsed=rules.parsed(alias), full=rule.full,
            )
        )  # fmt: skip

    @staticmethod
    def _log(call: CallFacts, reason: str) -> None:
        logger.warning("Gateway call is not placed.", alias=call.local_alias, source=call.remote_alias, reason=reason)


def _described(dress: ServiceDescription, name: str, tag: str, call_type: str, **more: object) -> ServiceDescription:
    """`auto` is decided when the called party is called, by what the caller has then."""
    values: dict[str, object] = {
        "id": 0, "name": name, "service_type": gateway.GATEWAY, "tag": tag, "host_view": ONLY_MAIN,
        "guest_view": ONLY_MAIN, "call_type": "video" if call_type == "auto" else call_type,
    }  # fmt: skip
    return msgspec.structs.replace(dress, **(values | more))


def _mark(plan: Plan, call: CallFacts) -> str:
    """The same whatever scheme or address of ours it is dialled by."""
    return gateway.mark(plan.mark, rules.parsed(call.local_alias))


def _rate(rule: Rule) -> int | None:
    return rule.rate_in * 1000 if rule.rate_in else None
