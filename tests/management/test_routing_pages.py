"""The site on the dial plan: what would become of a call, and what rules let everybody do."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from rostra.configuration.models import (
    Conference,
    ConferenceAlias,
    Device,
    GatewayRoutingRule,
    MssipProxy,
    PolicyServer,
    SystemLocation,
    WorkerVM,
)
from rostra.configuration.vocabulary import CODECS
from rostra.domain import tolls
from rostra.domain.history import CallPlaced, RuleMatched
from rostra.domain.vocabulary import CallProtocol
from rostra.management.audit.models import AdministratorLog
from rostra.management.history.receiving import store
from rostra.management.routing import trying, warnings
from rostra.management.routing.pages import RulePages

from .test_history import START, records

pytestmark = pytest.mark.usefixtures("database")


def rule(name: str, priority: int, match: str, **more: Any) -> GatewayRoutingRule:
    made = GatewayRoutingRule(name=name, priority=priority, match_string=match, **more)
    made.full_clean()
    made.save()
    return made


@pytest.fixture
def rules() -> None:
    oslo = SystemLocation.objects.create(name="Oslo")
    rule("Off", 1, ".*", enable=False)
    rule("Oslo", 2, ".*", match_source_location=oslo)
    rule("Known", 3, ".*", match_incoming_only_if_registered=True)
    rule("Out", 4, r"(.+)@example\.com", replace_string=r"\1@far.test", max_callrate_out=512)
    rule("Rest", 5, ".*", called_device_type="registration")
    room = Conference.objects.create(name="Alice", service_type="conference")
    ConferenceAlias.objects.create(conference=room, alias="meet.alice@example.com")


@pytest.mark.spec("SVC-073", "SVC-074", "SVC-084", "SVC-085", "SVC-087", "SVC-106")
def test_every_rule_says_what_it_does(rules: None) -> None:
    found = trying.run("sip:ann@example.com;x=1", source=CallProtocol.SIP, location=0, registered=False)
    assert [(line.row.name, line.decides, line.tried) for line in found.lines] == [
        ("Off", False, True),
        ("Oslo", False, True),
        ("Known", False, True),
        ("Out", True, True),
        ("Rest", False, False),
    ]
    assert "Out" in found.told
    facts = dict(found.facts)
    assert facts["Protocol"] == "SIP"
    assert (facts["Alias"], facts["Through"], facts["Most bandwidth out"]) == ("ann@far.test", "DNS", "512 kbit/s")


@pytest.mark.spec("SVC-073", "SVC-074", "SVC-090", "CONF-104")
@pytest.mark.parametrize(
    ("alias", "source", "registered", "location", "told"),
    [
        ("Meet.Alice@example.com", CallProtocol.SIP, False, 0, "Alice"),
        ("bob", CallProtocol.SIP, True, 0, "Known"),
        ("bob", CallProtocol.SIP, False, 0, "Rest"),
        ("bob", CallProtocol.SIP, False, 1, "Oslo"),
        ("bob", None, False, 0, "No rule"),
    ],
)
def test_what_becomes_of_calls(
    rules: None, alias: str, source: CallProtocol | None, registered: bool, location: int, told: str
) -> None:
    where = SystemLocation.objects.get(name="Oslo").pk if location else 0
    assert told in trying.run(alias, source=source, location=where, registered=registered).told


@pytest.mark.spec("POL-027", "SVC-075")
@pytest.mark.parametrize(
    ("server", "script", "source", "asked"),
    [
        (False, False, CallProtocol.SIP, []),
        (True, False, CallProtocol.SIP, ["First"]),
        (True, True, CallProtocol.SIP, ["First", "Then"]),
        (True, True, None, []),
    ],
)
def test_who_else_is_asked(
    rules: None, browser: Client, server: bool, script: bool, source: CallProtocol | None, asked: list[str]
) -> None:
    made = PolicyServer.objects.create(
        name="P", url="https://p.test", enable_service_lookup=server, enable_internal_service_policy=script
    )
    oslo = SystemLocation.objects.get(name="Oslo")
    SystemLocation.objects.filter(pk=oslo.pk).update(policy_server=made)
    told = trying.run("bob", source=source, location=oslo.pk, registered=False).asked
    assert [line.split()[0] for line in told] == asked
    assert trying.run("bob", source=source, location=0, registered=False).asked == ()
    page = browser.get(reverse("admin:dial_plan_test"), {"alias": "b", "source": "sip", "location": oslo.pk})
    assert page.content.decode().count("data-asked") == server + script


def test_a_replacement_that_leaves_nothing() -> None:
    rule("Empty", 1, "(a)|b", replace_string=r"\1")
    assert "fails" in trying.run("b", source=CallProtocol.SIP, location=0, registered=False).told


def test_devices_are_named() -> None:
    rule("Devices", 1, ".*", called_device_type="registration")
    Device.objects.create(alias="ann")
    told = trying.run("sip:ann@10.0.0.1", source=CallProtocol.SIP, location=0, registered=False)
    assert "may register" in dict(told.facts)["Registered devices"]


def test_the_page(rules: None, browser: Client) -> None:
    address = reverse("admin:dial_plan_test")
    assert "data-outcome" not in browser.get(address).content.decode()
    page = browser.get(address, {"alias": "sip:<b>@example.com", "source": "webrtc"}).content.decode()
    assert "data-decides" in page
    assert "&lt;b&gt;@far.test" in page
    assert "<b>@far.test" not in page
    assert 'role="alert"' in browser.get(address, {"alias": "", "source": "sip"}).content.decode()
    assert browser.post(address).status_code == 405


@pytest.mark.parametrize("number", tolls.NUMBERS)
def test_numbers_are_numbers(number: str) -> None:
    assert tolls.takes_numbers(r"\+?\d+")
    assert number.lstrip("+").isdecimal()


@pytest.mark.spec("REF-138", "SVC-083", "CONF-116", "PLAT-203")
@pytest.mark.parametrize(
    ("match", "more", "warned"),
    [
        ("9.*", {}, True),
        (".*", {}, True),
        (r"\+\d+", {}, True),
        (r"00\d{6,}", {}, True),
        (r"(?!meet).*", {}, True),
        (r".+@example\.com", {}, False),
        ("desk", {}, False),
        ("9.*", {"match_incoming_only_if_registered": True}, False),
        ("9.*", {"match_incoming_calls": False, "match_outgoing_calls": True}, False),
        ("9.*", {"enable": False}, False),
        ("9.*", {"called_device_type": "registration"}, False),
    ],
)
def test_who_may_call_for_money(match: str, more: dict[str, Any], warned: bool) -> None:
    assert bool(warnings.of_rule(rule("R", 1, match, **more))) is warned


@pytest.mark.spec("REF-138", "SVC-083")
@pytest.mark.parametrize(
    ("match", "replace", "warned"), [("", "", True), (r"\d+", "", True), (r"(\d{4})", r"meet.\1", False)]
)
def test_receptions_reach_what_rules_reach(match: str, replace: str, warned: bool) -> None:
    reception = Conference(name="Front", service_type="two_stage_dialing", match_string=match, replace_string=replace)
    assert warnings.of_reception(reception) == ""
    rule("Trunk", 1, "9.*")
    assert ("Trunk" in warnings.of_reception(reception)) is warned


@pytest.mark.spec("REF-138", "SVC-083")
def test_the_warning_is_seen(browser: Client) -> None:
    trunk = rule("Trunk", 1, "9.*")
    page = browser.get(reverse("admin:configuration_gatewayroutingrule_change", args=(trunk.pk,)))
    assert "Toll fraud" in page.content.decode()
    reception = Conference.objects.create(name="Front", service_type="two_stage_dialing")
    page = browser.get(reverse("admin:configuration_conference_change", args=(reception.pk,)), follow=True)
    assert "Toll fraud" in page.content.decode()
    wanted = {"name": "Open", "priority": 7, "match_string": ".*", "called_device_type": "external",
              "outgoing_protocol": "sip", "call_type": "video", "enable": "on", "match_incoming_calls": "on",
              "live_captions_enabled": "default", "external_participant_avatar_lookup": "default",
              "disabled_codecs": [codec for codec, _ in CODECS]}  # fmt: skip
    saved = browser.post(reverse("admin:configuration_gatewayroutingrule_add"), wanted)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    told = [str(message) for message in get_messages(saved.wsgi_request)]
    assert any("Toll fraud" in text for text in told)


@pytest.mark.spec("DIAG-159")
@pytest.mark.parametrize(("full", "kind"), [(False, "Parsed-alias"), (True, "Unparsed-alias")])
def test_the_log_tells_which_rule_took_a_call(full: bool, kind: str) -> None:
    node = WorkerVM.objects.get()
    event = RuleMatched(
        time=START, name="Out", description="Trunk", tag="T", alias="sip:a@b", parsed="a@b", full=full
    )  # fmt: skip
    store(records([event], node=f"n{node.pk}"))
    entry = AdministratorLog.objects.get(name="administrator.gatewayroutingrulematcher")
    assert entry.line.count(' Name="Out"') == 1
    for pair in (
        'Description="Trunk"',
        'Unparsed-alias="sip:a@b"',
        'Parsed-alias="a@b"',
        f'Matched-alias-type="{kind}"',
    ):
        assert pair in entry.line


@pytest.mark.spec("DIAG-158")
def test_the_log_tells_who_is_called() -> None:
    node = WorkerVM.objects.get()
    event = CallPlaced(
        time=START, conference="Out:1", alias="ben@here", display_name="Ben", destination="ann@far", protocol="sip"
    )  # fmt: skip
    store(records([event], node=f"n{node.pk}"))
    line = AdministratorLog.objects.get(name="administrator.participantdialer").line
    for pair in (
        'Conference="Out:1"',
        'ConferenceAlias="ben@here"',
        'Participant-alias="sip:ann@far"',
        'Protocol="SIP"',
    ):
        assert pair in line


@pytest.mark.spec("SVC-110", "SVC-103", "SVC-104", "SVC-106")
def test_targets_of_skype_for_business() -> None:
    """Meetings are looked for at a server: there has to be one. Neither target is called by another protocol."""
    given = {"name": "Meetings", "priority": 7, "match_string": r"\d+"}
    with pytest.raises(ValidationError) as refused:
        GatewayRoutingRule(**given, called_device_type="mssip_conference_id").full_clean()
    assert set(refused.value.message_dict) == {"mssip_proxy"}
    server = MssipProxy.objects.create(name="Pool", address="pool.test")
    for target, proxy in (("mssip_conference_id", server), ("mssip_server", None), ("mssip_server", server)):
        row = GatewayRoutingRule(**given, called_device_type=target, mssip_proxy=proxy)
        row.full_clean()
        made = trying.rule_of_row(row)
        assert (made.target, made.protocol, made.proxy) == (target, CallProtocol.MSSIP, proxy and proxy.pk)
    assert trying.rule_of_row(GatewayRoutingRule(**given, outgoing_protocol="h323")).protocol is CallProtocol.H323


@pytest.mark.spec("SVC-112")
def test_only_what_applies_is_asked(browser: Client) -> None:
    page = browser.get(reverse("admin:configuration_gatewayroutingrule_add")).content.decode()
    shown = html.unescape(page)
    assert "x-show=\"called_device_type == 'external' && outgoing_protocol == 'sip'\"" in shown
    for name in ("called_device_type", "outgoing_protocol", "match_incoming_calls"):
        assert f'x-model.fill="{name}"' in shown
    names = {field.name for field in GatewayRoutingRule._meta.get_fields()}
    assert set(RulePages.conditional_fields) <= names
