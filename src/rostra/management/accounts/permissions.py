"""What administrators can be allowed to do, and which of it a request takes (SYS-072...SYS-079). Pure.

One permission to view and one to modify per area of the configuration, and some for what is not configuration.
Code asks in Django's words (`configuration.change_conference`); `needed` translates.
"""

from __future__ import annotations

from collections.abc import Set

from django.apps import apps

from rostra.configuration.resources import Resource, area_of, register

IS_ADMIN = "is_admin"
USE_WEB = "use_web"
USE_API = "use_api"
VIEW_STATUS = "view_status"
CONTROL = "control_conferences"
VIEW_LOGS = "view_logs"
ADMINISTRATORS = "administrators"
"""Area of accounts and roles. Apart from that of users: who may modify it can give himself everything."""

AREAS = {
    "service": "service configuration",
    "call_control": "call control",
    "users": "users and devices",
    "platform": "platform configuration",
    "system": "system configuration",
    "utilities": "utilities",
    ADMINISTRATORS: "administrator access",
}
"""Areas of permissions and what they are called."""

PERMISSIONS: dict[str, str] = {
    IS_ADMIN: "Is an administrator",
    USE_WEB: "May use web interface",
    USE_API: "May use API",
    **{f"view_{area}": f"May view {name}" for area, name in AREAS.items()},
    **{f"modify_{area}": f"May modify {name}" for area, name in AREAS.items()},
    VIEW_STATUS: "May view status and history",
    CONTROL: "May control conferences",
    VIEW_LOGS: "May view logs",
}
"""Every permission: machine name and name."""

READ_ONLY = frozenset(name for name in PERMISSIONS if not name.startswith("modify_") and name != CONTROL)
"""What the shipped role Read-only allows."""

_OTHER_AREAS = {"accounts.account": ADMINISTRATORS}
"""Models with pages that are no resources."""
_READ_ONLY_APPS = {"history": (VIEW_STATUS, "modify_utilities"), "admin": (VIEW_LOGS, "")}
"""Records of what happened, by app: what viewing and what deleting them takes."""


def needed(name: str) -> Set[str]:
    """The permissions of which one is enough for what Django calls `name`; empty: nobody but a full administrator.

    `name` may also be one of ours (`control_conferences`), for what has no model.
    """
    if name in PERMISSIONS:
        return {name}
    app, _, rest = name.partition(".")
    action, _, model = rest.partition("_")
    if app in _READ_ONLY_APPS:
        view, delete = _READ_ONLY_APPS[app]
        wanted = view if action == "view" else delete
        return {wanted} if wanted else set()
    area = _area(app, model)
    if not area:
        return set()
    # Whoever may change something sees it.
    return {f"view_{area}", f"modify_{area}"} if action == "view" else {f"modify_{area}"}


def needed_besides(name: str) -> Set[str]:
    """The permissions that what Django calls `name` takes on top, each of them: those for what it leads to."""
    app, _, rest = name.partition(".")
    action, _, model = rest.partition("_")
    resource = None if action == "view" else _resource(app, model)
    return {f"modify_{area}" for area in resource.writes} if resource is not None else set()


def _area(app: str, model: str) -> str:
    if f"{app}.{model}" in _OTHER_AREAS:
        return _OTHER_AREAS[f"{app}.{model}"]
    resource = _resource(app, model)
    return area_of(resource) if resource is not None else ""


def _resource(app: str, model: str) -> Resource | None:
    try:
        model_class = apps.get_model(app, model)
        return register.of(model_class._meta.concrete_model or model_class)  # noqa: SLF001 - Django's API
    except (LookupError, ValueError):
        return None


class Holder:
    """Somebody who has permissions, as Django wants to ask about them."""

    is_superuser: bool = False
    is_active: bool = True
    permissions: Set[str]
    """Codenames; empty for who is no administrator."""

    @property
    def is_staff(self) -> bool:
        """May he use the site?"""
        return self.is_active and USE_WEB in self.permissions

    @property
    def may_use_api(self) -> bool:
        return self.is_active and USE_API in self.permissions

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """May he do what Django calls `perm`?"""
        if not self.is_active:
            return False
        if self.is_superuser:  # type: ignore[attr-defined]
            return True
        return not self.permissions.isdisjoint(needed(perm)) and self.permissions >= needed_besides(perm)

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Menus show everything to everybody (SYS-077)."""
        return self.is_staff


def effective(codenames: Set[str]) -> frozenset[str]:
    """What a set of granted permissions amounts to: nothing without being an administrator (SYS-073)."""
    return frozenset(codenames) if IS_ADMIN in codenames else frozenset()
