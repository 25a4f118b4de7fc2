"""The first steps in the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.test import Client

from rostra.configuration.models import ConferenceAlias, ManagementVM, SystemLocation
from rostra.management.setup.steps import STEPS

from .test_setup import system as system

PAGE = "/admin/first-steps/"


def test_all_of_them(system: None, browser: Client) -> None:
    assert browser.get("/admin/")["Location"] == PAGE
    values: dict[str, dict[str, str]] = {
        "password": {"password": "my own secret", "again": "my own secret"},
        "name": {"hostname": "mgr", "domain": "example.test"},
        "network": {"dns_servers": "192.0.2.53", "ntp_servers": "a.test b.test"},
        "location": {"name": "Oslo"},
        "room": {"name": "Alice's room", "alias": "meet.alice"},
    }
    assert list(values) == [step.name for step in STEPS]
    for number, (name, given) in enumerate(values.items(), 1):
        page = browser.get(f"{PAGE}{name}/").content.decode()
        assert f"{number} of {len(STEPS)}" in page
        answer = browser.post(f"{PAGE}{name}/", given)
        assert answer.status_code == 302, answer.content.decode()
        if number < len(STEPS):
            assert answer["Location"] == f"{PAGE}{STEPS[number].name}/"
    assert "The platform is set up" in browser.get("/admin/").content.decode(), "still signed in"
    assert authenticate(username="admin", password="my own secret") is not None
    assert ManagementVM.objects.get(pk=1).name == "mgr.example.test"
    assert SystemLocation.objects.get(pk=1).name == "Oslo"
    assert {row.address for row in SystemLocation.objects.get(pk=1).ntp_servers.all()} == {"a.test", "b.test"}
    assert ConferenceAlias.objects.get(alias="meet.alice").conference.name == "Alice's room"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("password", {"password": "my own secret", "again": "another"}, "not the same"),
        ("password", {"password": "short", "again": "short"}, "too short"),
        ("name", {"hostname": "a.b", "domain": "example.test"}, "Enter a hostname"),
        ("network", {"dns_servers": "dns.test", "ntp_servers": "a.test"}, "Enter an IP"),
        ("location", {"name": ""}, "required"),
        ("room", {"name": "Demo", "alias": "meet.demo"}, "already exists"),
    ],
)
def test_wrong_answers(system: None, browser: Client, name: str, given: dict[str, str], message: str) -> None:
    answer = browser.post(f"{PAGE}{name}/", given)
    assert answer.status_code == 400
    assert message in answer.content.decode()


def test_skipped_one_by_one_or_ended(system: None, browser: Client) -> None:
    assert browser.post(f"{PAGE}password/", {"skip": "yes"})["Location"] == f"{PAGE}name/"
    assert browser.get("/admin/").status_code == 302
    assert browser.post(f"{PAGE}name/", {"end": "yes"})["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
    assert browser.get(f"{PAGE}nonsense/").status_code == 404


def test_only_for_full_administrators(system: None, database: Path) -> None:
    accounts: Any = get_user_model().objects
    client = Client()
    client.force_login(accounts.create_user("reader", password="whatever else"))
    assert client.get(PAGE).status_code in (302, 403)
    assert client.post(f"{PAGE}location/", {"name": "Mine"}).status_code in (302, 403)
    assert SystemLocation.objects.get(pk=1).name == "Default"
