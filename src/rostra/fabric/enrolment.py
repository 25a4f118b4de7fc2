"""What a new node and the Management Node say to each other when it enrols: both sides' messages and proofs.

The secret of the configuration file is the seed of a signing key: the node signs its request with it, and the
Management Node keeps only the public half, so neither the network nor the database ever holds what proves a node.
The answer is signed by the platform's authority, whose certificate is in the file; HTTPS need not be trusted.
"""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rostra.fabric.membership import Member

PATH = "/api/enrol"
MEMBER_PATH = "/api/enrol/member"


class Enrol(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a certificate."""

    node: int
    version: str
    request: str
    """Certificate signing request, PEM."""
    fabric_port: int
    """Where the node's NATS server listens for others."""
    signature: str = ""
    """Ed25519 with the file's secret over everything else, hexadecimal."""

    def proven(self, secret: bytes) -> Enrol:
        """The same, signed."""
        signature = Ed25519PrivateKey.from_private_bytes(secret).sign(self._content())
        return msgspec.structs.replace(self, signature=signature.hex())

    def is_proven(self, verifier: str) -> bool:
        """Was it signed with the secret that belongs to `verifier`?"""
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(verifier))
            public.verify(bytes.fromhex(self.signature), self._content())
        except (InvalidSignature, ValueError):
            return False
        return True

    def _content(self) -> bytes:
        return msgspec.json.encode(msgspec.structs.replace(self, signature=""))


def verifier(secret: bytes) -> str:
    """What the Management Node keeps of a secret: Ed25519 public key, hexadecimal."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw().hex()


class Welcome(msgspec.Struct, frozen=True):
    """The answer to Enrol."""

    certificate: str
    members: list[Member]


class MemberQuestion(msgspec.Struct, frozen=True):
    """Asks whether a certificate is still a member's."""

    node: int
    fingerprint: str
    nonce: str
    """Of the asker's choice: the answer cannot be an old one."""


class MemberAnswer(msgspec.Struct, frozen=True):
    """The answer to MemberQuestion, with the question itself."""

    question: MemberQuestion
    member: bool


class Signed(msgspec.Struct, frozen=True):
    """A message of the Management Node and the authority's signature over it."""

    content: str
    """JSON."""
    signature: str
    """ECDSA by the platform's authority, hexadecimal."""


class Problem(msgspec.Struct, frozen=True):
    """Why the Management Node refuses, as a sentence."""

    error: str
