"""Mail to the owners of what a run made, and reminders (SVC-195…SVC-209)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from email.message import EmailMessage
from typing import Any

from django.utils import timezone

from rostra.configuration.models import Conference, ConferenceSyncTemplate, Device
from rostra.configuration.secretfield import reveal
from rostra.domain.patterns import PatternProblem, Withheld
from rostra.management.audit.noting import note
from rostra.management.provisioning import mails
from rostra.management.provisioning.mails import Texts
from rostra.management.provisioning.posting import Postman
from rostra.management.provisioning.stored import batched

LOG = "administrator.vmrsync"
NO_TEMPLATE = "No LDAP sync template made it, so there is no text for its mail."
NO_SERVER = "Its LDAP sync template has no SMTP server."
NO_OWNER = "It has no owner with an e-mail address."
_AT_ONCE = 200


class NotSent(Exception):
    """A mail was not sent; the text says why."""


@dataclasses.dataclass
class Report:
    """What became of several mails."""

    sent: int = 0
    problems: list[str] = dataclasses.field(default_factory=list[str])


Posts = Callable[[Any], Postman]


class Mailing:
    """Mails of one template. Raises NotSent where it has no server or no usable text."""

    def __init__(self, template: ConferenceSyncTemplate, posts: Posts = Postman) -> None:
        if template.smtp_server is None:
            raise NotSent(NO_SERVER)
        self._template = template
        self._posts = posts
        try:
            self._vmr, self._device = Texts.of_vmr(template), Texts.of_device(template)
        except PatternProblem as problem:
            raise NotSent(f"The text of the mail is no template: {problem}") from None

    def send(
        self,
        conferences: Iterable[tuple[int, str]] = (),
        devices: Iterable[tuple[int, str]] = (),
        tell: Callable[[Report], None] = lambda _: None,
    ) -> Report:
        """Write to the owners of these (key and action of each); what fails is noted, and the rest goes on."""
        report = Report()
        objects: list[str] = []
        for result in self._posts(self._template.smtp_server).send(self._mails(conferences, devices, report, objects)):
            name = objects[-1]
            if result.problem:
                self._failed(report, name, result.problem, result.to)
            else:
                report.sent += 1
                note("Sent provisioning email", self._details(name, result.to), name=LOG)
            tell(report)
        return report

    def _mails(
        self,
        conferences: Iterable[tuple[int, str]],
        devices: Iterable[tuple[int, str]],
        report: Report,
        objects: list[str],
    ) -> Iterator[EmailMessage]:
        """Those that can be written; `objects` gets the name of what each is about."""
        for row, action in _rows(Conference.objects.prefetch_related("aliases"), conferences):
            aliases = [alias.alias for alias in row.aliases.all()]
            yield from self._mail(self._vmr, mails.vmr_variables(row, aliases, action), row, report, objects)
        for row, action in _rows(Device.objects, devices):
            variables = mails.device_variables(row, reveal(row, "password"), action)
            yield from self._mail(self._device, variables, row, report, objects)

    def _mail(
        self, texts: Texts, variables: dict[str, Any], row: Any, report: Report, objects: list[str]
    ) -> Iterator[EmailMessage]:
        to = mails.recipient(row.primary_owner_email_address)
        if not to:
            self._failed(report, str(row), NO_OWNER, "")
            return
        server: Any = self._template.smtp_server
        try:
            mail = mails.message(texts, variables, server.from_email_address, to, timezone.now())
        except (PatternProblem, Withheld, ValueError) as problem:
            self._failed(report, str(row), str(problem), to)
            return
        objects.append(str(row))
        yield mail

    def _failed(self, report: Report, name: str, reason: str, to: str) -> None:
        report.problems.append(f"{name}: {reason}")
        note(
            "Failed to send provisioning email", self._details(name, to) | {"error": reason}, name=LOG, level="WARNING"
        )

    def _details(self, name: str, to: str) -> dict[str, str]:
        return {"template": self._template.name, "object": name, "to": to}


def _rows(rows: Any, wanted: Iterable[tuple[int, str]]) -> Iterator[tuple[Any, str]]:
    for chunk in batched(wanted, _AT_ONCE):
        found = rows.in_bulk([key for key, _ in chunk])
        yield from ((found[key], action) for key, action in chunk if key in found)


def template_of(row: Any, chosen: int | None = None) -> ConferenceSyncTemplate:
    """The template whose texts a reminder uses: the chosen one, else that which made the object. Raises NotSent."""
    templates = ConferenceSyncTemplate.objects.select_related("smtp_server")
    found = templates.filter(pk=chosen).first() if chosen else templates.filter(name=row.sync_tag).first()
    if found is None:
        raise NotSent(f"{row}: {NO_TEMPLATE}")
    return found


def remind(rows: Iterable[Any], chosen: int | None = None, posts: Posts = Postman) -> Report:
    """Remind the owners of services or devices. Those no template has texts for are told among the problems."""
    report = Report()
    groups: dict[int, tuple[ConferenceSyncTemplate, list[Any]]] = {}
    for row in rows:
        try:
            template = template_of(row, chosen)
        except NotSent as problem:
            report.problems.append(str(problem))
            note("Failed to send provisioning email", {"object": row, "error": problem}, name=LOG, level="WARNING")
            continue
        groups.setdefault(template.pk, (template, []))[1].append(row)
    for template, members in groups.values():
        _merge(report, _remind(template, members, posts))
    return report


def _remind(template: ConferenceSyncTemplate, rows: list[Any], posts: Posts) -> Report:
    try:
        return Mailing(template, posts).send(
            [(row.pk, mails.REMINDER) for row in rows if isinstance(row, Conference)],
            [(row.pk, mails.REMINDER) for row in rows if isinstance(row, Device)],
        )
    except NotSent as problem:
        details = {"template": template.name, "error": problem}
        note("Failed to send provisioning email", details, name=LOG, level="WARNING")
        return Report(problems=[f"{template}: {problem}"])


def _merge(report: Report, more: Report) -> None:
    report.sent += more.sent
    report.problems += more.problems


def remind_all(template: ConferenceSyncTemplate, posts: Posts = Postman) -> Report:
    """Remind every owner of what a template made, without asking the directory (SVC-208)."""
    rows: list[Any] = [
        *Conference.objects.filter(sync_tag=template.name).order_by("pk"),
        *Device.objects.filter(sync_tag=template.name).order_by("pk"),
    ]
    return remind(rows, template.pk, posts)
