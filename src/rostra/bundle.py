"""Software bundles: one signed file with everything a machine needs to run another version.

A bundle is a tar. First comes `manifest.json`, which names every other member with its size and checksum, then
`manifest.sig`, an Ed25519 signature over the manifest's bytes, then the members: a tree laid out like a checkout.
Nothing is taken from a bundle before the signature was checked, and nothing that the manifest does not name.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from rostra import software
from rostra.environment import Environment

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
LARGEST = 4 * 1024**3
"""Bytes of everything in a bundle."""
_LARGEST_MANIFEST = 16 * 1024 * 1024
_MOST_FILES = 50_000
_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._@+ \[\]()-]+", re.ASCII)
_PLACES = frozenset({"src", "vendor", "web", "build", "deploy", "themes"})
"""Where members may be."""
_PIECE = 1024 * 1024


class BundleProblem(Exception):
    """The bundle cannot be used; the text says why, as a sentence."""


class Member(msgspec.Struct, frozen=True):
    """A file in a bundle."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself."""

    format: int
    version: str
    build: str
    build_date: datetime.datetime
    minimum_version: str
    """Oldest version that can be upgraded by it (NODE-109)."""
    python: str
    """Version of Python it was made for, such as 3.11."""
    machine: str
    """Kind of processor, such as x86_64."""
    files: dict[str, Member]

    @property
    def name(self) -> str:
        return software.name(self.version, self.build)


def trusted_keys(environment: Environment) -> list[Ed25519PublicKey]:
    """Whose bundles are taken: those of the project, and of whom the administrator trusts. Raises BundleProblem."""
    shipped = Path(__file__).with_name("software-key.pem")
    files = [shipped] if shipped.exists() else []
    if environment.software_keys:
        files.append(Path(environment.software_keys))
    found: list[Ed25519PublicKey] = []
    for file in files:
        try:
            found += _keys(file.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as problem:
            raise BundleProblem(f"{file} holds no public key (Ed25519, PEM) that can be used: {problem}") from None
    return found


def _keys(pem: bytes) -> Iterator[Ed25519PublicKey]:
    for part in re.findall(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", pem, re.DOTALL):
        key = load_pem_public_key(part)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("not Ed25519")
        yield key


# ---- reading


class Bundle:
    """A bundle being read from beginning to end, with its manifest, which is signed by one of `keys`."""

    def __init__(self, source: BinaryIO, keys: Iterable[Ed25519PublicKey]) -> None:
        """Raises BundleProblem."""
        try:
            self._tar = tarfile.open(fileobj=source, mode="r|")  # noqa: SIM115 - read as a stream
            content = self._next(MANIFEST, _LARGEST_MANIFEST)
            signature = self._next(SIGNATURE, 64)
        except (tarfile.TarError, EOFError):
            raise BundleProblem("This file is not a software bundle of Rostra.") from None
        _check_signature(content, signature, list(keys))
        self.manifest = _manifest(content)

    def _next(self, name: str, largest: int) -> bytes:
        member = self._tar.next()
        if member is None or member.name != name or not member.isreg() or member.size > largest:
            raise BundleProblem("This file is not a software bundle of Rostra.")
        content = self._tar.extractfile(member)
        return content.read() if content else b""

    def members(self) -> Iterator[tuple[str, _Checked]]:
        """Every member once; read each to its end before the next. Raises BundleProblem for one that is not right."""
        missing = dict(self.manifest.files)
        try:
            while (entry := self._tar.next()) is not None:
                wanted = missing.pop(entry.name, None)
                content = self._tar.extractfile(entry) if entry.isreg() else None
                if wanted is None or content is None or entry.size != wanted.size:
                    raise BundleProblem(f"This bundle is damaged: {entry.name[:100]!r} does not belong into it.")
                checked = _Checked(content)
                yield entry.name, checked
                if checked.digest.hexdigest() != wanted.sha256:
                    raise BundleProblem(f"This bundle is damaged: {entry.name} is not what was signed.")
        except (tarfile.TarError, EOFError):
            raise BundleProblem("This bundle is damaged.") from None
        if missing:
            raise BundleProblem(f"This bundle is damaged: {min(missing)} is missing.")


class _Checked(io.RawIOBase):
    """Notes what is read."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        try:
            found = self._content.read(size)
        except (tarfile.TarError, EOFError):
            raise BundleProblem("This bundle is damaged: it ends too early.") from None
        self.digest.update(found)
        return found


def _check_signature(content: bytes, signature: bytes, keys: list[Ed25519PublicKey]) -> None:
    if not keys:
        raise BundleProblem(
            "No key is trusted to sign software. Name a file with public keys in ROSTRA_SOFTWARE_KEYS on every machine."
        )
    for key in keys:
        try:
            return key.verify(signature, content)
        except InvalidSignature:
            continue
    raise BundleProblem("This bundle is signed by nobody whose software is taken here, or it was changed.")


def _manifest(content: bytes) -> Manifest:
    try:
        if msgspec.json.decode(content)["format"] != FORMAT:
            raise BundleProblem("This bundle is for an installation of another kind; install the version by hand.")
        found = msgspec.json.decode(content, type=Manifest)
        software.name(found.version, found.build)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        raise BundleProblem("This bundle is damaged: it does not say what it holds.") from None
    if len(found.files) > _MOST_FILES or sum(member.size for member in found.files.values()) > LARGEST:
        raise BundleProblem("This bundle is too large.")
    for name in found.files:
        first, *others = name.split("/")
        if first not in _PLACES or not others or not all(_PART.fullmatch(part) for part in others):
            raise BundleProblem(f"This bundle wants to put a file where none belongs: {name[:100]!r}.")
    return found


def check(file: Path, keys: Iterable[Ed25519PublicKey]) -> Manifest:
    """Read a whole bundle; returns what it is. Raises BundleProblem."""
    with file.open("rb") as source:
        bundle = Bundle(source, keys)
        for _, content in bundle.members():
            while content.read(_PIECE):
                pass
    return bundle.manifest


def unpack(file: Path, keys: Iterable[Ed25519PublicKey], target: Path) -> Manifest:
    """Put the tree in a bundle into the new directory `target`. Raises BundleProblem, OSError."""
    target.mkdir(mode=0o755)
    with file.open("rb") as source:
        bundle = Bundle(source, keys)
        for name, content in bundle.members():
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as out:
                while piece := content.read(_PIECE):
                    out.write(piece)
    return bundle.manifest


# ---- writing


def write(target: Path, tree: Path, names: Iterable[str], manifest: Manifest, key: Ed25519PrivateKey) -> None:
    """Make a bundle of the files `names` in `tree`; `manifest` says the rest. Raises OSError, BundleProblem."""
    files: dict[str, Member] = {}
    for name in sorted(names):
        with (tree / name).open("rb") as content:
            files[name] = Member((tree / name).stat().st_size, hashlib.file_digest(content, "sha256").hexdigest())
    content = msgspec.json.encode(msgspec.structs.replace(manifest, files=files))
    _manifest(content)
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in ((MANIFEST, content), (SIGNATURE, key.sign(content))):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for name, member in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = member.size
            with (tree / name).open("rb") as data:
                tar.addfile(entry, data)
