"""Trying out policy scripts on their page."""

from __future__ import annotations

import html
import json

import pytest
from django.test import Client
from django.urls import reverse

from rostra.configuration.models import PolicyServer
from rostra.management.policy.trying import KINDS
from tests.policy.test_evaluation import PASS

PLACED = '{"result": {"location": "Nowhere"}}'


@pytest.fixture
def profile(database: object) -> PolicyServer:
    return PolicyServer.objects.create(name="P", internal_service_policy_template=PASS)


def page(browser: Client, profile: PolicyServer, kind: str, **values: str) -> str:
    address = reverse("admin:policy_script_test", args=(profile.pk, kind))
    answer = browser.post(address, values) if values else browser.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.mark.spec("POL-096")
def test_each_script_is_tried_on_its_page(browser: Client, profile: PolicyServer) -> None:
    way = browser.get(reverse("admin:configuration_policyserver_change", args=(profile.pk,))).content.decode()
    for kind in KINDS:
        assert "try-" + kind.replace("_", "-") in way
        assert "call_info" in page(browser, profile, kind)
    sample = json.dumps(KINDS["service"].sample)
    shown = page(browser, profile, "service", run="yes", variables=sample, script='{{ pex_debug_log("seen") }}' + PASS)
    assert "The call goes on with this service." in shown
    assert '"pin": "1234"' in shown
    assert "seen" in shown
    shown = page(browser, profile, "service", run="yes", variables='{"call_info": {}}', script=PASS)
    assert "The call is refused." in shown
    broken = page(browser, profile, "service", run="yes", variables=sample, script="{{ 1/0 }}")
    assert "ZeroDivisionError" in broken
    assert "Nothing is changed." in broken
    assert "is not JSON" in page(browser, profile, "service", run="yes", variables=sample, script="{")
    assert "This is not JSON" in page(browser, profile, "service", run="yes", variables="{", script="{}")
    nowhere = page(browser, profile, "media_location", run="yes", variables="{}", script=PLACED)
    assert "there is no system location of that name" in nowhere
    changed = page(browser, profile, "participant", run="yes", variables="{}", script='{"result": {"call_tag": "x"}}')
    assert "The participant is changed." in changed
    profile.refresh_from_db()
    assert profile.internal_service_policy_template == PASS, "a run saves nothing"


@pytest.mark.spec("POL-082", "POL-096")
def test_only_a_script_that_can_run_is_saved(browser: Client, profile: PolicyServer) -> None:
    assert "Line 1" in page(browser, profile, "service", save="yes", variables="{}", script="{% if %}")
    address = reverse("admin:policy_script_test", args=(profile.pk, "service"))
    answer = browser.post(address, {"save": "yes", "variables": "{}", "script": "{}"})
    assert answer.status_code == 302
    profile.refresh_from_db()
    assert profile.internal_service_policy_template == "{}"
    assert browser.get(reverse("admin:policy_script_test", args=(profile.pk, "avatar"))).status_code == 404
