"""Carries an upgrade out: looks at the nodes, has `deciding` say what comes next, and does it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from django.db import transaction
from django.utils.translation import gettext

from rostra import release, software, staging
from rostra.bundle import BundleProblem
from rostra.configuration.models import FabricMember, WorkerVM
from rostra.fabric import upgrading
from rostra.fabric.membership import node_name
from rostra.management import restart, state
from rostra.management.audit import noting
from rostra.management.commands import Failed
from rostra.management.repeating import repeat
from rostra.management.status import platform
from rostra.management.upgrades import deciding, rehearsal, uploads
from rostra.management.upgrades.deciding import Action, Item, Seen, Status
from rostra.management.upgrades.models import MANAGEMENT, READY, STARTED, Upgrade, UpgradeItem, UpgradeRequest

logger = structlog.get_logger("rostra.management.upgrades")

LOG = "administrator.system.upgrade"

LOOK = 2.0
"""Seconds between two looks while something is going on."""


def current() -> Upgrade | None:
    """The upgrade that is going on."""
    return Upgrade.objects.filter(ended=None).first()


def going_on() -> dict[int, str]:
    """A word of the API for every node that an upgrade concerns; nothing while there is none."""
    rows = UpgradeItem.objects.filter(upgrade__ended=None, done=False).values_list("node", "status")
    return {node: Status(status).name for node, status in rows}


def begin(request: UpgradeRequest, now: float | None = None) -> Upgrade:
    """Start upgrading the platform by an uploaded bundle. Raises Failed (NODE-098, NODE-099)."""
    now = time.time() if now is None else now
    if current() is not None:
        raise Failed(gettext("An upgrade is in progress; see Upgrade Status."))
    if request.state != READY:
        raise Failed(gettext("The bundle is not complete."))
    with transaction.atomic():
        upgrade = Upgrade.objects.create(
            request=request,
            version=request.version,
            build=request.build,
            started=now,
            token=secrets.token_urlsafe(32),
        )
        nodes = WorkerVM.objects.order_by("pk").values_list("pk", flat=True)
        for order, node in enumerate((MANAGEMENT, *nodes)):
            UpgradeItem.objects.create(upgrade=upgrade, node=node, since=now, order=order)
        request.state = STARTED
        request.save()
    noting.note_person("Upgrade started", details={"Version": upgrade.version, "Build": upgrade.build})
    return upgrade


def recover(now: float) -> None:
    """At start: go on after the restart that is part of an upgrade; any other one ends it (NODE-099)."""
    upgrade = current()
    if upgrade is None:
        return None
    own = upgrade.items.filter(node=MANAGEMENT).first()  # type: ignore[attr-defined] - Django makes it
    if own is not None and own.status == Status.REBOOTING:
        if upgrade.version == release.VERSION and release.build() == upgrade.build:
            own.take(deciding.Item(MANAGEMENT, Status.NONE, now, own.order, done=True))
            return None
        return end(upgrade, now, "The Management Node did not start with the new version; see its log.")
    return end(upgrade, now, "The Management Node was restarted.")


def end(upgrade: Upgrade, now: float, reason: str = "") -> None:
    """It is over; every machine keeps the version it has (NODE-097)."""
    for row in upgrade.items.filter(done=False):  # type: ignore[attr-defined] - Django makes it
        node = row.node or local_node()
        if node is not None and row.item.status not in deciding.QUEUED:
            _maintain(node, on=False)
        row.take(Item(row.node, Status.NONE, now, row.order, row.failures, row.reason, done=True))
    upgrade.ended, upgrade.reason = now, reason
    upgrade.save()
    uploads.path(upgrade.request).unlink(missing_ok=True)
    said = {"Version": upgrade.version, "Reason": reason or "everything was done"}
    noting.note("Upgrade ended", said, name=LOG, level="ERROR" if reason else "INFO")


class Nodes:
    """The nodes, as they are seen and told."""

    def look(self, keys: list[int], ask: int | None) -> dict[int, Seen]:
        """What is seen of nodes; `ask`: the one that is also asked how far it is."""
        snapshot = platform().snapshot()
        found: dict[int, Seen] = {}
        for key in keys:
            seen = snapshot.seen.get(node_name(key))
            if seen is None or not seen.alive:
                found[key] = Seen()
                continue
            progress = self._progress(key) if key == ask else None
            found[key] = Seen(
                alive=True,
                version=seen.report.version,
                build=progress.build if progress else "",
                maintenance=seen.report.maintenance,
                calls=seen.report.participants + seen.report.legs,
                progress=progress.state if progress else "unknown",
                reason=progress.reason if progress else "",
            )
        return found

    def install(self, key: int, upgrade: Upgrade) -> None:
        size = uploads.path(upgrade.request).stat().st_size
        command = upgrading.Install(version=upgrade.version, build=upgrade.build, size=size, token=upgrade.token)
        self._tell(key, command)

    def _progress(self, key: int) -> upgrading.Progress | None:
        return self._tell(key, upgrading.Ask())

    def _tell(self, key: int, command: upgrading.Command) -> upgrading.Progress | None:
        answer = platform().request(upgrading.subject(node_name(key)), upgrading.encode_command(command))
        try:
            return None if answer is None else upgrading.decode_progress(answer)
        except msgspec.DecodeError:
            return None


class Runner:
    """Does what is due at each `tick`, in a thread."""

    def __init__(self, nodes: Any = None, restart_all: Callable[[], None] | None = None) -> None:
        self._nodes = nodes or Nodes()
        self._restart = restart_all or (lambda: restart.request(whole_machine=True))

    def tick(self, now: float) -> bool:
        """Is there an upgrade going on? Then one step of it is made."""
        upgrade = current()
        if upgrade is None:
            return False
        rows: list[UpgradeItem] = list(upgrade.items.all())  # type: ignore[attr-defined] - Django makes it
        if deciding.is_over([row.item for row in rows], upgrade.started, now):
            late = any(not row.done for row in rows)
            end(upgrade, now, "Not everything was upgraded within 24 hours." if late else "")
            return False
        own = next(row for row in rows if row.node == MANAGEMENT)
        if own.done:
            self._node(upgrade, [row for row in rows if row.node != MANAGEMENT], now)
        else:
            self._own(upgrade, own, now)
        return True

    def _own(self, upgrade: Upgrade, own: UpgradeItem, now: float) -> None:
        """The Management Node first (NODE-094); with it goes the node of its machine, whose calls have to end."""
        if own.status == Status.REBOOTING:
            return None
        beside = local_node()
        if beside is not None and not self._is_empty(beside, own, now):
            if now - own.since > deciding.CALLS_CLEAR and own.status == Status.WAITING:
                end(upgrade, now, "Calls on the node beside the Management Node did not end.")
            return None
        own.take(Item(MANAGEMENT, Status.INSTALLING, now, own.order))
        try:
            tree = staging.stage(uploads.environment(), uploads.path(upgrade.request))
            rehearsal.rehearse(uploads.environment(), tree)
        except BundleProblem as problem:
            return end(upgrade, now, str(problem))
        software.make_current(uploads.environment().home, tree)
        own.take(Item(MANAGEMENT, Status.REBOOTING, now, own.order))
        return self._restart()

    def _is_empty(self, node: int, own: UpgradeItem, now: float) -> bool:
        seen: Seen = self._nodes.look([node], None)[node]
        if not seen.alive:
            return True
        if own.status == Status.PENDING:
            _maintain(node, on=True)
            own.take(Item(MANAGEMENT, Status.WAITING, now, own.order))
        return seen.maintenance and seen.calls == 0

    def _node(self, upgrade: Upgrade, rows: list[UpgradeItem], now: float) -> None:
        chosen = deciding.turn([row.item for row in rows], now)
        if chosen is None:
            return
        row = next(one for one in rows if one.node == chosen.node)
        if not WorkerVM.objects.filter(pk=row.node).exists():
            row.delete()  # it was deleted meanwhile
            return
        seen = self._nodes.look([row.node], row.node)[row.node]
        item, actions = deciding.step(chosen, seen, upgrade.wanted, now, max(one.order for one in rows))
        if item != chosen:
            row.take(item)
            noting.note("Upgrade of a node", {"Node": row.node, "Status": item.status, "Reason": item.reason}, name=LOG)
        for action in actions:
            match action:
                case Action.MAINTAIN:
                    _maintain(row.node, on=True)
                case Action.RELEASE:
                    _maintain(row.node, on=False)
                case Action.INSTALL:
                    self._nodes.install(row.node, upgrade)


def local_node() -> int | None:
    """The node that runs beside the Management Node from the same software; None: there is none."""
    enrolled = FabricMember.objects.exclude(node=None).values("node")
    row = WorkerVM.objects.filter(pk=1).exclude(pk__in=enrolled).first()
    return None if row is None else row.pk


def _maintain(node: int, *, on: bool) -> None:
    row = WorkerVM.objects.filter(pk=node).first()
    if row is not None and row.maintenance_mode != on:
        row.maintenance_mode = on
        row.save(update_fields=["maintenance_mode"])
        state.announce()


async def keep_running() -> None:
    """Carry upgrades out until cancelled."""
    runner = Runner()
    await repeat(lambda: runner.tick(time.time()), LOOK, "An upgrade could not be carried on; trying again")
