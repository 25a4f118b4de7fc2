"""Look-ups in a node's local database."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rostra.configuration import orm, setup_node
from rostra.configuration.models import Conference, ConferenceAlias, GlobalSettings, WebappAlias
from rostra.configuration.models.identity import IdentityProvider, IdentityProviderAttribute, IdentityProviderGroup
from rostra.configuration.queries import Lookup
from rostra.configuration.replica import Replica
from rostra.configuration.rows import GlobalRow, ServiceRow
from rostra.domain.signon import SignOnRules
from rostra.node.services import finder
from rostra.node.signon import desk
from tests.management.filling import fill

from .test_replication import room


@pytest.fixture
def local(database: Path, tmp_path: Path) -> Path:
    """A node's database as the first start of the Management Node fills it, and one room more."""
    room("Straße.42@example.test")
    last = ConferenceAlias.objects.get(alias="meet.demo")
    ConferenceAlias.objects.create(alias="demo.first", conference=last.conference, view_order=1)
    ConferenceAlias.objects.filter(pk=last.pk).update(view_order=2)
    GlobalSettings.objects.update(guests_only_timeout=7, enable_chat=False)
    WebappAlias.objects.create(slug="staff", webapp_type="webapp3", is_enabled=True)
    WebappAlias.objects.create(slug="old", webapp_type="webapp3", is_enabled=False)
    return replicated(tmp_path)


def replicated(folder: Path) -> Path:
    """A node's database with all that the Management Node has."""
    replica = Replica(folder / "node.db")
    fill(replica)
    replica.close()
    return folder / "node.db"


@pytest.mark.spec("SVC-067", "SVC-068")
def test_alias_in_any_case(local: Path) -> None:
    lookup = Lookup(local)
    for dialled in ("meet.demo", "MEET.DEMO", "Meet.Demo"):
        found = lookup.find_alias(dialled)
        assert found is not None
        assert (found.name, found.service_type, found.allow_guests) == ("Demo", "conference", False)
    for dialled in ("meet.dem", "meet.demo ", "", "%", "meet_demo", "x" * 10000, "a\x00b", "' OR 1=1 --"):
        assert lookup.find_alias(dialled) is None
    assert lookup.find_alias("Straße.42@EXAMPLE.test") is not None
    lookup.close()


def test_the_index_is_used(local: Path) -> None:
    lookup = Lookup(local)
    plan = " ".join(str(row) for row in lookup._database().execute(f"EXPLAIN QUERY PLAN {lookup._find_alias}", ("x",)))
    assert "SCAN" not in plan
    assert "conference_alias_any_case" in plan
    lookup.close()


def test_settings_and_their_defaults(local: Path, tmp_path: Path) -> None:
    lookup = Lookup(local)
    settings = lookup.global_settings()
    assert (settings.guests_only_timeout, settings.enable_chat, settings.enable_sip_udp) == (7, False, True)
    assert settings.disabled_codecs[0] == {"value": "MP4A-LATM_128"}
    lookup.close()
    setup_node(tmp_path / "empty.db")
    setup_node(tmp_path / "empty.db")
    empty = Lookup(tmp_path / "empty.db")
    assert empty.global_settings() == GlobalRow()
    assert empty.find_alias("meet.demo") is None
    empty.close()


def test_defaults_are_those_of_the_model() -> None:
    for field in orm.meta(GlobalSettings).concrete_fields:
        if field.name in GlobalRow.__struct_fields__ and field.name not in ("disabled_codecs", "deployment_uuid"):
            assert getattr(GlobalRow(), field.name) == field.get_default(), field.name
    columns = {name for field in orm.meta(Conference).concrete_fields for name in (field.name, field.attname)}
    assert set(ServiceRow.__struct_fields__) <= columns


def test_from_many_threads(local: Path) -> None:
    lookup = Lookup(local)
    found: list[ServiceRow | None] = []

    def ask() -> None:
        found.extend(lookup.find_alias("meet.demo") for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 400
    assert all(row is not None for row in found)
    lookup.close()


@pytest.mark.spec("CONF-009")
def test_aliases_of_a_service(local: Path) -> None:
    lookup = Lookup(local)
    alias = ConferenceAlias.objects.get(alias="meet.demo")
    assert lookup.aliases(alias.conference_id) == ["demo.first", "meet.demo"]  # the first is shown to who is called
    assert lookup.service(alias.conference_id) == lookup.find_alias("meet.demo")
    assert lookup.service(999) is None
    lookup.close()


def test_paths_to_the_web_app(local: Path) -> None:
    lookup = Lookup(local)
    known = {slug: lookup.leads_to_webapp(slug) for slug in ("staff", "webapp3", "old", "nothing", "' OR 1=1 --")}
    assert known == {"staff": True, "webapp3": True, "old": False, "nothing": None, "' OR 1=1 --": None}
    assert (lookup.branding(), lookup.branding("staff")) == (None, None)
    lookup.close()


@pytest.mark.spec("API-036")
def test_identity_providers(database: Path, tmp_path: Path) -> None:
    """What is configured reaches the sign-on desk of a node, secrets open."""
    provider = IdentityProvider.objects.create(
        name="Company", idp_type="oidc", uuid="idp-1", sso_url="https://idp.test/a", idp_entity_id="https://idp.test",
        oidc_client_id="rostra", oidc_client_secret="geheim", oidc_token_signature_scheme="hs256",
        assertion_consumer_service_url="https://meet.test/api/v1/oidcconsumer/idp-1",
        assertion_consumer_service_url7="https://other.test/api/v1/oidcconsumer/idp-1",
    )  # fmt: skip
    provider.attributes.add(IdentityProviderAttribute.objects.create(name="mail"))
    group = IdentityProviderGroup.objects.create(name="All")
    group.identity_provider.add(provider)
    empty = IdentityProviderGroup.objects.create(name="None")
    changes = {"host_identity_provider_group": group, "guest_identity_provider_group": empty}
    Conference.objects.filter(aliases__alias="meet.demo").update(**changes, non_idp_participants="allow_if_trusted")
    lookup = Lookup(replicated(tmp_path))
    service = finder(lookup)("meet.demo")
    assert service
    assert service.sign_on == SignOnRules(hosts=("idp-1",), guests=(), others_if_trusted=True)
    found = desk(lookup, lambda: True).find("idp-1")
    assert found
    assert (found.client_secret, found.id_signature, found.attributes) == ("geheim", "HS256", ("mail",))
    assert found.redirects == tuple(f"https://{host}.test/api/v1/oidcconsumer/idp-1" for host in ("meet", "other"))
    assert desk(lookup, lambda: True).find("nobody") is None
    lookup.close()
