"""The configuration file of a node: what is written is read, and nothing else."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.fabric import nodefile
from rostra.fabric.membership import Member
from rostra.fabric.nodefile import NodeFile, NodeFileProblem

FILE = NodeFile(
    version="1.2.3",
    platform="ab" * 16,
    node=7,
    name="London <1> & more",
    hostname="london",
    domain="example.com",
    address="192.0.2.7",
    ipv6_address="2001:db8::7",
    location="Default",
    authority="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    management=("192.0.2.1", "2001:db8::1"),
    management_port=9443,
    secret=bytes(range(32)),
    members=(Member("management", "0f" * 32, "192.0.2.1", 6222), Member("n3", "a0" * 32, "192.0.2.3", 6222)),
)

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
)
addresses = st.ip_addresses().map(str)
ports = st.integers(1, 65535)
members = st.builds(Member, texts, st.binary(min_size=32, max_size=32).map(bytes.hex), addresses, ports)
files = st.builds(
    NodeFile,
    version=texts,
    platform=texts,
    node=st.integers(1, 2**63 - 1),
    name=texts,
    hostname=texts,
    domain=texts,
    address=addresses,
    ipv6_address=st.just("") | st.ip_addresses(v=6).map(str),
    location=texts,
    authority=texts,
    management=st.lists(addresses, min_size=1, max_size=3).map(tuple),
    management_port=ports,
    secret=st.binary(min_size=32, max_size=32),
    members=st.lists(members, max_size=3).map(tuple),
)


@given(files)
def test_what_is_written_is_read(file: NodeFile) -> None:
    assert nodefile.read(nodefile.write(file)) == file


@pytest.mark.spec("NODE-057", "CLOUD-044")
def test_the_file_is_named_after_the_node() -> None:
    assert FILE.filename == "rostra-london.example.com.xml"
    assert nodefile.read(nodefile.write(FILE)) == FILE


@pytest.mark.parametrize("name", ["bell\x07", "\r", "\ufffe", "\ud800"])
def test_names_xml_cannot_carry_do_not_spoil_the_file(name: str) -> None:
    read = nodefile.read(nodefile.write(msgspec.structs.replace(FILE, name=name)))
    assert read == msgspec.structs.replace(FILE, name=re.sub(r"[\x07\r\ufffe\ud800]", "\ufffd", name))


GOOD = nodefile.write(FILE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not XML"),
        (b"PK\x03\x04 a zip", "not XML"),
        (GOOD[:-30], "not XML"),
        (b"\xff\xfe" + GOOD, "not XML"),
        (GOOD.replace(b"utf-8", b"nonsense-8"), "not XML"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rostra-node>&b;</rostra-node>', "not XML"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><rostra-node/>', "not XML"),
        (b"<html/>", "not a Conferencing Node configuration"),
        (b"<rostra-node/>", "damaged"),
        (GOOD.replace(b'id="7"', b'id="0"'), "damaged"),
        (GOOD.replace(b'id="7"', b'id="\xd9\xa7"'), "damaged"),
        (GOOD.replace(b"<address>192.0.2.7", b"<address>192.0.2.777"), "damaged"),
        (GOOD.replace(b"<secret>AA", b"<secret>"), "damaged"),
        (GOOD.replace(b"<secret>AA", b"<secret>!!"), "damaged"),
        (GOOD.replace(b'port="9443"', b'port="99443"'), "damaged"),
        (GOOD.replace(b'port="9443"', b""), "damaged"),
        (GOOD.replace(b"0f0f", b"0g0g"), "damaged"),
        (GOOD.replace(b"<name>", b"<name>x</name><name>"), "damaged"),
        (GOOD.replace(b"</rostra-node>", b" " * nodefile.LARGEST + b"</rostra-node>"), "too large"),
    ],
)
def test_anything_else_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(NodeFileProblem, match=reason):
        nodefile.read(content)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=6), st.integers(0, 40))
def test_damage_is_never_more_than_a_refusal(position: int, inserted: bytes, removed: int) -> None:
    content = GOOD[:position] + inserted + GOOD[position + removed :]
    try:
        read = nodefile.read(content)
    except NodeFileProblem:
        return
    assert isinstance(read, NodeFile)
