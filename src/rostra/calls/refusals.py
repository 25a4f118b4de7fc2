"""Whose fault it is that media cannot be set up: the offer's, or ours."""

from __future__ import annotations

from rostra.calls.switchboard import CallRefused, MediaRefused, Refusal
from rostra.media.client import MediaFailure
from rostra.media.messages import Failure


def refusal_of(failure: MediaFailure) -> CallRefused | MediaRefused:
    """What the adapter is told of a media worker's refusal."""
    match failure.kind:
        case Failure.Kind.NO_COMMON_CODEC | Failure.Kind.BAD_DESCRIPTION:
            return MediaRefused(str(failure), no_common_codec=failure.kind is Failure.Kind.NO_COMMON_CODEC)
        case Failure.Kind.UNREACHABLE:
            return MediaRefused(failure.reason)
        case _:
            return CallRefused(Refusal.OUT_OF_RESOURCE)
