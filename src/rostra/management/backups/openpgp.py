"""Files encrypted with a passphrase, in the form of OpenPGP (RFC 4880): `gpg --decrypt` opens them as well.

Written is what every implementation reads: a passphrase stretched by iterated and salted SHA-256, AES-256 with
modification detection, deflated data. Both directions stream; nothing is held as a whole. What `decrypted` yields is
vouched for only once it has ended without DecryptionFailed: read a file through once before acting on it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from cryptography.hazmat.decrepit.ciphers.modes import CFB  # what the format is made of
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

_SESSION_KEY, _ENCRYPTED, _COMPRESSED, _LITERAL = 3, 18, 8, 11
"""Tags of packets."""
_AES256, _SHA256, _ITERATED, _DEFLATE = 9, 8, 3, 1
COUNT = 0xFF
"""How often the passphrase is hashed, as the format codes it: 65,011,712 bytes, the most there is."""
_PART = 1 << 16
_PREFIX = 18
_MDC = b"\xd3\x14"
_MDC_BYTES = 22


class DecryptionFailed(Exception):
    """The passphrase is wrong, or the file is damaged or none of ours."""


def stretch(passphrase: str, salt: bytes, count: int) -> bytes:
    """The key (32 bytes) of a passphrase; `count` as the format codes it."""
    piece = salt + passphrase.encode()
    size = max((16 + (count & 15)) << ((count >> 4) + 6), len(piece))
    digest = hashlib.sha256()
    block = piece * max(1, _PART // len(piece))
    whole, rest = divmod(size, len(block))
    for _ in range(whole):
        digest.update(block)
    digest.update(block[:rest])
    return digest.digest()


# ---- writing


class _Packet:
    """A packet of unknown length: parts of a fixed size, then the rest."""

    def __init__(self, out: Any, tag: int) -> None:
        self._out = out
        self._held = bytearray()
        out.write(bytes([0xC0 | tag]))

    def write(self, data: bytes) -> None:
        self._held += data
        while len(self._held) > _PART:
            self._out.write(b"\xf0" + bytes(self._held[:_PART]))
            del self._held[:_PART]

    def close(self) -> None:
        self._out.write(b"\xff" + struct.pack(">I", len(self._held)) + bytes(self._held))


class _Encrypted:
    """The packet that holds everything else."""

    def __init__(self, out: Any, key: bytes) -> None:
        self._packet = _Packet(out, _ENCRYPTED)
        self._packet.write(b"\x01")
        self._cipher = Cipher(algorithms.AES(key), CFB(bytes(16))).encryptor()
        self._digest = hashlib.sha1(usedforsecurity=False)  # what the format prescribes
        random = os.urandom(16)
        self.write(random + random[-2:])

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._packet.write(self._cipher.update(data))

    def close(self) -> None:
        self._digest.update(_MDC)
        self._packet.write(self._cipher.update(_MDC + self._digest.digest()) + self._cipher.finalize())
        self._packet.close()


class Writer:
    """A file to write to; what is written arrives encrypted in `out`. Not finished before `close`."""

    def __init__(self, out: BinaryIO, passphrase: str, *, name: str = "", count: int | None = None) -> None:
        count = COUNT if count is None else count
        salt = os.urandom(8)
        head = bytes([4, _AES256, _ITERATED, _SHA256]) + salt + bytes([count])
        out.write(bytes([0xC0 | _SESSION_KEY, len(head)]) + head)
        self._encrypted = _Encrypted(out, stretch(passphrase, salt, count))
        self._compressed = _Packet(self._encrypted, _COMPRESSED)
        self._compressed.write(bytes([_DEFLATE]))
        self._deflate = zlib.compressobj(level=6, wbits=-15)
        self._literal = _Packet(self, _LITERAL)
        encoded = name.encode()[:200]
        self._literal.write(b"b" + bytes([len(encoded)]) + encoded + struct.pack(">I", int(time.time())))
        self.plain = _Plain(self._literal)
        """Where the content goes."""

    def write(self, data: bytes) -> None:
        self._compressed.write(self._deflate.compress(data))

    def close(self) -> None:
        self._literal.close()
        self._compressed.write(self._deflate.flush())
        self._compressed.close()
        self._encrypted.close()


class _Plain:
    """What `tarfile` writes to."""

    def __init__(self, literal: _Packet) -> None:
        self._literal = literal

    def write(self, data: bytes) -> int:
        self._literal.write(data)
        return len(data)


# ---- reading


class _Source:
    """Bytes that come in pieces, asked for by number."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = bytearray()

    def upto(self, size: int) -> bytes:
        """At least one byte unless there is none left."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held += piece
        found = bytes(self._held[:size])
        del self._held[:size]
        return found

    def exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            piece = self.upto(size - len(found))
            if not piece:
                raise DecryptionFailed
            found += piece
        return bytes(found)


def _packet(source: _Source, tag: int) -> Iterator[bytes]:
    """The content of the next packet, which has to be a `tag`."""
    if source.exactly(1) != bytes([0xC0 | tag]):
        raise DecryptionFailed
    more = True
    while more:
        size, more = _length(source)
        while size:
            piece = source.upto(min(size, _PART))
            if not piece:
                raise DecryptionFailed
            size -= len(piece)
            yield piece


def _length(source: _Source) -> tuple[int, bool]:
    """Bytes that follow, and whether another length comes after them."""
    first = source.exactly(1)[0]
    if first < 192:
        return first, False
    if first < 224:
        return ((first - 192) << 8) + source.exactly(1)[0] + 192, False
    if first < 255:
        return 1 << (first & 31), True
    return struct.unpack(">I", source.exactly(4))[0], False


def _key(source: _Source, passphrase: str) -> bytes:
    head = b"".join(_packet(source, _SESSION_KEY))
    if len(head) != 13 or head[:4] != bytes([4, _AES256, _ITERATED, _SHA256]):
        raise DecryptionFailed
    return stretch(passphrase, head[4:12], head[12])


def _opened(pieces: Iterator[bytes], key: bytes) -> Iterator[bytes]:
    """What is in the encrypted packet. Raises DecryptionFailed at its end when it was changed."""
    cipher = Cipher(algorithms.AES(key), CFB(bytes(16))).decryptor()
    digest = hashlib.sha1(usedforsecurity=False)
    source = _Source(pieces)
    if source.exactly(1) != b"\x01":
        raise DecryptionFailed
    prefix = cipher.update(source.exactly(_PREFIX))
    if prefix[-2:] != prefix[-4:-2]:
        raise DecryptionFailed
    digest.update(prefix)
    held = b""
    while piece := source.upto(_PART):
        held += cipher.update(piece)
        if len(held) > _MDC_BYTES:
            digest.update(held[:-_MDC_BYTES])
            yield held[:-_MDC_BYTES]
            held = held[-_MDC_BYTES:]
    digest.update(_MDC)
    if not hmac.compare_digest(held, _MDC + digest.digest()):
        raise DecryptionFailed


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    source = _Source(pieces)
    if source.exactly(1) != bytes([_DEFLATE]):
        raise DecryptionFailed
    inflate = zlib.decompressobj(wbits=-15)
    try:
        while piece := source.upto(_PART):
            while piece:
                yield inflate.decompress(piece, _PART)
                piece = inflate.unconsumed_tail
        while more := inflate.decompress(b"", _PART):
            yield more
    except zlib.error:
        raise DecryptionFailed from None


def decrypted(pieces: Iterable[bytes], passphrase: str) -> Iterator[bytes]:
    """The content of a file that `Writer` made. Raises DecryptionFailed, perhaps only at its end."""
    source = _Source(iter(pieces))
    opened = _opened(_packet(source, _ENCRYPTED), _key(source, passphrase))
    inner = _Source(opened)
    literal = _Source(_packet(_Source(_inflated(_packet(inner, _COMPRESSED))), _LITERAL))
    literal.exactly(literal.exactly(2)[1] + 4)
    while piece := literal.upto(_PART):
        yield piece
    while inner.upto(_PART):  # to the end, where it is said whether all of it was right
        pass
    if source.upto(1):
        raise DecryptionFailed


class Reader:
    """The content of an encrypted file, as `tarfile` reads it."""

    def __init__(self, pieces: Iterable[bytes], passphrase: str) -> None:
        self._source = _Source(decrypted(pieces, passphrase))

    def read(self, size: int) -> bytes:
        """As many bytes as there still are, at most `size`."""
        found = bytearray()
        while len(found) < size and (piece := self._source.upto(size - len(found))):
            found += piece
        return bytes(found)


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """The content of an open file."""
    while piece := file.read(_PART):
        yield piece
