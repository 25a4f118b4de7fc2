"""SAML 2.0, started by us: the request by redirect, the response by POST (Web Browser SSO Profile). Pure.

Only what a signature covers is read: the verifier gives back the signed element, and nothing outside of it counts.
Requests without one of ours before them are refused, so a response can be used for the sign-on it was made for only.
"""

from __future__ import annotations

import base64
import datetime
import zlib
from collections.abc import Iterator
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType] - it has no stubs
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from rostra.clientapi.signon.oidc import LEEWAY, LONGEST
from rostra.clientapi.signon.problems import SignOnFailed
from rostra.clientapi.signon.state import Pending
from rostra.domain.signon import Identity, Provider

ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
_NAMES = {"a": ASSERTION, "p": PROTOCOL, "ds": SIGNATURE}
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": hashes.SHA1(),  # noqa: S303 - where a provider knows nothing newer
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": hashes.SHA256(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": hashes.SHA384(),
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": hashes.SHA512(),
}
_METHODS = frozenset(
    method for method in SignatureMethod if "SHA1" not in method.name and method.name.startswith(("RSA_", "ECDSA_"))
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
MOST = 512 * 1024
"""Bytes of a response."""


def request_url(provider: Provider, pending: Pending, state: str) -> str:
    """Where the user is sent: the request in the query (HTTP-Redirect binding), signed if we have a key."""
    issued = datetime.datetime.fromtimestamp(pending.begun, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    request = (
        f'<samlp:AuthnRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="{pending.request}" Version="2.0" '
        f'IssueInstant="{issued}" Destination={quoteattr(provider.sso_url)} ProtocolBinding="{_POST}" '
        f"AssertionConsumerServiceURL={quoteattr(pending.redirect)}>"
        f"<saml:Issuer>{escape(provider.entity_id)}</saml:Issuer>"
        '<samlp:NameIDPolicy AllowCreate="true"/></samlp:AuthnRequest>'
    )
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = packed.compress(request.encode()) + packed.flush()
    query = urlencode({"SAMLRequest": base64.b64encode(deflated).decode(), "RelayState": state}, quote_via=quote)
    if provider.private_key:
        query += "&" + urlencode({"SigAlg": provider.signature_algorithm}, quote_via=quote)
        query += "&" + urlencode({"Signature": _signature(provider, query.encode())}, quote_via=quote)
    return provider.sso_url + ("&" if "?" in provider.sso_url else "?") + query


def _signature(provider: Provider, query: bytes) -> str:
    """Of the query as it is sent (section 3.4.4.1 of the bindings)."""
    key = serialization.load_pem_private_key(provider.private_key.encode(), None)
    algorithm = _HASHES.get(provider.signature_algorithm)
    if not isinstance(key, rsa.RSAPrivateKey) or algorithm is None:
        raise SignOnFailed("requests are signed with RSA keys")
    return base64.b64encode(key.sign(query, padding.PKCS1v15(), algorithm)).decode()


def identity_in(provider: Provider, pending: Pending, encoded: str, now: float) -> tuple[Identity, str]:
    """Whom a response vouches for, and the ID of its assertion, which is good once. Raises SignOnFailed."""
    response = _parse(encoded)
    status = response.find("p:Status/p:StatusCode", _NAMES)
    code = "none" if status is None else status.get("Value", "none")
    if code != _SUCCESS:
        raise SignOnFailed(f"the provider refused: {code}")
    for name, wanted in (("Destination", pending.redirect), ("InResponseTo", pending.request)):
        if response.get(name, wanted) != wanted:
            raise SignOnFailed(f"the response is meant for something else ({name})")
    assertion = _signed_assertion(provider, response)
    _check(provider, pending, assertion, now)
    said = {**_attributes(assertion), "NameId": _text(assertion, "a:Subject/a:NameID")}
    identity = Identity(
        provider=provider.uuid, name=said.get(provider.name_attribute, "")[:LONGEST],
        attributes={name: said[name] for name in provider.attributes if name in said},
    )  # fmt: skip
    return identity, assertion.get("ID", "")


def _parse(encoded: str) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,  # else a name is read only up to a comment in it
    )  # fmt: skip
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
        if len(raw) > MOST:
            raise SignOnFailed("the response is too large")
        response = etree.fromstring(raw, parser)
    except (ValueError, etree.XMLSyntaxError) as problem:
        raise SignOnFailed(f"the response cannot be read: {problem}") from None
    if response.getroottree().docinfo.doctype or response.tag != f"{{{PROTOCOL}}}Response":
        raise SignOnFailed("this is no SAML response")
    return response


def _signed_assertion(provider: Provider, response: etree._Element) -> etree._Element:
    """The one assertion that the provider has signed, by itself or with all of the response."""
    assertions = response.findall("a:Assertion", _NAMES)
    if len(assertions) != 1:
        encrypted = response.find("a:EncryptedAssertion", _NAMES) is not None
        raise SignOnFailed("assertions must not be encrypted" if encrypted else "there is not one assertion")
    whole = response.find("ds:Signature", _NAMES) is not None
    signed = _verified(provider, response if whole else assertions[0])
    if not whole:
        return _as(signed, f"{{{ASSERTION}}}Assertion")
    inside = _as(signed, f"{{{PROTOCOL}}}Response").findall("a:Assertion", _NAMES)
    if len(inside) != 1:
        raise SignOnFailed("there is not one signed assertion")
    return inside[0]


def _as(signed: etree._Element, tag: str) -> etree._Element:
    if signed.tag != tag:
        raise SignOnFailed("something else was signed")
    return signed


def _verified(provider: Provider, element: etree._Element) -> etree._Element:
    """What the signature right inside `element` covers."""
    rules = SignatureConfiguration(
        require_x509=True, location="./", expect_references=1, signature_methods=_METHODS, digest_algorithms=_DIGESTS
    )
    alone = etree.tostring(element, with_tail=False)
    problem = "the provider has no certificate"
    for certificate in x509.load_pem_x509_certificates(provider.certificates.encode()):
        try:
            found = XMLVerifier().verify(alone, x509_cert=certificate, expect_config=rules, id_attribute="ID")
        except (SignXMLException, ValueError, TypeError, KeyError, etree.LxmlError) as refused:
            problem = str(refused) or type(refused).__name__
            continue
        result = found[0] if isinstance(found, list) else found
        if result.signed_xml is not None:
            return result.signed_xml
    raise SignOnFailed(f"the signature is refused: {problem}")


def _check(provider: Provider, pending: Pending, assertion: etree._Element, now: float) -> None:
    """Is it from the provider, for us, for this sign-on, and good now?"""
    if _text(assertion, "a:Issuer") != provider.issuer:
        raise SignOnFailed("the assertion is from somebody else")
    conditions = assertion.find("a:Conditions", _NAMES)
    if conditions is None or not _timely(conditions, now):
        raise SignOnFailed("the assertion is not valid now")
    restrictions = conditions.findall("a:AudienceRestriction", _NAMES)
    audiences = [{(one.text or "").strip() for one in each.findall("a:Audience", _NAMES)} for each in restrictions]
    if not audiences or any(provider.entity_id not in each for each in audiences):
        raise SignOnFailed("the assertion is meant for somebody else")
    if not any(_confirms(each, pending, now) for each in assertion.findall("a:Subject/a:SubjectConfirmation", _NAMES)):
        raise SignOnFailed("the assertion is not of this sign-on")
    if not assertion.get("ID"):
        raise SignOnFailed("the assertion has no ID")


def _confirms(confirmation: etree._Element, pending: Pending, now: float) -> bool:
    data = confirmation.find("a:SubjectConfirmationData", _NAMES)
    return (
        confirmation.get("Method") == _BEARER
        and data is not None
        and data.get("Recipient") == pending.redirect
        and data.get("InResponseTo") == pending.request
        and data.get("NotOnOrAfter") is not None
        and _timely(data, now)
    )


def _timely(element: etree._Element, now: float) -> bool:
    before, after = element.get("NotBefore"), element.get("NotOnOrAfter")
    return (before is None or now + LEEWAY >= _moment(before)) and (after is None or now - LEEWAY < _moment(after))


def _moment(text: str) -> float:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise SignOnFailed("a time cannot be read") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _attributes(assertion: etree._Element) -> dict[str, str]:
    """By their names, and their friendly ones."""
    found: dict[str, str] = {}
    for attribute in assertion.findall("a:AttributeStatement/a:Attribute", _NAMES):
        values = ",".join(_values(attribute))
        for name in (attribute.get("FriendlyName"), attribute.get("Name")):
            if name:
                found[name] = values
    return found


def _values(attribute: etree._Element) -> Iterator[str]:
    for value in attribute.findall("a:AttributeValue", _NAMES):
        yield (value.text or "").strip()


def _text(element: etree._Element, path: str) -> str:
    found = element.find(path, _NAMES)
    return "" if found is None else (found.text or "").strip()
