"""Tables of administrator access."""

from rostra.management.accounts.models.account import Account
from rostra.management.accounts.models.attempt import LoginAttempt
from rostra.management.accounts.models.authentication import AuthenticationSettings
from rostra.management.accounts.models.mapping import LdapRole, LdapRoleRole, RoleMapping
from rostra.management.accounts.models.oauth import AccessToken, ClientKey, OAuth2Client, UsedAssertion
from rostra.management.accounts.models.role import Permission, Role

__all__ = [
    "AccessToken",
    "Account",
    "AuthenticationSettings",
    "ClientKey",
    "LdapRole",
    "LdapRoleRole",
    "LoginAttempt",
    "OAuth2Client",
    "Permission",
    "Role",
    "RoleMapping",
    "UsedAssertion",
]
