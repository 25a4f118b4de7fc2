"""Why a sign-on fails."""

from __future__ import annotations


class SignOnFailed(Exception):
    """The provider did not vouch for the user, or what came from it cannot be trusted. The text is for the log."""


class ProviderUnreachable(Exception):
    """The provider does not answer. The text is for the log."""
