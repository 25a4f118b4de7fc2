"""The pages of certificates in the site."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cryptography import x509
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rostra.configuration import assignment
from rostra.configuration.certificates import pem, requests
from rostra.configuration.models import (
    CaCertificate,
    CertificateSigningRequest,
    ManagementVM,
    TlsCertificate,
    WorkerVM,
)
from tests.certificates import answer, made

from . import people

TLS, CA, CSR = (
    f"/admin/configuration/{name}/" for name in ("tlscertificate", "cacertificate", "certificatesigningrequest")
)
ROOT = made("Root", authority=True)
MIDDLE = made("Middle", authority=True, by=ROOT)
SERVER = made("server.example.test", by=MIDDLE)


def file(text: str, name: str = "x.pem") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, response
    return dict(response.context_data["adminform"].form.errors)


def stored() -> TlsCertificate:
    row = TlsCertificate(certificate=SERVER.pem, private_key=SERVER.key_pem)
    row.full_clean()
    row.save()
    return row


class TestTls:
    @pytest.mark.spec("SYS-215")
    def test_pasted_with_nodes(self, browser: Any) -> None:
        form = {"certificate": SERVER.pem, "private_key": SERVER.key_pem, "nodes": ["WorkerVM 1", "ManagementVM 1"]}
        response = browser.post(f"{TLS}add/", form)
        assert response.status_code == 302, errors(response)
        row = TlsCertificate.objects.get()
        assert assignment.users(row) == [ManagementVM.objects.get(), WorkerVM.objects.get()]
        said = [str(one) for one in get_messages(response.wsgi_request)]
        assert any("not valid for" in one for one in said)
        assert any("chain of trust is not complete" in one for one in said)

    @pytest.mark.spec("SYS-215")
    def test_from_files(self, browser: Any) -> None:
        form = {
            "certificate": "",
            "certificate_file": file(SERVER.pem),
            "private_key": "",
            "private_key_file": file(SERVER.key_pem),
        }
        assert browser.post(f"{TLS}add/", form).status_code == 302
        assert TlsCertificate.objects.get().certificate == SERVER.pem

    @pytest.mark.spec("SYS-216")
    def test_problems_are_at_their_fields(self, browser: Any) -> None:
        form = {"certificate": ROOT.pem, "private_key": SERVER.key_pem}
        assert errors(browser.post(f"{TLS}add/", form)) == {"certificate": [pem.NOT_A_PAIR]}
        assert set(errors(browser.post(f"{TLS}add/", {}))) == {"certificate", "private_key"}

    def test_a_node_keeps_its_sip_tls_fqdn(self, browser: Any) -> None:
        WorkerVM.objects.update(alternative_fqdn="sip.example.test")
        form = {"certificate": SERVER.pem, "private_key": SERVER.key_pem, "nodes": ["WorkerVM 1"]}
        assert list(errors(browser.post(f"{TLS}add/", form))) == ["nodes"]
        assert not TlsCertificate.objects.exists()

    @pytest.mark.spec("SYS-220")
    def test_the_page_shows_everything_but_the_key_and_changes_the_rest(self, browser: Any) -> None:
        row = stored()
        for one in (ROOT, MIDDLE):
            CaCertificate(certificate=one.pem).save()
        page = f"{TLS}{row.pk}/change/"
        shown = browser.get(page).content.decode()
        assert 'name="private_key"' not in shown
        for said in (
            "Valid until",
            "<li>server.example.test</li><li>Middle</li><li>Root</li>",
            "TLS server authentication",
        ):
            assert said in shown
        renewed = made("server.example.test", by=MIDDLE, key=SERVER.key)
        response = browser.post(page, {"certificate": renewed.pem, "parameters": "", "nodes": ["WorkerVM 1"]})
        assert response.status_code == 302, errors(response)
        row.refresh_from_db()
        assert row.serial_no == renewed.serial
        assert pem.same_key(row.key, SERVER.key)
        assert WorkerVM.objects.get().tls_certificate == row

    @pytest.mark.spec("SYS-219")
    def test_both_views_of_the_list(self, browser: Any) -> None:
        row = TlsCertificate(certificate=(alone := made("alone.test")).pem, private_key=alone.key_pem)
        row.save()
        WorkerVM.objects.update(tls_certificate=row)
        assert "Temporary" in browser.get(TLS).content.decode()
        by_node = re.sub(r"\s+", " ", browser.get(f"{TLS}by-node/").content.decode())
        assert "alone.test (alone.test)" in by_node
        assert "signed itself" in by_node

    @pytest.mark.spec("SYS-222")
    def test_import_of_several_files(self, browser: Any) -> None:
        files = [file(SERVER.pem), file(SERVER.key_pem), file(ROOT.pem + MIDDLE.pem)]
        response = browser.post(f"{TLS}import-files/", {"chosen": files})
        assert response.status_code == 302, response.content
        assert (TlsCertificate.objects.count(), CaCertificate.objects.count()) == (1, 2)
        refused = browser.post(f"{CA}import-files/", {"chosen": [file("nothing")]})
        assert refused.status_code == 400
        assert b"Nothing was imported" in refused.content
        assert browser.get(f"{CA}import-files/").status_code == 200


class TestCa:
    @pytest.mark.spec("SYS-236", "SYS-237")
    def test_add_edit_export_and_delete(self, browser: Any) -> None:
        assert browser.post(f"{CA}add/", {"certificate_file": file(MIDDLE.pem)}).status_code == 302
        row = CaCertificate.objects.get()
        shown = browser.get(f"{CA}{row.pk}/change/").content.decode()
        assert "Incomplete chain" in shown
        assert browser.post(f"{CA}{row.pk}/change/", {"certificate": ROOT.pem}).status_code == 302
        CaCertificate(certificate=MIDDLE.pem).save()
        response = browser.get(f"{CA}export-files/")
        assert response["Content-Disposition"] == 'attachment; filename="ca-certificates.pem"'
        found = x509.load_pem_x509_certificates(response.content)
        assert found == [ROOT.certificate, MIDDLE.certificate]
        form = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        assert browser.post(CA, form).status_code == 302
        assert CaCertificate.objects.get().subject_name == "Middle"


FORM = {"private_key_type": "ECDSAP256", "include_cn_in_san": "on"}


class TestRequests:
    def _made(self, browser: Any, **more: Any) -> x509.CertificateSigningRequest:
        response = browser.post(f"{CSR}add/", {**FORM, **more})
        assert response.status_code == 302, errors(response)
        return requests.read(CertificateSigningRequest.objects.latest("pk").csr)

    @staticmethod
    def _names(request: x509.CertificateSigningRequest) -> list[str]:
        found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return found.get_values_for_type(x509.DNSName)

    @pytest.mark.spec("SYS-238", "SYS-241")
    def test_names_of_this_platform_are_offered(self, browser: Any) -> None:
        WorkerVM.objects.update(hostname="node", domain="example.test", alternative_fqdn="sip.example.test")
        form = browser.get(f"{CSR}add/").context_data["adminform"].form
        manager = assignment.fqdn(ManagementVM.objects.get())
        offered = [value for value, _ in form.fields["subject"].choices]
        assert offered == [manager, "node.example.test", "sip.example.test", ""]
        request = self._made(browser, subject="node.example.test", subject_alt_names=["sip.example.test", manager])
        assert self._names(request) == ["node.example.test", "sip.example.test", manager]

    @pytest.mark.spec("SYS-238", "SYS-240", "SYS-242")
    def test_a_custom_name_and_the_rest_of_the_subject(self, browser: Any) -> None:
        request = self._made(
            browser,
            custom_subject_name="vc.example.test",
            additional_subject_alt_names="a.test, b.test",
            organization="Example, Inc.",
            country="no",
        )
        assert request.subject.rfc4514_string() == r"CN=vc.example.test,O=Example\, Inc.,C=NO"
        assert self._names(request) == ["vc.example.test", "a.test", "b.test"]

    @pytest.mark.spec("SYS-240")
    def test_without_the_common_name_among_the_alternatives(self, browser: Any) -> None:
        request = self._made(
            browser, custom_subject_name="vc.example.test", additional_subject_alt_names="a.test", include_cn_in_san=""
        )
        assert self._names(request) == ["a.test"]

    @pytest.mark.spec("SYS-242")
    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"custom_subject_name": ""}, "custom_subject_name"),
            ({"country": "N1"}, "country"),
            ({"additional_subject_alt_names": "??"}, "additional_subject_alt_names"),
            ({"private_key_type": "UPLOAD"}, "private_key"),
            ({"custom_subject_name": "x" * 70}, "__all__"),
        ],
    )
    def test_refused(self, browser: Any, more: dict[str, str], field: str) -> None:
        response = browser.post(f"{CSR}add/", {**FORM, "custom_subject_name": "a.test", **more})
        assert field in errors(response)
        assert not CertificateSigningRequest.objects.exists()

    @pytest.mark.spec("SYS-245", "SYS-246", "SYS-248", "PLAT-152")
    def test_download_then_complete(self, browser: Any) -> None:
        self._made(browser, custom_subject_name="vc.example.test")
        row = CertificateSigningRequest.objects.get()
        shown = browser.get(f"{CSR}{row.pk}/change/").content.decode()
        assert "Certificate signing request" in shown
        assert ">Complete</button>" in shown
        assert 'name="subject_name"' not in shown
        response = browser.get(f"{CSR}{row.pk}/download/")
        assert response["Content-Disposition"] == 'attachment; filename="vc.example.test.csr"'
        assert b"PRIVATE" not in response.content
        response = browser.post(f"{CSR}{row.pk}/change/", {"certificate": SERVER.pem})
        assert errors(response) == {"certificate": [pem.NOT_A_PAIR]}
        signed = answer(row.csr, MIDDLE)
        response = browser.post(f"{CSR}{row.pk}/change/", {"certificate_file": file(signed)})
        certificate = TlsCertificate.objects.get()
        assert response.url == f"{TLS}{certificate.pk}/change/"
        assert not CertificateSigningRequest.objects.exists()

    def test_a_renewal_begins_at_the_certificate(self, browser: Any) -> None:
        row = stored()
        response = browser.get(f"{TLS}{row.pk}/renew/", follow=True)
        form = response.context_data["adminform"].form
        assert form.get_initial_for_field(form.fields["custom_subject_name"], "custom_subject_name") == row.subject_name
        assert str(form["tls_certificate"].value()) == str(row.pk)


@pytest.mark.spec("SYS-220")
def test_who_may_only_look_sees_pages_without_forms(database: Any) -> None:
    client = Client()
    client.force_login(people.account("reader", "use_web", "view_platform", "view_utilities"))
    CaCertificate(certificate=ROOT.pem).save()
    row = CertificateSigningRequest(subject_name="a.test", private_key_type="ECDSAP256")
    row.full_clean()
    row.save()
    for page in (
        f"{TLS}{stored().pk}/change/",
        f"{CA}{CaCertificate.objects.get().pk}/change/",
        f"{CSR}{row.pk}/change/",
    ):
        response = client.get(page)
        assert response.status_code == 200, page
        assert 'name="certificate"' not in response.content.decode(), page
        assert client.post(page, {"certificate": ROOT.pem}).status_code == 403, page
    assert client.get(f"{TLS}by-node/").status_code == 200
    for page in (f"{TLS}import-files/", f"{CA}import-files/", f"{TLS}add/"):
        assert client.get(page).status_code == 403, page
