"""What a template makes: services, device aliases and users, and which of its fields becomes which of theirs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.db import models

from rostra.configuration.models import Conference, Device, EndUser

ALIASES = "aliases"
"""Stands for the aliases of a service among its fields."""
ALIAS_PATTERNS = tuple((f"alias_{number}", f"alias_{number}_description") for number in range(1, 9))


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of object."""

    counted: str
    """Its word in the counters: `vmrs`, `devices`, `end_users`."""
    title: str
    """Its word in log lines."""
    model: type[models.Model]
    switch: str
    """Field of the template that says whether these are made."""
    key: str
    """Field by which an object is found again."""
    folded: bool
    """Keys that differ in case only are the same."""
    patterns: Mapping[str, str]
    """Fields that are rendered, and the template's field with the pattern."""
    copied: Mapping[str, str]
    """Fields that are those of the template."""
    overridable: Mapping[str, str]
    """Fields that can be left alone once written, and the template's switch for that (SVC-185)."""
    unset: frozenset[str] = frozenset()
    """Rendered fields for which the text of an absent value, `None`, is nothing."""
    clash: tuple[str, str, str] = ("", "", "")
    """Warnings: the object was made by hand; by another template; is made more than once."""
    invalid: str = ""
    """Warning: it cannot be like that."""

    def fold(self, key: str) -> str:
        return key.lower() if self.folded else key

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.patterns, *self.copied)

    def kept(self, template: Any) -> frozenset[str]:
        """Fields that this template leaves alone in what it made."""
        return frozenset(name for name, switch in self.overridable.items() if getattr(template, switch))


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _each(switch: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, switch)


_OWNER = "primary_owner_email_address"
_OWN_SWITCHES = (
    *("tag", "call_type", "crypto_mode", "enable_chat", "guests_can_present", "direct_media"),
    *("direct_media_notification_duration", "max_pixels_per_second", "participant_limit", "non_idp_participants"),
    _OWNER,
)
_REGISTRATION = (
    *("enable_sip", "enable_h323", "enable_infinity_connect_non_sso"),
    *("enable_infinity_connect_sso", "enable_standard_sso"),
)
_IDENTITY = ("host_identity_provider_group_id", "guest_identity_provider_group_id")
_SIGN_ON = "sso_identity_provider_group_id"

VMR = Kind(
    counted="vmrs",
    title="VMR",
    model=Conference,
    switch="sync_conferences",
    key="name",
    folded=False,
    patterns={
        "name": "conference_name",
        "description": "conference_description",
        **_same("pin", "guest_pin", "tag", _OWNER),
    },
    copied=_same(
        *("service_type", "allow_guests", "host_view", "enable_overlay_text", "enable_active_speaker_indication"),
        *("ivr_theme_id", "call_type", "crypto_mode", "enable_chat", "guests_can_present", "direct_media"),
        *("direct_media_notification_duration", "max_callrate_in", "max_callrate_out", "max_pixels_per_second"),
        *("participant_limit", "non_idp_participants", *_IDENTITY),
    ),
    overridable={
        **_each("conference_description_overridable", "description"),
        **_each("pin_settings_overridable", "pin", "guest_pin"),
        **_each("host_view_overridable", "host_view", "enable_overlay_text", "enable_active_speaker_indication"),
        **_each("ivr_theme_overridable", "ivr_theme_id"),
        **_each("callrates_overridable", "max_callrate_in", "max_callrate_out"),
        **_each("aliases_overridable", ALIASES),
        **_each("idp_settings_overridable", *_IDENTITY),
        **{name: f"{name}_overridable" for name in _OWN_SWITCHES},
    },
    unset=frozenset({_OWNER}),
    clash=(
        "Conference clash: overwriting manually created conference",
        "Sync template clash: overwriting conference created by another template",
        "Sync template clash: attempt to create same conference multiple times",
    ),
    invalid="Validation error when creating conference",
)
DEVICE = Kind(
    counted="devices",
    title="Device",
    model=Device,
    switch="sync_devices",
    key="alias",
    folded=True,
    patterns={
        **{name: f"device_{name}" for name in ("alias", "description", "tag", "username", "password")},
        _OWNER: _OWNER,
    },
    copied={name: f"device_{name}" for name in (*_REGISTRATION, _SIGN_ON)},
    overridable={
        **{name: f"device_{name}_overridable" for name in ("description", "tag", "username", "password")},
        **_each("device_registration_types_overridable", *_REGISTRATION, _SIGN_ON),
        _OWNER: f"{_OWNER}_overridable",
    },
    unset=frozenset({"alias", "username", _OWNER}),
    clash=(
        "Device clash: overwriting manually created device",
        "Sync template clash: overwriting device created by another template",
        "Sync template clash: attempt to create same device multiple times",
    ),
    invalid="Validation error when creating device",
)
_USER_FIELDS = (
    *("first_name", "last_name", "display_name", "description", "telephone_number", "mobile_number"),
    *("title", "department", "avatar_url", "ms_exchange_guid", "uuid"),
)
USER = Kind(
    counted="end_users",
    title="User",
    model=EndUser,
    switch="sync_end_users",
    key="primary_email_address",
    folded=True,
    patterns={"primary_email_address": _OWNER, **{name: f"end_user_{name}" for name in _USER_FIELDS}},
    copied={},
    overridable={
        **_each("end_user_names_overridable", "first_name", "last_name", "display_name"),
        **_each("end_user_description_overridable", "description"),
        **_each("end_user_contacts_overridable", "telephone_number", "mobile_number"),
        **_each("end_user_other_personal_overridable", "title", "department", "avatar_url"),
        **_each("end_user_advanced_overridable", "ms_exchange_guid", "uuid"),
    },
    unset=frozenset({"primary_email_address", *_USER_FIELDS}),
    clash=(
        "User clash: overwriting manually created user",
        "Sync template clash: overwriting user created by another template",
        "Sync template clash: attempt to create same user multiple times",
    ),
    invalid="Validation error when creating user",
)
KINDS = (VMR, DEVICE, USER)
