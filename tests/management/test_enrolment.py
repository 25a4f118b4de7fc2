"""A node's way in, as the Management Node sees it: the file, the proof, the certificate, and who gets none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.test import Client

import rostra
from rostra.configuration.models import Enrolment, FabricMember, SystemLocation, WorkerVM
from rostra.fabric import credentials, nodefile
from rostra.fabric.enrolment import MEMBER_PATH, PATH, Enrol, MemberAnswer, MemberQuestion, Signed, Welcome
from rostra.fabric.membership import node_name
from rostra.fabric.nodefile import NodeFile
from rostra.management import enrolment_views
from rostra.management.guessing import ATTEMPTS, WINDOW, Guessing

from .conftest import Api

COMMAND = "/api/admin/command/v1/platform/node_configuration/"
FORM = {
    "hostname": "london",
    "domain": "example.com",
    "address": "192.0.2.7",
    "netmask": "255.255.255.0",
    "gateway": "192.0.2.254",
    "password": "for the system",
}


@pytest.fixture(autouse=True)
def forgiving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment_views, "_guessing", Guessing())


def add_node(name: str = "London", **values: str) -> WorkerVM:
    return WorkerVM.objects.create(name=name, system_location=SystemLocation.objects.get(), **{**FORM, **values})


def handed_out(api: Api, node: WorkerVM) -> NodeFile:
    response = api("POST", COMMAND, {"worker_vm_id": node.pk})
    assert response.status_code == 200, response.content
    return nodefile.read(response.content)


def asking(file: NodeFile, key: credentials.Key, **changes: Any) -> Enrol:
    request = credentials.request(key, node_name(file.node)).decode()
    asked = Enrol(node=file.node, version=rostra.__version__, request=request, fabric_port=6222)
    return msgspec.structs.replace(asked, **changes).proven(file.secret)


def post(path: str, message: msgspec.Struct | bytes) -> Any:
    content = message if isinstance(message, bytes) else msgspec.json.encode(message)
    return Client(raise_request_exception=False).generic("POST", path, content, content_type="application/json")


def trusted(response: Any, file: NodeFile, kind: type[Any]) -> Any:
    """The answer, if the authority in the file has signed it."""
    assert response.status_code == 200, response.content
    signed = msgspec.json.decode(response.content, type=Signed)
    credentials.check_signature(signed.content.encode(), bytes.fromhex(signed.signature), file.authority.encode())
    return msgspec.json.decode(signed.content, type=kind)


@pytest.mark.spec("NODE-057", "CLOUD-044")
def test_a_node_with_its_file_gets_a_certificate_and_becomes_a_member(api: Api) -> None:
    node = add_node()
    file = handed_out(api, node)
    assert (file.node, file.name, file.address, file.location) == (node.pk, "London", "192.0.2.7", "Default")
    assert file.version == rostra.__version__
    assert [member.name for member in file.members] == ["management"]
    key = credentials.new_key()
    welcome = trusted(post(PATH, asking(file, key)), file, Welcome)
    credentials.check_certificate(welcome.certificate.encode(), file.authority.encode(), key, f"n{node.pk}")
    assert [member.name for member in welcome.members] == ["management", f"n{node.pk}"]
    member = FabricMember.objects.get(node=node)
    assert (member.fingerprint, member.address, member.port) == (
        credentials.fingerprint(key.public_key()),
        "192.0.2.7",
        6222,
    )
    node.delete()
    assert not FabricMember.objects.filter(address="192.0.2.7").exists()


@pytest.mark.spec("NODE-039")
def test_a_file_is_good_once_but_a_lost_answer_is_given_again(api: Api) -> None:
    file = handed_out(api, add_node())
    key = credentials.new_key()
    first = post(PATH, asking(file, key))
    again = trusted(post(PATH, asking(file, key)), file, Welcome)
    credentials.check_certificate(again.certificate.encode(), file.authority.encode(), key, f"n{file.node}")
    other = post(PATH, asking(file, credentials.new_key()))
    assert (first.status_code, other.status_code) == (200, 409)
    assert "used before" in other.json()["error"]
    assert FabricMember.objects.get(node=file.node).fingerprint == credentials.fingerprint(key.public_key())


@pytest.mark.spec("NODE-038", "NODE-039")
def test_a_file_is_for_one_node_and_handed_out_once(api: Api) -> None:
    london, paris = add_node(), add_node("Paris", hostname="paris", address="192.0.2.8")
    file = handed_out(api, london)
    response = api("POST", COMMAND, {"worker_vm_id": london.pk})
    assert response.status_code == 409
    assert "handed out before" in response.json()["message"]
    elsewhere = msgspec.structs.replace(file, node=paris.pk)
    assert post(PATH, asking(elsewhere, credentials.new_key())).status_code == 403
    handed_out(api, paris)
    assert post(PATH, asking(elsewhere, credentials.new_key())).status_code == 403
    london.delete()
    refused = post(PATH, asking(file, credentials.new_key()))
    assert refused.status_code == 403
    assert "deleted" in refused.json()["error"]


@pytest.mark.spec("NODE-025")
def test_creating_a_node_over_the_api_gives_its_file(api: Api) -> None:
    body = {
        "name": "Rome",
        "hostname": "rome",
        "domain": "example.test",
        "address": "192.0.2.9",
        "netmask": "255.255.255.0",
        "gateway": "192.0.2.1",
        "password": "unused",
        "system_location": "/api/admin/configuration/v1/system_location/1/",
    }
    answer = api("POST", "worker_vm/", body)
    assert answer.status_code == 201, answer.content
    assert answer["Content-Type"] == "application/xml"
    file = nodefile.read(answer.content)
    assert answer["Location"].endswith(f"/worker_vm/{file.node}/")
    replaced = handed_out(api, WorkerVM.objects.get(pk=file.node))
    assert post(PATH, asking(file, credentials.new_key())).status_code == 403, "the command's file replaced it"
    assert post(PATH, asking(replaced, credentials.new_key())).status_code == 200


@pytest.mark.spec("NODE-078")
def test_the_same_names_can_be_added_again_with_a_new_file(api: Api) -> None:
    old = handed_out(api, add_node())
    trusted(post(PATH, asking(old, credentials.new_key())), old, Welcome)
    WorkerVM.objects.get(pk=old.node).delete()
    new = handed_out(api, add_node(address="192.0.2.17"))
    key = credentials.new_key()
    trusted(post(PATH, asking(new, key)), new, Welcome)
    assert new.node != old.node
    assert FabricMember.objects.get(node=new.node).address == "192.0.2.17"
    assert post(PATH, asking(old, credentials.new_key())).status_code == 403


@pytest.mark.spec("NODE-055")
def test_another_version_is_told_which(api: Api) -> None:
    file = handed_out(api, add_node())
    refused = post(PATH, asking(file, credentials.new_key(), version="0.0.1"))
    assert refused.status_code == 409
    assert "0.0.1" in refused.json()["error"]
    assert rostra.__version__ in refused.json()["error"]
    trusted(post(PATH, asking(file, credentials.new_key())), file, Welcome)


def everything() -> bytes:
    """All that is in the database, on any engine."""
    with connection.cursor() as cursor:
        found: list[str] = []
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            found += map(repr, cursor.fetchall())
    return "\n".join(found).encode()


def test_the_secret_is_neither_in_the_request_nor_in_the_database(api: Api, database: Path) -> None:
    file = handed_out(api, add_node())
    sent = msgspec.json.encode(asking(file, credentials.new_key()))
    assert post(PATH, sent).status_code == 200
    stored = b"".join(part.read_bytes() for part in database.parent.glob(f"{database.name}*")) + everything()
    for content in (sent, stored):
        assert file.secret not in content
        assert file.secret.hex().encode() not in content
    assert Enrolment.objects.get(node=file.node).verifier.encode() in stored


def test_what_was_signed_cannot_be_altered(api: Api) -> None:
    file = handed_out(api, add_node())
    theirs = credentials.request(credentials.new_key(), f"n{file.node}").decode()
    good = asking(file, credentials.new_key())
    for changed in ({"request": theirs}, {"fabric_port": 1}, {"version": "9"}, {"signature": ""}, {"signature": "zz"}):
        assert post(PATH, msgspec.structs.replace(good, **changed)).status_code == 403
    assert post(PATH, good).status_code == 200


def test_who_guesses_is_not_heard_for_a_while(api: Api) -> None:
    file = handed_out(api, add_node())
    wrong = msgspec.structs.replace(file, secret=bytes(32))
    answers = [post(PATH, asking(wrong, credentials.new_key())).status_code for _ in range(ATTEMPTS + 1)]
    assert answers == [403] * ATTEMPTS + [429]
    assert post(PATH, asking(file, credentials.new_key())).status_code == 429
    guessing = Guessing()
    for number in range(ATTEMPTS):
        assert not guessing.held_back("192.0.2.1", 100.0 + number)
        guessing.failed("192.0.2.1", 100.0 + number)
    assert guessing.held_back("192.0.2.1", 110.0)
    assert not guessing.held_back("192.0.2.2", 110.0)
    assert not guessing.held_back("192.0.2.1", 100.0 + WINDOW)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{}", b'{"node": "x"}', b"x" * 70_000])
def test_nonsense_is_answered_with_a_sentence(database: Path, content: bytes) -> None:
    for path in (PATH, MEMBER_PATH):
        response = post(path, content)
        assert response.status_code in (400, 413)
        assert response.json()["error"]
    assert Client().get(PATH).status_code == 405


@pytest.mark.parametrize("request_", ["", "nonsense", "rsa"])
def test_a_request_that_is_none_is_refused(api: Api, request_: str) -> None:
    file = handed_out(api, add_node())
    if request_ == "rsa":
        key: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        request_ = credentials.request(key, "n1").decode()
    refused = post(PATH, asking(file, credentials.new_key(), request=request_))
    assert refused.status_code == 400
    assert post(PATH, asking(file, credentials.new_key(), fabric_port=0)).status_code == 400
    trusted(post(PATH, asking(file, credentials.new_key())), file, Welcome)


def test_a_node_may_ask_whether_it_still_is_one(api: Api) -> None:
    file = handed_out(api, add_node())
    key = credentials.new_key()
    trusted(post(PATH, asking(file, key)), file, Welcome)
    question = MemberQuestion(file.node, credentials.fingerprint(key.public_key()), "abc")
    assert trusted(post(MEMBER_PATH, question), file, MemberAnswer) == MemberAnswer(question, True)
    WorkerVM.objects.get(pk=file.node).delete()
    assert trusted(post(MEMBER_PATH, question), file, MemberAnswer) == MemberAnswer(question, False)


# ---- the admin site


def save(browser: Client, **values: str) -> Any:
    location = str(SystemLocation.objects.get().pk)
    form = {
        **FORM,
        "name": "London",
        "system_location": location,
        "deployment_type": "MANUAL-PROVISION-ONLY",
        "vm_cpu_count": "4",
        "vm_system_memory": "4096",
        "snmp_mode": "DISABLED",
        "node_type": "CONFERENCING",
        "enable_ssh": "GLOBAL",
        "media_priority_weight": "0",
        **values,
    }
    return browser.post("/admin/configuration/workervm/add/", form)


@pytest.mark.spec("CLOUD-043", "CLOUD-044", "CLOUD-045", "CLOUD-046", "NODE-035", "NODE-057")
def test_saving_a_node_leads_to_its_file_in_this_session_alone(browser: Client) -> None:
    saved = save(browser)
    node = WorkerVM.objects.get(name="London")
    here = f"/admin/nodes/{node.pk}/deploy/"
    assert (saved.status_code, saved.get("Location")) == (302, here), saved.content[:3000]
    page = browser.get(here).content.decode()
    assert "Manually Deploy Conferencing Node" in page
    assert "Download Conferencing Node configuration" in page
    assert "Generic (configuration-only)" in page
    assert f"/admin/nodes/{node.pk}/configuration/" not in page, "not before it is asked for"

    pressed = browser.post(here, follow=True)
    page = pressed.content.decode()
    link = f"/admin/nodes/{node.pk}/configuration/"
    assert "rostra-london.example.com.xml" in page
    assert page.count(link) == 2, "begins by itself, and a link in case it does not"
    first, second = browser.get(link), browser.get(link)
    assert first["Content-Disposition"] == 'attachment; filename="rostra-london.example.com.xml"'
    assert first.content == second.content, "both are valid"
    file = nodefile.read(first.content)

    elsewhere = Client(raise_request_exception=False)
    elsewhere.force_login(browser.get("/admin/").wsgi_request.user)
    assert elsewhere.get(here).status_code == 403
    assert elsewhere.get(link).status_code == 403
    assert Client().get(link).status_code == 302, "nobody without logging in"
    trusted(post(PATH, asking(file, credentials.new_key())), file, Welcome)
    assert browser.get(link).status_code == 403, "used"
    assert "handed out before" in browser.get(here).content.decode()


def test_the_command_is_for_administrators_and_says_what_is_wrong(api: Api) -> None:
    node = add_node()
    body = msgspec.json.encode({"worker_vm_id": node.pk})
    assert Client().post(COMMAND, body, content_type="application/json").status_code == 401
    assert api("GET", COMMAND).status_code == 405
    for wrong in ({}, {"worker_vm_id": "x"}, {"worker_vm_id": 0}, {"worker_vm_id": 999}, {"worker_vm_id": 2**70}):
        assert api("POST", COMMAND, wrong).status_code == 400, wrong
    assert handed_out(api, node).node == node.pk
    assert COMMAND in api.read("/api/admin/openapi.json")["paths"]


def test_first_start_makes_this_machine_a_member(database: Path) -> None:
    (member,) = FabricMember.objects.all()
    assert member.node is None
    assert member.port == 6222
    assert len(member.fingerprint) == 64
