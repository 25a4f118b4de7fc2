"""The policy profile of a node's location, from the configuration to decisions about calls."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.core.exceptions import ValidationError

from rostra.calls.onward import GatewayRules
from rostra.calls.refusal import CallRefused, Refusal
from rostra.conference.here import Here
from rostra.configuration import sealing
from rostra.configuration.models import (
    AutomaticParticipant,
    Conference,
    EndUser,
    GatewayRoutingRule,
    GlobalSettings,
    PolicyServer,
    SipProxy,
    StunServer,
    SystemLocation,
)
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.dialplan.resolve import resolve
from rostra.domain.placement import LocationView
from rostra.domain.service import Service
from rostra.domain.theme import BASE_SETTINGS
from rostra.domain.vocabulary import CallProtocol
from rostra.node.outward import ConfiguredPlan
from rostra.node.policy import NodePolicies
from rostra.node.profiles import ALARM
from rostra.node.registrar import ConfiguredAdmissions
from rostra.node.services import finder
from rostra.policy import running as scripts
from rostra.policy.phonebook import Permission
from rostra.policy.questions import CallFacts, PersonFacts
from tests.management.filling import fill
from tests.policy.test_client import jpeg
from tests.policy.test_evaluation import PASS, TEAM
from tests.policy.web import Reply, running, said

LOCATION = "Oslo"


class Themes:
    def names(self, *themes: int | None) -> tuple[str, ...]:
        return tuple(f"t{theme}" for theme in themes if theme)

    def settings(self, names: tuple[str, ...]) -> Any:
        return BASE_SETTINGS


class Geography:
    """One node in one location; a second location beside it."""

    def __init__(self) -> None:
        self.location = SystemLocation.objects.get(name=LOCATION).id
        self.other = SystemLocation.objects.exclude(name=LOCATION).first()

    def locations(self) -> Mapping[int, LocationView]:
        rows = SystemLocation.objects.all()
        return {row.id: LocationView(id=row.id, name=row.name) for row in rows}


class Site:
    """A node's database as the Management Node fills it, and the policies that read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fill()
        self.alarms: list[Any] = []
        self.lookup = Lookup(path)
        self.find = finder(self.lookup, Themes())
        self.policies = NodePolicies(
            self.lookup,
            Geography(),
            Themes(),
            "10.0.0.7",
            ssl.create_default_context,  # type: ignore[arg-type]
            self.alarms.append,
        )

    def _fill(self) -> None:
        replica = Replica(self.path)
        fill(replica)
        replica.close()

    def changed(self) -> None:
        self._fill()
        self.policies.changed("policy_server", 1)

    async def reach(self, alias: str) -> Service | None:
        def configured() -> Service | None:
            found = resolve(alias, self.find)
            return found.service if found else None

        call = CallFacts(local_alias=alias, protocol=CallProtocol.SIP, remote_address="10.44.0.1")
        return (await self.policies.service(call, configured)).service


@pytest.fixture
async def site(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # nothing else runs meanwhile
    SystemLocation.objects.create(name="DMZ")
    first = SystemLocation.objects.exclude(name="DMZ").get()
    SystemLocation.objects.filter(id=first.id).update(name=LOCATION)
    made = Site(tmp_path / "node.db")
    yield made
    await made.policies.close()
    made.lookup.close()


def profile(**values: Any) -> PolicyServer:
    made = PolicyServer(name="P", **values)
    made.full_clean()
    made.save()
    return made


def bind(made: PolicyServer) -> None:
    SystemLocation.objects.filter(name=LOCATION).update(policy_server=made)


def always(value: object) -> Callable[[str, dict[str, str]], Reply]:
    return lambda path, parameters: said(value)


@pytest.mark.spec("POL-001", "POL-002", "POL-005", "SYS-172", "SYS-173", "SYS-181")
async def test_a_profile_counts_where_a_location_has_it(site: Site) -> None:
    answer = {"status": "success", "result": {"service_type": "conference", "name": "Town", "service_tag": "t"}}
    async with running(always(answer)) as server:
        made = profile(url=server.url, enable_service_lookup=True, username="u", password="secret")
        site.changed()
        assert not site.policies.decides_services, "no location has it"
        assert await site.reach("town") is None
        bind(made)
        site.changed()
        found = await site.reach("sip:town@example.com")
        assert found is not None
        assert (found.description.name, found.alias) == ("Town", "town@example.com")
        ((path, parameters, headers),) = server.requests
        assert path == "/base/policy/v1/service/configuration"
        assert (parameters["location"], parameters["node_ip"]) == (LOCATION, "10.0.0.7")
        assert headers["authorization"] == "Basic dTpzZWNyZXQ="
        PolicyServer.objects.update(enable_service_lookup=False)
        site.changed()
        assert await site.reach("town") is None
        assert len(server.requests) == 1


async def test_a_profile_with_a_password_that_cannot_be_opened_still_counts(site: Site) -> None:
    refusing = '{"action": "{{ "reject" if call_info.vendor == "" else "continue" }}"}'
    async with running(always({"status": "success", "action": "reject"})) as server:
        made = profile(
            url=server.url, username="u", password="secret", enable_service_lookup=True,
            enable_registration_lookup=True, enable_internal_service_policy=True,
            internal_service_policy_template=refusing,
        )  # fmt: skip
        bind(made)
        key = sealing.platform_key()
        sealing.unlock(bytes(32))
        try:
            site.changed()
            assert site.policies.decides_services
            assert await site.reach("meet.demo") is None, "its script refuses"
            verdict = await site.policies.registration("a", CallProtocol.SIP, "::1")
            assert verdict.permission is Permission.OWN
            PolicyServer.objects.filter(id=made.id).update(enable_internal_service_policy=False)
            site.changed()
            assert await site.reach("meet.demo") is not None, "as if the server did not answer"
            assert not server.requests
            assert [(one.name, one.instance, one.up) for one in site.alarms] == [(ALARM, "P", True)]
        finally:
            sealing.unlock(key)
        site.changed()
        assert [(one.name, one.instance, one.up) for one in site.alarms[1:]] == [(ALARM, "P", False)]
        assert await site.reach("meet.demo") is None
        assert len(server.requests) == 1


@pytest.mark.spec("POL-051", "POL-080", "SYS-174", "SYS-176")
async def test_a_script_that_passes_everything_on_changes_nothing(site: Site) -> None:
    called = AutomaticParticipant.objects.create(alias="ann@example.com", protocol="sip", role="chair")
    called.conference.add(Conference.objects.get(name="Demo"))
    made = profile(enable_internal_service_policy=True, internal_service_policy_template=PASS)
    bind(made)
    site.changed()
    for alias in ("meet.demo", "test_call", "nobody"):
        assert await site.reach(alias) == site.find(alias)
    PolicyServer.objects.update(internal_service_policy_template=PASS.replace('"continue",', '"continue"'))
    site.changed()
    assert await site.reach("meet.demo") == site.find("meet.demo")
    PolicyServer.objects.update(internal_service_policy_template=TEAM)
    site.changed()
    team = await site.reach("teama@example.com")
    assert team is not None
    assert (team.description.name, team.description.host_view) == ("Team A", "one_main_zero_pips")
    assert await site.reach("meet.demo") == site.find("meet.demo")


async def test_a_script_changes_what_is_configured(site: Site) -> None:
    script = (
        '{"action": "continue", "result": {{ service_config|pex_update({"pin": "24680", "service_tag": '
        "service_config.name ~ '-' ~ call_info.location})|pex_to_json }}}"
    )
    bind(profile(enable_internal_service_policy=True, internal_service_policy_template=script))
    site.changed()
    found, configured = await site.reach("meet.demo"), site.find("meet.demo")
    assert found is not None
    assert configured is not None
    assert (found.access.host_pin, found.description.tag) == ("24680", f"Demo-{LOCATION}")
    assert found.description.id == configured.description.id
    place = await site.policies.media_place(CallFacts(local_alias="x", protocol=CallProtocol.SIP), found)
    assert place is None


async def test_who_might_be_refused_by_a_script_is_not_let_in_without_its_turn(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "QUEUED", 0)
    script = "{{ '%s'|pex_to_json }}"
    bind(
        profile(
            enable_internal_service_policy=True,
            internal_service_policy_template=script,
            enable_internal_participant_policy=True,
            internal_participant_policy_template=script,
            enable_internal_media_location_policy=True,
            internal_media_location_policy_template=script,
        )
    )
    site.changed()
    team, call = site.find("meet.demo"), CallFacts(local_alias="meet.demo", protocol=CallProtocol.SIP)
    assert team is not None
    for decided in (site.reach("meet.demo"), site.policies.participant(call, team, PersonFacts())):
        with pytest.raises(CallRefused) as refused:
            await decided
        assert refused.value.refusal is Refusal.OUT_OF_RESOURCE
    assert await site.policies.media_place(call, team) is None


async def _nobody(_aliases: object) -> list[object]:
    """Registered devices."""
    return []


@pytest.mark.spec("POL-027", "POL-051", "SVC-075")
async def test_a_script_sees_the_gateway_call_that_a_rule_makes(site: Site) -> None:
    proxy = SipProxy.objects.create(name="Trunk", address="trunk.test")
    stun = StunServer.objects.create(name="Stun", address="stun.test")
    row = GatewayRoutingRule.objects.create(
        name="Out", priority=1, match_string="(.+)@far", replace_string=r"\1", sip_proxy=proxy, call_type="auto",
        max_callrate_in=512, tag="T", stun_server=stun, outgoing_location=SystemLocation.objects.get(name="DMZ"),
    )  # fmt: skip
    script = (
        '{"action": "continue", "result": {{ service_config|pex_update({"remote_alias": "bob", "service_tag": '
        'service_config.name.split(":")[0] ~ service_config.sip_proxy_name ~ service_config.outgoing_location_name ~ '
        "service_config.call_type ~ service_config.max_callrate_in ~ service_config.local_alias ~ "
        "service_config.stun_server_name})|pex_to_json }}}"
    )
    made = profile(enable_internal_service_policy=True, internal_service_policy_template=PASS)
    bind(made)
    site.changed()
    here = Here(node="n", boot="", bus=None, pool=None, ledger=None, location=lambda: 1)  # type: ignore[arg-type]
    plan = ConfiguredPlan(site.lookup, SimpleNamespace(find=_nobody), Themes())  # type: ignore[arg-type]
    rules = GatewayRules(plan, here)
    call = CallFacts(local_alias="sip:ann@far", protocol=CallProtocol.SIP, remote_alias="me@here")
    draft = rules.draft(call)
    assert draft is not None
    own = draft.service
    assert (await site.policies.service(call, lambda: own)).service is own
    assert own.onward is not None
    assert own.onward.rule == row.id
    PolicyServer.objects.update(internal_service_policy_template=script)
    site.changed()
    found = await site.policies.service(call, lambda: own)
    assert (found.service, found.refused) == (None, False)
    assert found.call is not None
    assert found.call.tag == "OutTrunkDMZauto512000me@hereStun"
    assert (found.call.destination, found.call.proxy, found.call.rate_in) == ("bob", proxy.id, 512_000)
    assert found.call.stun_server == stun.id
    placed = await rules.by_policy(call, found.call)
    shown = msgspec.json.decode(placed.policy)  # what scripts for media locations see of it
    assert (shown["remote_alias"], shown["service_type"]) == ("bob", "gateway")


@pytest.mark.spec("POL-027", "POL-028", "SYS-174", "SYS-175")
async def test_the_server_comes_before_the_script_and_its_refusal_is_final(site: Site) -> None:
    answers: dict[str, object] = {
        "refused": {"status": "success", "action": "reject"},
        "moved": {"status": "success", "action": "redirect", "result": {"new_alias": "sip:b@c"}},
        "town": {
            "status": "success",
            "result": {"service_type": "conference", "name": "Town", "service_tag": "server"},
        },
        "meet.demo": {"status": "success", "action": "continue"},
    }
    script = (
        '{"action": "continue", "result": {"service_type": "conference", "name": "Made", "service_tag": '
        '"{{ service_config.service_tag }}{{ service_config.name }}{{ call_info.external_policy_disposition }}"}}'
    )

    def answer(path: str, parameters: dict[str, str]) -> Reply:
        return said(answers.get(parameters["local_alias"], {}))

    async with running(answer) as server:
        bind(
            profile(
                url=server.url, enable_service_lookup=True, enable_internal_service_policy=True,
                internal_service_policy_template=script,
            )
        )  # fmt: skip
        site.changed()
        assert await site.reach("refused") is None
        assert await site.reach("moved") is None
        tags = {alias: await site.reach(alias) for alias in ("town", "meet.demo", "nobody")}
        assert {alias: found and found.description.tag for alias, found in tags.items()} == {
            "town": "serverTownCONTINUE", "meet.demo": "DemoCONTINUE", "nobody": "",
        }  # fmt: skip


@pytest.mark.spec("POL-007", "POL-057")
async def test_media_locations_by_number(site: Site) -> None:
    script = '{"result": {"location": "{{ "DMZ" if service_config.name == "Demo" else "dmz" }}"}}'
    bind(profile(enable_internal_media_location_policy=True, internal_media_location_policy_template=script))
    site.changed()
    call = CallFacts(local_alias="meet.demo", protocol=CallProtocol.SIP)
    demo, test = site.find("meet.demo"), site.find("test_call")
    assert demo is not None
    assert test is not None
    place = await site.policies.media_place(call, demo)
    assert place is not None
    assert (place.principal, place.overflow) == (SystemLocation.objects.get(name="DMZ").id, ())
    assert await site.policies.media_place(call, test) is None


@pytest.mark.spec("POL-070", "POL-073", "POL-076", "SYS-178", "SYS-179", "SYS-180")
async def test_registrations_phone_book_and_pictures(site: Site) -> None:
    def answer(path: str, parameters: dict[str, str]) -> Reply:
        if path.endswith("/registrations"):
            return said({"status": "success", "result": [{"alias": "ali@x", "description": "Ali", "username": ""}]})
        if "/registrations/" in path:
            return said({"status": "success", "result": {"username": "u", "password": "p"}})
        return said({}, 404)

    async with running(answer) as server:
        bind(
            profile(
                url=server.url, enable_directory_lookup=True, enable_registration_lookup=True, enable_avatar_lookup=True
            )
        )  # fmt: skip
        site.changed()
        assert [one.alias for one in (await site.policies.directory("ali", "bob@x")).entries] == ["ali@x"]
        verdict = await site.policies.registration("alice@x", CallProtocol.H323, "10.0.0.1")
        assert (verdict.permission, verdict.username, verdict.password) == (Permission.CREDENTIALS, "u", "p")
        assert await site.policies.contact_avatar("alice@x", 50, 50) is None
        admissions = ConfiguredAdmissions(site.lookup, site.policies)
        assert "ali@x" in [one.alias for one in await admissions.directory("ali", "bob@x")]
        del server.requests[3:]
        GlobalSettings.objects.update(enable_directory=False)
        site.changed()
        assert await admissions.directory("ali", "bob@x") == []
        assert [path for path, _, _ in server.requests] == [
            "/base/policy/v1/registrations", "/base/policy/v1/registrations/alice@x",
            "/base/policy/v1/participant/avatar/alice@x",
        ]  # fmt: skip


@pytest.mark.spec("POL-082")
@pytest.mark.parametrize("kind", ["service", "participant", "media_location"])
def test_a_script_that_cannot_run_is_not_saved(database: Path, kind: str) -> None:
    field = f"internal_{kind}_policy_template"
    for script, problem in (("{\n{% if %}", "Line 2"), ("{{ x|map('a') }}", "no filter map")):
        with pytest.raises(ValidationError, match=problem) as refused:
            PolicyServer(name="P", **{field: script}).full_clean()
        assert set(refused.value.message_dict) == {field}


@pytest.mark.spec("POL-067", "POL-068")
async def test_a_users_own_picture_is_tried_first_where_that_is_preferred(site: Site) -> None:
    own, wrong, theirs = jpeg(300, 200), jpeg(50, 50, "CMYK"), jpeg(50, 50)
    pictures = {"/me.jpg": own, "/wrong.jpg": wrong}

    def answer(path: str, parameters: dict[str, str]) -> Reply:
        return 200, {"content-type": "image/jpeg"}, pictures.get(path, theirs)

    async with running(answer) as server:
        host = server.url.removesuffix("/base")
        EndUser.objects.create(primary_email_address="Ada@example.com", avatar_url=f"{host}/me.jpg")
        EndUser.objects.create(primary_email_address="bob@example.com", avatar_url=f"{host}/wrong.jpg")
        EndUser.objects.create(primary_email_address="eve@example.com")
        made = profile(url=server.url, enable_avatar_lookup=True, username="u", password="secret")
        bind(made)
        site.changed()
        assert await site.policies.contact_avatar("ada@example.com", 50, 50) == theirs
        assert [path for path, *_ in server.requests] == ["/base/policy/v1/participant/avatar/ada@example.com"]
        PolicyServer.objects.filter(id=made.id).update(prefer_local_avatar_configuration=True)
        site.changed()
        server.requests.clear()
        assert await site.policies.contact_avatar("sip:ada@EXAMPLE.com", 50, 50) == own
        assert [path for path, *_ in server.requests] == ["/me.jpg"]
        assert "authorization" not in server.requests[0][2], "the password is for the policy server"
        for other in ("bob@example.com", "eve@example.com", "nobody"):
            assert await site.policies.contact_avatar(other, 50, 50) == theirs
        PolicyServer.objects.filter(id=made.id).update(enable_avatar_lookup=False)
        site.changed()
        server.requests.clear()
        assert await site.policies.contact_avatar("ada@example.com", 50, 50) is None
        assert not server.requests
