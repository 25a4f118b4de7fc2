"""Software bundles: what is in them, whose are taken, and every way in which one can be wrong."""

from __future__ import annotations

import dataclasses
import datetime
import io
import platform
import sys
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rostra import bundle, release, software, staging
from rostra.bundle import BundleProblem, Manifest
from rostra.environment import Environment

KEY = Ed25519PrivateKey.generate()
KEYS = [KEY.public_key()]


def manifest(**values: Any) -> Manifest:
    usual: dict[str, Any] = {
        "format": 1,
        "version": "99.1",
        "build": "7",
        "build_date": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        "minimum_version": "0.1",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "machine": platform.machine(),
        "files": {},
    }
    return Manifest(**{**usual, **values})


def tree(directory: Path, version: str = "99.1") -> Path:
    """Software that can only say its version."""
    package = directory / "src" / "rostra"
    (package / "cli").mkdir(parents=True)
    (package / "__init__.py").write_text(f"__version__ = {version!r}\n")
    (package / "cli" / "__init__.py").touch()
    (package / "cli" / "__main__.py").write_text("import rostra; print(rostra.__version__)")
    (directory / "web").mkdir()
    (directory / "web" / "index.html").write_bytes(b"x" * 3_000_000)
    return directory


def make(directory: Path, *, key: Ed25519PrivateKey = KEY, version: str = "99.1", **values: Any) -> Path:
    """A bundle of that software."""
    source = tree(directory / "tree", version)
    file = directory / "bundle.tar"
    names = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
    bundle.write(file, source, names, manifest(**{"version": version, **values}), key)
    return file


def rebuilt(file: Path, change: Any) -> Path:
    """The bundle with its members changed."""
    with tarfile.open(file) as tar:
        members = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    members = change(members) or members
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return file


def test_round_trip(tmp_path: Path) -> None:
    file = make(tmp_path)
    assert bundle.check(file, KEYS).name == "99.1-7"
    bundle.unpack(file, KEYS, tmp_path / "out")
    assert (tmp_path / "out" / "web" / "index.html").read_bytes() == b"x" * 3_000_000
    assert (tmp_path / "out" / "src" / "rostra" / "__init__.py").exists()


def test_only_what_somebody_trusted_signed_is_taken(tmp_path: Path) -> None:
    file = make(tmp_path, key=Ed25519PrivateKey.generate())
    with pytest.raises(BundleProblem, match="signed by nobody"):
        bundle.check(file, KEYS)
    with pytest.raises(BundleProblem, match="No key is trusted"):
        bundle.check(file, [])


_INDEX = "web/index.html"


def _resigned(members: dict[str, bytes], **files: Any) -> None:
    """Hostile, though signed: as if the signer had been careless."""
    found = msgspec.json.decode(members["manifest.json"])
    found["files"] |= files
    members["manifest.json"] = msgspec.json.encode(found)
    members["manifest.sig"] = KEY.sign(members["manifest.json"])


NOWHERE = {"size": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update({_INDEX: b"y" * 3_000_000}), "not what was signed"),
        (lambda m: m.update({_INDEX: b"short"}), "does not belong"),
        (lambda m: m.update({"web/other": b"x"}), "does not belong"),
        (lambda m: m.pop(_INDEX) and None, "is missing"),
        (lambda m: m.update({"manifest.json": m["manifest.json"] + b" "}), "signed by nobody"),
        (lambda m: m.update({"manifest.sig": b""}), "signed by nobody"),
        (lambda m: dict(reversed(m.items())), "not a software bundle"),
        (lambda m: {"other": b""}, "not a software bundle"),
        (lambda m: _resigned(m, **{"../escaped": NOWHERE}), "where none belongs"),
        (lambda m: _resigned(m, **{"src/../../escaped": NOWHERE}), "where none belongs"),
        (lambda m: _resigned(m, **{"/etc/passwd": NOWHERE}), "where none belongs"),
        (lambda m: _resigned(m, **{"etc/passwd": NOWHERE}), "where none belongs"),
        (lambda m: _resigned(m, **{"src/x": {"size": 5 * 1024**3, "sha256": ""}}), "too large"),
    ],
)
def test_what_is_wrong_is_noticed(tmp_path: Path, change: Any, message: str) -> None:
    file = rebuilt(make(tmp_path), change)
    with pytest.raises(BundleProblem, match=message):
        bundle.check(file, KEYS)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\0" * 20_000, b"PK\3\4" + b"x" * 10_000])
def test_something_else_is_no_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BundleProblem, match="not a software bundle"):
        bundle.check(tmp_path / "file", KEYS)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    file = make(tmp_path)
    with tarfile.open(file) as tar:
        members = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            if name == _INDEX:
                entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(BundleProblem, match="does not belong"):
        bundle.unpack(file, KEYS, tmp_path / "out")


@pytest.fixture
def trusting(environment: Environment, tmp_path: Path) -> Environment:
    file = tmp_path / "keys.pem"
    file.write_bytes(KEYS[0].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return dataclasses.replace(environment, software_keys=str(file))


class TestStaging:
    def test_software_that_starts(self, trusting: Environment, tmp_path: Path) -> None:
        found = staging.stage(trusting, make(tmp_path))
        assert found == software.directory(trusting.home) / "99.1-7"
        assert (found / "src" / "rostra" / "BUILD").read_text() == "7\n"
        assert software.current(trusting.home) is None, "not before somebody says so"

    def test_software_that_does_not_start(self, trusting: Environment, tmp_path: Path) -> None:
        file = make(tmp_path, version="99.2")
        source = tmp_path / "tree"
        (source / "src" / "rostra" / "cli" / "__main__.py").write_text("import nothing_of_that_name")
        names = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
        bundle.write(file, source, names, manifest(version="99.2"), KEY)
        with pytest.raises(BundleProblem, match="nothing_of_that_name"):
            staging.stage(trusting, file)
        assert list(software.directory(trusting.home).iterdir()) == []

    @pytest.mark.spec("NODE-109", "NODE-112")
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"version": "0.0.9"}, "no way back"),
            ({"version": release.VERSION, "build": "0"}, "no way back"),
            ({"minimum_version": "50.0"}, "Upgrade to that one first"),
            ({"python": "2.7"}, "Python 2.7"),
            ({"machine": "vax"}, "vax"),
        ],
    )
    def test_software_that_does_not_fit(self, values: dict[str, str], message: str) -> None:
        with pytest.raises(BundleProblem, match=message):
            staging.judge(manifest(**values))
