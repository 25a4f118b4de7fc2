"""Addresses, routes and public keys; what a machine tells about its network."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from rostra import machine
from rostra.configuration import sshkeys
from rostra.configuration.addressing import check_netmask, route_problems

ROUTES = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0 00000000 0100000A 0003 0 0 200 00000000 0 0 0
eth1 00000000 FE01A8C0 0003 0 0 100 00000000 0 0 0
eth0 0000000A 00000000 0001 0 0 0 000000FF 0 0 0
eth0 0000000A 00000000 0001 0 0 0 00FFFFFF 0 0 0
eth1 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0
"""


@pytest.mark.parametrize("mask", ["255.255.255.0", "255.0.0.0", "255.255.255.255", "128.0.0.0"])
def test_netmasks(mask: str) -> None:
    check_netmask(mask)


@pytest.mark.parametrize("mask", ["0.0.0.0", "255.0.255.0", "0.0.0.255", "255.255.255", "ffff::", ""])
def test_what_is_no_netmask(mask: str) -> None:
    with pytest.raises(ValidationError):
        check_netmask(mask)


@pytest.mark.spec("SYS-044")
@pytest.mark.parametrize(
    ("address", "prefix", "gateway", "fields"),
    [
        ("10.0.0.0", 0, "10.0.0.1", set()),
        ("10.0.0.0", 32, "10.0.0.1", set()),
        ("10.0.0.0", 33, "10.0.0.1", {"prefix"}),
        ("10.0.0.0", -1, "10.0.0.1", {"prefix"}),
        ("2001:db8::", 128, "fe80::1", set()),
        ("2001:db8::", 129, "fe80::1", {"prefix"}),
        ("2001:db8::", 64, "10.0.0.1", {"gateway"}),
        ("10.0.0.0", 64, "fe80::1", {"prefix", "gateway"}),
    ],
)
def test_routes(address: str, prefix: int, gateway: str, fields: set[str]) -> None:
    assert set(route_problems(address, prefix, gateway)) == fields


def public_key(kind: str) -> str:
    return base64.b64encode(len(kind).to_bytes(4, "big") + kind.encode() + bytes(40)).decode()


@pytest.mark.parametrize("kind", ["ssh-rsa", "ssh-ed25519", "sk-ssh-ed25519@openssh.com"])
def test_public_keys(kind: str) -> None:
    assert sshkeys.problems(kind, public_key(kind), "ada@example.test") == {}


@pytest.mark.parametrize(
    ("keytype", "key", "comment", "field"),
    [
        ("ssh-dss", public_key("ssh-dss"), "", "keytype"),
        ("ssh-rsa", public_key("ssh-ed25519"), "", "key"),
        ("ssh-rsa", "no base64", "", "key"),
        ("ssh-rsa", "AAAA", "", "key"),
        ("ssh-rsa", base64.b64encode(b"\xff" * 8).decode(), "", "key"),
        ("ssh-rsa", public_key("ssh-rsa") + "\n", "", "key"),
        ("ssh-rsa", public_key("ssh-rsa"), "me\nssh-rsa AAAA", "comment"),
    ],
)
def test_what_is_no_public_key(keytype: str, key: str, comment: str, field: str) -> None:
    assert set(sshkeys.problems(keytype, key, comment)) == {field}


@pytest.mark.parametrize(
    ("address", "mask", "gateway"),
    [
        ("10.0.0.7", "255.255.255.0", "192.168.1.254"),
        ("10.7.0.7", "255.0.0.0", "192.168.1.254"),
        ("192.168.1.7", "255.255.255.0", "192.168.1.254"),
        ("172.16.0.7", "255.255.255.255", "172.16.0.7"),
        ("127.0.0.7", "255.0.0.0", "127.0.0.7"),
    ],
)
def test_network_of_an_address(tmp_path: Path, address: str, mask: str, gateway: str) -> None:
    table = tmp_path / "route"
    table.write_text(ROUTES)
    assert machine.ipv4_network(address, table) == (mask, gateway)
    assert machine.ipv4_network("10.0.0.7", tmp_path / "missing") == ("255.255.255.255", "10.0.0.7")


def test_resolvers_are_those_others_can_ask(tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("# nameserver 9.9.9.8\nnameserver 127.0.0.53\noptions edns0\nnameserver fe80::1%eth0\nnameserver\n")
    real.write_text("search example.test\nnameserver 10.0.0.53\nnameserver 2001:db8::53\nnameserver 10.0.0.53\n")
    assert machine.resolvers(stub, tmp_path / "missing") == []
    assert machine.resolvers(stub, real) == ["10.0.0.53", "2001:db8::53"]
