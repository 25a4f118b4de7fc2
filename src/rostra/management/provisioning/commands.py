"""The commands `conference/sync`, `conference/send_conference_email` and `conference/send_device_email`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from rostra.configuration import orm
from rostra.configuration.models import Conference, ConferenceSyncTemplate, Device
from rostra.management.audit.noting import note_person
from rostra.management.commands import Command, Failed, Parameter
from rostra.management.provisioning import mailing, running

CHANGE = "configuration.change_conferencesynctemplate"
_TEMPLATE = "conference_sync_template_id"
_CHOSEN = Parameter(_TEMPLATE, "integer", "Template whose texts are used; default: the object's own.", required=False)


def _number(text: str) -> int:
    key = text.rstrip("/").rpartition("/")[2]
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        raise ValidationError({_TEMPLATE: ["Give the number of a template."]})
    return int(key)


def _sync(values: Mapping[str, Any]) -> None:
    chosen = ConferenceSyncTemplate.objects.order_by("pk")
    if _TEMPLATE in values:
        chosen = chosen.filter(pk=_number(values[_TEMPLATE]))
        if not chosen.exists():
            raise ValidationError({_TEMPLATE: ["Failed to find LDAP sync template."]})
    running.begin(chosen)


def _remind(model: Any, parameter: str) -> Any:
    name = str(orm.meta(model).verbose_name)

    def run(values: Mapping[str, Any]) -> None:
        row = orm.rows(model).filter(pk=values[parameter]).first()
        if row is None:
            raise ValidationError({parameter: [f"Failed to find {name}."]})
        chosen = values.get(_TEMPLATE)
        if chosen is not None and not ConferenceSyncTemplate.objects.filter(pk=chosen).exists():
            raise ValidationError({_TEMPLATE: ["Failed to find LDAP sync template."]})
        note_person("Reminder email requested", details={"Object": row})
        report = mailing.remind([row], chosen)
        if report.problems:
            raise Failed(report.problems[0])

    return run


COMMANDS = (
    Command(
        scope="conference",
        name="sync",
        summary="Make, change and delete what LDAP sync templates say; the status conference_sync tells how it goes.",
        parameters=(
            Parameter(_TEMPLATE, "identifier", "Number of the template; default: all of them.", required=False),
        ),
        run=_sync,
        permission=CHANGE,
    ),
    Command(
        scope="conference",
        name="send_conference_email",
        summary="Send a reminder to the owner of a meeting room that a template made.",
        parameters=(Parameter("conference_id", "integer", "Number of the meeting room."), _CHOSEN),
        run=_remind(Conference, "conference_id"),
        permission="configuration.change_conference",
    ),
    Command(
        scope="conference",
        name="send_device_email",
        summary="Send a reminder to the owner of a device alias that a template made.",
        parameters=(Parameter("device_id", "integer", "Number of the device alias."), _CHOSEN),
        run=_remind(Device, "device_id"),
        permission="configuration.change_device",
    ),
)
