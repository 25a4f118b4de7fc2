"""Which STUN and TURN servers a node uses, and which it tells web clients of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from rostra.configuration import sealing
from rostra.configuration.models import GatewayRoutingRule, StunServer, SystemLocation, TurnServer
from rostra.configuration.queries import Lookup
from rostra.domain import ice
from rostra.domain.dialling import Wanted
from rostra.domain.gateway import Onward
from rostra.domain.ice import IceServers, timed_credentials
from rostra.domain.vocabulary import Role
from rostra.node.ways import ConfiguredServers

from .test_lookup import replicated

NOW = 1_700_000_000.0
CALLED = Onward(alias="a", wanted=Wanted(destination="a", role=Role.HOST), routes=())


@pytest.fixture
def location(database: Path) -> SystemLocation:
    found = SystemLocation.objects.get()
    for name, number in (("here", 1), ("rule", 2)):
        StunServer.objects.create(name=name, address=f"192.0.2.{number}", port=3478 + number)
        TurnServer.objects.create(
            name=name, address=f"198.51.100.{number}", port=3478, username="ada", password=f"pass {name}"
        )
    TurnServer.objects.create(
        name="timed", address="198.51.100.9", port=5349, transport_type="tls", server_type="coturn_shared",
        secret_key="the secret",
    )  # fmt: skip
    found.stun_server = StunServer.objects.get(name="here")
    found.turn_server = TurnServer.objects.get(name="here")
    found.save()
    found.client_turn_servers.set(TurnServer.objects.filter(name__in=["rule", "timed"]))
    return found


@pytest.fixture
def servers(location: SystemLocation, tmp_path: Path) -> Iterator[ConfiguredServers]:
    stun, turn = StunServer.objects.get(name="rule"), TurnServer.objects.get(name="rule")
    rules = [
        GatewayRoutingRule(name="both", match_string="a", stun_server=stun, turn_server=turn, priority=1),
        GatewayRoutingRule(name="turn only", match_string="b", turn_server=turn, priority=2),
        GatewayRoutingRule(name="none", match_string="c", priority=3),
    ]
    for rule in rules:
        rule.save()
    lookup = Lookup(replicated(tmp_path))
    yield ConfiguredServers(lookup, lambda: location.pk, lambda: NOW)
    lookup.close()


def names(found: IceServers) -> tuple[str, str]:
    return (found.stun.address if found.stun else "", found.turn.address if found.turn else "")


@pytest.mark.spec("SYS-156", "SYS-157", "SYS-164", "SYS-166", "SVC-108")
def test_each_server_is_that_of_the_rule_or_else_of_the_location(servers: ConfiguredServers) -> None:
    assert names(servers.of_calls(None)) == ("192.0.2.1", "198.51.100.1")
    by_rule = {
        rule.name: names(servers.of_calls(msgspec.structs.replace(CALLED, rule=rule.pk)))
        for rule in GatewayRoutingRule.objects.all()
    }
    assert by_rule == {
        "both": ("192.0.2.2", "198.51.100.2"),
        "turn only": ("192.0.2.1", "198.51.100.2"),
        "none": ("192.0.2.1", "198.51.100.1"),
    }
    turn = TurnServer.objects.get(name="rule").pk
    assert names(servers.of_calls(msgspec.structs.replace(CALLED, turn=turn))) == ("192.0.2.1", "198.51.100.2")


def test_credentials_are_opened(servers: ConfiguredServers, monkeypatch: pytest.MonkeyPatch) -> None:
    assert servers.of_calls(None).turn == ice.TurnServer(
        address="198.51.100.1",
        port=3478,
        username="ada",
        password="pass here",
    )

    def locked(*_: object) -> str:
        raise sealing.Locked("another key")

    monkeypatch.setattr(sealing, "unseal", locked)
    with capture_logs() as logged:
        assert names(servers.of_calls(None)) == ("192.0.2.1", "")
    assert logged[0]["server"] == "198.51.100.1"


@pytest.mark.spec("SYS-145", "SYS-167", "SYS-169")
def test_what_web_clients_are_told(servers: ConfiguredServers, location: SystemLocation, tmp_path: Path) -> None:
    assert servers.stun_urls() == ["stun:stun.l.google.com:19302"]
    username, password = timed_credentials("the secret", NOW)
    assert servers.turn_of_clients() == [
        {"urls": ["turn:198.51.100.2:3478?transport=udp"], "username": "ada", "credential": "pass rule"},
        {"urls": ["turns:198.51.100.9:5349?transport=tcp"], "username": username, "credential": password},
    ]
    location.client_stun_servers.clear()
    lookup = Lookup(replicated(tmp_path))
    assert ConfiguredServers(lookup, lambda: location.pk).stun_urls() == []
    assert ConfiguredServers(lookup, lambda: 0).of_calls(None) == IceServers()
    lookup.close()
