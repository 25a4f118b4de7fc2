"""Resources that are the Management Node's alone: nodes do not have them."""

from __future__ import annotations

from rostra.configuration import orm
from rostra.configuration.resources import Resource, register
from rostra.management.accounts.models import (
    AuthenticationSettings,
    LdapRole,
    OAuth2Client,
    Permission,
    Role,
    RoleMapping,
)
from rostra.management.accounts.models.authentication import OpenIdSettings
from rostra.management.accounts.permissions import ADMINISTRATORS
from rostra.management.licences import declared as licences

__all__ = ["licences"]

_USERS = "Users & Devices"

register.add(
    Resource(
        model=AuthenticationSettings,
        name="authentication",
        section=_USERS,
        area=ADMINISTRATORS,
        icon="lock_person",
        summary="How administrators are recognised.",
        singleton=True,
        replicated=False,
        groups=(
            ("Authentication", ("source", "client_certificate")),
            (
                "LDAP server",
                (
                    "ldap_server",
                    "ldap_permit_no_tls",
                    "ldap_bind_username",
                    "ldap_bind_password",
                    "ldap_base_dn",
                    "ldap_use_global_catalog",
                ),
            ),
            ("LDAP users", ("ldap_user_search_dn", "ldap_user_filter", "ldap_user_search_filter")),
            (
                "LDAP groups",
                (
                    "ldap_user_group_attributes",
                    "ldap_group_search_dn",
                    "ldap_group_filter",
                    "ldap_group_membership_filter",
                ),
            ),
            ("API", ("api_oauth2_disable_basic", "api_oauth2_allow_all_perms", "api_oauth2_expiration")),
            ("OpenID Connect", tuple(field.name for field in orm.meta(OpenIdSettings).local_fields)),
        ),
    )
)
register.add(
    Resource(
        model=Permission,
        name="permission",
        csv=(),
        section=_USERS,
        area=ADMINISTRATORS,
        icon="key",
        summary="What roles can allow.",
        list_methods=("get",),
        detail_methods=("get",),
        replicated=False,
        page=False,
        columns=("name", "codename"),
        search=("name", "codename"),
    )
)
register.add(
    Resource(
        model=Role,
        name="role",
        csv=(),
        section=_USERS,
        area=ADMINISTRATORS,
        icon="badge",
        summary="Sets of permissions for administrators.",
        embedded=("permissions",),
        replicated=False,
        columns=("name", "permissions"),
        search=("name",),
    )
)
register.add(
    Resource(
        model=RoleMapping,
        name="role_mapping",
        csv=(),
        section=_USERS,
        area=ADMINISTRATORS,
        icon="group_add",
        summary="Roles that the members of a group have; LDAP roles under their later name.",
        replicated=False,
        columns=("name", "value", "roles"),
        search=("name", "value"),
    )
)
register.add(
    Resource(
        model=LdapRole,
        name="ldap_role",
        csv=(),
        section=_USERS,
        area=ADMINISTRATORS,
        icon="group_add",
        summary="Roles that the members of an LDAP group have.",
        replicated=False,
        page=False,
        columns=("name", "ldap_group_dn", "roles"),
        search=("name", "ldap_group_dn"),
    )
)
register.add(
    Resource(
        model=OAuth2Client,
        name="oauth2_client",
        section=_USERS,
        area=ADMINISTRATORS,
        icon="smart_toy",
        summary="Programs that use the API with tokens.",
        key="client_id",
        shown_once=("private_key_jwt",),
        replicated=False,
        columns=("client_name", "client_id", "role"),
        search=("client_name", "client_id"),
        csv=(),
    )
)
