"""From a configuration file to a node: checks, enrolment, and the files a node starts from."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import structlog

import rostra
from rostra import machine
from rostra.environment import Environment
from rostra.fabric import credentials, membership, nodefile
from rostra.fabric.credentials import Key, NotOurs
from rostra.fabric.enrolment import PATH, Enrol, Problem, Signed, Welcome
from rostra.fabric.membership import Membership, node_name
from rostra.fabric.nodefile import NodeFile, NodeFileProblem
from rostra.node import identity
from rostra.node.belonging import ask
from rostra.node.identity import NodeIdentity
from rostra.tls import write_file

logger = structlog.get_logger("rostra.node.bootstrap")


class BootstrapRefused(Exception):
    """This machine does not become that node; the text says why, to the person who chose the file.

    `again`: the same file may work later.
    """

    def __init__(self, sentence: str, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.again = again


def check(file: NodeFile, *, version: str, has_address: Callable[[str], bool]) -> None:
    """Is the file for this software and this machine? Raises BootstrapRefused (NODE-038, NODE-055)."""
    if file.version != version:
        raise BootstrapRefused(
            f"This file is of version {file.version}; the software on this machine is version {version}."
            " They have to be the same."
        )
    if not has_address(file.address):
        raise BootstrapRefused(
            f"This file is for the node {file.name} at {file.address}, which is not an address of this machine."
        )


async def accept(environment: Environment, content: bytes) -> NodeIdentity:
    """Make this machine the node that the file in `content` is for. Raises BootstrapRefused."""
    try:
        file = nodefile.read(content)
    except NodeFileProblem as problem:
        raise BootstrapRefused(str(problem)) from None
    check(file, version=rostra.__version__, has_address=machine.has_address)
    key = await asyncio.to_thread(_pending_key, environment.home, file)
    welcome = await _enrol(environment, file, key)
    given = await asyncio.to_thread(_settle, environment.home, file, key, welcome)
    logger.info("This machine is a Conferencing Node now", node=given.id, name=given.name, address=given.address)
    return given


def _pending(home: Path, file: NodeFile) -> Path:
    return home / "fabric" / f"pending-{hashlib.sha256(file.secret).hexdigest()[:16]}.pem"


def _pending_key(home: Path, file: NodeFile) -> Key:
    """The key for this file, kept until we are in: should the answer be lost, we ask again as the same machine."""
    pending = _pending(home, file)
    if pending.exists():
        return credentials.read_key(pending.read_bytes())
    key = credentials.new_key()
    pending.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(pending, credentials.key_bytes(key))
    return key


async def _enrol(environment: Environment, file: NodeFile, key: Key) -> Welcome:
    asked = Enrol(
        node=file.node,
        version=rostra.__version__,
        request=credentials.request(key, node_name(file.node)).decode(),
        fabric_port=environment.fabric_port,
    ).proven(file.secret)
    reason = ""
    for address in _management(file):
        try:
            return _checked(await ask(f"{address}{PATH}", asked), file, key)
        except httpx.HTTPStatusError as refusal:
            raise _refusal(refusal.response) from None
        except (httpx.HTTPError, msgspec.DecodeError, NotOurs, ValueError) as problem:
            reason = str(problem) or type(problem).__name__
            logger.warning("The Management Node could not be asked", address=address, problem=reason)
    raise BootstrapRefused(
        f"The Management Node at {' or '.join(_management(file))} does not answer ({reason})."
        " Nothing is lost: upload the file again when it can be reached.",
        again=True,
    )


def _management(file: NodeFile) -> tuple[str, ...]:
    return tuple(
        f"https://[{address}]:{file.management_port}" if ":" in address else f"https://{address}:{file.management_port}"
        for address in file.management
    )


def _refusal(response: httpx.Response) -> BootstrapRefused:
    try:
        sentence = msgspec.json.decode(response.content, type=Problem).error
    except msgspec.DecodeError:
        sentence = f"The Management Node answered with HTTP status {response.status_code}."
    return BootstrapRefused(sentence, again=response.status_code >= 500 or response.status_code == 429)


def _checked(signed: Signed, file: NodeFile, key: Key) -> Welcome:
    authority = file.authority.encode()
    content = signed.content.encode()
    credentials.check_signature(content, bytes.fromhex(signed.signature), authority)
    welcome = msgspec.json.decode(content, type=Welcome)
    credentials.check_certificate(welcome.certificate.encode(), authority, key, node_name(file.node))
    return welcome


def _settle(home: Path, file: NodeFile, key: Key, welcome: Welcome) -> NodeIdentity:
    """Write everything a start needs, the identity last: with it we are the node."""
    credentials.of(home).write(
        authority=file.authority.encode(),
        certificate=welcome.certificate.encode(),
        key=credentials.key_bytes(key),
    )
    place = Membership(file.platform, node_name(file.node), file.address)
    membership.store(home, place.with_members(welcome.members))
    given = NodeIdentity(
        key=file.node,
        name=file.name,
        hostname=file.hostname,
        domain=file.domain,
        address=file.address,
        platform=file.platform,
        location=file.location,
        management=_management(file),
    )
    identity.store(home, given)
    _pending(home, file).unlink()
    return given
