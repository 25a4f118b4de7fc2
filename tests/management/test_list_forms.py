"""Forms choose from lists, Available and Chosen, where a row holds several of what is known; the API is as ever."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from rostra.configuration.models import (
    EventSink,
    GatewayRoutingRule,
    GlobalSettings,
    IdentityProviderAttribute,
)
from rostra.configuration.vocabulary import CODECS, EVENTS
from rostra.management.accounts.permissions import READ_ONLY

from . import people
from .conftest import Api

RULE = "/admin/configuration/gatewayroutingrule/add/"
SETTINGS = "/admin/configuration/globalsettings/1/change/"


def chosen(page: str, name: str) -> tuple[list[str], list[str]]:
    """Values that a form offers for a field, and those that are chosen."""
    select = page.partition(f'<select name="{name}"')[2].partition("</select>")[0]
    options = re.findall(r'<option value="([^"]*)"( selected)?', select)
    return [value for value, _ in options], [value for value, marked in options if marked]


def posted(page: str) -> dict[str, Any]:
    """What a browser would send of a form as it is."""
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in given and (given.get("type") not in ("checkbox", "radio", "file") or " checked" in tag):
            fields[given["name"]] = given.get("value", "")
    for name, more in re.findall(r'<select name="([^"]+)"(.*?)</select>', page, re.DOTALL):
        values = re.findall(r'<option value="([^"]*)" selected', more)
        fields[name] = values if "multiple" in more.partition(">")[0] else "".join(values)
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL):
        fields[name] = text.replace("&#x27;", "'").replace("&quot;", '"')
    fields.pop("_addanother", None)
    fields.pop("_continue", None)
    return fields


@pytest.mark.spec("SYS-003", "SYS-118")
def test_codecs_are_chosen_and_what_is_not_is_disabled(browser: Client, api: Api) -> None:
    page = browser.get(SETTINGS).content.decode()
    offered, marked = chosen(page, "disabled_codecs")
    assert offered == [codec for codec, _ in CODECS]
    assert set(offered) - set(marked) == {"MP4A-LATM_128", "H264_H_0", "H264_H_1"}
    assert "Available" not in page, "the script of the page makes the two lists"
    assert 'class="selectfilter"' in page
    answer = browser.post(SETTINGS, {**posted(page), "disabled_codecs": [one for one in marked if one != "VP9"]})
    assert answer.status_code == 302, re.findall(r'class="[^"]*error[^"]*">[^<]*', answer.content.decode())
    now = [{"value": codec} for codec in ("MP4A-LATM_128", "H264_H_0", "H264_H_1", "VP9")]
    assert GlobalSettings.objects.get().disabled_codecs == now
    assert api.read("global/1/")["disabled_codecs"] == now


def test_a_rule_without_a_word_on_codecs_goes_by_global_settings(browser: Client) -> None:
    page = browser.get(RULE).content.decode()
    offered, marked = chosen(page, "disabled_codecs")
    assert marked == offered
    given = {**posted(page), "name": "Out", "priority": "1", "match_string": ".*"}
    assert browser.post(RULE, given).status_code == 302
    assert GatewayRoutingRule.objects.get().disabled_codecs == []
    refused = browser.post(RULE, {**given, "name": "Other", "priority": "2", "disabled_codecs": ["G.999"]})
    assert refused.status_code == 200
    assert "G.999" in refused.content.decode()


def test_events_are_chosen(browser: Client) -> None:
    path = "/admin/configuration/eventsink/add/"
    page = browser.get(path).content.decode()
    assert chosen(page, "events") == ([event for event, _ in EVENTS], [])
    given = {**posted(page), "name": "Sink", "url": "https://sink.test/", "events": ["conference_ended"]}
    assert browser.post(path, given).status_code == 302
    assert EventSink.objects.get().events == [{"name": "conference_ended"}]


@pytest.mark.spec("SYS-003")
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("configuration/systemlocation/add/", ("dns_servers", "ntp_servers", "syslog_servers", "client_turn_servers")),
        ("configuration/managementvm/1/change/", ("static_routes", "ssh_authorized_keys")),
        ("configuration/workervm/add/", ("static_routes", "ssh_authorized_keys")),
        ("accounts/role/add/", ("permissions",)),
        ("accounts/rolemapping/add/", ("roles",)),
    ],
)
def test_references_are_chosen_from_two_lists(browser: Client, path: str, fields: tuple[str, ...]) -> None:
    page = browser.get(f"/admin/{path}").content.decode()
    for name in fields:
        select = re.search(rf'<select name="{name}"[^>]*>', page)
        assert select, name
        assert "selectfilter" in select[0], name


@pytest.mark.spec("SYS-093")
def test_global_settings_have_their_sections(browser: Client) -> None:
    sections = [(str(title), more["fields"]) for title, more in admin.site.get_model_admin(GlobalSettings).fieldsets]
    assert [title for title, _ in sections] == [
        *("Service configuration", "Connectivity", "Port ranges", "Codecs", "Security", "External system integration"),
        *("Administrator interface configuration", "Reporting", "Cloud bursting"),
    ]
    page = browser.get(SETTINGS).content.decode()
    assert all(f'name="{name}"' in page for _, names in sections for name in names)


def test_no_field_hides_what_scripts_ask_of_its_form(browser: Client) -> None:
    path = "/admin/configuration/identityprovider/add/"
    attribute = IdentityProviderAttribute.objects.create(name="mail")
    page = browser.get(path).content.decode()
    assert 'name="attributes"' not in page
    refused = browser.post(path, {**posted(page), "attributes_": [str(attribute.pk)]}).content.decode()
    assert chosen(refused, "attributes_")[1] == [str(attribute.pk)], "what was sent is read"


def test_who_may_only_look_at_a_rule_sees_all_of_it(browser: Client) -> None:
    rule = GatewayRoutingRule.objects.create(name="Out", priority=1, match_string=".*")
    path = f"/admin/configuration/gatewayroutingrule/{rule.pk}/change/"
    assert "called_device_type ==" in browser.get(path).content.decode()
    reader = Client()
    reader.force_login(people.account("reader", *READ_ONLY))
    page = reader.get(path).content.decode()
    assert "Outgoing location" in page
    assert "called_device_type ==" not in page, "its script would look for what is not there"
