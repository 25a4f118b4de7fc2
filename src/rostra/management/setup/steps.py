"""The first steps in the site: which there are, what each asks, and what it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from rostra.configuration import validators
from rostra.configuration.models import Conference, ConferenceAlias, SystemLocation
from rostra.management.setup import applying
from rostra.management.setup.answers import Answers, Invalid, understand


def _text(label: Any, help_text: Any, *, required: bool = True, limit: int = 250) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=required, max_length=limit, widget=UnfoldAdminTextInputWidget()
    )


def _secret(label: Any) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, strip=False, widget=widget)


class PasswordForm(forms.Form):
    """A password of the administrator's own in place of the generated one."""

    password = _secret(gettext_lazy("New password"))
    again = _secret(gettext_lazy("New password again"))

    def clean_password(self) -> str:
        value = understand("password", self.cleaned_data["password"])
        validate_password(value)
        return value

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if "password" in found and found["password"] != found.get("again"):
            raise ValidationError({"again": gettext("The two passwords are not the same.")})
        return found


class NetworkForm(forms.Form):
    """Name servers and clocks."""

    dns_servers = _text(gettext_lazy("DNS servers"), gettext_lazy("IP addresses, with spaces between."))
    ntp_servers = _text(
        gettext_lazy("NTP servers"), gettext_lazy("Names or addresses, with spaces between; three or more are best.")
    )

    def clean(self) -> dict[str, Any]:
        for name in ("dns_servers", "ntp_servers"):
            if name in self.cleaned_data:
                try:
                    self.cleaned_data[name] = understand(name, self.cleaned_data[name])
                except ValueError as problem:
                    self.add_error(name, str(problem))
        return self.cleaned_data


class LocationForm(forms.Form):
    """What the first location is called."""

    name = _text(gettext_lazy("Name of the location"), gettext_lazy("Where these machines are, for example the city."))

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        first = SystemLocation.objects.order_by("pk").first()
        if SystemLocation.objects.filter(name=name).exclude(pk=first.pk if first else None).exists():
            raise ValidationError(gettext("Another location has this name."))
        return name


class DomainForm(forms.Form):
    """Under which name the site is reached."""

    hostname = _text(
        gettext_lazy("Hostname"), gettext_lazy("First part of the name of this Management Node."), limit=63
    )
    domain = _text(gettext_lazy("Domain"), gettext_lazy("The rest of it."), limit=192)

    def clean_hostname(self) -> str:
        validators.hostname(self.cleaned_data["hostname"])
        return self.cleaned_data["hostname"]

    def clean_domain(self) -> str:
        validators.domain(self.cleaned_data["domain"])
        return self.cleaned_data["domain"]


class RoomForm(forms.Form):
    """The first Virtual Meeting Room."""

    name = _text(gettext_lazy("Name"), gettext_lazy("What people see when they join."))
    alias = _text(gettext_lazy("Alias"), gettext_lazy("What they dial, for example meet.alice or alice@example.com."))

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if "name" in found and "alias" in found:
            room = Conference(name=found["name"], service_type="conference")
            _adopt(self, room, {"name": "name"})
            _adopt(
                self, ConferenceAlias(alias=found["alias"], conference=room), {"alias": "alias"}, leave=["conference"]
            )
        return found


def _adopt(form: forms.Form, row: Any, names: dict[str, str], leave: list[str] | None = None) -> None:
    """Have the model judge."""
    try:
        row.full_clean(exclude=leave)
    except ValidationError as problem:
        for name, texts in problem.message_dict.items():
            form.add_error(names.get(name), texts)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One page of the first steps."""

    name: str
    title: Any
    text: Any
    form: type[forms.Form]
    initial: Callable[[], dict[str, Any]]
    carry_out: Callable[[HttpRequest, dict[str, Any]], None]
    """Raises Invalid."""


def _environment() -> Any:
    from django.conf import settings

    return settings.ROSTRA


def _set_password(request: HttpRequest, values: dict[str, Any]) -> None:
    account: Any = get_user_model().objects.get(pk=request.user.pk)
    account.set_password(values["password"])
    account.save()
    update_session_auth_hash(request, account)


def _apply(**answers: Any) -> None:
    applying.apply(_environment(), Answers(**answers), first=False, last=False)


def _servers() -> dict[str, Any]:
    now = applying.present(_environment())
    return {name: " ".join(now[name]) for name in ("dns_servers", "ntp_servers")}


def _location() -> dict[str, Any]:
    first = SystemLocation.objects.order_by("pk").first()
    return {"name": first.name if first else ""}


def _name_location(_request: HttpRequest, values: dict[str, Any]) -> None:
    first = SystemLocation.objects.order_by("pk").first() or SystemLocation()
    first.name = values["name"]
    first.save()


def _add_room(_request: HttpRequest, values: dict[str, Any]) -> None:
    with transaction.atomic():
        room = Conference.objects.create(name=values["name"], service_type="conference")
        ConferenceAlias.objects.create(alias=values["alias"], conference=room)


STEPS = (
    Step(
        "password",
        gettext_lazy("Password"),
        gettext_lazy("You signed in with the password of the first start. Choose one of your own."),
        PasswordForm,
        dict,
        _set_password,
    ),
    Step(
        "name",
        gettext_lazy("Name"),
        gettext_lazy("What this Management Node is called in your network."),
        DomainForm,
        lambda: {name: applying.present(_environment())[name] for name in ("hostname", "domain")},
        lambda _, values: _apply(**values),
    ),
    Step(
        "network",
        gettext_lazy("DNS and NTP"),
        gettext_lazy("Every machine of a platform has to find names, and to have the right time."),
        NetworkForm,
        _servers,
        lambda _, values: _apply(**values),
    ),
    Step(
        "location",
        gettext_lazy("Location"),
        gettext_lazy("Nodes belong to locations, which say how calls are routed between them. There is one already."),
        LocationForm,
        _location,
        _name_location,
    ),
    Step(
        "room",
        gettext_lazy("First room"),
        gettext_lazy("A Virtual Meeting Room that people can call at once."),
        RoomForm,
        dict,
        _add_room,
    ),
)

__all__ = ["STEPS", "Invalid", "Step"]
