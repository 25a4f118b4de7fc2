"""What is settled before anything starts: ports, home directory, certificate, log format, command line."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from rostra import logs, tls
from rostra.cli import ports
from rostra.cli.child import rotate
from rostra.environment import Environment, EnvironmentProblem, Secret


@pytest.mark.parametrize(
    ("setting", "kind", "transport"),
    [
        ("node_https_port", socket.SOCK_STREAM, "TCP"),
        ("management_https_port", socket.SOCK_STREAM, "TCP"),
        ("sip_port", socket.SOCK_STREAM, "TCP"),
        ("sip_port", socket.SOCK_DGRAM, "UDP"),
        ("sip_tls_port", socket.SOCK_STREAM, "TCP"),
        ("nats_port", socket.SOCK_STREAM, "TCP"),
        ("fabric_port", socket.SOCK_STREAM, "TCP"),
    ],
)
def test_a_taken_port_is_named_with_its_variable(
    environment: Environment, setting: str, kind: socket.SocketKind, transport: str
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        number = other.getsockname()[1]
        with pytest.raises(ports.PortTaken) as raised:
            ports.check(ports.needs(dataclasses.replace(environment, **{setting: number}), fabric="127.0.0.1"))
    assert f"port {number} ({transport})" in str(raised.value)
    assert f"ROSTRA_{setting.upper()}" in str(raised.value)


def test_free_ports_stay_free_for_the_servers(environment: Environment) -> None:
    ports.check(ports.needs(environment))
    ports.check(ports.needs(environment))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ROSTRA_MEDIA_ADDRESS", "example.org"),
        ("ROSTRA_SIP_PORT", "70000"),
        ("ROSTRA_MEDIA_PORTS", "9-5"),
        ("ROSTRA_SPI", "1"),
    ],
)
def test_a_setting_nothing_can_be_done_with_is_named(variable: str, value: str) -> None:
    with pytest.raises(EnvironmentProblem, match=variable):
        Environment.load({variable: value})


def test_two_settings_with_one_port_are_both_named(environment: Environment) -> None:
    clash = dataclasses.replace(environment, sip_tls_port=environment.node_https_port)
    with pytest.raises(ports.PortTaken, match=r"ROSTRA_NODE_HTTPS_PORT and ROSTRA_SIP_TLS_PORT are both"):
        ports.check(ports.needs(clash))


def test_only_what_runs_here_needs_ports(environment: Environment) -> None:
    alone = {need.setting for need in ports.needs(environment, node=False, fabric="127.0.0.1")}
    assert alone == {"nats_port", "fabric_port", "management_https_port"}
    assert "management_https_port" not in {need.setting for need in ports.needs(environment, management=False)}


@pytest.mark.spec("SYS-209")
def test_the_certificate_names_this_machine_and_the_key_is_ours_alone(tmp_path: Path) -> None:
    identity = tls.prepare(tmp_path)
    certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", socket.gethostname()} <= set(names.get_values_for_type(x509.DNSName))
    assert {"127.0.0.1", "::1"} <= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    key = serialization.load_pem_private_key(identity.key.read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    assert certificate.public_key().key_size == 4096  # type: ignore[union-attr] - it is RSA
    assert identity.certificate.read_text().endswith(tls.DH_PARAMETERS)
    assert tls.context_of(identity.certificate, identity.key)
    assert stat.S_IMODE(identity.key.stat().st_mode) == 0o600


def test_our_certificate_is_kept_then_renewed_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = tls.prepare(tmp_path).certificate.read_bytes()
    assert tls.prepare(tmp_path).certificate.read_bytes() == issued
    monkeypatch.setattr(tls, "_RENEWAL", datetime.timedelta(days=900))
    assert tls.prepare(tmp_path).certificate.read_bytes() != issued


def test_an_unreadable_certificate_is_reported_not_replaced(tmp_path: Path) -> None:
    identity = tls.prepare(tmp_path)
    identity.certificate.write_text("not PEM")
    with pytest.raises(EnvironmentProblem, match=r"certificate\.pem is not a certificate"):
        tls.prepare(tmp_path)
    assert identity.certificate.read_text() == "not PEM"


def test_log_lines_are_json_and_hide_secrets(environment: Environment) -> None:
    stream = io.StringIO()
    before = structlog.get_config()
    try:
        logs.configure(environment, process="test", stream=stream)
        structlog.get_logger("rostra.test").info("Something happened", token=Secret("hunter2"), count=3)
        structlog.get_logger("rostra.test").debug("Not at this level")
    finally:
        structlog.configure(**before)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["Something happened"]
    assert (
        lines[0] | {"token": "***", "count": 3, "process": "test", "level": "info", "logger": "rostra.test"} == lines[0]
    )


def test_a_long_log_moves_aside_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old" * 10)
        rotate(log, limit=20)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "node.log.1").read_bytes() == b"old" * 10


@pytest.mark.parametrize(
    ("variable", "value"), [("ROSTRA_SIP_PROT", "5060"), ("ROSTRA_SIP_PORT", "none"), ("ROSTRA_LOG_LEVEL", "loud")]
)
def test_a_bad_setting_is_one_line_and_exit_code_2(variable: str, value: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "rostra.cli", "run"], env={variable: value}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert variable in ended.stderr
