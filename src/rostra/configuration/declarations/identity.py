"""Who signs participants on."""

from __future__ import annotations

from rostra.configuration.models.identity import IdentityProvider, IdentityProviderAttribute, IdentityProviderGroup
from rostra.configuration.resources import Resource, register

register.add(
    Resource(
        model=IdentityProviderAttribute,
        name="identity_provider_attribute",
        section="Users & Devices",
        icon="label",
        summary="What identity providers say of users that policy is told.",
        columns=("name", "description"),
        search=("name", "description"),
    )
)
register.add(
    Resource(
        model=IdentityProvider,
        name="identity_provider",
        section="Users & Devices",
        icon="passkey",
        summary="Where participants sign on before they come in.",
        embedded=("attributes",),
        columns=("name", "idp_type", "description"),
        search=("name", "description", "idp_entity_id"),
        groups=(
            ("Sign-on", ("sso_url", "idp_entity_id", "idp_public_key", "disable_popup_flow")),
            (
                "SAML",
                (
                    "service_entity_id",
                    "service_public_key",
                    "service_private_key",
                    "signature_algorithm",
                    "digest_algorithm",
                    "display_name_attribute_name",
                    "registration_alias_attribute_name",
                ),
            ),
            (
                "OpenID Connect",
                (
                    "oidc_flow",
                    "oidc_client_id",
                    "oidc_client_secret",
                    "oidc_token_url",
                    "oidc_user_info_url",
                    "oidc_jwks_url",
                    "oidc_token_endpoint_auth_scheme",
                    "oidc_token_signature_scheme",
                    "oidc_display_name_claim_name",
                    "oidc_registration_alias_claim_name",
                    "oidc_additional_scopes",
                    "oidc_france_connect_required_eidas_level",
                ),
            ),
        ),
    )
)
register.add(
    Resource(
        model=IdentityProviderGroup,
        name="identity_provider_group",
        section="Users & Devices",
        icon="groups",
        summary="Identity providers that participants of a service can choose from.",
        columns=("name", "identity_provider", "description"),
        search=("name", "description"),
    )
)
