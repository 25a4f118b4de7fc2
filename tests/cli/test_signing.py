"""Keys of owners of platforms, made on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from rostra.cli import bundle, licence
from rostra.environment import EnvironmentProblem


@pytest.mark.parametrize("new_key", [bundle.new_key, licence.new_key])
def test_a_pair_is_made_once(new_key: object, tmp_path: Path) -> None:
    assert callable(new_key)
    file = tmp_path / "owner.key"
    new_key(file)
    private = load_pem_private_key(file.read_bytes(), None)
    public = load_pem_public_key((tmp_path / "owner.key.pub").read_bytes())
    assert isinstance(private, Ed25519PrivateKey)
    assert isinstance(public, Ed25519PublicKey)
    public.verify(private.sign(b"made together"), b"made together")
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    with pytest.raises((EnvironmentProblem, typer.Exit)):
        new_key(file)
    assert file.read_bytes() == before
