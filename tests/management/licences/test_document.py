"""The licence file and the XML around requests: what is taken, and what is not."""

from __future__ import annotations

import base64
import datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from rostra.cli.licence import application
from rostra.domain.licensing import LicenceKind
from rostra.management.licences import document, exchange
from rostra.management.licences.document import Grant, LicenceProblem, Receipt
from rostra.management.licences.exchange import Request

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEYS = [KEY.public_key()]
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
WORD = document.sign(Grant(id="a", concurrent=3), KEY)


def test_what_was_signed_is_read_wherever_it_stands() -> None:
    grant = Grant(
        id="a.b-c", kind=LicenceKind.AUDIO, concurrent=5, overdraft=1, start=datetime.date(2026, 1, 1), deployment="u"
    )
    other = Receipt(id="b")
    text = f"# é\r\n\n<x>{document.sign(grant, KEY)}</x> {document.sign(other, KEY)}\n{document.sign(grant, KEY)}"
    found = document.read(text, KEYS)
    assert [one.content for one in found] == [grant, other]
    assert {one.key for one in found} == {document.fingerprint(KEYS[0])}
    terms = document.terms(grant, "u")
    assert (terms.kind, terms.concurrent, terms.overdraft, terms.intact) == (LicenceKind.AUDIO, 5, 1, True)
    assert not document.terms(grant, "v").intact


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, len(WORD) - 1), letter=st.sampled_from("Aq_-9.="))
@example(position=len(WORD) - 1, letter="B")
def test_a_changed_letter_is_noticed(position: int, letter: str) -> None:
    changed = WORD[:position] + letter + WORD[position + 1 :]
    if changed == WORD:
        return
    try:
        (found,) = document.read(changed, KEYS)
    except LicenceProblem:
        return
    assert found.content == Grant(id="a", concurrent=3)  # unused bits of base64


def _forged(payload: bytes, key: Ed25519PrivateKey = KEY, context: bytes = b"rostra licence 1\0") -> str:
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (payload, key.sign(context + payload)))
    return ".".join((document.PREFIX, *parts))


GOOD = msgspec.json.encode(Grant(id="a"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ABCD-EFGH",
        "ROSTRA1.x.y",
        _forged(GOOD, OTHER),
        _forged(GOOD, context=b""),
        _forged(b'{"is":"something else"}'),
        _forged(b"not JSON"),
        _forged(b'{"is":"licence","id":"a","concurrent":-1}'),
        _forged(b'{"is":"licence","id":"a","concurrent":10000001}'),
        _forged(b'{"is":"licence","id":"../a"}'),
        _forged(b'{"is":"licence","id":"a","start":"2026-02-01","end":"2026-01-01"}'),
        _forged(b'{"is":"licence","id":"a","end":"9999-12-31"}'),
        "\n".join(document.sign(Grant(id=f"a{number}"), KEY) for number in range(document.MOST + 1)),
    ],
)
def test_what_is_no_licence_is_refused(text: str) -> None:
    with pytest.raises(LicenceProblem):
        document.read(text, KEYS)


def test_only_keys_of_the_right_kind_are_read() -> None:
    with pytest.raises(LicenceProblem):
        document.public_keys(b"nothing")
    with pytest.raises(LicenceProblem):
        document.public_keys(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")
    with pytest.raises(LicenceProblem):
        document.private_key(b"nothing")


@pytest.mark.spec("SYS-201", "SYS-207")
@given(reference=st.text(max_size=40))
@settings(max_examples=50, deadline=None)
@example(reference="a\x00<&>\"'\ud7ff")
def test_requests_are_read_as_they_were_written(reference: str) -> None:
    request = Request(
        number="7",
        action="activate",
        reference=reference,
        created="2026-01-01T00:00:00Z",
        deployment="u",
        machine=("d",),
    )
    found = exchange.read_request(exchange.write_request(request))
    assert msgspec.structs.replace(found, reference="") == msgspec.structs.replace(request, reference="")
    if reference.isprintable():
        assert found.reference == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a/>",
        "<rostra-licensing version='1'/>",
        "<rostra-licensing version='2'><answer number='1'/></rostra-licensing>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><rostra-licensing version='1'><answer number='&a;'/></rostra-licensing>",
        "<?xml version='1.0' encoding='utf-16'?><rostra-licensing version='1'><answer number='1'/></rostra-licensing>",
        "<rostra-licensing version='1'><answer number='1'>",
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(LicenceProblem):
        exchange.read_answer(text)


def test_an_owner_issues_licences_and_answers_requests(tmp_path: Path) -> None:
    run = CliRunner()
    file = tmp_path / "key"
    assert run.invoke(application, ["new-key", str(file)]).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert run.invoke(application, ["new-key", str(file)]).exit_code == 1
    keys = document.public_keys((tmp_path / "key.pub").read_bytes())
    issue = ["issue", "--key", str(file), "--calls", "7", "--overdraft", "2", "--end", "2030-01-01", "--to", "Me"]
    made = run.invoke(application, issue)
    (licence,) = document.read(made.output, keys)
    assert isinstance(licence.content, Grant)
    assert (licence.content.concurrent, licence.content.overdraft, licence.content.issued_to) == (7, 2, "Me")
    asked = Request(number="3", action="activate", reference="ABC", created="", deployment="u")
    request = tmp_path / "request.xml"
    request.write_text(exchange.write_request(asked))
    assert (
        run.invoke(application, [*issue, "--request", str(request), "--out", str(tmp_path / "answer")]).exit_code == 0
    )
    answer = exchange.read_answer((tmp_path / "answer").read_text())
    (signed,) = document.read(answer.text, keys)
    assert isinstance(signed.content, Grant)
    assert (answer.number, signed.content.entitlement, signed.content.deployment) == ("3", "ABC", "u")
    request.write_text(exchange.write_request(msgspec.structs.replace(asked, action="return")))
    made = run.invoke(application, ["issue", "--key", str(file), "--request", str(request)])
    (receipt,) = document.read(exchange.read_answer(made.output).text, keys)
    assert receipt.content == Receipt(id="ABC", deployment="u")
    for wrong in (["--key", "none"], ["--key", str(tmp_path / "key.pub")], ["--key", str(file), "--id", "a b"]):
        assert run.invoke(application, ["issue", *wrong]).exit_code == 1


def test_a_private_key_is_read_from_pem() -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert document.private_key(pem).sign(b"a") == KEY.sign(b"a")
