"""The shape of a codec's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from rostra.domain.media import MediaKind

Parameters = Mapping[str, str]


def accept_any(offered: Parameters) -> dict[str, str] | None:
    """Agree to any format parameters and state none of our own."""
    del offered
    return {}


def rank_alike(offered: Parameters) -> int:
    """All acceptable forms are equally good."""
    del offered
    return 0


def always() -> bool:
    """Its elements are part of what every node has."""
    return True


def one_form(offered: Parameters) -> str:
    """There is one form, whatever the parameters."""
    del offered
    return ""


def any_size(parameters: Parameters) -> tuple[Size, ...]:
    """Pictures of any size."""
    del parameters
    return ()


def any_packets(taken: Parameters) -> bool:
    """Whatever a receiver states, it takes packets of any division."""
    del taken
    return True


def any_profile(taken: Parameters, profile: str) -> bool:
    """There is but one."""
    del taken, profile
    return True


class Size(NamedTuple):
    """A size of picture that a receiver states."""

    width: int
    height: int
    frame_rate: int
    bitrate: int
    """Bit/s worth sending at that size."""


class CodecRow(msgspec.Struct, frozen=True, kw_only=True):
    """One codec.

    The launch strings are fragments in `gst-launch` syntax without caps; `{bitrate}` (bit/s), `{kilobits}` (kbit/s),
    `{payload_type}` and `{mtu}` (bytes: of a packet for payloaders, of a payload for encoders) are filled in.
    """

    name: str
    """Encoding name in upper case, as in the IANA registry."""
    kind: MediaKind
    clock_rate: int
    """RTP clock, Hz (RFC 3551: G.722 states 8000 for its 16 kHz audio)."""
    channels: int = 1
    payload_type: int
    """Static number, or the dynamic one we prefer in our own offers."""
    offers: tuple[dict[str, str], ...] = ({},)
    """Format parameters of each payload type we put in our own offers."""
    accept: Callable[[Parameters], dict[str, str] | None] = accept_any
    """Offered parameters to those of our answer; None: we cannot take this form."""
    rank: Callable[[Parameters], int] = rank_alike
    """Which of several acceptable forms is better: the higher."""
    passes: Callable[[Parameters], bool] = any_packets
    """Can what was encoded for others be passed on to a receiver that states these parameters?"""
    decodes: Callable[[Parameters, str], bool] = any_profile
    """Does a receiver that states these parameters decode what a sender made in this profile (as its caps name it)?"""
    form: Callable[[Parameters], str] = one_form
    """Parameters to the name of the form: those of different names are different codecs (RFC 6184 8.2.2)."""
    switches: Mapping[str, str] = {}
    """Form to the word by which administrators switch it off (SYS-117)."""
    sizes: Callable[[Parameters], tuple[Size, ...]] = any_size
    """Of a codec with few sizes: those a receiver that states these parameters takes, the best first."""
    there: Callable[[], bool] = always
    """Whether this machine can run it: some need a library that not every machine has."""
    described: tuple[str, ...] = ()
    """Format parameters without which what comes cannot be unpacked."""
    library: str = ""
    """What it needs then, for administrators."""
    variant: str = ""
    """Tells encoders of one codec apart."""
    encoder: str = ""
    adjusted: str = ""
    """The encoder's property that changes its bit rate at work, and its value, such as `bitrate={kilobits}`; empty:
    there is none."""
    encoded: str = ""
    """Caps the encoder's output is held to; empty: whatever it makes."""
    payloader: str = ""
    depayloader: str = ""
    decoder: str = ""
    resyncs: bool = True
    """Its packets tell which pictures need no others, so that showing can wait for one."""
    plain_keys: bool = False
    """Where a key frame begins is read from a packet by `native/sluice.c`."""
    sample_rate: int = 48000
    """PCM rate the audio encoder wants, Hz."""
    native: bool = False
    """The stage has it itself, as sound: no elements are needed where it has the packets as well."""
    feedback: tuple[str, ...] = ()
    """RTCP feedback we support for it."""

    @property
    def made(self) -> str:
        """What its encoder makes: the same for those that can share one."""
        return f"{self.name} ({self.variant})" if self.variant else self.name
