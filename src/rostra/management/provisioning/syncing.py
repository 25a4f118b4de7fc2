"""One run of a template, from the directory to the mails (SVC-170…SVC-180)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils import timezone
from django.utils.translation import gettext

from rostra.configuration import orm
from rostra.configuration.models import ConferenceSyncTemplate
from rostra.domain.patterns import PatternProblem
from rostra.management.alarms.raising import lower_alarm, raise_alarm
from rostra.management.audit.noting import note
from rostra.management.provisioning import models, planning, reading, rendering, stored
from rostra.management.provisioning.applying import CREATED, UPDATED, Applier, Gone, Made, Outcome
from rostra.management.provisioning.kinds import DEVICE, KINDS, VMR, Kind
from rostra.management.provisioning.mailing import LOG, Mailing, NotSent, Posts, Report
from rostra.management.provisioning.models import SyncStatus
from rostra.management.provisioning.planning import Plan, Warned
from rostra.management.provisioning.posting import Postman
from rostra.management.provisioning.records import Record
from rostra.management.provisioning.rendering import NotRendered, Renderer, Wanted

ALARM = "ldap_sync_failure"
NO_RECORDS = "The directory returned no records, so nothing was deleted; run the template by hand if that is right"
_NOTED = 1000
"""Warnings of a run that are noted one by one."""
_READ, _WRITTEN = 10, 90
"""Percent of the progress when the directory has been read, and when everything has been written."""


_TELL = 20
"""Mails after which the status says how far it is."""


class Failed(Exception):
    """The run ended; nothing more was changed. The text says why."""


class Sync:
    """A run of `template`."""

    def __init__(
        self,
        template: ConferenceSyncTemplate,
        *,
        automatic: bool = False,
        posts: Posts = Postman,
        yielding: Callable[[], None] = stored.give_way,
    ) -> None:
        self._template = template
        self._automatic = automatic
        self._posts = posts
        self._yield = yielding
        self._status, _ = SyncStatus.objects.get_or_create(configuration_id=template.pk)
        self._made: dict[str, list[Made]] = {}
        self._warned = 0

    def run(self) -> SyncStatus:
        """Carry it out; returns how it went. Never raises but for a database that cannot be used."""
        status = self._status
        for field in orm.meta(SyncStatus).local_fields:
            if field.get_internal_type() == "IntegerField":
                setattr(status, field.name, 0)
        status.sync_last_error_description = ""
        if self._automatic:
            status.last_automatic = timezone.now()
        self._tell(models.CONNECTING, 0)
        try:
            self._carry_out()
        except Failed as problem:
            self._warn(Warned(str(problem), {}))
            self._tell(models.FAILED, status.sync_progress)
            raise_alarm(ALARM, instance=self._template.name, details=str(problem))
        except Gone:
            SyncStatus.objects.filter(pk=status.pk).delete()
        else:
            self._mail()
            self._tell(models.SUCCEEDED, 100)
            lower_alarm(ALARM, instance=self._template.name)
        return status

    def _tell(self, state: str, progress: int) -> None:
        self._status.sync_status, self._status.sync_progress = state, progress
        self._status.save()

    # ---- what is to be done

    def _carry_out(self) -> None:
        try:
            records = reading.read(self._template)
            renderers = {kind.counted: Renderer(kind, self._template) for kind in KINDS if self._makes(kind)}
        except (reading.NotRead, PatternProblem) as problem:
            raise Failed(gettext("Error syncing with LDAP: %(problem)s") % {"problem": problem}) from None
        if not records and self._automatic and any(_owned(kind, self._template.name) for kind in KINDS):
            raise Failed(gettext("Error syncing with LDAP: %(no_records)s") % {"no_records": NO_RECORDS})
        self._tell(models.SYNCING, _READ)
        self._warn_of_unknown(renderers)
        share = (_WRITTEN - _READ) / len(KINDS)
        for number, kind in enumerate(KINDS):
            plan = self._plan(kind, renderers.get(kind.counted), records)
            self._kind(kind, plan, _READ + share * number, share)

    def _makes(self, kind: Kind) -> bool:
        return bool(getattr(self._template, kind.switch))

    def _warn_of_unknown(self, renderers: dict[str, Renderer]) -> None:
        used = {name for renderer in renderers.values() for name in renderer.variables}
        unknown = used - {field.variable for field in reading.fields()}
        if unknown:
            self._warn(Warned("Unknown variables are always None", {"variables": ", ".join(sorted(unknown))}))

    def _plan(self, kind: Kind, renderer: Renderer | None, records: Sequence[Record]) -> Plan:
        wanted: list[Wanted] = []
        failed: list[NotRendered] = []
        if renderer is not None:
            too = kind is DEVICE and self._template.device_sync_if_account_disabled
            wanted, failed = rendering.render_all(renderer, records, disabled_too=too)
        return planned(kind, self._template, wanted, failed)

    # ---- doing it

    def _kind(self, kind: Kind, plan: Plan, start: float, share: float) -> None:
        """Both of the log's entries for every kind, whether or not the template makes it (DIAG-079)."""
        there = self._makes(kind) or plan.deletes or kind.title in ("VMR", "Device")
        if not there:
            return
        self._begin(kind, plan)
        for warning in plan.warnings:
            self._warn(warning)
        total = len(plan.creates) + len(plan.updates) + len(plan.deletes) or 1
        seen = 0

        def tell(outcome: Outcome) -> None:
            nonlocal seen
            for warning in outcome.warnings[seen:]:
                self._warn(warning)
            seen = len(outcome.warnings)
            self._count(kind, plan, outcome)
            done = len(outcome.made) + outcome.deleted + len(outcome.warnings)
            self._tell(models.SYNCING, int(start + share * min(1.0, done / total)))

        outcome = Applier(kind, self._template.name, tell, self._still, self._yield).apply(plan)
        tell(outcome)
        self._made[kind.counted] = outcome.made
        self._complete(kind)

    def _still(self) -> bool:
        return ConferenceSyncTemplate.objects.filter(pk=self._template.pk, name=self._template.name).exists()

    def _count(self, kind: Kind, plan: Plan, outcome: Outcome) -> None:
        for name, count in (
            ("created", outcome.count(CREATED)),
            ("updated", outcome.count(UPDATED)),
            ("deleted", outcome.deleted),
            ("unchanged", plan.unchanged),
        ):
            setattr(self._status, f"{kind.counted}_{name}", count)

    def _begin(self, kind: Kind, plan: Plan) -> None:
        note(
            f"Beginning {kind.title} Sync",
            {
                "template": self._template.name,
                f"creating_{kind.counted}": len(plan.creates),
                f"deleting_{kind.counted}": len(plan.deletes),
                f"modifying_{kind.counted}": len(plan.updates),
                f"unchanged_{kind.counted}": plan.unchanged,
            },
            name=LOG,
        )

    def _complete(self, kind: Kind) -> None:
        names = [f"{kind.counted}_{what}" for what in ("created", "deleted", "updated", "unchanged")]
        note(
            f"Completed {kind.title} Sync",
            {
                "template": self._template.name,
                "status": models.SUCCEEDED,
                **{name: getattr(self._status, name) for name in names},
                "warnings": self._status.sync_errors,
                "last_warning": self._status.sync_last_error_description,
            },
            name=LOG,
        )

    def _warn(self, warning: Warned) -> None:
        self._status.sync_errors += 1
        more = "; ".join(f"{name}: {value}" for name, value in warning.details.items() if not name.endswith("_data"))
        self._status.sync_last_error_description = f"{warning.message} ({more})" if more else warning.message
        self._warned += 1
        if self._warned <= _NOTED:
            details = {"template": self._template.name, **warning.details}
            note(warning.message, details, name=LOG, level="WARNING")
        elif self._warned == _NOTED + 1:
            note("Further warnings of this sync are counted only", {"template": self._template.name}, name=LOG)

    # ---- mail

    def _mail(self) -> None:
        """To owners of what was made or changed; what fails there is a warning (SVC-195)."""
        vmrs, devices = self._made.get(VMR.counted, []), self._made.get(DEVICE.counted, [])
        if not self._template.enable_service_emails or not (vmrs or devices):
            return
        self._tell(models.MAILING, _WRITTEN)
        total = len(vmrs) + len(devices)
        told = 0

        def tell(report: Report) -> None:
            nonlocal told
            done = report.sent + len(report.problems)
            if done - told >= _TELL:
                told = done
                self._status.emails_sent = report.sent
                self._tell(models.MAILING, _WRITTEN + (100 - _WRITTEN) * done // total)

        try:
            report = Mailing(self._template, self._posts).send(vmrs, devices, tell)
        except NotSent as problem:
            report = Report(problems=[str(problem)])
        self._status.emails_sent = report.sent
        if report.problems:
            self._status.sync_errors += len(report.problems)
            self._status.sync_last_error_description = f"Failed to send e-mail ({report.problems[-1]})"


def planned(
    kind: Kind,
    template: ConferenceSyncTemplate,
    wanted: Sequence[Wanted],
    failed: Sequence[NotRendered] = (),
    *,
    owned: bool = True,
) -> Plan:
    """What has to be done so that the objects of `template` are those. Not `owned`: those wanted are not all."""
    there = stored.existing(kind, template.name, [one.key for one in (*wanted, *failed)], owned=owned)
    holders = stored.holders(alias for one in wanted for alias, _ in one.aliases) if kind is VMR else None
    return planning.plan(kind, template.name, wanted, failed, there, kind.kept(template), holders)


def _owned(kind: Kind, origin: str) -> bool:
    return orm.rows(kind.model).filter(sync_tag=origin).exists()
