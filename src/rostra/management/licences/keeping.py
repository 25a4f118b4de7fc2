"""Installing, returning and repairing licences; requests that are stored and completed (SYS-200...SYS-207).

Everything here uses the database and may block; call in a transaction. Problems are ValidationErrors by field.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import time
from pathlib import Path

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from rostra.configuration.models import GlobalSettings
from rostra.domain import licensing
from rostra.domain.licensing import LicenceState, LicenceTerms
from rostra.management.licences import document, exchange, issuer, live
from rostra.management.licences.document import Grant, LicenceProblem, Receipt, Signed
from rostra.management.licences.keys import trusted
from rostra.management.licences.models import LONGEST, Licence, LicenceRequest, ReturnedLicence

logger = structlog.get_logger("administrator.configuration")

PERMANENT = "permanent"
_MACHINE = (Path("/etc/machine-id"), Path("/sys/class/dmi/id/product_uuid"))


def deployment() -> str:
    """UUID of this deployment."""
    return str(GlobalSettings.objects.values_list("deployment_uuid", flat=True).get(pk=1))


# ---- what is installed


def current() -> list[LicenceTerms]:
    """What the installed licences say, verified anew: neither a changed row nor a key that went counts."""
    return [terms for _, terms in _verified()]


def _verified() -> list[tuple[Licence, LicenceTerms]]:
    rows = list(Licence.objects.all())
    if not rows:
        return []
    here, keys = deployment(), trusted()
    found: list[tuple[Licence, LicenceTerms]] = []
    for row in rows:
        try:
            contents = [one.content for one in document.read(row.document, keys)]
        except LicenceProblem:
            contents = []
        grants = [content for content in contents if isinstance(content, Grant) and content.id == row.fulfillment_id]
        terms = document.terms(grants[0], here) if grants else document.corrupt(row.fulfillment_id)
        found.append((row, terms))
    return found


def refresh(now: float | None = None) -> list[LicenceTerms]:
    """`current`, and its states written to the rows that lists show."""
    moment = time.time() if now is None else now
    found = _verified()
    for row, terms in found:
        state = str(licensing.state(terms, moment))
        if row.status != state:
            Licence.objects.filter(pk=row.pk).update(
                status=state, trust_flags=int(terms.intact), repair=int(not terms.intact)
            )
    return [terms for _, terms in found]


# ---- adding


def add(entitlement: str, *, offline: bool = False) -> Licence | LicenceRequest:
    """Install the licences of a file, or ask the issuer for what an entitlement key stands for.

    Without an answer from him, or with `offline`, the request is stored (SYS-202).
    """
    text = entitlement.strip()
    if not text or len(text) > LONGEST:
        raise ValidationError({"entitlement_id": gettext("Give a licence file or an entitlement key.")})
    try:
        if document.holds(text):
            return _install(document.read(text, trusted()), "FILE")
    except LicenceProblem as problem:
        raise ValidationError({"entitlement_id": str(problem)}) from None
    if not text.isprintable() or len(text) > 255:
        raise ValidationError({"entitlement_id": gettext("This is neither a licence file nor an entitlement key.")})
    return _request(exchange.ACTIVATE, text, offline=offline)


def _install(found: list[Signed], kind: str) -> Licence:
    """Returns the first. Raises LicenceProblem when one of them cannot be installed; then none is."""
    here = deployment()
    with transaction.atomic():
        rows = [_installed(one, here, kind) for one in found]
    changed()
    return rows[0]


def _installed(signed: Signed, here: str, kind: str) -> Licence:
    grant = signed.content
    if not isinstance(grant, Grant):
        raise LicenceProblem(gettext("This confirms the return of a licence; it belongs to a stored request."))
    if grant.deployment not in ("", here):
        raise LicenceProblem(gettext("This licence was issued to another deployment."))
    if Licence.objects.filter(fulfillment_id=grant.id).exists():
        raise LicenceProblem(gettext("This licence is installed already."))
    if ReturnedLicence.objects.filter(fulfillment_id=grant.id).exists():
        raise LicenceProblem(gettext("This licence was returned and cannot be used here again."))
    terms = document.terms(grant, here)
    if licensing.state(terms, time.time()) is LicenceState.EXPIRED:
        raise LicenceProblem(gettext("This licence has expired."))
    return Licence.objects.create(
        fulfillment_id=grant.id,
        entitlement_id=grant.entitlement or grant.id,
        fulfillment_type=kind,
        product_id=grant.product[:255],
        license_type=str(grant.kind),
        features=f"{grant.kind}:{grant.concurrent}",
        concurrent=grant.concurrent,
        concurrent_overdraft=grant.overdraft,
        start_date=grant.start.isoformat() if grant.start else PERMANENT,
        expiration_date=grant.end.isoformat() if grant.end else PERMANENT,
        status=str(licensing.state(terms, time.time())),
        trust_flags=1,
        server_chain=signed.key,
        vendor_dictionary={**grant.data, "issued_to": grant.issued_to},
        document=signed.word,
    )


# ---- returning and repairing


def give_back(licence: Licence) -> LicenceRequest | None:
    """Return a licence: it counts no more. One that is bound to this deployment is returned to its issuer, by a
    stored request when he does not answer (SYS-204).
    """
    identity, bound = licence.fulfillment_id, _is_bound(licence)
    Licence.objects.filter(pk=licence.pk).delete()
    logger.info("License returned", licence=identity)
    changed()
    if not bound:
        return None
    ReturnedLicence.objects.get_or_create(fulfillment_id=identity)
    left = _request(exchange.RETURN, identity)
    return left if isinstance(left, LicenceRequest) else None


def repair(licence: Licence) -> LicenceRequest | Licence:
    """Have a licence that is corrupt issued anew for this deployment (SYS-206)."""
    return _request(exchange.REPAIR, licence.fulfillment_id)


def _is_bound(licence: Licence) -> bool:
    try:
        found = document.read(licence.document, trusted())
    except LicenceProblem:
        return False
    return any(isinstance(one.content, Grant) and one.content.deployment for one in found)


# ---- requests


def _request(action: str, reference: str, *, offline: bool = False) -> LicenceRequest | Licence:
    waiting = LicenceRequest.objects.filter(actions=action, reference=reference).first()
    if waiting is None:
        waiting = _stored(action, reference)
    if not offline:
        try:
            answer = issuer.ask(waiting.request_xml)
            done = complete(waiting, answer)
        except (issuer.NoAnswer, ValidationError) as problem:
            logger.warning("License request not answered", action=action, reason=str(problem))
        else:
            return done or waiting
    logger.info("License activation request stored for offline processing", request=waiting.sequence_number)
    return waiting


def _stored(action: str, reference: str) -> LicenceRequest:
    numbers = LicenceRequest.objects.select_for_update().values_list("sequence_number", flat=True)
    number = str(max(map(int, numbers), default=0) + 1)
    created = timezone.now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    here = deployment()
    request = exchange.Request(
        number=number, action=action, reference=reference, created=created, deployment=here, machine=_machine(here)
    )
    return LicenceRequest.objects.create(
        sequence_number=number,
        reference=reference,
        actions=action,
        generation_time=created.removesuffix("Z"),
        status="stored",
        request_xml=exchange.write_request(request),
    )


def _machine(here: str) -> tuple[str, ...]:
    """Digests of what identifies this machine, made so that they say nothing without its deployment (SYS-207)."""
    found: list[str] = []
    for file in _MACHINE:
        try:
            content = file.read_bytes().strip()
        except OSError:
            continue
        found.append(hmac.digest(here.encode(), file.name.encode() + b"\0" + content, hashlib.sha256).hex())
    return tuple(found)


def complete(request: LicenceRequest, xml: str) -> Licence | None:
    """Take the issuer's answer; the request is gone then. Returns the licence that came, none for a return."""
    try:
        answer = exchange.read_answer(xml[: LONGEST + 1])
        if answer.number != request.sequence_number:
            raise LicenceProblem(
                gettext("This answers the request %(number)s, not %(sequence_number)s.")
                % {"number": answer.number, "sequence_number": request.sequence_number}
            )
        found = document.read(answer.text, trusted())
        with transaction.atomic():
            licence = _completed(request, found)
            request.delete()
    except LicenceProblem as problem:
        raise ValidationError({"response_xml": str(problem)}) from None
    logger.info("Processed license request", request=request.sequence_number, action=request.actions)
    return licence


def _completed(request: LicenceRequest, found: list[Signed]) -> Licence | None:
    if request.actions == exchange.RETURN:
        receipts = [one.content for one in found if isinstance(one.content, Receipt)]
        if not any(one.id == request.reference and one.deployment in ("", deployment()) for one in receipts):
            raise LicenceProblem(gettext("This does not confirm the return of the licence."))
        return None
    grants = [one.content for one in found if isinstance(one.content, Grant)]
    if request.actions == exchange.REPAIR:
        Licence.objects.filter(fulfillment_id=request.reference).delete()
    elif any(one.entitlement not in ("", request.reference) for one in grants):
        raise LicenceProblem(gettext("These licences belong to another entitlement key."))
    return _install(found, "ACTIVATION")


def changed() -> None:
    """Have calls judged by what is installed now, once it is committed."""
    transaction.on_commit(live.changed)
