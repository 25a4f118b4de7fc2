"""Identity providers in the test: OpenID Connect behind an HTTP transport, SAML as a function; both can misbehave."""

from __future__ import annotations

import base64
import datetime
import hashlib
import time
import zlib
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLSigner

from rostra.domain.signon import Provider

APP = "https://meet.test:8443"
"""Where the web app is."""
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey = KEY) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def pem(key: rsa.RSAPrivateKey) -> str:
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


CERTIFICATE = certificate()
OTHER_CERTIFICATE = certificate(OTHER_KEY)

OIDC = Provider(
    uuid="oidc-1", name="Company", kind="oidc", sso_url="https://idp.test/authorize?tenant=1",
    issuer="https://idp.test", redirects=(f"{APP}/api/v1/oidcconsumer/oidc-1",), client_id="rostra",
    client_secret="a secret of thirty-two characters", token_url="https://idp.test/token",
    keys_url="https://idp.test/keys", user_info_url="https://idp.test/me", attributes=("department",),
)  # fmt: skip
SAML = Provider(
    uuid="saml-1", name="University", kind="saml", sso_url="https://saml.test/sso", issuer="https://saml.test",
    redirects=(f"{APP}/api/v1/samlconsumer/saml-1",), entity_id="https://meet.test/sp", certificates=CERTIFICATE,
    name_attribute="displayName", attributes=("mail",),
)  # fmt: skip


class Oidc:
    """A provider; set `claims` to what the next ID token says besides what it should."""

    def __init__(self, provider: Provider = OIDC) -> None:
        self.provider = provider
        self.claims: dict[str, Any] = {}
        self.user_info: dict[str, Any] = {"sub": "u1", "department": "Physics"}
        self.key = KEY
        self.kid = "k1"
        self.asked: list[str] = []
        self.failure: httpx.Response | Exception | None = None
        self._codes: dict[str, dict[str, list[str]]] = {}

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def authorize(self, url: str) -> dict[str, str]:
        """The user signs on; what the browser brings back."""
        asked = parse_qs(urlsplit(url).query)
        assert asked["client_id"] == [self.provider.client_id]
        assert asked["response_type"] == ["code" if self.provider.flow == "code" else "id_token"]
        assert "openid" in asked["scope"][0].split()
        if self.provider.flow == "implicit":
            return {"state": asked["state"][0], "id_token": self.id_token(asked["nonce"][0])}
        code = f"code{len(self._codes)}"
        self._codes[code] = asked
        return {"state": asked["state"][0], "code": code}

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        said = {
            "iss": self.provider.issuer, "aud": self.provider.client_id, "sub": "u1", "iat": now, "exp": now + 60,
            "nonce": nonce, "name": "Ada Lovelace", **self.claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        if self.provider.id_signature == "HS256":
            return jwt.encode(said, self.provider.client_secret, "HS256")
        return jwt.encode(said, self.key, "RS256", headers={"kid": self.kid})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        match request.url.path:
            case "/token":
                return self._tokens(request)
            case "/keys":
                key = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
                return httpx.Response(200, json={"keys": [{**key, "kid": "k1", "use": "sig"}, {"kty": "EC"}]})
            case "/me":
                assert request.headers["authorization"] == "Bearer access"
                return httpx.Response(200, json=self.user_info)
            case _:
                return httpx.Response(404)

    def _tokens(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        asked = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        proven = form.get("client_secret") == self.provider.client_secret
        if self.provider.basic:
            pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
            proven = pair.startswith(f"{self.provider.client_id}:a%20secret")
        if asked is None or not proven or challenge.rstrip("=") != asked["code_challenge"][0]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        assert form["redirect_uri"] == asked["redirect_uri"][0]
        return httpx.Response(200, json={"access_token": "access", "id_token": self.id_token(asked["nonce"][0])})


def saml_request(url: str) -> tuple[etree._Element, str]:
    """The request in a URL, and the relay state."""
    query = parse_qs(urlsplit(url).query)
    raw = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15)
    return etree.fromstring(raw), query["RelayState"][0]


def saml_answer(
    url: str, *, key: rsa.RSAPrivateKey = KEY, whole: bool = False, edit: Any = None, **said: str
) -> dict[str, str]:
    """The user signs on; what the browser brings back. `said` replaces parts, `edit` changes the signed document."""
    request, relay = saml_request(url)
    moment = datetime.datetime.now(datetime.UTC)
    parts = {
        "request": request.get("ID"), "recipient": request.get("AssertionConsumerServiceURL"),
        "audience": "https://meet.test/sp", "issuer": "https://saml.test", "id": "_a1",
        "until": (moment + datetime.timedelta(minutes=5)).isoformat(), "since": moment.isoformat(),
        "status": "urn:oasis:names:tc:SAML:2.0:status:Success", "name": "Grace Hopper",
        "destination": request.get("AssertionConsumerServiceURL"), **said,
    }  # fmt: skip
    p = {name: escape(str(value), {'"': "&quot;"}) for name, value in parts.items()}
    assertion = f"""<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{p["id"]}" Version="2.0"
  IssueInstant="{p["since"]}"><saml:Issuer>{p["issuer"]}</saml:Issuer>{PLACE}
  <saml:Subject><saml:NameID>grace@example.com</saml:NameID>
   <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData
     Recipient="{p["recipient"]}" InResponseTo="{p["request"]}" NotOnOrAfter="{p["until"]}"/></saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="{p["since"]}" NotOnOrAfter="{p["until"]}"><saml:AudienceRestriction>
    <saml:Audience>{p["audience"]}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
  <saml:AttributeStatement>
   <saml:Attribute Name="urn:oid:2.16" FriendlyName="displayName">
    <saml:AttributeValue>{p["name"]}</saml:AttributeValue></saml:Attribute>
   <saml:Attribute Name="mail"><saml:AttributeValue>g@example.com</saml:AttributeValue></saml:Attribute>
  </saml:AttributeStatement></saml:Assertion>"""
    if not whole:
        assertion = etree.tostring(_signed(assertion, key, p["id"])).decode()
    response = f"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" Version="2.0"
  InResponseTo="{p["request"]}" Destination="{p["destination"]}"><samlp:Status><samlp:StatusCode
  Value="{p["status"]}"/></samlp:Status>{PLACE if whole else ""}{assertion.replace(PLACE, "")}</samlp:Response>"""
    document = _signed(response, key, "_r1") if whole else etree.fromstring(response)
    raw = etree.tostring(document)
    if edit is not None:
        raw = edit(raw)
    return {"RelayState": relay, "SAMLResponse": base64.b64encode(raw).decode()}


PLACE = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="placeholder"/>'


def _signed(document: str, key: rsa.RSAPrivateKey, identity: str) -> etree._Element:
    """`document` signed where its placeholder is."""
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    signer = XMLSigner(signature_algorithm="rsa-sha256", digest_algorithm="sha256", c14n_algorithm=exclusive)
    cert = CERTIFICATE if key is KEY else OTHER_CERTIFICATE
    return signer.sign(
        etree.fromstring(document), key=pem(key), cert=cert, reference_uri=f"#{identity}", id_attribute="ID"
    )
