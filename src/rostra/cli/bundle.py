"""`rostra bundle`: make the signed bundle that platforms are upgraded by; see docs/admin/upgrade.md."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from rostra import bundle, release
from rostra.bundle import BundleProblem, Manifest
from rostra.cli import signing
from rostra.environment import EnvironmentProblem

application = typer.Typer(help="Make software bundles for upgrades.", no_args_is_help=True)

_ROOT = Path(__file__).resolve().parents[3]
"""The checkout, or the tree of an upgrade, that this runs from."""
_PATTERNS = (
    "src/rostra/**/*",
    "vendor/**/*",
    "web/dist/**/*",
    "themes/**/*",
    "docs/**/*",
    "build/native/*.so",
    "deploy/debian-packages.txt",
)


@application.command("new-key")
def new_key(
    file: Annotated[Path, typer.Argument(help="Where to put the private key; the public one gets .pub")],
) -> None:
    """Make a key to sign with. Machines that take its software name the .pub file in ROSTRA_SOFTWARE_KEYS."""
    try:
        signing.make_pair(file)
    except OSError as problem:
        raise EnvironmentProblem(f"{file}: {problem.strerror}") from None
    typer.echo(f"{file} (keep it secret) and {file}.pub")


@application.command()
def make(
    key: Annotated[Path, typer.Option("--key", help="Your private key.")],
    out: Annotated[Path, typer.Option("--out", help="File to write; without it one named by the version.")] = Path(),
    build: Annotated[str, typer.Option("--build", help="Of this build; without it the time, as digits.")] = "",
    minimum_version: Annotated[str, typer.Option(help="Oldest version it upgrades.")] = "0.1",
    tree: Annotated[Path, typer.Option(help="The checkout, built by `make native web`.")] = _ROOT,
) -> None:
    """Make a bundle of this software."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    manifest = Manifest(
        format=bundle.FORMAT,
        version=release.VERSION,
        build=build or now.strftime("%Y%m%d%H%M"),
        build_date=now,
        minimum_version=minimum_version,
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        machine=platform.machine(),
        files={},
    )
    target = out if out != Path() else Path(f"rostra_upgrade_{manifest.version}_{manifest.build}.tar")
    try:
        private = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(private, Ed25519PrivateKey):
            raise EnvironmentProblem(f"{key} is not an Ed25519 key")
        bundle.write(target, tree, _names(tree), manifest, private)
    except (OSError, ValueError, TypeError, BundleProblem) as problem:
        raise EnvironmentProblem(f"The bundle could not be made: {problem}") from None
    typer.echo(str(target))


def _names(tree: Path) -> Iterator[str]:
    for pattern in _PATTERNS:
        for file in tree.glob(pattern):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".o":
                yield str(file.relative_to(tree))
