"""The configuration file of a new node: one XML document, made by the Management Node for exactly one node.

It holds the secret with which the node enrols once, and the certificate by which it knows the platform. Sheet 03
(NODE-055…NODE-058), sheet 08 (CLOUD-044).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import defusedxml.ElementTree
import msgspec
from defusedxml.common import DefusedXmlException

from rostra.fabric.membership import Member

LARGEST = 256 * 1024
"""Bytes; ours have some thousand."""

_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot carry, or not unchanged."""
_ROOT = "rostra-node"
_SECRET_BYTES = 32


class NodeFileProblem(Exception):
    """The file cannot be used; the text says why, to the person who chose it."""


class NodeFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says."""

    version: str
    """Of the software that wrote it; the node's own has to be the same."""
    platform: str
    node: int
    """Id of its configuration."""
    name: str
    hostname: str
    domain: str
    address: str
    ipv6_address: str = ""
    location: str
    authority: str
    """Certificate of the platform's authority, PEM."""
    management: tuple[str, ...]
    """Addresses of the Management Node."""
    management_port: int
    """Its HTTPS port."""
    secret: bytes
    """Good for one enrolment."""
    members: tuple[Member, ...] = ()
    """Who was on the fabric when the file was written."""

    @property
    def filename(self) -> str:
        return f"rostra-{self.hostname}.{self.domain}.xml"


def write(file: NodeFile) -> bytes:
    """The document."""
    root = ElementTree.Element(_ROOT, {"version": file.version})
    root.append(_element("platform", id=file.platform))
    node = ElementTree.SubElement(root, "node", {"id": str(file.node)})
    for name in ("name", "hostname", "domain", "address", "ipv6_address", "location"):
        ElementTree.SubElement(node, name).text = _ILLEGAL.sub("\ufffd", getattr(file, name))
    management = ElementTree.SubElement(root, "management", {"port": str(file.management_port)})
    for address in file.management:
        ElementTree.SubElement(management, "address").text = address
    ElementTree.SubElement(root, "authority").text = file.authority
    ElementTree.SubElement(root, "secret").text = base64.b64encode(file.secret).decode()
    fabric = ElementTree.SubElement(root, "fabric")
    for member in file.members:
        values = {"name": member.name, "fingerprint": member.fingerprint}
        fabric.append(_element("member", **values, address=member.address, port=str(member.port)))
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _element(tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.Element(tag, attributes)


def read(content: bytes) -> NodeFile:
    """The file in `content`. Raises NodeFileProblem, in words for a person."""
    if len(content) > LARGEST:
        raise NodeFileProblem("This is not a Conferencing Node configuration: it is too large.")
    try:
        root = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        raise NodeFileProblem("This file is not XML, or it is damaged. Choose the file as it was downloaded.") from None
    if root.tag != _ROOT:
        raise NodeFileProblem("This file is not a Conferencing Node configuration of Rostra.")
    try:
        return _file(root)
    except (ValueError, KeyError, binascii.Error):
        raise NodeFileProblem("This Conferencing Node configuration is damaged. Download it again.") from None


def _file(root: ElementTree.Element) -> NodeFile:
    node, management, fabric = _one(root, "node"), _one(root, "management"), _one(root, "fabric")
    secret = base64.b64decode(_text(root, "secret"), validate=True)
    if len(secret) != _SECRET_BYTES:
        raise ValueError("secret")
    ipv6_address = _text(node, "ipv6_address", empty=True)
    return NodeFile(
        version=root.attrib["version"],
        platform=_one(root, "platform").attrib["id"],
        node=_positive(node.attrib["id"]),
        name=_text(node, "name"),
        hostname=_text(node, "hostname"),
        domain=_text(node, "domain"),
        address=_address(_text(node, "address")),
        ipv6_address=_address(ipv6_address) if ipv6_address else "",
        location=_text(node, "location"),
        authority=_text(root, "authority"),
        management=tuple(_address(found.text or "") for found in _several(management, "address")),
        management_port=_port(management.attrib["port"]),
        secret=secret,
        members=tuple(_member(found) for found in fabric.findall("member")),
    )


def _member(element: ElementTree.Element) -> Member:
    fingerprint = element.attrib["fingerprint"]
    if len(bytes.fromhex(fingerprint)) != 32:
        raise ValueError("fingerprint")
    address, port = _address(element.attrib["address"]), _port(element.attrib["port"])
    return Member(element.attrib["name"], fingerprint, address, port)


def _one(parent: ElementTree.Element, tag: str) -> ElementTree.Element:
    (found,) = parent.findall(tag)
    return found


def _several(parent: ElementTree.Element, tag: str) -> Iterator[ElementTree.Element]:
    found = parent.findall(tag)
    if not found:
        raise ValueError(tag)
    return iter(found)


def _text(parent: ElementTree.Element, tag: str, *, empty: bool = False) -> str:
    text = _one(parent, tag).text or ""
    if not text and not empty:
        raise ValueError(tag)
    return text


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:20]) < 2**63:
        raise ValueError(text)
    return int(text)


def _port(text: str) -> int:
    number = _positive(text)
    if number > 65535:
        raise ValueError(text)
    return number
