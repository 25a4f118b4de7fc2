"""The registrar without I/O: what becomes of a REGISTER, and the way to a registered device (RFC 3261 10.3).

Whoever may not register learns nothing about which aliases there are: an unknown alias is asked for a password as
well, and then refused as a wrong password is.
"""

from __future__ import annotations

import collections
import dataclasses
import secrets
import uuid
from collections.abc import Callable, Sequence

import structlog

from rostra.calls.registrations import Registration, Registry
from rostra.domain import registration as rules
from rostra.domain.abuse import Shield
from rostra.domain.registration import Device, Refused, RegistrarSettings, TooBrief
from rostra.domain.vocabulary import CallProtocol
from rostra.sip.algorithms import Asked, Offers
from rostra.sip.aliases import printable
from rostra.sip.authenticating import Authenticator, Outcome
from rostra.sip.bindings import Binding, FirstHopLacksOutbound, Wish, Wishes, natted, same_address, same_device, wishes
from rostra.sip.dialog import respond
from rostra.sip.errors import RemoteError
from rostra.sip.flow import Flow
from rostra.sip.message import Request, Response
from rostra.sip.uri import Uri, parse_uri

log = structlog.get_logger("rostra.sip")

MAX_CONTACTS = 50
"""Devices under one alias; further ones are answered 403."""
FLOW_TIMER = 120
"""Seconds within which a device that is called by its connection says something on it (RFC 5626 4.4)."""
RETRY_AFTER = 60
"""Seconds, where there is no room."""

Failed = Callable[[str, str, Refused], None]
"""Told of every failed registration: address it came from, alias, and why (CONF-034)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How a call to a registered device goes."""

    uri: str
    """Request-URI."""
    flow: Flow | None
    """The flow it registered by; None: to be found from `hop`."""
    hop: str
    """URI of the first to send to."""
    routes: tuple[str, ...] = ()
    natted: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Change:
    """What one Contact makes of what there was."""

    wish: Wish
    seconds: int
    """0: it goes."""
    known: Registration | None


class _NotNow(Exception):
    """The whole request fails with this status."""

    def __init__(self, status: int, reason: str = "", headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


class Registrar:
    """Answers REGISTER requests; keeps the SIP side of the registry. Implements `calls.registrations.Keeper`."""

    def __init__(
        self,
        registry: Registry,
        authenticator: Authenticator,
        settings: Callable[[], RegistrarSettings],
        failed: Failed = lambda _address, _alias, _why: None,
        shield: Shield | None = None,
    ) -> None:
        self._registry = registry
        self._authenticator = authenticator
        self._settings = settings
        self._failed = failed
        self._shield = shield or Shield()
        self._offers = Offers()
        self._nobody = Device(alias="", username=secrets.token_hex(8), password=secrets.token_hex(16))
        self._by_connection: dict[int, dict[str, Registration]] = {}
        """Those that came by a stream connection, by its number."""
        self._places: collections.Counter[tuple[str, int]] = collections.Counter()
        """Where those that came by datagrams are."""

    # ---- requests

    def known(self, request: Request, aliases: Sequence[str]) -> Device | None:
        """The device policy admitted before, for a request that refreshes what there is (POL-076)."""
        for alias in aliases:
            for one in self._own(alias):
                if one.by_policy and one.binding.call_id == request.call_id:
                    return one.binding.device
        return None

    def answer(
        self, request: Request, flow: Flow, alias: str, device: Device | None, now: float, *, by_policy: bool = False
    ) -> Response:
        """The response to a REGISTER for `alias`, which is that of `device` if there is one. `now`: the registry's."""
        refused = self._refusal(request, flow, alias, device, now)
        if refused is not None or device is None:
            return refused or respond(request, 403, _tag())
        try:
            asked = wishes(request)
            changes = self._changes(request, flow, device, asked)
        except _NotNow as problem:
            log.info("sip_registration_refused", alias=alias, status=problem.status, reason=problem.reason)
            response = respond(request, problem.status, _tag(), problem.reason)
            for name, value in problem.headers:
                response.headers.add(name, value)
            return response
        except FirstHopLacksOutbound:
            log.info("sip_registration_refused", alias=alias, status=439)
            return respond(request, 439, _tag(), "First Hop Lacks Outbound Support")
        except RemoteError as problem:
            log.info("sip_registration_refused", alias=alias, status=400, reason=problem.reason)
            return respond(request, 400, _tag(), "Bad Request - unusable Contact")
        for change in changes:
            self._apply(change, request, flow, device, now, by_policy=by_policy)
        return self._accepted(request, flow, device, asked, now)

    def _refusal(self, request: Request, flow: Flow, alias: str, device: Device | None, now: float) -> Response | None:
        """Who may not, or has to say who he is first (CONF-012 to CONF-014)."""
        why = rules.admit(self._settings(), device, CallProtocol.SIP)
        if why is Refused.DISABLED:
            self._fail(flow, alias, why)
            return respond(request, 403, _tag(), "Registrar disabled")
        if why is None and device is not None and not device.challenged:
            return None
        expected = self._nobody if device is None or why is not None else device
        answers, asker = request.headers.get("Authorization") is not None, self._asker(flow, alias)
        if answers and not self._shield.may_try(asker, alias, now):
            log.info("sip_registration_not_looked_at", alias=alias, remote_address=flow.remote[0])
            return respond(request, 403, _tag())
        outcome = self._authenticator.check(request, expected.username, expected.password, now)
        if outcome is Outcome.OK and self._authenticator.username(request) != expected.username:
            outcome = Outcome.WRONG  # its case is another one
        if outcome is Outcome.OK:
            self._shield.right_password(asker, alias, now)
            self._offers.answered(request, (flow.remote[0], alias), now)
            return None
        if outcome is Outcome.WRONG:
            self._shield.wrong_password(asker, alias, now)
        if why is Refused.UNKNOWN:
            self._shield.wrong_alias(flow.remote[0], alias, now, proven=flow.transport.reliable)
        if why is not None:
            self._fail(flow, alias, why)
        elif outcome is Outcome.WRONG:
            self._fail(flow, alias, Refused.CREDENTIALS)
        if outcome is Outcome.WRONG:
            return respond(request, 403, _tag())
        return self._challenge(request, (flow.remote[0], alias), request.to.uri, now, stale=outcome is Outcome.STALE)

    def _challenge(self, request: Request, asked: Asked, by: Uri, now: float, *, stale: bool) -> Response:
        response = respond(request, 401, _tag(), "Unauthorized")
        algorithms = self._offers.to(request, asked, now)
        for name, value in self._authenticator.challenge(by.bare_host or "rostra", now, stale, algorithms):
            response.headers.add(name, value)
        return response

    def first(self, request: Request, flow: Flow, alias: str, device: Device | None, now: float) -> Response | None:
        """The challenge for who has to answer one of ours, before anybody else is asked about it; None: go on.

        `device` is what is configured. An answer to no challenge of ours is treated alike whether there is one or not.
        """
        why = rules.admit(self._settings(), device, CallProtocol.SIP)
        stale = request.headers.get("Authorization") is not None
        open_to_all = why is None and device is not None and not device.challenged
        if why is Refused.DISABLED or open_to_all or (why is not None and not stale):
            return None
        if self._authenticator.has_answered(request, now):
            return None
        return self._challenge(request, (flow.remote[0], alias), request.to.uri, now, stale=stale)

    def unproven(self, request: Request, flow: Flow, aliases: Sequence[str], now: float) -> Response | None:
        """The challenge for a call of somebody who seems to be a device with a password, by UDP or by a proxy: where a
        datagram comes from is easily forged, a proxy has others behind it too, and such a call may go where others
        must not (CONF-029). None: there is none."""
        proven = flow.transport.reliable and len(request.headers.items("Via")) == 1
        found = None if proven else self.registered(aliases, flow)
        device: Device | None = found.binding.device if found is not None else None
        if found is None or device is None or not device.challenged:
            return None
        asker = self._asker(flow, found.alias)
        if not self._shield.may_try(asker, found.alias, now):
            return respond(request, 403, _tag())
        outcome = self._authenticator.check(request, device.username, device.password, now)
        if outcome is Outcome.OK:
            self._offers.answered(request, (flow.remote[0], aliases[0]), now)
            return None
        if outcome is Outcome.WRONG:
            self._shield.wrong_password(asker, found.alias, now)
            log.info("sip_call_of_device_refused", alias=found.alias, remote_address=flow.remote[0])
            return respond(request, 403, _tag())
        stale = outcome is Outcome.STALE
        return self._challenge(request, (flow.remote[0], aliases[0]), request.from_.uri, now, stale=stale)

    def _asker(self, flow: Flow, alias: str) -> str:
        """Whose passwords are counted: a device that is registered does not suffer from others at its address."""
        return "{} {}".format(*flow.remote) if self.registered([alias], flow) else flow.remote[0]

    def _fail(self, flow: Flow, alias: str, why: Refused) -> None:
        log.info("Registration failed", alias=alias, protocol="SIP", remote_address=flow.remote[0], reason=why.value)
        self._failed(flow.remote[0], alias, why)

    # ---- what is asked for, all of it or nothing

    def _changes(self, request: Request, flow: Flow, device: Device, asked: Wishes) -> list[_Change]:
        """Raises _NotNow."""
        own = self._own(device.alias)
        if asked.remove_all:
            for one in own:
                _check_order(one, request)
            return [_Change(Wish(request.to.uri, 0), 0, one) for one in own]
        found: list[_Change] = []
        for wish in asked.contacts:
            known = next((one for one in own if same_device(one.binding, wish)), None)
            if known is not None:
                _check_order(known, request)
            found.append(_Change(wish, self._seconds(wish, request, flow), known))
        fresh = sum(change.known is None and change.seconds > 0 for change in found)
        if fresh and len(self._registry) + fresh > rules.MAX_HELD:
            raise _NotNow(503, headers=[("Retry-After", str(RETRY_AFTER))])
        if fresh and len(self._registry.of(device.alias)) + fresh > MAX_CONTACTS:
            raise _NotNow(403, "Too many devices")
        return found

    def _seconds(self, wish: Wish, request: Request, flow: Flow) -> int:
        if wish.expires == 0:
            return 0
        try:
            return rules.granted(
                self._settings(), wish.expires, held=len(self._registry), natted=natted(wish, request, flow)
            )
        except TooBrief as problem:
            minimum = str(problem.minimum)
            raise _NotNow(423, "Interval Too Brief", headers=[("Min-Expires", minimum)]) from None

    def _apply(
        self, change: _Change, request: Request, flow: Flow, device: Device, now: float, *, by_policy: bool
    ) -> None:
        wish, known = change.wish, change.known
        if change.seconds == 0:
            if known is not None:
                self._registry.end(known, rules.RELEASED)
            return
        binding = Binding(
            uri=wish.text, flow=flow, call_id=request.call_id, sequence=request.cseq[0], priority=wish.priority,
            path=tuple(request.headers.items("Path")), outbound=wish.outbound,
            device=device if by_policy or device.challenged else None,
        )  # fmt: skip
        if known is not None:
            self._forget_flow(known)
            known.binding, known.natted = binding, natted(wish, request, flow)
            known.remote_address = flow.remote[0]
            self._registry.refresh(known, now + change.seconds)
            log.info("Registration refreshed", alias=known.alias, protocol="SIP", registration=known.id)
        else:
            known = Registration(
                id=str(uuid.uuid4()), alias=device.alias, protocol=CallProtocol.SIP, keeper=self,
                username=device.username, remote_address=flow.remote[0],
                vendor=printable(request.headers.get("User-Agent") or ""), natted=natted(wish, request, flow),
                deadline=now + change.seconds, by_policy=by_policy, binding=binding, instance=wish.instance,
            )  # fmt: skip
            self._registry.add(known)
        if not flow.transport.reliable:
            self._places[flow.remote] += 1
        else:
            self._by_connection.setdefault(flow.connection, {})[known.id] = known

    def _accepted(self, request: Request, flow: Flow, device: Device, asked: Wishes, now: float) -> Response:
        response = respond(request, 200, _tag())
        outbound = False
        for one in self._own(device.alias):
            left = round(one.deadline - now)
            if left <= 0:
                continue
            priority = f";q={one.binding.priority}" if one.binding.priority else ""
            response.headers.add("Contact", f"<{one.binding.uri}>{priority};expires={left}")
            outbound = outbound or (bool(one.binding.outbound) and one.binding.call_id == request.call_id)
        supported = request.headers.tokens("Supported")
        if "path" in supported:
            for value in request.headers.all("Path"):
                response.headers.add("Path", value)
        if outbound and asked.contacts:
            response.headers.add("Require", "outbound")
            if flow.transport.reliable:
                response.headers.add("Flow-Timer", str(FLOW_TIMER))
        response.headers.add("Supported", "path, outbound")
        return response

    # ---- the registry's other side

    def registration_ended(self, registration: Registration, reason: str) -> None:
        self._forget_flow(registration)
        log.info(
            "Registration ended", alias=registration.alias, protocol="SIP", registration=registration.id, reason=reason
        )

    def uses(self, flow: Flow) -> bool:
        """A device is called by this flow, so it must stay."""
        if not flow.transport.reliable:
            return flow.remote in self._places
        return bool(self._by_connection.get(flow.connection))

    def disconnected(self, flow: Flow) -> None:
        """A stream connection is gone, and with it those that can be called by it alone (RFC 5626 5.3)."""
        for one in list(self._by_connection.pop(flow.connection, {}).values()):
            if one.binding.outbound:
                self._registry.end(one, rules.LOST)

    def registered(self, aliases: Sequence[str], flow: Flow) -> Registration | None:
        """The registration a caller has that says it is one of these, and calls from where it registered (CONF-029)."""
        for alias in aliases:
            for one in self._own(alias):
                theirs: Flow = one.binding.flow
                same = (
                    theirs.connection == flow.connection if theirs.transport.reliable else theirs.remote == flow.remote
                )
                if theirs.transport is flow.transport and same:
                    return one
        return None

    def way(self, id: str) -> Way | None:
        """To a device that is registered here; None: it is not any more.

        It is called where it registered from, at the port that it, or the proxy it came by, has named; another address
        is not believed, or a device could have us call whomever it likes.
        """
        found = self._registry.get(id)
        if found is None or not isinstance(found.binding, Binding):
            return None
        binding = found.binding
        hop = _bare(binding.path[0]) if binding.path else binding.uri
        connected = binding.flow.transport.reliable and binding.flow.connection in self._by_connection
        if connected or binding.outbound or not _is_there(hop, binding.flow):
            return Way(binding.uri, binding.flow, hop, binding.path, natted=found.natted)
        return Way(binding.uri, None, hop, binding.path)

    def _own(self, alias: str) -> list[Registration]:
        return [one for one in self._registry.of(alias) if one.keeper is self]

    def _forget_flow(self, registration: Registration) -> None:
        flow: Flow = registration.binding.flow
        if not flow.transport.reliable:
            self._places[flow.remote] -= 1
            if self._places[flow.remote] <= 0:
                del self._places[flow.remote]
            return
        connection = flow.connection
        there = self._by_connection.get(connection)
        if there is not None:
            there.pop(registration.id, None)
            if not there:
                del self._by_connection[connection]


def _check_order(known: Registration, request: Request) -> None:
    """Requests of one registration must come in order (RFC 3261 10.3, 7). Raises _NotNow."""
    binding: Binding = known.binding
    if binding.call_id == request.call_id and request.cseq[0] <= binding.sequence:
        raise _NotNow(500, "Out of order")


def _is_there(hop: str, flow: Flow) -> bool:
    try:
        uri = parse_uri(hop)
    except RemoteError:
        return False
    return same_address(uri.parameter("maddr") or uri.host, flow.remote[0])


def _bare(route: str) -> str:
    return route.partition("<")[2].partition(">")[0] or route


def _tag() -> str:
    return secrets.token_hex(8)
