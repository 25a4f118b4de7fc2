"""How a machine becomes a Conferencing Node: the file it is given, and the certificate it gets for it, once.

Sheet 03 (NODE-038, NODE-039, NODE-055…NODE-058), sheet 08 (CLOUD-044…CLOUD-046).
"""

from __future__ import annotations

import msgspec
import structlog
from cryptography import x509
from django.db import transaction
from django.utils import timezone

import rostra
from rostra.configuration.models import Enrolment, FabricMember, WorkerVM
from rostra.environment import Environment
from rostra.fabric import authority, credentials
from rostra.fabric.authority import Authority
from rostra.fabric.enrolment import Enrol, MemberAnswer, MemberQuestion, Signed, Welcome, verifier
from rostra.fabric.membership import Member, node_name
from rostra.fabric.nodefile import NodeFile

logger = structlog.get_logger("rostra.management.enrolment")


class EnrolmentRefused(Exception):
    """The text is a sentence for the person at the new node. `guess`: somebody may be trying secrets."""

    def __init__(self, status: int, sentence: str, *, guess: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.guess = guess


def join(environment: Environment) -> None:
    """Make this machine a member of the fabric, at its address of today. Idempotent."""
    own = authority.found(environment)
    values = {"fingerprint": own.fingerprint, "address": own.address, "port": own.port}
    present = FabricMember.objects.filter(node=None)
    if present.exists():
        present.exclude(**values).update(**values)
    else:
        FabricMember.objects.create(**values)


def members() -> list[Member]:
    """Who belongs to the fabric now."""
    rows = FabricMember.objects.values_list("node_id", "fingerprint", "address", "port")
    return [Member(node_name(node), fingerprint, address, port) for node, fingerprint, address, port in rows]


def hand_out(environment: Environment, node: WorkerVM, secret: bytes) -> NodeFile:
    """The configuration file of `node` with the `secret` (32 bytes) it enrols by.

    The same file may be made again with the same secret until it has been used. Raises EnrolmentRefused when it was,
    or when another one has been handed out.
    """
    given, fresh = Enrolment.objects.get_or_create(node=node, defaults={"verifier": verifier(secret)})
    if not fresh and (given.used is not None or given.verifier != verifier(secret)):
        raise EnrolmentRefused(
            409, "The configuration of this node was handed out before. Delete the node and add it again for a new one."
        )
    if fresh:
        logger.info("Configuration of a node handed out", node=node_name(node.pk), name=node.name)
    platform_authority = authority.prepare(environment)
    return NodeFile(
        version=rostra.__version__,
        platform=platform_authority.platform,
        node=node.pk,
        name=node.name,
        hostname=node.hostname,
        domain=node.domain,
        address=node.address,
        ipv6_address=node.ipv6_address or "",
        location=node.system_location.name,
        authority=platform_authority.pem.decode(),
        management=(environment.own_address,),
        management_port=environment.management_https_port,
        secret=secret,
        members=tuple(members()),
    )


def withdraw(node: WorkerVM, secret: bytes) -> None:
    """The file with `secret`, should it have been handed out and not been used, is good no more."""
    Enrolment.objects.filter(node=node, used=None, verifier=verifier(secret)).delete()


def enrol(environment: Environment, asked: Enrol) -> Signed:
    """Make the asking machine a member. The same machine may ask again, should our answer have been lost.

    Raises EnrolmentRefused.
    """
    with transaction.atomic():
        given = Enrolment.objects.select_for_update().select_related("node").filter(node=asked.node).first()
        if given is None or not asked.is_proven(given.verifier):
            raise EnrolmentRefused(
                403,
                "The Management Node does not accept this configuration: its node was deleted, or the file is not"
                " the one that was handed out.",
                guess=True,
            )
        if asked.version != rostra.__version__:
            raise EnrolmentRefused(
                409,
                f"This node runs version {asked.version}, the Management Node {rostra.__version__}."
                " They have to be the same.",
            )
        public_key = _public_key(asked.request)
        _admit(given, credentials.fingerprint(public_key), asked.fabric_port)
        node = given.node
        platform_authority = authority.prepare(environment)
        certificate = platform_authority.issue(public_key, node_name(node.pk), node.address)
        welcome = Welcome(certificate.decode(), members())
    logger.info("Node enrolled", node=node_name(node.pk), name=node.name, address=node.address)
    return _signed(platform_authority, welcome)


def _public_key(request: str) -> object:
    try:
        parsed = x509.load_pem_x509_csr(request.encode())
        if not parsed.is_signature_valid:
            raise ValueError("signature")
        credentials.fingerprint(parsed.public_key())  # of a kind we use
        return parsed.public_key()
    except ValueError:
        raise EnrolmentRefused(400, "The certificate request of this node is not valid.") from None


def _admit(given: Enrolment, fingerprint: str, fabric_port: int) -> None:
    if not 1 <= fabric_port <= 65535:
        raise EnrolmentRefused(400, "The fabric port of this node is not valid.")
    member = FabricMember.objects.filter(node=given.node).first()
    if given.used is not None and (member is None or member.fingerprint != fingerprint):
        raise EnrolmentRefused(
            409,
            "This configuration was used before, and it is good for one node once."
            " Delete the node and add it again for a new one.",
        )
    FabricMember.objects.update_or_create(
        node=given.node, defaults={"fingerprint": fingerprint, "address": given.node.address, "port": fabric_port}
    )
    if given.used is None:
        given.used = timezone.now()
        given.save()


def answer(environment: Environment, question: MemberQuestion) -> Signed:
    """Whether the asking node is still one."""
    belongs = FabricMember.objects.filter(node=question.node, fingerprint=question.fingerprint).exists()
    return _signed(authority.prepare(environment), MemberAnswer(question, belongs))


def _signed(platform_authority: Authority, message: Welcome | MemberAnswer) -> Signed:
    content = msgspec.json.encode(message)
    return Signed(content.decode(), platform_authority.sign(content).hex())
