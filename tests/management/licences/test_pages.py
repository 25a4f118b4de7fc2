"""Licences in the site."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rostra.configuration.models import GlobalSettings
from rostra.management.licences import document, exchange, keeping
from rostra.management.licences.document import Grant
from rostra.management.licences.models import Licence, LicenceRequest
from tests.management.conftest import Api

from .conftest import Issuer

LIST = "/admin/licences/licence/"
REQUESTS = "/admin/licences/licencerequest/"


def shown(browser: Any, page: str) -> str:
    response = browser.get(page)
    assert response.status_code == 200, page
    return response.content.decode()


@pytest.mark.spec("SYS-182", "SYS-200")
def test_the_list_says_that_nothing_is_limited(browser: Any) -> None:
    text = shown(browser, LIST)
    assert "free and unlimited" in text
    assert "csv" not in text.lower()
    assert 'name="offline"' in shown(browser, f"{LIST}add/")
    assert browser.post(f"{LIST}add/", {"text": ""}).status_code == 400
    assert browser.post(f"{LIST}add/", {"text": "ROSTRA1.x"}).status_code == 400


@pytest.mark.spec("SYS-200", "SYS-204", "NODE-163")
def test_a_licence_is_added_and_returned(browser: Any, issuer: Issuer) -> None:
    file = SimpleUploadedFile("my.licence", issuer.licence(25, id="F-1", overdraft=5).encode())
    assert browser.post(f"{LIST}add/", {"file": file}).url == LIST
    text = shown(browser, LIST)
    assert "0 in use of 25, 5 more tolerated" in text.replace("\n", " ")
    assert "free and unlimited" not in text
    licence = Licence.objects.get()
    page = f"{LIST}{licence.pk}/change/"
    assert "Return license" in shown(browser, page)
    assert "Repair" not in shown(browser, page)
    assert browser.get(f"{LIST}{licence.pk}/delete/").status_code == 403
    assert "entitlement key" in shown(browser, f"{LIST}{licence.pk}/return/")
    assert Licence.objects.exists()
    assert browser.post(f"{LIST}{licence.pk}/return/").url == LIST
    assert not Licence.objects.exists()


@pytest.mark.spec("SYS-201", "SYS-202", "SYS-203", "NODE-164")
def test_a_request_is_exported_and_completed(browser: Any, issuer: Issuer) -> None:
    assert browser.post(f"{LIST}add/", {"text": "KEY", "offline": "on"}).url == LIST
    request = LicenceRequest.objects.get()
    assert f"{REQUESTS}{request.pk}/change/" in shown(browser, LIST)
    assert "Export stored license request" in shown(browser, f"{REQUESTS}{request.pk}/change/")
    exported = browser.get(f"{REQUESTS}{request.pk}/export/")
    assert exported["Content-Type"].startswith("application/xml")
    asked = exchange.read_request(exported.content.decode())
    assert asked.reference == "KEY"
    complete = f"{REQUESTS}{request.pk}/complete/"
    assert browser.post(complete, {"text": "<a/>"}).status_code == 400
    grant = Grant(id="F-2", concurrent=5, deployment=asked.deployment)
    answer = exchange.write_answer(asked.number, [document.sign(grant, issuer.key)])
    assert browser.post(complete, {"file": SimpleUploadedFile("answer.xml", answer.encode())}).url == LIST
    assert "F-2" in shown(browser, LIST)
    assert browser.get(complete).status_code == 404


@pytest.mark.spec("SYS-206")
def test_repair_is_offered_for_what_is_corrupt(browser: Any, issuer: Issuer, api: Api) -> None:
    api.create("licence", entitlement_id=issuer.licence(id="F-3", deployment=keeping.deployment()))
    GlobalSettings.objects.update(deployment_uuid="33333333-3333-4333-8333-333333333333")
    assert "corrupt" in shown(browser, LIST)
    key = Licence.objects.get().pk
    assert "Repair trusted license storage" in shown(browser, f"{LIST}{key}/change/")
    assert browser.post(f"{LIST}{key}/repair/").url == LIST
    assert LicenceRequest.objects.get().actions == "repair"
