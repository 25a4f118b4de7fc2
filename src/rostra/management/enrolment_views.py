"""Enrolment over HTTP: for new nodes (proven by their file's secret), for administrators' pages, and for automation."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import rostra
from rostra.configuration import orm
from rostra.configuration.models import WorkerVM
from rostra.configuration.resources import register
from rostra.environment import Environment
from rostra.fabric import nodefile
from rostra.fabric.enrolment import Enrol, MemberQuestion, Problem
from rostra.management import enrolment
from rostra.management.api import access
from rostra.management.api.errors import Refused, respond
from rostra.management.enrolment import EnrolmentRefused
from rostra.management.guessing import WINDOW, Guessing

logger = structlog.get_logger("rostra.management.enrolment")

_LARGEST = 64 * 1024
_SESSION = "nodes_to_deploy"
_guessing = Guessing()


def _environment() -> Environment:
    return settings.ROSTRA


# ---- for nodes


@csrf_exempt
@require_POST
def enrol(request: HttpRequest) -> HttpResponse:
    """POST /api/enrol: a certificate for a node that has the secret of its configuration file."""
    return _answer_node(request, lambda body: enrolment.enrol(_environment(), msgspec.json.decode(body, type=Enrol)))


@csrf_exempt
@require_POST
def member(request: HttpRequest) -> HttpResponse:
    """POST /api/enrol/member: is the asking node still one? Anybody may ask; who asks knows the fingerprint."""
    return _answer_node(
        request, lambda body: enrolment.answer(_environment(), msgspec.json.decode(body, type=MemberQuestion))
    )


def _answer_node(request: HttpRequest, carry_out: Callable[[bytes], msgspec.Struct]) -> HttpResponse:
    address = request.META.get("REMOTE_ADDR", "")
    if _guessing.held_back(address, time.monotonic()):
        return respond(Problem("Too many wrong attempts; try again in a minute."), 429, Retry_After=str(int(WINDOW)))
    try:
        if int(request.headers.get("Content-Length") or 0) > _LARGEST:
            return respond(Problem("This request is too large."), 413)
        return respond(carry_out(request.body))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return respond(Problem("This request is not understood."), 400)
    except EnrolmentRefused as refusal:
        if refusal.guess:
            _guessing.failed(address, time.monotonic())
        logger.warning("Enrolment refused", address=address, reason=str(refusal))
        return respond(Problem(str(refusal)), refusal.status)


# ---- for administrators


def begin_deployment(request: HttpRequest, node: WorkerVM) -> HttpResponse:
    """The node has just been added in this session: its configuration is offered until the session ends."""
    request.session[_SESSION] = {**request.session.get(_SESSION, {}), str(node.pk): secrets.token_hex(16)}
    return redirect(reverse("deploy-node", args=(node.pk,)))


def _secret(nonce: str, node: int) -> bytes:
    """The file's secret: the same whenever it is downloaded in a session, yet stored nowhere."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"node {node} {nonce}".encode(), hashlib.sha256)


def _offered(request: HttpRequest, key: int) -> tuple[WorkerVM, str]:
    """The node and its nonce, or the answer why there is none."""
    node = orm.rows(WorkerVM).filter(pk=key).first()
    nonce = request.session.get(_SESSION, {}).get(str(key))
    if node is None:
        raise Http404("There is no such node.")
    if nonce is None or not request.user.has_perm("configuration.add_workervm"):  # type: ignore[union-attr]
        raise PermissionDenied(
            gettext(
                "The configuration of this node was available only in the session in which it was added."
                " Delete the node and add it again for a new one."
            )
        )
    return node, nonce


@staff_member_required
@require_http_methods(["GET", "POST"])
def deploy(request: HttpRequest, key: int) -> HttpResponse:
    """The page after Save: what to do, and the download."""
    node, nonce = _offered(request, key)
    here = reverse("deploy-node", args=(key,))
    if request.method == "POST":
        return redirect(f"{here}?download")
    problem = ""
    try:
        file = enrolment.hand_out(_environment(), node, _secret(nonce, key))
    except EnrolmentRefused as refusal:
        file, problem = None, str(refusal)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Manually Deploy Conferencing Node",
        "node": node,
        "file": file,
        "problem": problem,
        "started": "download" in request.GET and file is not None,
        "version": rostra.__version__,
        "bootstrap_port": _environment().bootstrap_port,
    }
    return render(request, "admin/deploy_node.html", context)


@staff_member_required
@require_GET
def download(request: HttpRequest, key: int) -> HttpResponse:
    """The file itself."""
    node, nonce = _offered(request, key)
    try:
        return _attachment(enrolment.hand_out(_environment(), node, _secret(nonce, key)))
    except EnrolmentRefused as refusal:
        raise PermissionDenied(str(refusal)) from None


def _attachment(file: nodefile.NodeFile) -> HttpResponse:
    return HttpResponse(
        nodefile.write(file),
        content_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{file.filename}"', "Cache-Control": "no-store"},
    )


# ---- for automation


class NodeConfiguration(msgspec.Struct, frozen=True):
    """Body of the command `platform/node_configuration`."""

    worker_vm_id: int
    """Id of the node in the configuration."""


@csrf_exempt
def command(request: HttpRequest) -> HttpResponse:
    """POST …/command/v1/platform/node_configuration/: the configuration file of a node, once."""
    try:
        access.check(request, register.of(WorkerVM))
        if request.method != "POST":
            raise Refused(405, None, Allow="POST")
        return _attachment(_hand_out_once(request.body))
    except Refused as refusal:
        return respond(refusal.body, refusal.status, **refusal.headers)
    except EnrolmentRefused as refusal:
        return respond({"status": "failed", "message": str(refusal)}, refusal.status)


def created(node: WorkerVM) -> tuple[bytes, str]:
    """The answer to the creation of `node` over the API: its configuration file (sheet 10, 1.6). Asking for the file
    by the command replaces it.
    """
    return nodefile.write(enrolment.hand_out(_environment(), node, _first_secret(node))), "application/xml"


def _first_secret(node: WorkerVM) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"node {node.pk} created".encode(), hashlib.sha256)


def _hand_out_once(body: bytes) -> nodefile.NodeFile:
    try:
        key = msgspec.json.decode(body, type=NodeConfiguration).worker_vm_id
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Refused(400, {"error": f"Give worker_vm_id: {problem}"}) from None
    node = orm.rows(WorkerVM).filter(pk=key).first() if 0 < key < 2**63 else None
    if node is None:
        raise Refused(400, {"worker_vm": {"worker_vm_id": ["There is no such Conferencing Node."]}})
    enrolment.withdraw(node, _first_secret(node))
    return enrolment.hand_out(_environment(), node, secrets.token_bytes(32))
