"""Which service a caller gets to, and as what, where policy has a say (section 2.4 of the policy sheet).

Policy is asked for what somebody dials, for what is keyed at a reception and for where somebody is sent. Rooms that
the platform itself has opened are no business of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import structlog

from rostra.calls import arrivals, guessing
from rostra.calls.arrivals import JOINABLE, Entrance
from rostra.calls.attendant import KEYPADS
from rostra.calls.onward import Draft, GatewayRules
from rostra.calls.policies import Policies
from rostra.calls.switchboard import CallRefused, CallRequest, ExtensionRequired, Refusal
from rostra.conference.here import Here
from rostra.conference.instance import ConferenceInstance
from rostra.conference.roster import Participant
from rostra.dialplan.outward import Plan
from rostra.dialplan.resolve import RECEPTION, FindAlias, Resolution, resolve
from rostra.domain.abuse import Shield
from rostra.domain.admission import role_by
from rostra.domain.reception import destination
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.policy.participants import UNCHANGED, Properties, Verdict
from rostra.policy.questions import DIRECTIONS, CallFacts, Direction, PersonFacts, Trigger

logger = structlog.get_logger("rostra.calls")

_TRIGGERS = {
    CallProtocol.API: Trigger.WEB,
    CallProtocol.SIP: Trigger.INVITE,
    CallProtocol.MSSIP: Trigger.INVITE,
    CallProtocol.H323: Trigger.SETUP,
}


class Reaching:
    """Of one node."""

    def __init__(self, policies: Policies, find: FindAlias, room: FindAlias, plan: Plan | None, here: Here) -> None:
        """`find` knows what is configured, `room` the rooms that the platform has opened, `plan` the rules for what
        is neither."""
        self.shield = Shield()
        """What is remembered of those who guess PINs."""
        self._policies = policies
        self._rules = GatewayRules(plan, here)
        self._find = find
        self._room = room

    @property
    def asks(self) -> bool:
        """May an alias lead elsewhere than configured?"""
        return self._policies.decides_services

    async def service(self, request: CallRequest, find: FindAlias) -> Resolution:
        """The service of a request, through a reception when it says to where. `find` knows what it may reach.

        Raises CallRefused, ExtensionRequired.
        """
        call = facts_of(request)
        if not self.asks or self._room(request.alias) is not None:
            found = resolve(request.alias, find, request.protocol) or await self._onward(call)
        else:
            found = await self.alias(request.alias, call)
        if found is None or found.service.description.service_type not in JOINABLE:
            raise CallRefused(Refusal.NOT_FOUND)
        if found.service.description.service_type != RECEPTION:
            return found
        number = request.extension or found.extension
        if number is None:
            if request.protocol in KEYPADS:
                return found
            raise ExtensionRequired(found.service.description.reception.challenge)
        onward = await self.beyond(found.service, number, call)
        if onward is None:
            raise CallRefused(Refusal.NOT_FOUND)
        return onward

    async def _onward(self, call: CallFacts) -> Resolution | None:
        """The gateway call that it becomes where there is no service. Raises CallRefused."""
        found = await self._rules.find(call)
        return Resolution(service=found) if found is not None else None

    async def alias(self, alias: str, call: CallFacts, calling: Service | None = None) -> Resolution | None:
        """Where an alias leads; None: nowhere. Raises CallRefused when it leads the caller away."""
        if not self.asks or self._room(alias) is not None:
            found = resolve(alias, lambda name: self._room(name) or self._find(name), call.protocol)
            return found if found is not None or calling is not None else await self._onward(call)
        own = _Own(self._rules, lambda: resolve(alias, self._find, call.protocol), call)
        found = await self._policies.service(call, own.look if calling is None else own.look_for_services, calling)
        if found.new_alias:
            raise CallRefused(Refusal.NOT_FOUND, new_alias=found.new_alias)
        if found.call is not None:
            return Resolution(service=await self._rules.by_policy(call, found.call))
        if found.service is None:
            if own.problem is not None and not found.refused:
                raise own.problem
            return None
        if own.draft is not None and found.service is own.draft.service:
            return Resolution(service=await self._rules.place(call, own.draft))
        if own.found is not None:  # what was dialled along stays, whatever the script made of the service
            return msgspec.structs.replace(own.found, service=found.service)
        return Resolution(service=found.service)

    def configured(self, alias: str, protocol: CallProtocol) -> Service | None:
        """What the configuration alone says of an alias."""
        found = resolve(alias, lambda name: self._room(name) or self._find(name), protocol)
        return found.service if found else None

    def leads(self, reception: Service, keyed: str, me: Participant) -> bool:
        """Does a number keyed at a reception lead anywhere? With policy that is known once it is asked."""
        if self.asks:
            return True
        alias = destination(reception.description.reception, keyed.partition("**")[0])
        if not alias:
            return False
        found = resolve(alias, self._find, me.protocol)
        if found is None:
            return self._rules.leads(alias, me.protocol, registered=me.is_trusted)
        return found.service.description.service_type in JOINABLE - {RECEPTION}

    def leads_on(self, alias: str, who: Participant, by: Participant | None) -> bool:
        """Does a rule take somebody who is sent there by another one (None: by the platform)?"""
        registered = who.is_trusted and (by is None or by.is_trusted)
        return self._rules.leads(alias, who.protocol, registered=registered)

    def is_for_registered(self, alias: str, protocol: CallProtocol) -> bool:
        """Does a rule match that is for registered callers only?"""
        return self._rules.is_for_registered(alias, protocol)

    async def sent(self, alias: str, call: CallFacts) -> Resolution | None:
        """Where somebody is sent who is in a conference."""
        try:
            return await self.alias(alias, call)
        except CallRefused:
            return None

    async def target(self, alias: str) -> Resolution | None:
        """Where an alias leads that nobody calls yet."""
        call = CallFacts(local_alias=alias, protocol=CallProtocol.API, direction=Direction.NON_DIAL)
        try:
            return await self.alias(alias, call)
        except CallRefused:
            return None

    async def admits(self, alias: str, role: Role | None, pin: str | None) -> Role | bool | None:
        """May somebody be sent there? (`calls.switchboard.Switchboard.admits`)"""
        found = await self.target(alias)
        if found is None or found.service.description.service_type not in JOINABLE:
            return False
        if pin is None or not found.service.access.pin_asked:
            return role
        given = role_by(found.service.access, pin)
        return given if given is not None and role in (None, given) else False

    async def may_call(self, service: Service, call: CallFacts) -> bool:
        """May the conference of a service place this call? What else is answered changes no conference (POL-030)."""
        if not self.asks or service.description.breakout is not None:
            return True
        try:
            found = await self._policies.service(call, lambda: service, service)
        except CallRefused:
            return False
        if found.service is not None and found.service.description.name != service.description.name:
            logger.warning(
                "Policy names another service for a call of a conference.", conference=service.description.name,
                named=found.service.description.name,
            )  # fmt: skip
        return found.service is not None

    async def calling(self, alias: str, running: Iterable[ConferenceInstance]) -> Service | None:
        """The service whose conference is to call somebody, by one of its aliases.

        A conference that exists only by policy is known by what its participants have dialled.
        """
        found = resolve(alias, self._find)
        if found is not None or not self.asks:
            return found.service if found else None
        name = alias.casefold()
        for conference in running:
            if any(name == one.local_alias.casefold() for one in conference.participants):
                return conference.service
        found = await self.target(alias)
        return found.service if found else None

    async def beyond(self, reception: Service, keyed: str, call: CallFacts) -> Resolution | None:
        """Where a number keyed at a reception leads, also with a PIN behind it (SVC-051…SVC-055); None: nowhere.

        Raises CallRefused.
        """
        pin = ""
        if call.protocol in KEYPADS:
            keyed, _, pin = keyed.partition("**")
        alias = destination(reception.description.reception, keyed)
        if not alias:
            return None
        call = msgspec.structs.replace(call, local_alias=alias, trigger=Trigger.TWO_STAGE_DIALING)
        if self.asks:
            found = await self.alias(alias, call)
        else:
            found = resolve(alias, self._find, call.protocol) or await self._onward(call)
        if found is None or found.service.description.service_type not in JOINABLE - {RECEPTION}:
            return None
        return msgspec.structs.replace(found, pin=pin) if pin else found

    async def enter(self, request: CallRequest, service: Service, pin: str | None) -> tuple[Entrance, Properties]:
        """As what the caller comes in: policy has its say before a PIN is keyed, and after one was sent (POL-052).

        Raises CallRefused, PinRequired.
        """
        name = request.display_name or request.remote_alias
        if service.onward is not None:
            return arrivals.enter(service, request.protocol, pin, request.role, name=name), UNCHANGED
        if request.protocol in KEYPADS:
            changed = await self._person(request, service, request.role or Role.UNKNOWN)
            role = request.role or changed.role
            return guessing.enter(self.shield, request, service, pin, role, name=name), changed
        entrance = guessing.enter(self.shield, request, service, pin, request.role, name=name)
        changed = await self._person(request, service, entrance.role)
        if changed.role is not None and entrance.where is ServiceType.CONFERENCE:
            entrance = msgspec.structs.replace(entrance, role=changed.role)
        return entrance, changed

    async def _person(self, request: CallRequest, service: Service, role: Role) -> Properties:
        if service.description.breakout is not None:
            return UNCHANGED
        kind = "standard"
        if request.protocol is CallProtocol.API:
            kind = "api_host" if role is Role.HOST else "api"
        verdict: Verdict = await self._policies.participant(
            facts_of(request), service, PersonFacts(type=kind, role=role)
        )
        check(verdict, request.display_name, request.alias)
        return verdict.properties


class _Own:
    """What the configuration alone makes of a call: a service, else what a rule says (step 1 of section 2.4)."""

    def __init__(self, rules: GatewayRules, resolved: Callable[[], Resolution | None], call: CallFacts) -> None:
        self._rules = rules
        self._resolved = resolved
        self._call = call
        self.found: Resolution | None = None
        self.draft: Draft | None = None
        self.problem: CallRefused | None = None
        """Why the rule that takes it leads nowhere: a script may know better."""

    def look_for_services(self) -> Service | None:
        self.found = self._resolved()
        return self.found.service if self.found else None

    def look(self) -> Service | None:
        service = self.look_for_services()
        if service is not None:
            return service
        try:
            self.draft = self._rules.draft(self._call)
        except CallRefused as problem:
            self.problem = problem
        return self.draft.service if self.draft else None


def log_failed(request: CallRequest, reason: str) -> None:
    """For the administrator: somebody did not get in."""
    log_kept_out(request.display_name, request.alias, reason)


def log_kept_out(name: str, alias: str, reason: str) -> None:
    logger.warning("Participant failed to join conference.", participant=name, alias=alias, reason=reason)


def check(verdict: Verdict, name: str, alias: str) -> None:
    """Raises CallRefused for whom policy does not let in."""
    if verdict.refused:
        log_kept_out(name, alias, verdict.reason or "refused by policy")
        raise CallRefused(Refusal.NOT_FOUND, text=verdict.reason)


def facts_of(request: CallRequest) -> CallFacts:
    """A request as policy is told of it."""
    return CallFacts(
        local_alias=request.dialled or request.alias,
        protocol=request.protocol,
        direction=DIRECTIONS[request.direction],
        trigger=_TRIGGERS.get(request.protocol, Trigger.UNSPECIFIED),
        remote_alias=request.caller or request.remote_alias,
        remote_display_name=request.display_name,
        remote_address=request.remote_address,
        remote_port=request.remote_port,
        vendor=request.vendor,
        registered=bool(request.registered),
        bandwidth=request.bandwidth,
        call_tag=request.call_tag,
        asserted_identity=_sendable(request.asserted_identity),
        subnet=_sendable(request.subnet),
        hops=request.hops,
        trail=request.trail,
    )


def _sendable(header: str | None) -> str | None:
    """A header as received, but for bytes that are no UTF-8."""
    return None if header is None else header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def facts_of_participant(participant: Participant, alias: str = "") -> CallFacts:
    """The same of somebody who is there; `alias`: where it is going, when it is sent on."""
    direction = DIRECTIONS[participant.call_direction]
    return CallFacts(
        local_alias=alias or participant.local_alias,
        protocol=participant.protocol,
        direction=Direction.DIAL_IN if alias else direction,
        trigger=_TRIGGERS.get(participant.protocol, Trigger.UNSPECIFIED)
        if direction is Direction.DIAL_IN
        else Trigger.UNSPECIFIED,
        remote_alias=participant.uri,
        remote_display_name=participant.display_name,
        remote_address=participant.remote_address,
        remote_port=participant.remote_port,
        vendor=participant.vendor,
        registered=participant.is_trusted,
        bandwidth=participant.bandwidth,
        call_tag=participant.call_tag,
    )


def changed(participant: Participant, properties: Properties) -> Participant:
    """A new roster entry as policy wants it."""
    return msgspec.structs.replace(participant, **said_of(properties))


def said_of(properties: Properties) -> dict[str, bool | str | float]:
    """Members of a roster entry that policy wants otherwise; the role is another matter."""
    values: dict[str, bool | str | float | None] = {
        "display_name": properties.remote_display_name,
        "overlay_text": properties.remote_display_name,
        "uri": properties.remote_alias,
        "call_tag": properties.call_tag,
        "spotlight": properties.spotlight and _strength(properties.spotlight),
        "bypass_lock": properties.bypass_lock,
        "presentation_in_mix": properties.wants_presentation_in_mix,
    }
    if properties.disable_overlay_text:
        values["overlay_text"] = ""
    if properties.rx_presentation_policy is not None:
        values["rx_presentation_allowed"] = properties.rx_presentation_policy == "ALLOW"
    return {name: value for name, value in values.items() if value is not None}


def _strength(spotlight: int) -> float:
    """Earlier is stronger, so a small number wins over what clients set, which is the time."""
    return float(spotlight)
