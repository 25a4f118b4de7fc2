"""Requests to an issuer and his answers, in XML of our own (SYS-201...SYS-207, sheet 02 open point 18). Pure.

    <rostra-licensing version="1">
      <request number="7" action="activate" reference="KEY" created="2026-11-26T10:00:00Z">
        <deployment>UUID</deployment>
        <machine>digest</machine>
      </request>
    </rostra-licensing>

An answer is the same with `<answer number="7">` around licence words; `number` says to which request it belongs.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from rostra.management.licences.document import LicenceProblem

ROOT = "rostra-licensing"
VERSION = "1"
ACTIVATE, RETURN, REPAIR = "activate", "return", "repair"
ACTIONS = (ACTIVATE, RETURN, REPAIR)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the issuer is asked for."""

    number: str
    action: str
    """One of ACTIONS."""
    reference: str
    """The entitlement key to activate, or the ID of the licence that is returned or to be repaired."""
    created: str
    deployment: str
    machine: tuple[str, ...] = ()
    """Digests of what identifies the machine; what they were made of cannot be read from them (SYS-207)."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What he said; the words are still to be verified."""

    number: str
    text: str


def write_request(request: Request) -> str:
    """The file that is exported."""
    root = Element(ROOT, version=VERSION)
    node = SubElement(
        root, "request", number=request.number, action=request.action, reference=request.reference,
        created=request.created,
    )  # fmt: skip
    SubElement(node, "deployment").text = request.deployment
    for digest in request.machine:
        SubElement(node, "machine").text = digest
    return _write(root)


def read_request(text: str) -> Request:
    """For the issuer. Raises LicenceProblem."""
    node = _part(text, "request")
    action = node.get("action", "")
    if action not in ACTIONS:
        raise LicenceProblem("The request asks for nothing that is known.")
    return Request(
        number=node.get("number", ""),
        action=action,
        reference=node.get("reference", ""),
        created=node.get("created", ""),
        deployment=node.findtext("deployment") or "",
        machine=tuple(one.text or "" for one in node.findall("machine")),
    )


def write_answer(number: str, words: list[str]) -> str:
    """For the issuer: the file that completes a request."""
    root = Element(ROOT, version=VERSION)
    node = SubElement(root, "answer", number=number)
    for word in words:
        SubElement(node, "signed").text = word
    return _write(root)


def read_answer(text: str) -> Answer:
    """What completes a request. Raises LicenceProblem."""
    node = _part(text, "answer")
    return Answer(number=node.get("number", ""), text="\n".join(one.text or "" for one in node.findall("signed")))


def _part(text: str, name: str) -> Any:
    try:
        root = fromstring(text.encode("utf-8", "replace"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise LicenceProblem(f"This is no {name} of {ROOT} in XML.") from None
    if root.tag != ROOT or root.get("version") != VERSION:
        raise LicenceProblem(f"This is no {name} of {ROOT}, version {VERSION}.")
    node = root.find(name)
    if node is None:
        raise LicenceProblem(f"There is no {name} in the file.")
    return node


def _write(root: Element) -> str:
    for node in root.iter():  # what XML cannot hold
        node.attrib.update({key: _clean(value) for key, value in node.attrib.items()})
        node.text = _clean(node.text) if node.text else node.text
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
