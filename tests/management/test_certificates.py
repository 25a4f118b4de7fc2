"""Certificates over the management API: what is kept, refused, assigned, imported, alarmed."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import connection

from rostra.configuration import assignment
from rostra.configuration.certificates import pem, requests
from rostra.configuration.models import (
    CaCertificate,
    CertificateSigningRequest,
    ManagementVM,
    TlsCertificate,
    WorkerVM,
)
from rostra.configuration.secretfield import reveal
from rostra.management.certificates import judging
from tests.certificates import NOW, Made, answer, key_pem, made

from .conftest import BASE, Api

PAIR = "Certificate and private key do not appear to be part of the same key pair"
COMMAND = "/api/admin/command/v1/platform/certificates_import/"
ROOT = made("Root", authority=True)
MIDDLE = made("Middle", authority=True, by=ROOT)
SERVER = made("server.example.test", by=MIDDLE)


def add(api: Api, one: Made, **more: Any) -> str:
    return api.create("tls_certificate", certificate=one.pem, private_key=one.key_pem, **more)


def problem(response: Any, resource: str) -> dict[str, list[str]]:
    assert response.status_code == 400, response.content
    return response.json()[resource]


def run_import(api: Api, *texts: str, **more: str) -> Any:
    return api("POST", COMMAND, {"bundle": "".join(texts), **more})


def imported(api: Api, *texts: str, **more: str) -> Any:
    response = run_import(api, *texts, **more)
    assert response.status_code == 202, response.content
    return response.json()["data"]


class TestTlsCertificates:
    @pytest.mark.spec("SYS-215")
    def test_what_a_client_reads(self, api: Api) -> None:
        body = api.read(add(api, SERVER))
        assert body["certificate"] == SERVER.pem
        assert body["subject_name"] == "server.example.test"
        assert body["issuer_name"] == "Middle"
        assert body["serial_no"] == SERVER.serial
        assert body["end_date"] == SERVER.certificate.not_valid_after_utc.replace(tzinfo=None).isoformat()
        assert body["nodes"] == []
        assert len(body["subject_hash"]) == 8
        assert (body["client_auth_usage"], body["server_auth_usage"]) == (True, True)

    def test_the_private_key_is_sealed_and_never_told(self, api: Api, browser: Any) -> None:
        path = add(api, SERVER)
        secret = SERVER.key_pem.splitlines()[1]
        with connection.cursor() as cursor:
            cursor.execute("SELECT private_key FROM configuration_tlscertificate")
            assert cursor.fetchone()[0].startswith("$~!1")
        key = path.rstrip("/").rpartition("/")[2]
        pages = [
            api("GET", path),
            api("GET", "tls_certificate/"),
            browser.get(f"/admin/configuration/tlscertificate/{key}/change/"),
        ]
        for page in pages:
            assert page.status_code == 200
            assert secret not in page.content.decode()
            assert "$~!1" not in page.content.decode()

    @pytest.mark.spec("SYS-216", "SYS-247")
    def test_a_pair_is_needed(self, api: Api) -> None:
        response = api("POST", "tls_certificate/", {"certificate": SERVER.pem, "private_key": made("x").key_pem})
        assert problem(response, "tls_certificate") == {"certificate": [PAIR]}

    @pytest.mark.spec("SYS-216")
    def test_one_of_several_certificates_has_to_pair(self, api: Api) -> None:
        text = MIDDLE.pem + SERVER.pem + ROOT.pem
        body = api.read(api.create("tls_certificate", certificate=text, private_key=SERVER.key_pem))
        assert body["certificate"] == text
        assert body["subject_name"] == "server.example.test"

    @pytest.mark.spec("SYS-216")
    def test_a_signing_request_is_refused(self, api: Api) -> None:
        request = requests.make(requests.distinguished_name("", "a.test"), [], SERVER.key)
        response = api("POST", "tls_certificate/", {"certificate": request, "private_key": SERVER.key_pem})
        assert "signing request" in problem(response, "tls_certificate")["certificate"][0]

    @pytest.mark.spec("SYS-216")
    def test_rsa_keys(self, api: Api) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        assert add(api, made("rsa.test", key=key))

    def test_an_encrypted_key_is_opened_once(self, api: Api) -> None:
        body = {"certificate": SERVER.pem, "private_key": key_pem(SERVER.key, "open sesame")}
        response = api("POST", "tls_certificate/", body)
        assert list(problem(response, "tls_certificate")) == ["private_key_passphrase"]
        api.create("tls_certificate", **body, private_key_passphrase="open sesame")
        row = TlsCertificate.objects.get()
        assert row.private_key_passphrase == ""
        assert pem.same_key(row.key, SERVER.key)

    @pytest.mark.spec("SYS-220")
    def test_the_key_stays_and_may_be_sent_again(self, api: Api) -> None:
        path = add(api, SERVER)
        renewed = made("server.example.test", by=MIDDLE, key=SERVER.key)
        assert api("PATCH", path, {"certificate": renewed.pem, "private_key": SERVER.key_pem}).status_code == 202
        assert api.read(path)["serial_no"] == renewed.serial
        other = made("server.example.test")
        response = api("PATCH", path, {"certificate": other.pem, "private_key": other.key_pem})
        assert list(problem(response, "tls_certificate")) == ["private_key"]
        response = api("PATCH", path, {"certificate": other.pem})
        assert problem(response, "tls_certificate") == {"certificate": [PAIR]}

    def test_what_openssl_does_not_take_is_refused(self, api: Api) -> None:
        weak = made("weak.test", key=rsa.generate_private_key(public_exponent=65537, key_size=1024))
        response = api("POST", "tls_certificate/", {"certificate": weak.pem, "private_key": weak.key_pem})
        assert list(problem(response, "tls_certificate")) == ["certificate"]


class TestAssignment:
    def _node(self, **more: Any) -> WorkerVM:
        row = WorkerVM.objects.get(pk=1)
        for name, value in {"hostname": "node", "domain": "example.test", **more}.items():
            setattr(row, name, value)
        row.save()
        return row

    @pytest.mark.spec("SYS-215")
    def test_by_name_or_address_from_either_side(self, api: Api) -> None:
        self._node()
        manager = assignment.fqdn(ManagementVM.objects.get())
        path = add(api, SERVER, nodes=["NODE.example.test", manager])
        assert api.read(path)["nodes"] == [manager, "node.example.test"]
        assert api.read("worker_vm/1/")["tls_certificate"] == path
        assert api.read("management_vm/1/")["tls_certificate"] == path
        assert api("PATCH", path, {"nodes": [f"{BASE}worker_vm/1/"]}).status_code == 202
        assert api.read(path)["nodes"] == ["node.example.test"]
        assert api.read("management_vm/1/")["tls_certificate"] is None
        assert api("PATCH", "worker_vm/1/", {"tls_certificate": None}).status_code == 202
        assert api.read(path)["nodes"] == []

    def test_a_node_leaves_the_certificate_it_had(self, api: Api) -> None:
        self._node()
        first, second = add(api, SERVER, nodes=["node.example.test"]), add(api, made("other"))
        assert api("PATCH", second, {"nodes": ["node.example.test"]}).status_code == 202
        assert api.read(first)["nodes"] == []

    def test_deleting_it_leaves_the_node(self, api: Api) -> None:
        self._node()
        assert api("DELETE", add(api, SERVER, nodes=["node.example.test"])).status_code == 204
        assert api.read("worker_vm/1/")["tls_certificate"] is None

    @pytest.mark.spec("NODE-022", "CLOUD-051")
    def test_the_sip_tls_fqdn_has_to_be_in_it(self, api: Api) -> None:
        self._node(alternative_fqdn="sip.example.test")
        path = add(api, SERVER)
        response = api("PATCH", "worker_vm/1/", {"tls_certificate": path})
        assert list(problem(response, "worker_vm")) == ["tls_certificate"]
        response = api("PATCH", path, {"nodes": ["sip.example.test"]})
        assert list(problem(response, "tls_certificate")) == ["nodes"]
        both = made("server.example.test", hosts=["server.example.test", "sip.example.test"], key=SERVER.key)
        assert api("PATCH", path, {"certificate": both.pem, "nodes": ["sip.example.test"]}).status_code == 202
        response = api("PATCH", path, {"certificate": SERVER.pem})
        assert "sip.example.test" in problem(response, "tls_certificate")["certificate"][0]

    @pytest.mark.spec("SYS-213", "SYS-218")
    def test_a_certificate_for_another_host_is_a_warning(self, api: Api) -> None:
        node = self._node()
        add(api, made("*.elsewhere.test"), nodes=["node.example.test"])
        said = judging.warnings(TlsCertificate.objects.get(), [node])
        assert any("node.example.test" in one for one in said)
        assert any("wildcard" in one for one in said)


class TestAlarms:
    def _up(self) -> set[tuple[str, str]]:
        return {(one.name, one.instance) for one in judging.look()}

    @pytest.mark.spec("SYS-214", "DIAG-101", "DIAG-102")
    def test_machines_without_a_certificate(self, api: Api) -> None:
        names = {
            ("tls_certificate_missing_management", ManagementVM.objects.get().name),
            ("tls_certificate_missing", "node1"),
        }
        assert names <= self._up()
        path = add(api, made("all.test"))
        for machine in ("worker_vm/1/", "management_vm/1/"):
            assert api("PATCH", machine, {"tls_certificate": path}).status_code == 202
        assert not self._up()

    @pytest.mark.spec("SYS-214", "DIAG-111")
    def test_incomplete_chains(self, api: Api) -> None:
        add(api, SERVER)
        alarm = ("tls_certificate_chains", f"server.example.test {SERVER.serial}")
        assert alarm in self._up()
        api.create("ca_certificate", certificate=ROOT.pem)
        assert alarm in self._up()
        api.create("ca_certificate", certificate=MIDDLE.pem)
        assert alarm not in self._up()

    def test_a_trusted_intermediate_completes_the_chain(self, api: Api) -> None:
        add(api, SERVER)
        api.create("ca_certificate", certificate=MIDDLE.pem, trusted_intermediate=True)
        assert "tls_certificate_chains" not in {name for name, _ in self._up()}

    @pytest.mark.spec("SYS-214", "DIAG-109", "DIAG-110")
    def test_thirty_days_before_the_end(self, api: Api) -> None:
        old, fresh = made("old.test", days=29), made("fresh.test", days=31)
        root = made("Old root", authority=True, days=29)
        for one in (old, fresh):
            add(api, one)
        api.create("ca_certificate", certificate=root.pem)
        up = {name: instance for name, instance in self._up() if name.endswith("expiring")}
        assert up == {
            "tls_certificate_expiring": f"old.test {old.serial}",
            "trustedca_expiring": f"Old root {root.serial}",
        }

    @pytest.mark.spec("SYS-219")
    @pytest.mark.parametrize(
        ("one", "state"),
        [
            (made("a.test"), "Temporary"),
            (made("a.test", days=10), "Expires soon"),
            (made("a.test", days=-0.5), "Expired"),
            (made("a.test", since=1), "Not valid yet"),
            (SERVER, "Incomplete chain"),
        ],
    )
    def test_states(self, api: Api, one: Made, state: str) -> None:
        add(api, one)
        row = TlsCertificate.objects.get()
        assert judging.state(row, judging.chain(row), NOW) == state


class TestImport:
    @pytest.mark.spec("SYS-222", "SYS-235")
    def test_each_goes_where_it_belongs(self, api: Api) -> None:
        found = imported(api, MIDDLE.pem, ROOT.pem, SERVER.key_pem, SERVER.pem)
        assert found["ignored"] == 0
        assert [row.subject_name for row in CaCertificate.objects.all()] == ["Middle", "Root"]
        row = TlsCertificate.objects.get()
        assert found == {
            "tls_certificates": [row.pk],
            "ca_certificates": list(CaCertificate.objects.values_list("pk", flat=True)),
            "ignored": 0,
        }
        assert row.certificate == SERVER.pem

    @pytest.mark.spec("SYS-223")
    def test_the_same_again_changes_nothing(self, api: Api) -> None:
        texts = (SERVER.key_pem, SERVER.pem, ROOT.pem)
        imported(api, *texts)
        assert imported(api, *texts) == {"tls_certificates": [], "ca_certificates": [], "ignored": 2}
        assert (TlsCertificate.objects.count(), CaCertificate.objects.count()) == (1, 1)

    @pytest.mark.spec("SYS-223")
    def test_the_same_subject_replaces_contents_and_key(self, api: Api) -> None:
        path = add(api, SERVER)
        assert api("PATCH", "worker_vm/1/", {"tls_certificate": path}).status_code == 202
        renewed = made("server.example.test", by=MIDDLE)
        imported(api, renewed.pem, renewed.key_pem)
        assert api.read(path)["serial_no"] == renewed.serial
        assert api.read("worker_vm/1/")["tls_certificate"] == path
        assert pem.same_key(TlsCertificate.objects.get().key, renewed.key)
        root = made("Root", authority=True)
        imported(api, ROOT.pem)
        imported(api, root.pem)
        assert [row.serial_no for row in CaCertificate.objects.all()] == [root.serial]

    @pytest.mark.spec("SYS-223")
    def test_without_a_key_it_has_to_fit_the_stored_one(self, api: Api) -> None:
        path = add(api, SERVER)
        renewed = made("server.example.test", by=MIDDLE, key=SERVER.key)
        imported(api, renewed.pem)
        assert api.read(path)["serial_no"] == renewed.serial
        said = problem(run_import(api, made("server.example.test", by=MIDDLE).pem), "certificates_import")
        assert "no private key for server.example.test" in said["bundle"][0]

    def test_several_ways_to_one_authority_are_all_kept(self, api: Api) -> None:
        other = made("Other root", authority=True)
        cross = made("Middle", authority=True, by=other, key=MIDDLE.key)
        imported(api, MIDDLE.pem, cross.pem, ROOT.pem, other.pem)
        assert CaCertificate.objects.count() == 4
        assert imported(api, cross.pem, MIDDLE.pem)["ignored"] == 2

    def test_a_server_that_vouches_for_itself_can_be_trusted(self, api: Api) -> None:
        imported(api, made("ldap.example.test").pem)
        assert CaCertificate.objects.get().subject_name == "ldap.example.test"

    def test_encrypted_keys(self, api: Api) -> None:
        texts = (SERVER.pem, key_pem(SERVER.key, "secret"))
        assert list(problem(run_import(api, *texts), "certificates_import")) == ["private_key_passphrase"]
        imported(api, *texts, private_key_passphrase="secret")
        assert TlsCertificate.objects.count() == 1

    @pytest.mark.parametrize(
        "texts",
        [
            ("nothing",),
            (ROOT.pem, SERVER.pem),
            (ROOT.pem, SERVER.key_pem),
            (ROOT.pem, requests.make(requests.distinguished_name("", "a.test"), [], SERVER.key)),
            (ROOT.pem, "-----BEGIN CERTIFICATE-----\n"),
        ],
    )
    def test_all_or_nothing(self, api: Api, texts: tuple[str, ...]) -> None:
        assert list(problem(run_import(api, *texts), "certificates_import")) == ["bundle"]
        assert not CaCertificate.objects.exists()
        assert not TlsCertificate.objects.exists()


class TestSigningRequests:
    def _request(self, api: Api, **more: Any) -> tuple[str, x509.CertificateSigningRequest]:
        body = {"subject_name": "node.example.test", "private_key_type": "ECDSAP256", **more}
        path = api.create("certificate_signing_request", **body)
        return path, requests.read(api.read(path)["csr"])

    @pytest.mark.spec("SYS-239", "SYS-240", "SYS-243", "SYS-244")
    def test_what_is_asked_for(self, api: Api) -> None:
        path, request = self._request(
            api, dn="O=Example,C=NO", additional_subject_alt_names="a.example.test, 192.0.2.1", ad_compatible=True
        )
        assert request.subject.rfc4514_string() == "CN=node.example.test,O=Example,C=NO"
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["node.example.test", "a.example.test"]
        usages = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert set(usages) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
        assert request.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2"))
        assert "PRIVATE" not in str(api.read(path))

    @pytest.mark.spec("SYS-239")
    def test_a_key_of_ones_own(self, api: Api) -> None:
        body = {"subject_name": "a.test", "private_key_type": "UPLOAD", "private_key": SERVER.key_pem}
        path = api.create("certificate_signing_request", **body)
        assert requests.read(api.read(path)["csr"]).public_key() == SERVER.key.public_key()
        for wrong in ({"private_key": ""}, {"private_key": "x"}, {"private_key_type": "RSA2048"}):
            response = api("POST", "certificate_signing_request/", {**body, **wrong})
            assert list(problem(response, "certificate_signing_request")) == ["private_key"]

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"dn": "C=Norway"}, "dn"),
            ({"dn": "nonsense"}, "dn"),
            ({"additional_subject_alt_names": "not a host!"}, "additional_subject_alt_names"),
            ({"subject_name": "x" * 65}, "subject_name"),
            ({"private_key_type": "RSA1024"}, "private_key_type"),
            ({"certificate": SERVER.pem}, "certificate"),
        ],
    )
    def test_refused(self, api: Api, more: dict[str, str], field: str) -> None:
        body = {"subject_name": "a.test", "private_key_type": "ECDSAP256", **more}
        response = api("POST", "certificate_signing_request/", body)
        assert list(problem(response, "certificate_signing_request")) == [field]

    @pytest.mark.spec("SYS-246")
    def test_the_answer_completes_it(self, api: Api) -> None:
        path, _ = self._request(api)
        signed = answer(api.read(path)["csr"], MIDDLE)
        key = reveal(CertificateSigningRequest.objects.get(), "private_key")
        assert api("PATCH", path, {"certificate": signed + MIDDLE.pem}).status_code == 202
        assert api("GET", path).status_code == 404
        row = TlsCertificate.objects.get()
        assert row.subject_name == "node.example.test"
        assert pem.same_key(row.key, pem.key(key))

    @pytest.mark.spec("SYS-247")
    def test_another_certificate_does_not(self, api: Api) -> None:
        path, _ = self._request(api)
        response = api("PATCH", path, {"certificate": SERVER.pem})
        assert problem(response, "certificate_signing_request") == {"certificate": [PAIR]}
        assert api("GET", path).status_code == 200
        assert not TlsCertificate.objects.exists()

    def test_a_renewal_keeps_the_nodes(self, api: Api) -> None:
        renewed = add(api, SERVER)
        assert api("PATCH", "worker_vm/1/", {"tls_certificate": renewed}).status_code == 202
        path, _ = self._request(api, subject_name="server.example.test", tls_certificate=renewed)
        signed = answer(api.read(path)["csr"], MIDDLE)
        assert api("PATCH", path, {"certificate": signed}).status_code == 202
        assert TlsCertificate.objects.count() == 1
        assert api.read(renewed)["serial_no"] != SERVER.serial
        assert api.read("worker_vm/1/")["tls_certificate"] == renewed


def test_days_are_counted_from_now() -> None:
    """The pure function, without rows: nothing is up."""
    assert judging.certificate_alarms(judging.Known((), (), ()), datetime.datetime.now(datetime.UTC)) == []
