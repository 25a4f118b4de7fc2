"""DTLS-SRTP on a port of an RTP leg (RFC 5764): keys come from a handshake, and whose they are from its fingerprint."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import hmac
import ssl
from collections.abc import Callable
from typing import Any

from rostra.domain.media import DtlsSide
from rostra.media.engine import guard
from rostra.media.engine.gst import Gst, GstNet
from rostra.media.engine.pipeline import Pipeline, make
from rostra.media.engine.sections import BadDescription

_HASHES = {"sha-1": "sha1", "sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}


@dataclasses.dataclass(frozen=True, slots=True)
class Handshake:
    """What was agreed of the keys of a stream."""

    certificate: str = dataclasses.field(repr=False)
    """Ours, with its key."""
    begins: bool
    """We do."""
    fingerprint: str
    """The far end's."""


def handshake(ours: DtlsSide, theirs: DtlsSide) -> Handshake:
    """Raises BadDescription."""
    if not ours.certificate or ours.setup not in ("active", "passive") or not _HASHES.get(_split(theirs)[0]):
        raise BadDescription("the sides have not agreed on DTLS")
    return Handshake(ours.certificate, ours.setup == "active", theirs.fingerprint)


def matches(pem: str, fingerprint: str) -> bool:
    """Whether a certificate is the one of a fingerprint (RFC 8122 5)."""
    name, _, digest = fingerprint.lower().partition(" ")
    try:
        found = hashlib.new(_HASHES[name], ssl.PEM_cert_to_DER_cert(pem.strip())).hexdigest()
    except (KeyError, ValueError):
        return False
    return hmac.compare_digest(found, digest.strip().replace(":", ""))


def _split(side: DtlsSide) -> tuple[str, str]:
    name, _, digest = side.fingerprint.partition(" ")
    return name, digest


class Secured:
    """The association on one port. Media of a far end with another certificate ends the leg."""

    def __init__(self, pipeline: Pipeline, name: str, agreed: Handshake, failed: Callable[[str], None]) -> None:
        self._agreed = agreed
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._known = False
        self._decoder: Any = pipeline.add(make("dtlssrtpdec", f"dtls-in-{name}"))
        self._encoder: Any = pipeline.add(make("dtlssrtpenc", f"dtls-out-{name}"))
        self._decoder.set_property("pem", agreed.certificate)
        self._decoder.set_property("connection-id", name)
        self._decoder.connect("notify::peer-pem", self._introduced)
        guard.count_sources(self._decoder.get_static_pad("rtp_src"), guard.SOURCES_SWITCHED)
        self._encoder.set_property("is-client", agreed.begins)
        self._encoder.set_property("connection-id", name)

    def join(self, source: Any, sink: Any) -> None:
        """Between the packets of a socket and those out of it.

        Until the far end is known to be itself, answers go where its packets come from: it may be behind NAT.
        """
        source.link(self._decoder)
        self._encoder.link(sink)
        if sink.find_property("host") is None:  # ICE knows the way
            return

        def came(_: Any, info: Any) -> Any:
            if self._known:
                return Gst.PadProbeReturn.REMOVE
            meta = GstNet.buffer_get_net_address_meta(info.get_buffer())
            if meta is not None:
                sink.set_property("host", meta.addr.get_address().to_string())
                sink.set_property("port", meta.addr.get_port())
            return Gst.PadProbeReturn.OK

        source.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, came)

    def entry(self, kind: str) -> Any:
        """The pad for what we send: `rtp` or `rtcp`."""
        return self._encoder.request_pad_simple(f"{kind}_sink_0")

    def exit(self, kind: str) -> Any:
        """The pad of what has come."""
        return self._decoder.get_static_pad(f"{kind}_src")

    def _introduced(self, element: Any, _: Any) -> None:
        """The far end has shown its certificate (in a media thread)."""
        pem = element.get_property("peer-pem")
        if not pem:
            return
        if matches(pem, self._agreed.fingerprint):
            self._known = True
            return
        element.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, lambda *_: Gst.PadProbeReturn.DROP)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._failed, "the far end's certificate is not the one it named")
