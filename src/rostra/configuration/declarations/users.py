"""Users & Devices: who may register, who is known, and where both come from."""

from __future__ import annotations

from django.db.models import Model

from rostra.configuration import orm
from rostra.configuration.models import (
    ConferenceSyncTemplate,
    Device,
    EndUser,
    LdapSyncField,
    LdapSyncSource,
    Registration,
    UserGroup,
    UserGroupEntityMapping,
)
from rostra.configuration.models.provisioning import (
    AdvancedSettings,
    DeviceSettings,
    EmailSettings,
    UserSettings,
    VMRSettings,
)
from rostra.configuration.resources import Resource, register


def _fields(part: type[Model]) -> tuple[str, ...]:
    """Names of the fields of a part of a model."""
    return tuple(field.name for field in orm.meta(part).local_fields)


register.add(
    Resource(
        model=Device,
        name="device",
        section="Users & Devices",
        icon="videocam",
        summary="Aliases that devices may register with.",
        columns=("alias", "username", "description", "tag", "sync_tag", "creation_time"),
        search=("alias", "username", "description", "tag", "primary_owner_email_address"),
        groups=(
            ("Credentials", ("username", "password")),
            (
                "Kinds of registration",
                (
                    "enable_sip",
                    "enable_h323",
                    "enable_infinity_connect_non_sso",
                    "enable_infinity_connect_sso",
                    "enable_standard_sso",
                ),
            ),
        ),
        csv=("alias", "tag", "description", "username", "password", "primary_owner_email_address"),
        csv_key="alias",
    )
)
register.add(
    Resource(
        model=Registration,
        name="registration",
        section="Users & Devices",
        icon="how_to_reg",
        summary="Whether devices may register, and for how long.",
        singleton=True,
        detail_methods=("get", "put", "patch"),
        groups=(
            (
                "Refresh intervals",
                (
                    "refresh_strategy",
                    "adaptive_min_refresh",
                    "adaptive_max_refresh",
                    "maximum_min_refresh",
                    "maximum_max_refresh",
                    "natted_min_refresh",
                    "natted_max_refresh",
                ),
            ),
        ),
    )
)
register.add(
    Resource(
        model=EndUser,
        name="end_user",
        section="Users & Devices",
        icon="person",
        summary="People known to the platform.",
        columns=("primary_email_address", "display_name", "department", "sync_tag"),
        search=("primary_email_address", "display_name", "first_name", "last_name"),
        groups=(
            ("Name", ("display_name", "first_name", "last_name", "title", "department")),
            ("Contact", ("telephone_number", "mobile_number", "avatar_url")),
        ),
        csv_key="primary_email_address",
    )
)
register.add(
    Resource(
        model=UserGroup,
        name="user_group",
        section="Users & Devices",
        icon="group",
        summary="Users who are granted the same.",
        embedded=("user_group_entity_mappings",),
        reverse=("users",),
        columns=("name", "description"),
        search=("name", "description"),
    )
)
register.add(
    Resource(
        model=UserGroupEntityMapping,
        name="user_group_entity_mapping",
        section="Users & Devices",
        icon="rule",
        summary="What a user group is granted.",
        parent="user_group",
        columns=("entity_resource_uri", "user_group", "description"),
        search=("entity_resource_uri", "description"),
        csv_key="entity_resource_uri",
    )
)
register.add(
    Resource(
        model=LdapSyncSource,
        name="ldap_sync_source",
        section="Utilities",
        area="users",
        writes=("service",),  # templates make meeting rooms of what the directory says
        icon="folder_shared",
        summary="Directories that objects are made from.",
        columns=("name", "ldap_server", "ldap_base_dn", "description"),
        search=("name", "ldap_server", "description"),
    )
)
register.add(
    Resource(
        model=LdapSyncField,
        name="ldap_sync_field",
        section="Utilities",
        area="users",
        writes=("service",),  # templates make meeting rooms of what the directory says
        icon="data_object",
        summary="Attributes of a directory's records that patterns can use.",
        columns=("name", "template_variable_name", "is_binary", "description"),
        search=("name", "template_variable_name", "description"),
        csv_key="template_variable_name",
    )
)
register.add(
    Resource(
        model=ConferenceSyncTemplate,
        name="conference_sync_template",
        section="Utilities",
        area="users",
        writes=("service",),  # templates make meeting rooms of what the directory says
        icon="sync",
        summary="What is made of the records of a directory: meeting rooms, device aliases, users.",
        columns=("name", "ldap_sync_source", "sync_conferences", "sync_devices", "enable_automatic_sync"),
        search=("name", "description"),
        groups=(
            ("Directory", ("ldap_sync_source", "ldap_user_search_dn", "ldap_user_filter")),
            ("What is made", ("sync_conferences", "sync_devices", "sync_end_users", "enable_automatic_sync")),
            ("VMR settings", _fields(VMRSettings)),
            ("Device settings", _fields(DeviceSettings)),
            ("User settings", _fields(UserSettings)),
            ("Email options", _fields(EmailSettings)),
            ("Advanced options", _fields(AdvancedSettings)),
        ),
    )
)
