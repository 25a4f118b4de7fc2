"""Certificates, trusted CAs and signing requests by the common suite."""

from __future__ import annotations

from typing import Any

from rostra import tls
from tests.certificates import key_pem, made

from .conftest import Api
from .resource_suite import ResourceSuite

ROOT = made("Root", authority=True)
SERVER = made("server.example.test", by=ROOT)
RENEWED = made("server.example.test", by=ROOT, key=SERVER.key, days=700)
OTHER = made("other.example.test", by=ROOT)

_DECODED = frozenset(
    {
        *("start_date", "end_date", "subject_name", "subject_hash", "raw_subject", "issuer_name", "issuer_hash"),
        *("raw_issuer", "serial_no", "key_id", "issuer_key_id", "text", "subject_alt_names"),
    }
)


class _NotReplaced:
    """PUT is not among the methods (sheet 10)."""

    def test_put_gives_defaults_to_what_is_left_out(self, api: Api) -> None:
        response = api("PUT", self._create(api), {})  # type: ignore[attr-defined] - of the suite
        assert response.status_code == 405
        assert "PUT" not in response["Allow"]


class TestTlsCertificate(_NotReplaced, ResourceSuite):
    name = "tls_certificate"
    example = {"certificate": SERVER.pem, "private_key": SERVER.key_pem}
    change = {"certificate": RENEWED.pem + ROOT.pem, "parameters": tls.DH_PARAMETERS}
    derived = _DECODED
    refused = [
        ({"certificate": OTHER.pem}, "certificate"),
        ({"certificate": "server.example.test"}, "certificate"),
        ({"certificate": ""}, "certificate"),
        ({"certificate": SERVER.pem + SERVER.key_pem}, "certificate"),
        ({"private_key": OTHER.key_pem}, "private_key"),
        ({"private_key": "x" * 12289}, "private_key"),
        ({"private_key": key_pem(SERVER.key, "secret")}, "private_key_passphrase"),
        ({"parameters": "none"}, "parameters"),
        ({"parameters": OTHER.key_pem}, "parameters"),
        ({"nodes": ["nowhere.example.test"]}, "nodes"),
        ({"nodes": "everywhere"}, "nodes"),
        ({"nodes": [7]}, "nodes"),
    ]
    list_queries = 5


class TestCaCertificate(_NotReplaced, ResourceSuite):
    name = "ca_certificate"
    example = {"certificate": ROOT.pem}
    change = {"trusted_intermediate": True}
    refused = [
        ({"certificate": SERVER.pem}, "certificate"),
        ({"certificate": ROOT.pem * 2}, "certificate"),
        ({"certificate": ROOT.pem + ROOT.key_pem}, "certificate"),
        ({"certificate": ""}, "certificate"),
        ({"trusted_intermediate": "maybe"}, "trusted_intermediate"),
    ]
    list_queries = 3


class TestCertificateSigningRequest(_NotReplaced, ResourceSuite):
    name = "certificate_signing_request"
    example = {"subject_name": "node.example.test", "private_key_type": "ECDSAP256"}
    change: dict[str, Any] = {}
    refused = [
        ({"subject_name": "other.example.test"}, "subject_name"),
        ({"ad_compatible": True}, "ad_compatible"),
        ({"private_key_type": "RSA4096"}, "private_key_type"),
        ({"private_key_type": "RSA1024"}, "private_key_type"),
        ({"certificate": OTHER.pem}, "certificate"),
        ({"certificate": "nonsense"}, "certificate"),
    ]
    list_queries = 3
