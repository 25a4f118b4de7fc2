"""Encryption with a passphrase: round trip, every kind of damage, and the other program that reads it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rostra.management.backups import openpgp
from rostra.management.backups.openpgp import DecryptionFailed, Reader, Writer, decrypted, pieces, stretch

QUICK = 0


def encrypt(content: bytes, passphrase: str = "open sesame") -> bytes:
    out = io.BytesIO()
    writer = Writer(out, passphrase, name="backup.tar", count=QUICK)
    writer.plain.write(content)
    writer.close()
    return out.getvalue()


def decrypt(data: bytes, passphrase: str = "open sesame") -> bytes:
    return b"".join(decrypted(pieces(io.BytesIO(data)), passphrase))


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 191, os.urandom(65536), os.urandom(300_001), b"a" * 2_000_000])
def test_round_trip(content: bytes) -> None:
    assert decrypt(encrypt(content)) == content


def test_the_content_is_not_to_be_seen() -> None:
    assert b"secret" not in encrypt(b"secret" * 1000)
    assert encrypt(b"same") != encrypt(b"same")


def test_a_wrong_passphrase_never_opens() -> None:
    data = encrypt(b"x" * 100)
    for number in range(300):
        with pytest.raises(DecryptionFailed):
            decrypt(data, f"wrong {number}")
    with pytest.raises(DecryptionFailed):
        decrypt(data, "")


def test_every_changed_byte_is_noticed() -> None:
    data = encrypt(b"content " * 20)
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x01
        with pytest.raises(DecryptionFailed):
            decrypt(bytes(damaged))


def test_a_file_that_was_cut_short_or_has_more_is_noticed() -> None:
    data = encrypt(os.urandom(70_000))
    for size in (*range(60), len(data) // 2, len(data) - 23, len(data) - 1):
        with pytest.raises(DecryptionFailed):
            decrypt(data[:size])
    with pytest.raises(DecryptionFailed):
        decrypt(data + b"x")


def test_reader_gives_what_is_asked_for() -> None:
    content = os.urandom(200_000)
    reader = Reader([encrypt(content)], "open sesame")
    assert reader.read(100_000) + reader.read(7) + reader.read(1 << 30) == content
    assert reader.read(10) == b""


def test_the_passphrase_is_hashed_as_often_as_the_format_allows() -> None:
    assert openpgp.COUNT == 0xFF
    long = "p" * 5000
    assert stretch(long, b"saltsalt", 0) != stretch(long[:-1], b"saltsalt", 0), "all of it counts"


@pytest.mark.skipif(shutil.which("gpg") is None, reason="GnuPG is not installed")
def test_gnupg_reads_it(tmp_path: Path) -> None:
    content = os.urandom(150_000)
    (tmp_path / "backup.tar.gpg").write_bytes(encrypt(content, "päss phrase"))
    (tmp_path / "home").mkdir(mode=0o700)
    command = ["gpg", "--homedir", str(tmp_path / "home"), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    run = subprocess.run(
        [*command, "--passphrase", "päss phrase", "--decrypt", str(tmp_path / "backup.tar.gpg")],
        capture_output=True,
        timeout=30,
    )
    assert run.stdout == content, run.stderr
    assert b"WARNING" not in run.stderr
