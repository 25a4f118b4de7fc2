"""Identity providers as configured, for the sign-on desk."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from rostra.clientapi.signon.desk import SignOnDesk
from rostra.clientapi.signon.fetching import Fetcher
from rostra.clientapi.signon.problems import SignOnFailed
from rostra.configuration import sealing
from rostra.configuration.certificates import trusting
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import ProviderRow
from rostra.domain.signon import Provider

_TABLE = "configuration_identityprovider"


def desk(lookup: Lookup, ready: Callable[[], bool]) -> SignOnDesk:
    """The desk of this node."""

    def find(uuid: str) -> Provider | None:
        row = lookup.identity_provider(uuid)
        return None if row is None else provider_of(row, lookup)

    return SignOnDesk(find, _key, Fetcher(lambda: trust(lookup)), ready)


def provider_of(row: ProviderRow, lookup: Lookup) -> Provider:
    """A provider with its secrets open."""
    code = row.oidc_flow == "code"
    level = row.oidc_france_connect_required_eidas_level
    return Provider(
        uuid=row.uuid,
        name=row.name,
        kind="oidc" if row.idp_type == "oidc" else "saml",
        sso_url=row.sso_url,
        issuer=row.idp_entity_id,
        redirects=row.redirects,
        hosts=lookup.node_names() if row.worker_fqdn_acs_urls else (),
        popup=not row.disable_popup_flow,
        certificates=row.idp_public_key,
        entity_id=row.service_entity_id,
        private_key=_open("service_private_key", row.service_private_key),
        signature_algorithm=row.signature_algorithm,
        name_attribute=row.display_name_attribute_name,
        flow="code" if code else "implicit",
        client_id=row.oidc_client_id,
        client_secret=_open("oidc_client_secret", row.oidc_client_secret),
        token_url=row.oidc_token_url,
        user_info_url=row.oidc_user_info_url,
        keys_url=row.oidc_jwks_url,
        basic=row.oidc_token_endpoint_auth_scheme == "client_secret_basic",  # noqa: S105 - no secret
        id_signature="HS256" if row.oidc_token_signature_scheme == "hs256" else "RS256",  # noqa: S105 - no secret
        name_claim=row.oidc_display_name_claim_name,
        scopes=row.oidc_additional_scopes,
        eidas="" if level == "disabled" else level,
        attributes=lookup.identity_attributes(row.id),
    )


def trust(lookup: Lookup) -> ssl.SSLContext:
    """Providers and policy servers are believed as peers of SIP are."""
    return trusting.client_context(lookup.authorities())


def _key() -> bytes:
    try:
        return sealing.platform_key()
    except sealing.Locked as problem:
        raise SignOnFailed(str(problem)) from None


def _open(column: str, sealed: str) -> str:
    """A secret; one that does not open is none, and the provider will say so."""
    try:
        return sealing.unseal(f"{_TABLE}.{column}", sealed)
    except sealing.Locked:
        return ""
