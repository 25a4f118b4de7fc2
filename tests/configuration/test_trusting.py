"""Whom the platform believes over TLS, by what was uploaded."""

from __future__ import annotations

import ssl

import pytest
from structlog.testing import capture_logs

from rostra import tls
from rostra.configuration.certificates import trusting
from tests.certificates import made

HOST = "policy.example.org"
ROOT = made("Root", authority=True)
MIDDLE = made("Middle", authority=True, by=ROOT)
OTHER = made("Other", authority=True)
SERVER = made(HOST, by=MIDDLE)


def believed(authorities: list[tuple[str, bool]], presented: str, host: str = HOST) -> bool:
    """Would a connection to a server that presents this be made? Both ends are in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.client_context(authorities).wrap_bio(to_client, to_server, server_hostname=host)
    server = tls.server_context(presented, SERVER.key_pem).wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return client.version() is not None


@pytest.mark.spec("SYS-233", "SYS-234", "POL-010")
@pytest.mark.parametrize(
    ("uploaded", "expected"),
    [
        ([], False),
        ([(ROOT.pem, False)], True),
        ([(MIDDLE.pem, False)], False),
        ([(MIDDLE.pem, True)], True),
        ([(OTHER.pem, False)], False),
        ([(MIDDLE.pem, False), (OTHER.pem, True)], False),
        ([("no certificate", False), (ROOT.pem, False)], True),
    ],
    ids=["nothing", "root", "intermediate", "trusted", "another", "trust is not for all", "unreadable"],
)
def test_who_is_believed(uploaded: list[tuple[str, bool]], expected: bool) -> None:
    assert believed(uploaded, SERVER.pem + MIDDLE.pem) is expected


def test_a_server_has_to_be_the_one_meant() -> None:
    assert not believed([(ROOT.pem, False)], SERVER.pem + MIDDLE.pem, "another.example.org")


def test_what_cannot_be_read_is_said() -> None:
    with capture_logs() as logs:
        trusting.client_context([("no certificate", False)])
    assert logs[0]["event"] == "An uploaded authority cannot be used"
