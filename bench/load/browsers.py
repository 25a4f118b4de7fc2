"""A WebRTC endpoint of the load: the client API, an offer as browsers make it, and its answer."""

from __future__ import annotations

import re
import ssl
from typing import Any

import httpx

from bench.load import dtls
from rostra.domain.media import CodecParameters

_FEEDBACK = ("nack pli", "ccm fir")
_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", re.IGNORECASE | re.MULTILINE)


def offer(own: str, port: int, ufrag: str, password: str, codecs: list[CodecParameters], bandwidth: int) -> str:
    """The session description: all streams on one port."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines.append(f"a=group:BUNDLE {' '.join(str(number) for number in range(len(codecs)))}")
    for number, codec in enumerate(codecs):
        video = codec.clock_rate == 90000
        kind = "video" if video else "audio"
        channels = f"/{codec.channels}" if codec.channels and codec.channels > 1 else ""
        lines += [f"m={kind} {port} UDP/TLS/RTP/SAVPF {codec.payload_type}", f"c=IN IP4 {own}"]
        lines += [f"b=TIAS:{bandwidth}"] if video else []
        lines += [
            f"a=mid:{number}", "a=sendrecv", "a=rtcp-mux", f"a=ice-ufrag:{ufrag}", f"a=ice-pwd:{password}",
            f"a=fingerprint:{dtls.fingerprint()}", "a=setup:actpass",
            f"a=rtpmap:{codec.payload_type} {codec.name.lower() if not video else codec.name}/{codec.clock_rate}"
            f"{channels}",
        ]  # fmt: skip
        if codec.parameters:
            members = ";".join(f"{name}={value}" for name, value in codec.parameters.items())
            lines.append(f"a=fmtp:{codec.payload_type} {members}")
        lines += [f"a=rtcp-fb:{codec.payload_type} {one}" for one in _FEEDBACK] if video else []
        lines += [f"a=candidate:1 1 udp 2130706431 {own} {port} typ host", "a=end-of-candidates"]
    return "\r\n".join(lines) + "\r\n"


def answered(body: str) -> tuple[str, int, str, str]:
    """Address, port, and the credentials of the way."""
    candidate = re.search(
        r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", body, re.IGNORECASE | re.MULTILINE
    )
    ufrag, password = (re.search(rf"^a=ice-{name}:(\S+)", body, re.MULTILINE) for name in ("ufrag", "pwd"))
    if candidate is None or ufrag is None or password is None:
        raise RuntimeError(f"no way in the answer:\n{body}")
    return candidate[1], int(candidate[2]), ufrag[1], password[1]


class Participant:
    """Somebody who has joined by the client API."""

    def __init__(self, web: str, alias: str, name: str, pin: str = "") -> None:
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        self._http = httpx.Client(base_url=f"{web}/api/client/v2/conferences/{alias}/", verify=trust, timeout=20)
        granted = self._post("request_token", {"display_name": name}, {"pin": pin} if pin else {})
        self._token, self._uuid = granted["token"], granted["participant_uuid"]
        self._call = ""

    def call(self, sdp: str) -> str:
        """The answer to an offer."""
        granted = self._post(f"participants/{self._uuid}/calls", {"call_type": "WEBRTC", "sdp": sdp})
        self._call = granted["call_uuid"]
        return granted["sdp"]

    def acknowledge(self) -> None:
        self._post(f"participants/{self._uuid}/calls/{self._call}/ack", {})

    def leave(self) -> None:
        self._post("release_token", {})
        self._http.close()

    def _post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        token = {"token": self._token} if path != "request_token" else {}
        response = self._http.post(path, json=body, headers={**token, **(headers or {})})
        if response.status_code != 200:
            raise RuntimeError(f"{path}: {response.status_code} {response.text[:300]}")
        return response.json()["result"]
