"""Provisioning mail: what is said to whom (pure; SVC-195…SVC-205)."""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import re
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from rostra.domain.patterns import Language, Pattern
from rostra.management.provisioning import mailtexts
from rostra.management.provisioning.rendering import ABSENT, LANGUAGE

CREATED, UPDATED, REMINDER = "created", "updated", "reminder"
_HTML = re.compile(r"(<!doctype\s+html[^>]*>\s*)?<html\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>@,;:\"\\]+@[^\s<>@,;:\"\\]+", re.ASCII)
VMR_VARIABLES = (
    *("action", "aliases", "allow_guests", "description", "guest_pin", "max_callrate_in", "max_callrate_out", "name"),
    *("numeric_alias", "participant_limit", "pin", "primary_owner_email_address", "tag", "uri_alias"),
)
DEVICE_VARIABLES = (
    *("action", "device_alias", "device_description", "device_password", "device_tag", "device_username"),
    "primary_owner_email_address",
)


def vmr_variables(conference: Any, aliases: list[str], action: str) -> dict[str, Any]:
    """What templates can say of a service; PINs that are not set are false in conditions."""
    own = {name: getattr(conference, name) for name in VMR_VARIABLES if hasattr(conference, name)}
    blank = {name: "" for name, value in own.items() if value is None}
    return {
        **own,
        **blank,
        "action": action,
        "aliases": ", ".join(aliases),
        "uri_alias": next((alias for alias in aliases if "@" in alias), ""),
        "numeric_alias": next((alias for alias in aliases if alias.isascii() and alias.isdecimal()), ""),
    }


def device_variables(device: Any, password: str, action: str) -> dict[str, Any]:
    """What templates can say of a device alias."""
    return {
        "action": action,
        "device_alias": device.alias,
        "device_description": device.description,
        "device_password": password,
        "device_tag": device.tag,
        "device_username": device.username,
        "primary_owner_email_address": device.primary_owner_email_address,
    }


@dataclasses.dataclass(frozen=True)
class Texts:
    """The two templates of a mail, compiled."""

    subject: Pattern
    body: Pattern

    @classmethod
    def of_vmr(cls, template: Any, language: Language = LANGUAGE) -> Texts:
        """Raises PatternProblem."""
        return cls(
            language.compile(template.service_email_subject_template or mailtexts.VMR_SUBJECT),
            language.compile(template.service_email_template or mailtexts.VMR_BODY),
        )

    @classmethod
    def of_device(cls, template: Any, language: Language = LANGUAGE) -> Texts:
        """Raises PatternProblem."""
        return cls(
            language.compile(template.device_email_subject_template or mailtexts.DEVICE_SUBJECT),
            language.compile(template.device_email_template or mailtexts.DEVICE_BODY),
        )


def recipient(address: str) -> str:
    """The address, or nothing where it is none that can be written to."""
    return address if address != ABSENT and _ADDRESS.fullmatch(address) else ""


def message(texts: Texts, variables: Mapping[str, Any], sender: str, to: str, now: datetime.datetime) -> EmailMessage:
    """The mail. A subject of several lines becomes one, so it can add no headers. Raises PatternProblem, Withheld."""
    made = EmailMessage()
    made["Subject"] = " ".join(texts.subject.render(variables, absent="").split())
    made["From"] = sender
    made["To"] = to
    made["Date"] = email.utils.format_datetime(now)
    made["Message-ID"] = email.utils.make_msgid(domain=sender.rpartition("@")[2] or None)
    made["Auto-Submitted"] = "auto-generated"
    body = texts.body.render(variables, absent="").lstrip("\r\n")
    kind = "html" if _HTML.match(body.lstrip()) else "plain"
    made.set_content(body + "\n", subtype=kind, charset="utf-8")
    return made
