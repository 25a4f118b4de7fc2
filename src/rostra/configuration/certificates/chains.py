"""From a certificate to its root: which certificates a node presents, and does somebody trusted vouch for them?"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import certifi
from cryptography import x509

from rostra.configuration.certificates.facts import fingerprint, is_authority, is_self_signed, is_signed_by

_LONGEST = 10
_TRIES = 100
"""Certificates looked at in all: authorities that sign each other in circles must not keep us busy."""


@dataclasses.dataclass(frozen=True, slots=True)
class Chain:
    """A certificate and those above it, as far as they are known."""

    certificates: tuple[x509.Certificate, ...]
    """The certificate itself first, the root (if it is known) last."""
    complete: bool
    """Ends with a certificate that is trusted; one that signed itself needs nobody above it."""

    @property
    def presented(self) -> tuple[x509.Certificate, ...]:
        """What is sent to peers: all but the root, which they have to know themselves (RFC 8446, 4.4.2)."""
        first, *above = self.certificates
        return (first, *(one for one in above if not is_self_signed(one)))


class Pool:
    """Certificates to build chains from."""

    def __init__(self, known: Iterable[x509.Certificate] = (), anchors: Iterable[x509.Certificate] = ()) -> None:
        """`known` may be part of a chain; `anchors` end it as well, since they are trusted."""
        self._by_subject: dict[bytes, list[x509.Certificate]] = {}
        anchors = tuple(anchors)
        self._anchors = {fingerprint(one) for one in anchors}
        for one in (*anchors, *known):
            self._by_subject.setdefault(one.subject.public_bytes(), []).append(one)

    def trusts(self, certificate: x509.Certificate) -> bool:
        return fingerprint(certificate) in self._anchors

    def issuers(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """Those that signed `certificate`; the ones that are valid longest first."""
        found = self._by_subject.get(certificate.issuer.public_bytes(), [])
        signed = [one for one in found if is_authority(one) and is_signed_by(certificate, one)]
        return sorted(signed, key=lambda one: one.not_valid_after_utc, reverse=True)


def chain(certificate: x509.Certificate, *pools: Pool) -> Chain:
    """The best chain: a complete one if there is any, else the longest that was found."""
    if is_self_signed(certificate):
        return Chain((certificate,), complete=True)
    return _best((certificate,), pools, iter(range(_TRIES)))


def _best(so_far: tuple[x509.Certificate, ...], pools: Sequence[Pool], tries: Iterator[int]) -> Chain:
    last = so_far[-1]
    if len(so_far) > 1 and any(pool.trusts(last) for pool in pools):
        return Chain(so_far, complete=True)
    best = Chain(so_far, complete=False)
    if len(so_far) >= _LONGEST or is_self_signed(last) or next(tries, None) is None:
        return best
    for issuer in (one for pool in pools for one in pool.issuers(last)):
        if issuer in so_far:
            continue
        found = _best((*so_far, issuer), pools, tries)
        if found.complete:
            return found
        if len(found.certificates) > len(best.certificates):
            best = found
    return best


@functools.cache
def built_in() -> Pool:
    """The authorities that are always trusted: Mozilla's list (SYS-233)."""
    with warnings.catch_warnings(action="ignore"):  # some old roots have odd serial numbers
        return Pool(anchors=x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes()))


def trust(uploaded: Iterable[tuple[x509.Certificate, bool]], also: Iterable[x509.Certificate] = ()) -> Pool:
    """A pool of uploaded CA certificates, each with whether it is trusted though it is no root, and of those that
    came with a certificate, which are not trusted."""
    uploaded = list(uploaded)
    anchors = [one for one, trusted in uploaded if trusted or is_self_signed(one)]
    return Pool([*(one for one, _ in uploaded), *also], anchors)


def expires_soon(certificate: x509.Certificate, now: datetime.datetime, days: int = 30) -> bool:
    return certificate.not_valid_after_utc - now < datetime.timedelta(days=days)
