"""PEM files, decoded certificates, chains, names and signing requests: without Django."""

from __future__ import annotations

import base64
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rostra import tls
from rostra.configuration.certificates import chains, facts, names, pem, requests
from rostra.configuration.certificates.pem import CertificateProblem, PassphraseProblem
from tests.certificates import NOW, key_pem, made, new_key


def _curve(identifier: str) -> str:
    """As `openssl ecparam` writes it; the object identifier in hexadecimal DER."""
    body = base64.b64encode(bytes.fromhex(identifier)).decode()
    return f"-----BEGIN EC PARAMETERS-----\n{body}\n-----END EC PARAMETERS-----\n"


P384, SECP256K1 = _curve("06052b81040022"), _curve("06052b8104000a")

ROOT = made("Root", authority=True)
MIDDLE = made("Middle", authority=True, by=ROOT)
LEAF = made("host.example.test", by=MIDDLE)


class TestFiles:
    def test_everything_in_one_file_is_sorted(self) -> None:
        text = f"Some words\r\n{LEAF.pem}{LEAF.key_pem}\n\n{MIDDLE.pem}{tls.DH_PARAMETERS}{P384}more words"
        found = pem.read(text)
        assert found.certificates == (LEAF.certificate, MIDDLE.certificate)
        assert [key.public_key() for key in found.keys] == [LEAF.key.public_key()]
        assert found.dh == tls.DH_PARAMETERS
        assert found.curve == "secp384r1"
        assert found.parameters == tls.DH_PARAMETERS + P384

    def test_line_ends_and_indents_do_not_matter(self) -> None:
        text = "\r\n".join("   " + line for line in LEAF.pem.splitlines())
        assert pem.certificates(text) == [LEAF.certificate]

    def test_parameters_as_openssl_writes_them(self) -> None:
        written = subprocess.run(
            ["openssl", "ecparam", "-name", "prime256v1", "-genkey"], capture_output=True, text=True, check=True
        ).stdout
        found = pem.read(written)
        assert found.curve == "prime256v1"
        assert len(found.keys) == 1

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (LEAF.pem.replace("-----END", "-----FIN"), "not complete"),
            (LEAF.pem.replace(LEAF.pem[100:120], "A" * 20), "cannot be read"),
            (LEAF.pem.replace("CERTIFICATE", "X509 CRL"), "X509 CRL"),
            (SECP256K1, "curves"),
            ("-----BEGIN EC PARAMETERS-----\n!!!\n-----END EC PARAMETERS-----", "curves"),
            ("-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----", "Diffie-Hellman"),
            ("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", "private key"),
            ("-----BEGIN CERTIFICATE-----\n" * 30000, "not complete"),
            ("x" * (pem.LARGEST + 1), "too large"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, text: str, said: str) -> None:
        with pytest.raises(CertificateProblem, match=said):
            pem.read(text)

    @pytest.mark.spec("SYS-216")
    def test_a_signing_request_is_no_certificate(self) -> None:
        request = requests.make(requests.distinguished_name("", "a.test"), ["a.test"], new_key())
        with pytest.raises(CertificateProblem, match="signing request"):
            pem.certificates(request)

    @pytest.mark.spec("SYS-216")
    def test_only_rsa_and_ecdsa_keys(self) -> None:
        with pytest.raises(CertificateProblem, match="RSA and ECDSA"):
            pem.key(key_pem(ed25519.Ed25519PrivateKey.generate()))

    def test_encrypted_keys_need_their_passphrase(self) -> None:
        locked = key_pem(LEAF.key, "open sesame")
        assert pem.same_key(pem.key(locked, "open sesame"), LEAF.key)
        for wrong in ("", "guess"):
            with pytest.raises(PassphraseProblem):
                pem.key(locked, wrong)
        assert pem.same_key(pem.key(LEAF.key_pem, "not needed"), LEAF.key)

    def test_the_pair_is_found_among_several(self) -> None:
        assert pem.paired([ROOT.certificate, LEAF.certificate], LEAF.key) is LEAF.certificate
        assert pem.paired([ROOT.certificate], LEAF.key) is None


class TestFacts:
    def test_decoded_fields(self) -> None:
        found = facts.facts(LEAF.certificate)
        assert found.subject_name == "host.example.test"
        assert found.raw_subject == "CN=host.example.test,O=Example"
        assert found.issuer_name == "Middle"
        assert found.serial_no == LEAF.serial
        assert found.subject_alt_names == "host.example.test"
        assert found.key_id
        assert found.key_id.count(":") == 19
        assert found.issuer_key_id == facts.facts(MIDDLE.certificate).key_id
        assert found.server_auth_usage
        assert found.client_auth_usage
        assert "TLS client authentication" in found.text

    @pytest.mark.spec("SYS-230")
    def test_usage_decides_what_it_is_good_for(self) -> None:
        one = facts.facts(made("a.test", usages=[ExtendedKeyUsageOID.SERVER_AUTH]).certificate)
        assert (one.server_auth_usage, one.client_auth_usage) == (True, False)
        free = facts.facts(made("a.test", usages=()).certificate)
        assert (free.server_auth_usage, free.client_auth_usage) == (True, True)

    def test_hashes_are_those_of_openssl(self) -> None:
        odd = made("  Größe  und\tMaß  ", hosts=[])
        asked = ["openssl", "x509", "-noout", "-subject_hash", "-issuer_hash"]
        for one in (LEAF, odd):
            said = subprocess.run(asked, input=one.pem, capture_output=True, text=True, check=True).stdout.split()
            found = facts.facts(one.certificate)
            assert [found.subject_hash, found.issuer_hash] == said

    def test_without_a_common_name_the_organization(self) -> None:
        subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Only")])
        assert facts.short_name(subject) == "Only"

    def test_kinds(self) -> None:
        assert facts.is_authority(ROOT.certificate)
        assert facts.is_self_signed(ROOT.certificate)
        assert facts.is_authority(MIDDLE.certificate)
        assert not facts.is_self_signed(MIDDLE.certificate)
        assert not facts.is_authority(LEAF.certificate)
        assert facts.is_self_signed(made("alone").certificate)


class TestChains:
    @pytest.mark.spec("SYS-235")
    def test_intermediates_complete_the_chain_and_are_presented_without_the_root(self) -> None:
        found = chains.chain(LEAF.certificate, chains.trust([(ROOT.certificate, False), (MIDDLE.certificate, False)]))
        assert found.complete
        assert found.certificates == (LEAF.certificate, MIDDLE.certificate, ROOT.certificate)
        assert found.presented == (LEAF.certificate, MIDDLE.certificate)

    def test_a_missing_link_leaves_it_incomplete(self) -> None:
        assert not chains.chain(LEAF.certificate, chains.trust([(ROOT.certificate, False)])).complete
        found = chains.chain(LEAF.certificate, chains.trust([(MIDDLE.certificate, False)]))
        assert not found.complete
        assert found.presented == (LEAF.certificate, MIDDLE.certificate)

    def test_a_trusted_intermediate_is_an_end(self) -> None:
        assert chains.chain(LEAF.certificate, chains.trust([(MIDDLE.certificate, True)])).complete

    def test_what_came_with_the_certificate_links_but_is_not_trusted(self) -> None:
        trust = chains.trust([], also=[MIDDLE.certificate, ROOT.certificate])
        assert not chains.chain(LEAF.certificate, trust).complete
        trust = chains.trust([(ROOT.certificate, False)], also=[MIDDLE.certificate])
        assert chains.chain(LEAF.certificate, trust).complete

    def test_the_name_alone_makes_nobody_an_issuer(self) -> None:
        false = made("Middle", authority=True, by=ROOT)
        assert not chains.chain(
            LEAF.certificate, chains.trust([(ROOT.certificate, False), (false.certificate, False)])
        ).complete

    def test_of_several_ways_the_complete_one(self) -> None:
        """The same authority, vouched for by a root that is trusted and by one that nobody knows."""
        other = made("Other root", authority=True, days=9999)
        cross = made("Middle", authority=True, by=other, key=MIDDLE.key, days=9999)
        known = [(one.certificate, False) for one in (cross, MIDDLE, ROOT)]
        found = chains.chain(LEAF.certificate, chains.trust(known))
        assert found.complete
        assert found.certificates[-1] == ROOT.certificate

    def test_circles_end(self) -> None:
        keys = [new_key() for _ in range(4)]
        tops = [made(f"CA {i}", authority=True, key=keys[i]) for i in range(4)]
        circle = [
            made(f"CA {i}", authority=True, key=keys[i], by=tops[j]) for i in range(4) for j in range(4) if i != j
        ]
        leaf = made("leaf", by=tops[0])
        assert not chains.chain(leaf.certificate, chains.trust([(one.certificate, False) for one in circle])).complete

    @pytest.mark.spec("SYS-233")
    def test_built_in_authorities_are_trusted(self) -> None:
        pool = chains.built_in()
        assert sum(pool.trusts(one) for group in pool._by_subject.values() for one in group) > 100
        assert not pool.trusts(ROOT.certificate)

    def test_soon(self) -> None:
        assert chains.expires_soon(made("a", days=29).certificate, NOW)
        assert not chains.expires_soon(made("a", days=31).certificate, NOW)


class TestNames:
    @pytest.mark.parametrize(
        ("hosts", "host", "covered"),
        [
            (["a.test"], "a.test", True),
            (["a.test"], "A.TEST.", True),
            (["a.test"], "b.test", False),
            (["*.a.test"], "x.a.test", True),
            (["*.a.test"], "x.y.a.test", False),
            (["*.a.test"], "a.test", False),
            (["192.0.2.1"], "192.0.2.1", True),
            (["2001:db8::1"], "2001:DB8:0::1", True),
            (["other.test"], "common.test", False),
            ([], "common.test", True),
        ],
    )
    def test_covers(self, hosts: list[str], host: str, covered: bool) -> None:
        assert names.covers(made("common.test", hosts=hosts).certificate, host) is covered

    def test_wildcards_are_noticed(self) -> None:
        assert names.has_wildcard(made("*.a.test").certificate)
        assert not names.has_wildcard(made("a.test").certificate)


class TestRequests:
    @pytest.mark.spec("SYS-240", "SYS-243", "SYS-244")
    def test_what_a_request_says(self) -> None:
        key = requests.new_key("ECDSAP256")
        subject = requests.distinguished_name("O=Example,C=NO,CN=ignored", "a.test")
        text = requests.make(subject, ["a.test", "b.test", "192.0.2.7", "a.test"], key, template=True)
        request = requests.read(text)
        assert request.is_signature_valid
        assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "a.test"
        assert request.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value == "NO"
        hosts = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert hosts.get_values_for_type(x509.DNSName) == ["a.test", "b.test"]
        assert [str(one) for one in hosts.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
        usage = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
        said = subprocess.run(
            ["openssl", "req", "-noout", "-text"], input=text, capture_output=True, text=True, check=True
        ).stdout
        assert "1.3.6.1.4.1.311.20.2" in said
        assert ".W.e.b.S.e.r.v.e.r" in said

    def test_keys_of_each_kind(self) -> None:
        key = requests.new_key("RSA2048")
        assert isinstance(key, rsa.RSAPrivateKey)
        assert key.key_size == 2048

    @pytest.mark.spec("SYS-242")
    def test_composed_names(self) -> None:
        said = requests.compose("a.test", organization="Ex, Inc.", department="", city="Oslo", state="", country="no")
        parsed = requests.distinguished_name(said, "a.test")
        assert parsed.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "Ex, Inc."
        assert parsed.get_attributes_for_oid(NameOID.COUNTRY_NAME)[0].value == "NO"
        assert not parsed.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        for country in ("NOR", "N", "1!"):
            with pytest.raises(CertificateProblem, match="two letters"):
                requests.compose("a.test", country=country)
        with pytest.raises(CertificateProblem, match="too long"):
            requests.compose("a.test", organization="x" * 65)

    @pytest.mark.parametrize(("dn", "name"), [("nonsense", "a"), ("C=Norway", "a"), ("", "x" * 65)])
    def test_bad_names(self, dn: str, name: str) -> None:
        with pytest.raises(CertificateProblem):
            requests.distinguished_name(dn, name)

    @pytest.mark.parametrize("text", ["a b!", "-a.test", "http://a.test", "a..b", "é.test"])
    def test_bad_alternative_names(self, text: str) -> None:
        with pytest.raises(CertificateProblem):
            requests.alternative_names(text)

    def test_alternative_names_are_separated_by_commas(self) -> None:
        assert requests.alternative_names(" a.test, b.test,,a.test,*.c.test ,::1 ") == [
            "a.test",
            "b.test",
            "*.c.test",
            "::1",
        ]


def test_the_unencrypted_form_is_what_is_kept() -> None:
    assert "ENCRYPTED" not in pem.key_text(pem.key(key_pem(LEAF.key, "x"), "x"))
    assert serialization.load_pem_private_key(pem.key_text(LEAF.key).encode(), None)
