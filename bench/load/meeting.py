"""A meeting of the load: who calls in, who speaks when, and what is said of it afterwards."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from bench.load import footage, judging
from bench.load.callee import CalledLeg
from bench.load.footage import Track
from bench.load.judging import Frame
from bench.load.legs import Equipment, Leg, Node, SipLeg, WebRtcLeg
from bench.load.pictures import Decoded, Ideal, decode, save, scene
from bench.load.receiving import Receiver
from bench.load.sending import Talk
from bench.load.traffic import Traffic
from rostra.domain import layouts
from rostra.domain.scene import Scene
from rostra.media.engine import stage

EVERY = 0.5
"""Seconds between pictures that are compared with the ideal."""
SETTLED = 1.5
"""Seconds after a change of speakers from which on pictures and gaps are judged."""
LOAD_LATE = "the load itself was"
"""What the reason begins with that is not the node's."""
FIRST = 15.0
"""Seconds in which everybody must get something."""
CODECS = {codec.name: codec for codec in (footage.OPUS, footage.PCMU, footage.PCMA)}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one kind."""

    calls: int
    protocol: str = "sip"
    """`sip`, `srtp`, `webrtc`, or `called`: a SIP endpoint that waits for a gateway call."""
    picture: str = "H264"
    """`H264`, `VP8`, or empty: sound only."""
    sound: tuple[str, ...] = ("OPUS",)
    """Codecs, taken in turn."""
    pin: str = ""
    sees: int = 0
    """How many others its picture shows; 0: all who send one, up to what the layout has room for."""
    layout: str = ""
    alias: str = ""
    """Else the plan's; `{port}` is where the last of those waits who are called."""
    bandwidth: int = footage.BITRATE
    heeds: bool = False
    """Asked for a lower rate (TMMBR) it sends less."""
    recorded: int = 8
    """Receivers whose pictures are decoded, the last ones of it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A run."""

    address: str
    sip_port: int
    web: str = ""
    alias: str
    groups: tuple[Group, ...]
    together: int = 1
    """Speakers at a time,"""
    turn: float = 4.0
    """and seconds until others do; 0: always the first ones."""
    talkers: int = 0
    """Who takes turns: the first so many; 0: all."""
    pictures: str = ""
    """Folder for some of the received pictures."""


@dataclasses.dataclass(slots=True)
class _Part:
    group: Group
    leg: Leg
    number: int


class Meeting:
    """All legs of a plan."""

    def __init__(self, plan: Plan, traffic: Traffic) -> None:
        self.plan = plan
        self._traffic = traffic
        self._parts: list[_Part] = []
        self._problems: list[str] = []
        self._began = time.monotonic()
        self._clock = time.time() - time.monotonic()
        self.people = sum(group.calls for group in plan.groups)
        self._talk = Talk(plan.talkers or self.people, plan.together, plan.turn)

    def join(self) -> None:
        """Everybody calls, one after the other, and gets something."""
        number = 0
        for group in self.plan.groups:
            for at in range(group.calls):
                recorded = at >= group.calls - group.recorded
                self._parts.append(_Part(group, self._leg(group, at, number, recorded), number))
                self._traffic.check()
                number += 1
        end = time.monotonic() + FIRST
        while not all(receiver.packets for part in self._parts for receiver in part.leg.receivers):
            self._traffic.check()
            if time.monotonic() > end:
                break  # it is found to get nothing when it is judged
            time.sleep(0.05)

    def _leg(self, group: Group, at: int, number: int, recorded: bool) -> Leg:
        plan = self.plan
        node = Node(plan.address, plan.sip_port, plan.web, self._alias(group))
        equipment = Equipment(
            number=number,
            voice=footage.voice(CODECS[group.sound[at % len(group.sound)]], number),
            pictures=_footage(group),
            speaks=lambda now: self._talk.speaks(number, now - self._began),
            recorded=recorded and bool(group.picture),
            protocol=group.protocol,
            pin=group.pin,
            bandwidth=group.bandwidth,
        )
        if group.protocol == "called":
            return CalledLeg(self._traffic, equipment, plan.address)
        kind = WebRtcLeg if group.protocol == "webrtc" else SipLeg
        return kind(self._traffic, equipment, node)

    def _alias(self, group: Group) -> str:
        """For a gateway call with the port of the one that is called."""
        ports = [part.leg.port for part in self._parts if isinstance(part.leg, CalledLeg)]
        return (group.alias or self.plan.alias).format(port=ports[-1] if ports else 0)

    def measure(self, seconds: float) -> dict[str, Any]:
        """Wait so long; times are of the wall clock."""
        self._traffic.forget()
        begin = time.time()
        time.sleep(seconds)
        self._traffic.check()
        return {"begin": begin, "end": time.time(), "late": self._traffic.worst}

    def leave(self) -> None:
        for part in self._parts:
            try:
                part.leg.hang_up()
            except (RuntimeError, OSError, httpx.HTTPError) as problem:
                self._problems.append(f"call {part.number} did not end as it should: {problem}")

    # ---- afterwards

    def judged(self, told: dict[str, Any]) -> dict[str, Any]:
        """What everybody got in a measurement, and what is wrong with it."""
        stage.load()  # initialises GStreamer
        begin, end, late = told["begin"], told["end"], told["late"]
        rates = {part.number: self._rate(part, begin, end) for part in self._parts if part.group.picture}
        gaps = {part.number: self._gap(part, begin, end) for part in self._parts}
        likeness, fresh = self._compared(begin, end)
        octets = [
            sum(one.octets for one in part.leg.receivers) / (end - self._began - self._clock) for part in self._parts
        ]
        found = {
            "calls": self.people,
            "seconds": round(end - begin, 2),
            "frames_per_second": _worst(rates.values(), min),
            "fresh_per_second": _worst(fresh.values(), min),
            "longest_gap_ms": round(1000 * max(gaps.values(), default=0.0), 1),
            "ssim": _mean([value for values in likeness.values() for value in values]),
            "ssim_lowest": _worst([value for values in likeness.values() for value in values], min),
            "pictures_compared": sum(len(values) for values in likeness.values()),
            "receivers_decoded": len(likeness),
            "received_bits_per_second": round(8 * sum(octets) / max(1, len(octets))),
            "undecipherable": sum(part.leg.broken for part in self._parts),
            "key_frames_asked": sum(_asked(part.leg) for part in self._parts),
            "load_late_ms": round(1000 * late, 1),
        }
        return {**found, "reasons": reasons(rates, gaps, likeness, late) + self._problems, "ssim_by_call": {
            str(number): _mean(values) for number, values in likeness.items()}}  # fmt: skip

    def _rate(self, part: _Part, begin: float, end: float) -> float:
        return judging.rate(judging.complete(part.leg.receivers[1].within(begin, end)), begin, end)

    def _gap(self, part: _Part, begin: float, end: float) -> float:
        receiver: Receiver = part.leg.receivers[0]

        def spoken(at: float) -> bool:
            """Somebody else speaks, and has for some while."""
            seconds = at - self._clock - self._began
            others = any(self._talk.speaks(one, seconds) for one in range(self.people) if one != part.number)
            return others and self._talk.settled(seconds, SETTLED)

        return judging.longest_gap(receiver.within(begin, end), receiver.codec.clock_rate, begin, end, spoken)

    def _wanted(self, begin: float, end: float) -> Any:
        taken = [begin - EVERY]

        def wanted(arrived: float) -> bool:
            seconds = arrived - self._clock - self._began
            good = begin <= arrived < end and arrived >= taken[0] + EVERY and self._talk.settled(seconds, SETTLED)
            if good:
                taken[0] = arrived
            return good

        return wanted

    def _compared(self, begin: float, end: float) -> tuple[dict[int, list[float]], dict[int, float]]:
        likeness: dict[int, list[float]] = {}
        fresh: dict[int, float] = {}
        ideals: dict[Scene, Ideal] = {}
        for part in self._parts:
            if not part.leg.receivers[-1].recorded:
                continue
            receiver = part.leg.receivers[1]
            frames: list[Frame] = judging.complete(receiver.within(0, end))
            decoded, new = decode(receiver.codec, frames, self._wanted(begin, end)) if frames else ([], [])
            view = self._scene(part)
            if view not in ideals:
                ideals.clear()  # each is some 200 MB
                ideals[view] = Ideal(view)
            sent = self._sent(part)
            likeness[part.number] = [ideals[view].likeness(one, sent) for one in decoded]
            fresh[part.number] = sum(begin <= at < end for at in new) / (end - begin)
            self._save(part, decoded, ideals[view], sent)
        return likeness, fresh

    def _scene(self, part: _Part) -> Scene:
        senders = sum(one.group.picture != "" for one in self._parts) - 1
        layout = layouts.find(part.group.layout) or layouts.DEFAULT
        return scene(part.group.sees or senders, layout)

    def _sent(self, part: _Part) -> list[list[tuple[float, int]]]:
        return [
            [(at + self._clock, frame) for at, frame in one.leg.picture.sender.sent]  # type: ignore[union-attr]
            for one in self._parts
            if one.number != part.number and one.leg.picture
        ]

    def _save(self, part: _Part, decoded: Sequence[Decoded], ideal: Ideal, sent: list[list[tuple[float, int]]]) -> None:
        if not self.plan.pictures or not decoded:
            return
        folder = Path(self.plan.pictures)
        folder.mkdir(parents=True, exist_ok=True)
        one = decoded[len(decoded) // 2]
        save(one.planes, one.width, one.height, folder / f"call{part.number}.png")
        save(ideal.made(one, sent), one.width, one.height, folder / f"call{part.number}-ideal.png")


def reasons(
    rates: dict[int, float], gaps: dict[int, float], likeness: dict[int, list[float]], late: float
) -> list[str]:
    """Why a run does not count; empty: it does."""
    found = []
    slow = {number: rate for number, rate in rates.items() if rate < judging.LEAST_FRAMES}
    if slow:
        found.append(
            f"{len(slow)} receivers get less than {judging.LEAST_FRAMES:g} frames/s (worst {min(slow.values()):.1f})"
        )
    torn = {number: gap for number, gap in gaps.items() if gap > judging.LONGEST_GAP}
    if torn:
        found.append(f"{len(torn)} receivers have gaps of sound over 40 ms (worst {1000 * max(torn.values()):.0f} ms)")
    means = {number: _mean(values) for number, values in likeness.items()}
    unlike = {number: mean for number, mean in means.items() if mean is None or mean < judging.LEAST_LIKENESS}
    if unlike:
        worst = min(mean or 0.0 for mean in unlike.values())
        found.append(f"{len(unlike)} receivers see pictures unlike what they should be (SSIM {worst:.3f})")
    if late > judging.SENT_LATE:
        found.append(f"{LOAD_LATE} {1000 * late:.0f} ms late")
    return found


def _footage(group: Group) -> tuple[Track, ...]:
    if not group.picture:
        return ()
    return footage.pictures(group.picture) if group.heeds else (footage.picture(group.picture),)


def _asked(leg: Leg) -> int:
    return leg.picture.sender.asked if leg.picture else 0  # type: ignore[union-attr]


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _worst(values: Any, which: Any) -> float | None:
    found = list(values)
    return round(which(found), 3) if found else None
