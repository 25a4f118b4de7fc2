"""The product's nouns as enumerations; values are those of the public APIs."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    HOST = "chair"
    GUEST = "guest"
    UNKNOWN = "unknown"
    """At a PIN prompt (CONF-065)."""


class CallProtocol(enum.StrEnum):
    API = "api"
    """Client API, with or without WebRTC media."""
    WEBRTC = "webrtc"
    SIP = "sip"
    H323 = "h323"
    MSSIP = "mssip"
    RTMP = "rtmp"


class CallDirection(enum.StrEnum):
    IN = "in"
    OUT = "out"


class ServiceType(enum.StrEnum):
    """Where a participant is (`service_type` of the participant object)."""

    CONNECTING = "connecting"
    WAITING_ROOM = "waiting_room"
    IVR = "ivr"
    CONFERENCE = "conference"
    LECTURE = "lecture"
    GATEWAY = "gateway"
    TEST_CALL = "test_call"
    INSUFFICIENT_CAPACITY = "insufficient_capacity"
    """Is shown that there is no room, before it is disconnected (REF-043, REF-047)."""
    INSUFFICIENT_LICENSES = "insufficient_licenses"
    INVALID_LICENSE = "invalid_license"
