"""A policy profile as a node uses it: which questions go to a server, which scripts run (section 1 of the sheet)."""

from __future__ import annotations

import msgspec


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of the management API's `policy_server`, with the password opened."""

    id: int = 0
    name: str = ""
    url: str = ""
    username: str = ""
    password: str = ""
    locked: bool = False
    """The password cannot be opened: the server is not asked, which counts as if it did not answer."""
    enable_service_lookup: bool = False
    enable_participant_lookup: bool = False
    enable_media_location_lookup: bool = False
    enable_avatar_lookup: bool = False
    prefer_local_avatar_configuration: bool = False
    enable_directory_lookup: bool = False
    enable_registration_lookup: bool = False
    enable_internal_service_policy: bool = False
    internal_service_policy_template: str = ""
    enable_internal_participant_policy: bool = False
    internal_participant_policy_template: str = ""
    enable_internal_media_location_policy: bool = False
    internal_media_location_policy_template: str = ""

    def __repr__(self) -> str:
        return f"Profile({self.name!r})"

    @property
    def service_script(self) -> str:
        return self.internal_service_policy_template if self.enable_internal_service_policy else ""

    @property
    def participant_script(self) -> str:
        return self.internal_participant_policy_template if self.enable_internal_participant_policy else ""

    @property
    def location_script(self) -> str:
        return self.internal_media_location_policy_template if self.enable_internal_media_location_policy else ""

    @property
    def decides_services(self) -> bool:
        return self.enable_service_lookup or bool(self.service_script)

    @property
    def decides_participants(self) -> bool:
        return self.enable_participant_lookup or bool(self.participant_script)

    @property
    def decides_locations(self) -> bool:
        return self.enable_media_location_lookup or bool(self.location_script)


NONE = Profile()
"""A location without one: default behaviour throughout (POL-001)."""
