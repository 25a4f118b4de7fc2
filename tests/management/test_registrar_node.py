"""What a node's database and policy say about devices that register."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from rostra.calls.policies import Unasked
from rostra.calls.registrations import Registration, Registry
from rostra.configuration.models import Device, GlobalSettings
from rostra.configuration.models import Registration as Settings
from rostra.configuration.queries import Lookup
from rostra.domain.registration import NOT_PERMITTED, RegistrarSettings
from rostra.domain.vocabulary import CallProtocol
from rostra.node.registrar import ConfiguredAdmissions, Review
from rostra.policy.phonebook import Entry, Listing, Permission, RegistrationVerdict

from .test_lookup import replicated
from .test_replication import room


@dataclasses.dataclass
class Policy(Unasked):
    """Answers as it is told."""

    verdict: RegistrationVerdict = dataclasses.field(default_factory=RegistrationVerdict)
    listing: Listing = dataclasses.field(default_factory=Listing)
    asked: list[tuple[str, ...]] = dataclasses.field(default_factory=list)

    async def registration(self, alias: str, protocol: CallProtocol, remote_address: str) -> RegistrationVerdict:
        self.asked.append((alias, protocol.value, remote_address))
        return self.verdict

    async def directory(self, searched: str, registration: str) -> Listing:
        self.asked.append((searched, registration))
        return self.listing


Fill = Callable[[], Lookup]


@pytest.fixture
def node(database: Path, tmp_path: Path) -> Any:
    """Copies the configuration to a node as often as it is called."""
    lookups: list[Lookup] = []

    def fill() -> Lookup:
        folder = tmp_path / str(len(lookups))
        folder.mkdir()
        lookups.append(Lookup(replicated(folder)))
        return lookups[-1]

    yield fill
    for lookup in lookups:
        lookup.close()


def ask(admissions: ConfiguredAdmissions, *aliases: str) -> Any:
    return asyncio.run(admissions.device(aliases, CallProtocol.SIP, address="192.0.2.7"))


@pytest.mark.spec("CONF-013", "CONF-014", "CONF-030", "SYS-105")
def test_configured_devices(node: Fill) -> None:
    Device.objects.create(alias="Ann@example.com", username="Ann", password="sécret", enable_h323=False)
    Device.objects.create(alias="bob")
    admissions = ConfiguredAdmissions(node(), Unasked())
    ann = ask(admissions, "ann@EXAMPLE.com", "ann").device
    assert (ann.alias, ann.username, ann.password) == ("Ann@example.com", "Ann", "sécret")
    assert ann.protocols == {CallProtocol.SIP, CallProtocol.WEBRTC}
    assert ask(admissions, "bob@192.0.2.1", "bob").device.challenged is False
    assert ask(admissions, "carol").device is None
    assert admissions.settings() == RegistrarSettings()


def test_settings_are_those_of_the_page(node: Fill) -> None:
    Settings.objects.update(
        enable=False, refresh_strategy="maximum", maximum_max_refresh=900, route_via_registrar=False
    )
    assert ConfiguredAdmissions(node(), Unasked()).settings() == RegistrarSettings(
        enable=False, refresh_strategy="maximum", maximum_max_refresh=900, route_via_registrar=False
    )


@pytest.mark.spec("CONF-031", "POL-074", "POL-077", "SYS-180")
@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (RegistrationVerdict(), ("ann", "x", "own")),
        (RegistrationVerdict(permission=Permission.REFUSED), None),
        (RegistrationVerdict(permission=Permission.OPEN), ("ann", "", "policy")),
        (
            RegistrationVerdict(permission=Permission.CREDENTIALS, username="u", password="p"),
            ("ann", "u", "policy"),
        ),
    ],
)
def test_policy_comes_first(node: Fill, verdict: RegistrationVerdict, expected: tuple[str, ...] | None) -> None:
    Device.objects.create(alias="ann", username="x", password="y")
    policy = Policy(verdict=verdict)
    admitted = ask(ConfiguredAdmissions(node(), policy), "ann@192.0.2.1", "ann")
    assert policy.asked == [("ann", "sip", "192.0.2.7")]
    if expected is None:
        assert admitted.device is None
    else:
        source = "policy" if admitted.by_policy else "own"
        assert (admitted.device.alias, admitted.device.username, source) == expected


@pytest.mark.spec("CONF-012")
def test_with_the_registrar_off_nobody_is_asked(node: Fill) -> None:
    Settings.objects.update(enable=False)
    policy = Policy()
    ask(ConfiguredAdmissions(node(), policy), "ann")
    assert policy.asked == []


@pytest.mark.spec("CONF-035", "CONF-036", "CONF-037", "API-141", "POL-073")
def test_the_directory(node: Fill) -> None:
    for number in range(7):
        Device.objects.create(alias=f"desk{number}@example.com", description="100% Büro" if number == 3 else "")
    room("sales@example.com")
    policy = Policy()
    admissions = ConfiguredAdmissions(node(), policy)

    def search(text: str) -> list[str]:
        return [one.alias for one in asyncio.run(admissions.directory(text, "ann"))]

    assert search("SALES") == ["sales@example.com"]
    assert search("desk") == [f"desk{number}@example.com" for number in range(5)]
    assert search("100%") == ["desk3@example.com"]
    assert "meet.demo" in search("")
    assert "test_call" not in search("")
    assert search("nothing_") == []
    assert policy.asked[0] == ("SALES", "ann")
    policy.listing = Listing(entries=(Entry("boss", "The boss", "b"),))
    assert search("desk")[0] == "boss"
    policy.listing = Listing(ignore_local=True)
    assert search("desk") == []
    GlobalSettings.objects.update(enable_directory=False)
    policy.asked.clear()
    off = ConfiguredAdmissions(node(), policy)
    assert (asyncio.run(off.directory("desk", "ann")), off.has_directory, policy.asked) == ([], False, [])


class Nobody:
    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    def registration_ended(self, registration: Registration, reason: str) -> None:
        self.ended.append((registration.alias, reason))


class Policies:
    """Say something else now of registrations that they let in, or nothing."""

    SAID = MappingProxyType(
        {
            "guest": RegistrationVerdict(permission=Permission.OPEN),
            "gone": RegistrationVerdict(permission=Permission.REFUSED),
            "left": RegistrationVerdict(),
            "silent": RegistrationVerdict(answered=False),
        }
    )

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def registration(self, alias: str, protocol: CallProtocol, remote_address: str) -> RegistrationVerdict:
        self.asked.append(alias)
        return self.SAID[alias]


@pytest.mark.spec("CONF-012", "CONF-013")
def test_who_may_not_register_any_more_is_ended(node: Fill) -> None:
    for alias in ("ann", "bob", "web"):
        Device.objects.create(alias=alias)
    registry, keeper = Registry("n1"), Nobody()
    for alias, protocol, by_policy in (
        ("ann", CallProtocol.SIP, False), ("bob", CallProtocol.SIP, False), ("web", CallProtocol.WEBRTC, False),
        ("guest", CallProtocol.SIP, True), ("gone", CallProtocol.SIP, True), ("left", CallProtocol.SIP, True),
        ("silent", CallProtocol.SIP, True), ("unasked", CallProtocol.SIP, True),
    ):  # fmt: skip
        registry.add(
            Registration(id=alias, alias=alias, protocol=protocol, keeper=keeper, by_policy=by_policy, deadline=9e9)
        )

    policies = Policies()

    async def change(lookup: Lookup, resource: str) -> None:
        review = Review(lookup, registry, policies)  # type: ignore[arg-type]
        review.changed(resource, 1)
        while review.busy:  # noqa: ASYNC110 - its task is nobody else's
            await asyncio.sleep(0)

    Device.objects.filter(alias="bob").delete()
    Device.objects.filter(alias="web").update(enable_infinity_connect_non_sso=False)
    lookup = node()
    asyncio.run(change(lookup, "conference"))
    assert keeper.ended == []
    asyncio.run(change(lookup, "device"))
    assert keeper.ended == [("bob", NOT_PERMITTED), ("web", NOT_PERMITTED)]
    assert policies.asked == []
    asyncio.run(change(lookup, "policy_server"))
    assert policies.asked == ["guest", "gone", "left", "silent"]
    assert keeper.ended[2:] == [("gone", NOT_PERMITTED), ("left", NOT_PERMITTED)]
    del keeper.ended[2:]
    Settings.objects.update(enable=False)
    asyncio.run(change(node(), "registration"))
    assert len(registry) == 0
