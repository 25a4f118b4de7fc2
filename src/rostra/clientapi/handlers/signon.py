"""Single sign-on while joining: the list of providers, the way to one, the token that comes back (API-036)."""

from __future__ import annotations

from rostra.calls.switchboard import IdentityRequired
from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import RequestToken
from rostra.clientapi.envelope import ApiProblem
from rostra.clientapi.results import ProviderChallenge, ProviderNamed, ProviderOffered, RedirectChallenge
from rostra.clientapi.signon.desk import Misaddressed, page_address
from rostra.clientapi.signon.problems import SignOnFailed
from rostra.domain.signon import Identity

FAILED = "SSO Authentication Failed"
NO_PROVIDERS = "SSO enabled but no Identity Providers configured"
MISADDRESSED = "SSO Authentication Failed. SSO is not available from this domain"

NOT_GIVEN = "none"
"""Clients write this where they have nothing to say (API-029)."""


def given(value: str | None) -> str:
    """What a client says; empty: nothing."""
    return "" if value in (None, NOT_GIVEN) else value


def signed_on(asked: Asked, body: RequestToken) -> Identity | None:
    """Whom the token in the body stands for; it is used up. Raises ApiProblem 403."""
    token = given(body.sso_token)
    if not token:
        return None
    identity = asked.platform.desk.redeem(token, asked.values["alias"])
    if identity is None or given(body.chosen_idp) not in ("", identity.provider):
        raise ApiProblem(403, FAILED)
    return identity


def not_used(asked: Asked, body: RequestToken) -> None:
    """The request led to a question: the token may come once more."""
    asked.platform.desk.give_back(given(body.sso_token))


def challenge(asked: Asked, body: RequestToken, wanted: IdentityRequired) -> ApiProblem:
    """What the client has to do next."""
    desk, chosen = asked.platform.desk, given(body.chosen_idp)
    offered = [found for uuid in wanted.providers if (found := desk.find(uuid)) is not None]
    if not offered:
        return ApiProblem(403, NO_PROVIDERS)
    if given(body.sso_token):
        return ApiProblem(403, FAILED)  # it vouches for somebody, but not at a provider of this service
    if not chosen:
        listed = [
            ProviderOffered(name=one.name, uuid=one.uuid, disable_popup_flow=not one.popup) for one in offered
        ]  # fmt: skip
        return ApiProblem(403, ProviderChallenge(idp=listed))
    provider = next((one for one in offered if one.uuid == chosen), None)
    if provider is None:
        return ApiProblem(403, FAILED)
    try:
        url = desk.send(provider, asked.values["alias"], page_address(asked.request), given(body.sso_redirect_target))
    except Misaddressed:
        return ApiProblem(403, MISADDRESSED)
    except SignOnFailed:
        return ApiProblem(403, FAILED)
    named = ProviderNamed(name=provider.name, uuid=provider.uuid)
    return ApiProblem(
        403, RedirectChallenge(redirect_url=url, redirect_idp=named, disable_popup_flow=not provider.popup)
    )
