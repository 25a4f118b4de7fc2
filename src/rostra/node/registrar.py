"""What this node's database and the policy of its location say about devices that register."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from prometheus_client import Counter

from rostra.calls.policies import Policies
from rostra.calls.registrations import Admitted, Registration, Registry
from rostra.configuration import sealing
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import DeviceRow
from rostra.domain import registration as rules
from rostra.domain.registration import DIRECTORY_LIMIT, Device, Entry, Refused, RegistrarSettings
from rostra.domain.vocabulary import CallProtocol
from rostra.policy.phonebook import OWN, Permission, RegistrationVerdict

logger = structlog.get_logger("rostra.registration")

_PASSWORD = "configuration_device.password"  # noqa: S105 - the name of a column
FAILED = Counter("rostra_registrations_failed", "Registrations that were refused", ["reason"])
_OWN = ("device", "registration")
_OF_POLICY = ("policy_server", "system_location", "worker_vm")
"""Resources that decide which policy profile is asked, and how."""
_LETS_IN = (Permission.OPEN, Permission.CREDENTIALS)
SLICE = 500
"""Registrations looked at before others have their turn."""


class ConfiguredAdmissions:
    """Implements `calls.registrations.Admissions`."""

    def __init__(self, lookup: Lookup, policies: Policies) -> None:
        self._lookup = lookup
        self._policies = policies

    def settings(self) -> RegistrarSettings:
        return self._lookup.registrar()

    async def device(
        self, aliases: Sequence[str], protocol: CallProtocol, *, address: str, vendor: str = ""
    ) -> Admitted:
        row = next((found for alias in aliases if (found := self._lookup.device(alias))), None)
        alias = row.alias if row else aliases[0]
        verdict = await self._policies.registration(alias, protocol, address) if self.settings().enable else OWN
        match verdict.permission:
            case Permission.REFUSED:
                return Admitted()
            case Permission.OPEN | Permission.CREDENTIALS:
                return Admitted(_by_policy(alias, verdict, protocol), by_policy=True)
            case Permission.OWN:
                return Admitted(None if row is None else device_of(row))

    def own(self, aliases: Sequence[str]) -> Device | None:
        row = next((found for alias in aliases if (found := self._lookup.device(alias))), None)
        return None if row is None else device_of(row)

    async def directory(self, text: str, alias: str) -> list[Entry]:
        if not self.has_directory:
            return []
        listing = await self._policies.directory(text, alias)
        found = self._lookup.search_services(text, DIRECTORY_LIMIT), self._lookup.search_devices(text, DIRECTORY_LIMIT)
        services, devices = ([Entry(row.alias, row.description) for row in rows] for rows in found)
        given = [Entry(one.alias, one.description, one.username) for one in listing.entries]
        return rules.directory(services, devices, given, only_given=listing.ignore_local)

    async def picture(self, alias: str, width: int, height: int) -> bytes | None:
        return await self._policies.contact_avatar(alias, width, height)

    @property
    def has_directory(self) -> bool:
        return self._lookup.global_settings().enable_directory

    def failed(self, address: str, alias: str, why: Refused) -> None:
        FAILED.labels(why.name.lower()).inc()


class Review:
    """Ends registrations of aliases that the configuration, or the policy that let them in, does not know any more."""

    def __init__(self, lookup: Lookup, registry: Registry, policies: Policies) -> None:
        self._lookup = lookup
        self._registry = registry
        self._policies = policies
        self._ask = False
        self._running: asyncio.Task[None] | None = None
        self._again = False

    @property
    def busy(self) -> bool:
        return self._running is not None and not self._running.done()

    def changed(self, resource: str, _key: int) -> None:
        """A configured row is another one now."""
        if resource not in (*_OWN, *_OF_POLICY) or not len(self._registry):
            return
        self._ask = self._ask or resource in _OF_POLICY
        self._again = True
        if not self.busy:
            self._running = asyncio.get_running_loop().create_task(self._review(), name="registrations reviewed")

    async def _review(self) -> None:
        while self._again:
            self._again, ask = False, self._ask
            self._ask = False
            settings = self._lookup.registrar()
            for number, one in enumerate(self._registry.all()):
                if number % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
                if one.by_policy and settings.enable:
                    verdict = await self._verdict(one) if ask else None
                    ask = verdict is not None and verdict.answered  # else each would wait for a server that is away
                    if verdict is None or not verdict.answered or verdict.permission in _LETS_IN:
                        continue
                    if verdict.permission is Permission.REFUSED:
                        self._registry.end(one, rules.NOT_PERMITTED)
                        continue
                row = self._lookup.device(one.alias)
                if rules.admit(settings, None if row is None else device_of(row), one.protocol) is not None:
                    self._registry.end(one, rules.NOT_PERMITTED)

    async def _verdict(self, one: Registration) -> RegistrationVerdict:
        """What policy says anew of somebody it has let in; while its server does not answer, all stays as it is."""
        return await self._policies.registration(one.alias, one.protocol, one.remote_address)


def device_of(row: DeviceRow) -> Device:
    """A configured alias as it is let in; one whose password cannot be read now fits nobody."""
    flags = (
        (CallProtocol.SIP, row.enable_sip),
        (CallProtocol.H323, row.enable_h323),
        (CallProtocol.WEBRTC, row.enable_infinity_connect_non_sso),
    )
    protocols = frozenset(protocol for protocol, on in flags if on)
    password = ""
    if row.password:
        try:
            password = sealing.unseal(_PASSWORD, row.password)
        except sealing.Locked as problem:
            logger.warning("Password of a device cannot be opened", alias=row.alias, problem=str(problem))
            return Device(alias=row.alias, username=row.username, password="", protocols=frozenset())
    return Device(alias=row.alias, username=row.username, password=password, protocols=protocols)


def _by_policy(alias: str, verdict: RegistrationVerdict, protocol: CallProtocol) -> Device:
    return Device(alias=alias, username=verdict.username, password=verdict.password, protocols=frozenset({protocol}))
