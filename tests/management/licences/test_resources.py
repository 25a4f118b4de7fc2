"""Licences and stored requests through the API: install, ask for, complete, return, repair."""

from __future__ import annotations

import dataclasses
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from rostra.configuration.models import GlobalSettings
from rostra.management.alarms import checks
from rostra.management.alarms.models import Alarm
from rostra.management.licences import checking, document, exchange, keeping
from rostra.management.licences.document import Grant, Receipt
from rostra.management.licences.models import Licence, LicenceRequest
from tests.management.conftest import BASE, ENVIRONMENT, Api

from .conftest import Issuer, day

pytestmark = pytest.mark.usefixtures("issuer")


def deployment() -> str:
    return str(GlobalSettings.objects.get(pk=1).deployment_uuid)


def refusal(api: Api, entitlement: object) -> str:
    response = api("POST", "licence/", {"entitlement_id": entitlement})
    assert response.status_code == 400, response.content
    assert list(response.json()["licence"]) == ["entitlement_id"]
    return response.json()["licence"]["entitlement_id"][0]


@pytest.mark.spec("SYS-200", "SYS-184")
def test_a_licence_file_is_installed_and_shows_what_it_says(api: Api, issuer: Issuer) -> None:
    text = issuer.licence(25, id="F-1", entitlement="KEY", overdraft=5, start=day(-1), end=day(90), issued_to="Me")
    path = api.create("licence", entitlement_id=text)
    assert path == f"{BASE}licence/F-1/"
    body = api.read(path)
    assert {name: body[name] for name in ("fulfillment_id", "entitlement_id", "license_type", "concurrent")} == {
        "fulfillment_id": "F-1",
        "entitlement_id": "KEY",
        "license_type": "port",
        "concurrent": 25,
    }
    assert (body["concurrent_overdraft"], body["start_date"], body["status"]) == (5, day(-1).isoformat(), "active")
    assert body["resource_uri"] == path
    assert not {"id", "document"} & set(body)
    assert set(body) == set(api.read("licence/schema/")["fields"])
    assert [one["fulfillment_id"] for one in api.list("licence/?license_type=port&order_by=-concurrent")] == ["F-1"]
    assert api("PATCH", path, {"concurrent": 1000}).status_code == 405
    assert "installed already" in refusal(api, text)


def test_only_what_is_signed_by_somebody_trusted_counts(api: Api, issuer: Issuer) -> None:
    assert "trusts" in refusal(api, Issuer().licence())
    assert "expired" in refusal(api, issuer.licence(end=day(-2)))
    assert "another deployment" in refusal(api, issuer.licence(deployment="11111111-1111-4111-8111-111111111111"))
    for wrong in ("", "\n", "a\nb", "x" * 300, "x" * 70_000, None, 7.5, [], {}):
        refused = api("POST", "licence/", {"entitlement_id": wrong})
        assert refused.status_code == (201 if wrong == 7.5 else 400), wrong
    good, bad = issuer.licence(id="good"), issuer.licence(id="bad", end=day(-2))
    assert "expired" in refusal(api, f"{good}\n{bad}")
    assert not Licence.objects.exists()
    api.create("licence", entitlement_id=issuer.licence(5))
    Licence.objects.update(concurrent=10**6)
    assert [terms.concurrent for terms in keeping.current()] == [5]
    with override_settings(ROSTRA=dataclasses.replace(settings.ROSTRA, licence_keys="/nowhere")):
        assert [terms.intact for terms in keeping.refresh()] == [False]
    assert api.list("licence/")[0]["status"] == "corrupt"


@pytest.mark.spec("SYS-201", "SYS-202", "SYS-203", "SYS-207", "NODE-164", "DIAG-146")
def test_a_key_is_activated_by_hand(api: Api, issuer: Issuer) -> None:
    path = api.create("licence", entitlement_id="ABCD-1234", offline_mode=True)
    assert path == f"{BASE}licence_request/1/"
    stored = api.read(path)
    assert (stored["reference"], stored["actions"], stored["status"]) == ("ABCD-1234", "activate", "stored")
    assert (stored["response_xml"], stored["sequence_number"]) == (None, "1")
    assert set(stored) == set(api.read("licence_request/schema/")["fields"])
    assert api.create("licence", entitlement_id="ABCD-1234") == path  # nobody to ask: the same request again
    request = exchange.read_request(LicenceRequest.objects.get().request_xml)
    assert (request.number, request.reference, request.deployment) == ("1", "ABCD-1234", deployment())
    machine = Path("/etc/machine-id")
    assert not machine.exists() or machine.read_text().strip() not in LicenceRequest.objects.get().request_xml

    def answered(number: str, **more: object) -> str:
        grant = Grant(**{"id": "F-2", "concurrent": 3, "deployment": deployment(), **more})  # type: ignore[arg-type]
        return exchange.write_answer(number, [document.sign(grant, issuer.key)])

    for wrong in ("", "<a/>", answered("2"), answered("1", entitlement="OTHER"), answered("1", deployment="other")):
        response = api("POST", path, {"response_xml": wrong})
        assert response.status_code == 400, wrong
        assert list(response.json()["licence_request"]) == ["response_xml"]
    assert api("POST", path, {}).status_code == 400
    assert api("POST", path, {"response_xml": answered("1")}).status_code == 202
    assert api("GET", path).status_code == 404
    assert api.read("licence/F-2/")["fulfillment_type"] == "ACTIVATION"


@pytest.mark.spec("SYS-204", "SYS-205", "NODE-163")
def test_a_licence_is_returned(api: Api, issuer: Issuer) -> None:
    free = api.create("licence", entitlement_id=(file := issuer.licence()))
    assert api("DELETE", free).status_code == 204
    assert not api.list("licence_request/")
    assert api("DELETE", api.create("licence", entitlement_id=file)).status_code == 204
    bound = issuer.licence(id="F-3", deployment=deployment())
    assert api("DELETE", api.create("licence", entitlement_id=bound)).status_code == 204
    assert not api.list("licence/")
    assert "returned" in refusal(api, bound)
    (request,) = api.list("licence_request/")
    assert (request["actions"], request["reference"]) == ("return", "F-3")
    wrong = exchange.write_answer("1", [document.sign(Receipt(id="F-4"), issuer.key)])
    assert api("POST", request["resource_uri"], {"response_xml": wrong}).status_code == 400
    right = exchange.write_answer("1", [document.sign(Receipt(id="F-3", deployment=deployment()), issuer.key)])
    assert "confirms" in refusal(api, right)
    assert api("POST", request["resource_uri"], {"response_xml": right}).status_code == 202
    assert not api.list("licence_request/")
    assert "returned" in refusal(api, bound)


@pytest.mark.spec("SYS-206", "DIAG-185")
def test_a_licence_of_another_deployment_is_corrupt_until_it_is_issued_anew(api: Api, issuer: Issuer) -> None:
    api.create("licence", entitlement_id=issuer.licence(id="F-5", deployment=deployment()))
    GlobalSettings.objects.update(deployment_uuid="22222222-2222-4222-8222-222222222222")
    keeping.refresh()
    body = api.read("licence/F-5/")
    assert (body["status"], body["repair"], body["trust_flags"]) == ("corrupt", 1, 0)
    with transaction.atomic():
        asked = keeping.repair(Licence.objects.get())
    assert isinstance(asked, LicenceRequest)
    grant = Grant(id="F-5", concurrent=9, deployment=deployment())
    answer = exchange.write_answer(asked.sequence_number, [document.sign(grant, issuer.key)])
    assert api("POST", f"licence_request/{asked}/", {"response_xml": answer}).status_code == 202
    assert [(one["concurrent"], one["status"]) for one in api.list("licence/")] == [(9, "active")]


Answer = Callable[[exchange.Request], str]


@pytest.fixture
def server(issuer: Issuer) -> Iterator[list[Answer]]:
    """An issuer's server on the network; it answers by the one function in the list, or not at all."""
    behaviour: list[Answer] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = behaviour[0](exchange.read_request(body)).encode() if behaviour else b""
            self.send_response(200 if behaviour else 503)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{listening.server_port}/"
        with override_settings(ROSTRA=dataclasses.replace(settings.ROSTRA, licence_server=url)):
            yield behaviour
        listening.shutdown()
        thread.join()


@pytest.mark.spec("SYS-201", "SYS-202", "SYS-204", "NODE-163", "NODE-164")
def test_a_licensing_server_activates_and_takes_back(api: Api, issuer: Issuer, server: list[Answer]) -> None:
    def answer(request: exchange.Request) -> str:
        content: document.Content = Receipt(id=request.reference)
        if request.action == "activate":
            content = Grant(id="F-6", entitlement=request.reference, concurrent=4, deployment=request.deployment)
        return exchange.write_answer(request.number, [document.sign(content, issuer.key)])

    assert api.create("licence", entitlement_id="KEY") == f"{BASE}licence_request/1/"  # it answers 503
    server.append(lambda _: "<nonsense/>")
    assert api.create("licence", entitlement_id="KEY") == f"{BASE}licence_request/1/"
    server[0] = answer
    assert api.create("licence", entitlement_id="OTHER", offline_mode=True) == f"{BASE}licence_request/2/"
    assert api.create("licence", entitlement_id="KEY") == f"{BASE}licence/F-6/"
    assert api("DELETE", "licence/F-6/").status_code == 204
    assert [one["reference"] for one in api.list("licence_request/")] == ["OTHER"]


@pytest.mark.spec("DIAG-106")
def test_the_alarm_about_licences_that_end(api: Api, issuer: Issuer) -> None:
    api.create("licence", entitlement_id=issuer.licence(id="far", end=day(100)))
    checks.run(everything=True)
    assert not Alarm.objects.filter(name=checking.EXPIRING).exists()
    api.create("licence", entitlement_id=issuer.licence(id="near", end=day(30)))
    checks.run(everything=True)
    alarm = Alarm.objects.get(name=checking.EXPIRING, time_lowered=None)
    assert "near" in alarm.details
    assert "far" not in alarm.details
    assert api("DELETE", "licence/near/").status_code == 204
    checks.run(everything=True)
    assert not Alarm.objects.filter(name=checking.EXPIRING, time_lowered=None).exists()


@pytest.mark.spec("SYS-182", "SYS-200")
def test_without_licences_nothing_is_limited(api: Api) -> None:
    assert keeping.current() == []
    (row,) = api.list("/api/admin/status/v1/licensing/")
    assert (row["port_count"], row["port_total"], row["audio_total"]) == (0, 1_000_000, 0)
    assert "resource_uri" not in row
    assert "id" not in row


def test_what_an_answer_carries_is_bounded(api: Api, issuer: Issuer) -> None:
    api.create("licence", entitlement_id="KEY", offline_mode=True)
    long = exchange.write_answer("1", [" " * 70_000 + document.sign(Grant(id="a"), issuer.key)])
    assert api("POST", "licence_request/1/", {"response_xml": long}).status_code == 400
    assert msgspec.json.decode(api("GET", "licence/").content)["objects"] == []
    assert ENVIRONMENT.licence_server == ""
