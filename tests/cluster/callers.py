"""Participants that need no browser: the client API of a node as a program uses it, and tones in recordings."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy

from tests.cluster.cluster import Cluster
from tests.e2e.phone import Phone
from tests.e2e.platform import wait_until

OFFER = (Path(__file__).parents[1] / "media" / "offers" / "chromium-audio-video-inactive.sdp").read_text()
"""Asks for sound and pictures; whoever sent it never connects, so it costs capacity and no processor."""


class Refused(Exception):
    """The node did not do it; `status` and `reason` are its answer."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        body = response.json() if response.content else {}  # a node that is being killed may not get further
        self.reason = body.get("result", body)
        super().__init__(f"{self.status} {self.reason}")


class Caller:
    """One participant of a conference on one node; what its event stream tells is in `roster`, `flags` and `chat`."""

    def __init__(self, cluster: Cluster, node: str, alias: str, name: str, *, pin: str | None = None) -> None:
        self.name = name
        self.node = node
        self.roster: dict[str, dict[str, Any]] = {}
        self.flags: dict[str, Any] = {}
        self.chat: list[str] = []
        self.lost_media = 0
        self.left = ""
        """Why the platform ended it."""
        self.synced = threading.Event()
        self._http = cluster.client(node)
        self._base = f"/api/client/v2/conferences/{alias}"
        self._token = ""
        granted = self.post(
            "request_token", {"display_name": name}, headers={"pin": pin} if pin is not None else {}
        )  # fmt: skip
        self._token, self.uuid, self.role = granted["token"], granted["participant_uuid"], granted["role"]
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        assert self.synced.wait(10), f"{name} got no roster on {node}"

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """Any function; returns its result. Raises Refused."""
        headers = {"token": self._token, **options.pop("headers", {})}
        response = self._http.post(f"{self._base}/{path}", json=body or {}, headers=headers, **options)
        if response.status_code != 200:
            raise Refused(response)
        return response.json()["result"]

    def act(self, participant: str, function: str, body: Any = None) -> Any:
        """A function of one participant."""
        return self.post(f"participants/{participant}/{function}", body)

    def call(self, *, media_type: str = "video") -> str:
        """Take up a call; returns the answer. Raises Refused."""
        answer = self.act(self.uuid, "calls", {"call_type": "WEBRTC", "sdp": OFFER, "media_type": media_type})
        self.act(self.uuid, f"calls/{answer['call_uuid']}/ack")
        return str(answer["sdp"])

    def refresh(self) -> None:
        self._token = self.post("refresh_token")["token"]

    def leave(self) -> None:
        """Go; a connection that a cut has broken is made anew."""
        for _ in range(3):
            try:
                self.post("release_token")
            except httpx.HTTPError:
                continue
            except Refused:
                pass  # it is gone already
            break
        self._http.close()

    @property
    def names(self) -> list[str]:
        """Who is in, by name; doubles show."""
        return sorted(one["display_name"] for one in self.roster.values())

    def told(self, name: str, member: str) -> Any:
        """What the roster says of somebody; None while it does not list that name (or lists it twice)."""
        found = [one[member] for one in self.roster.values() if one["display_name"] == name]
        return found[0] if len(found) == 1 else None

    # ---- events

    def _listen(self) -> None:
        """Connect anew when the stream breaks, as clients do, until the platform ends us."""
        while not self.left and not self._http.is_closed:
            with contextlib.suppress(httpx.HTTPError, RuntimeError, AttributeError):
                self._read()
            time.sleep(0.2)

    def _read(self) -> None:
        timeout = httpx.Timeout(5, read=30)
        with self._http.stream("GET", f"{self._base}/events?token={self._token}", timeout=timeout) as stream:
            if stream.status_code != 200:
                self.left = self.left or f"events answered {stream.status_code}"
                return
            event = ""
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    self._take(event, json.loads(value))

    def _take(self, event: str, data: Any) -> None:
        match event:
            case "participant_sync_begin":
                self.roster = {}
            case "participant_create" | "participant_update":
                self.roster = {**self.roster, data["uuid"]: data}
            case "participant_delete":
                self.roster = {uuid: one for uuid, one in self.roster.items() if uuid != data["uuid"]}
            case "participant_sync_end":
                self.synced.set()
            case "conference_update":
                self.flags = data
            case "message_received":
                self.chat.append(f"{data['origin']}: {data['payload']}")
            case "media_lost":
                self.lost_media += 1
            case "refresh_token":
                self.refresh()
            case "disconnect":
                self.left = data["reason"]
            case _:
                pass  # what is not about people


_PRIVATE = ("supports_direct_chat", "last_spoken_time", "uri", "vendor", "protocol")
"""What a roster says by who looks, or tells at once on one node only."""


def same_rosters(*callers: Caller) -> bool:
    """Everybody sees the same people in the same state."""
    shown = [
        {uuid: {k: v for k, v in one.items() if k not in _PRIVATE} for uuid, one in caller.roster.items()}
        for caller in callers
    ]
    return all(one == shown[0] for one in shown)


def until_same(*callers: Caller, names: list[str] | None = None, within: float = 10.0) -> float:
    """Wait until all see the same, and (with `names`) these people; returns the seconds it took."""
    wanted = sorted(names) if names is not None else None

    def same() -> bool:
        return same_rosters(*callers) and (wanted is None or callers[0].names == wanted)

    try:
        return wait_until(same, within)
    except AssertionError:
        seen = {caller.name: caller.names for caller in callers}
        raise AssertionError(f"rosters after {within} s: {seen}, wanted {wanted}") from None


class SipSystem(Phone):
    """A SIP system that says one tone."""

    def __enter__(self) -> SipSystem:
        super().__enter__()
        return self

    def call(self, uri: str) -> None:
        """Call, and be answered even on a busy machine."""
        self.dial(uri)
        self.wait_for("CALL_ESTABLISHED", 30)

    def dial(self, uri: str) -> None:
        """Call without waiting for what comes of it."""
        self._do(self.baresip.dial(uri))

    def mute(self) -> None:
        """Toggle its microphone."""
        self._do(self.baresip.command("mute"))


def phone(cluster: Cluster, directory: Path, name: str, tone: int, **settings: Any) -> SipSystem:
    """A SIP system on the tests' own machine."""
    settings.setdefault("audio_codecs", ["PCMU"])
    return SipSystem(directory / name, name=name, tone=tone, address=cluster.network.gateway, **settings)


def sip(cluster: Cluster, node: str, alias: str) -> str:
    return f"sip:{alias}@{cluster.address(node)}:{cluster.network.machines[node].port('sip')}"


class Starvation:
    """How much of the time from now on somebody on this machine had to wait for a processor."""

    def __init__(self) -> None:
        self._stalled, self._began = self._total(), time.monotonic()

    def _total(self) -> float:
        file = Path("/proc/pressure/cpu")
        return int(file.read_text().split("total=")[1].split()[0]) / 1e6 if file.exists() else 0.0

    def share(self) -> float:
        """0 to 1; 0 where the kernel does not tell."""
        return (self._total() - self._stalled) / (time.monotonic() - self._began)


LEAST = 0.01
"""Amplitude of a tone that is heard; full scale is 1."""


class Ear:
    """Listens to one tone in what a phone records from now on."""

    STEP = 0.02

    def __init__(self, phone: Phone, frequency: int) -> None:
        self._file = phone.baresip.recording
        self._frequency = frequency
        self._start = len(self._samples())
        self._began = time.monotonic()

    def _samples(self) -> Any:
        raw = self._file.read_bytes()
        self._rate = int.from_bytes(raw[24:28], "little")
        channels = int.from_bytes(raw[22:24], "little")
        body = raw[44 : len(raw) - (len(raw) - 44) % (2 * channels)]
        return numpy.frombuffer(body, "<i2").reshape(-1, channels)[:, 0].astype(float) / 32768

    def recorded(self) -> float:
        """Seconds recorded so far."""
        return (len(self._samples()) - self._start) / self._rate

    def _present(self) -> list[bool]:
        """For each step: was the tone there?"""
        samples = self._samples()[self._start :]
        step = int(self._rate * self.STEP)
        blocks = samples[: len(samples) // step * step].reshape(-1, step)
        wave = numpy.exp(-2j * numpy.pi * self._frequency * numpy.arange(step) / self._rate)
        levels = 2 * numpy.abs(blocks @ wave) / step
        return list(levels > LEAST)

    def longest_gap(self) -> float:
        """Seconds for which the tone was missing at a stretch: it was not heard, or nothing was recorded."""
        present = self._present()
        longest = run = 0
        for there in present:
            run = 0 if there else run + 1
            longest = max(longest, run)
        unrecorded = time.monotonic() - self._began - len(present) * self.STEP
        return max(longest * self.STEP, unrecorded)

    def since_last_gap(self) -> float:
        """Seconds for which the tone has been there without a break."""
        present = self._present()
        run = next((index for index, there in enumerate(reversed(present)) if not there), len(present))
        return run * self.STEP


def history(cluster: Cluster, alias: str) -> list[dict[str, Any]]:
    """Ended calls to a conference of that name, from the management API."""
    return cluster.rows("history", "participant", conference_name=alias)
