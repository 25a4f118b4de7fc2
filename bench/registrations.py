"""SIP registrations of one node: how many a second on one core, and what one costs in memory.

The engine, the parser and the registrar as the node has them, without sockets and logs: REGISTER requests as bytes in,
responses as bytes out. Half of the devices are asked for a password. The reference, in the same run, are OPTIONS
requests, which the engine answers without the registrar; and the target of 50,000 registrations within 1 GiB.
"""

from __future__ import annotations

import dataclasses
import gc
import logging
import random
import resource
import sys
import time
from pathlib import Path

import structlog

from rostra.calls.registrations import AT_ONCE, Registry
from rostra.domain.registration import Device, RegistrarSettings
from rostra.sip import digest
from rostra.sip.authenticating import Authenticator
from rostra.sip.digest import Proof
from rostra.sip.engine import Engine
from rostra.sip.events import RegisterReceived
from rostra.sip.flow import Flow, Transport
from rostra.sip.registrar import Registrar

DEVICES = 50_000
GIB = 2**30
LOCAL = ("192.0.2.1", 5060)


@dataclasses.dataclass
class Node:
    """The SIP side of a node in virtual time."""

    now: float = 0.0

    def __post_init__(self) -> None:
        self.engine = Engine(random.Random(1), {Transport.UDP: 5060})
        self.registry = Registry("n1", clock=lambda: self.now)
        self.registrar = Registrar(self.registry, Authenticator(b"bench"), RegistrarSettings)

    def answer(self, request: bytes, flow: Flow, device: Device) -> bytes:
        """The response to a request."""
        self.engine.receive(request, flow, self.now)
        while (event := self.engine.next_event()) is not None:
            if isinstance(event, RegisterReceived):
                response = self.registrar.answer(event.request, event.flow, device.alias, device, self.now)
                self.engine.respond(event.name, response, self.now)
        answers: list[bytes] = []
        while (item := self.engine.data_to_send()) is not None:
            answers.append(getattr(item, "data", b""))
        return answers[-1]

    def rest(self) -> None:
        """The transactions of the past are over."""
        self.now += 40.0
        self.engine.handle_timer(self.now)


def request(method: str, number: int, sequence: int, more: str = "") -> bytes:
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return (
        f"{method} sip:example.com SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {address}:5060;branch=z9hG4bK{method}{number}x{sequence};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:device{number}@example.com>;tag=t{number}\r\n"
        f"To: <sip:device{number}@example.com>\r\n"
        f"Call-ID: {number}-3848276298220188511@{address}\r\n"
        f"CSeq: {sequence} {method}\r\n"
        f"Contact: <sip:device{number}@{address}:5060;transport=udp>\r\n"
        "User-Agent: Desk Telephone 8841 firmware 14.2.1\r\n"
        "Expires: 3600\r\n"
        f"{more}Content-Length: 0\r\n\r\n"
    ).encode()


def authorization(challenge: bytes, username: str, password: str) -> str:
    line = next(line for line in challenge.decode().split("\r\n") if line.startswith("WWW-Authenticate: "))
    asked = digest.parameters(line.partition(": ")[2])
    assert asked is not None
    nonce, uri, algorithm = asked["nonce"], "sip:example.com", asked["algorithm"]
    proof = Proof(
        algorithm, username, asked["realm"], password, "REGISTER", uri, nonce, "auth", "c", "00000001"
    ).compute()
    return (
        f'Authorization: Digest username="{username}", realm="{asked["realm"]}", nonce="{nonce}", uri="{uri}", '
        f'response="{proof}", algorithm={algorithm}, qop=auth, cnonce="c", nc=00000001\r\n'
    )


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def register_all(node: Node, flows: list[Flow], devices: list[Device], sequence: int) -> float:
    """Registrations a second; what the devices themselves do is not counted."""
    took = 0.0
    for number, (flow, device) in enumerate(zip(flows, devices, strict=True)):
        if number % 5_000 == 0:
            node.rest()
        first = request("REGISTER", number, sequence)
        began = time.perf_counter()
        answer = node.answer(first, flow, device)
        took += time.perf_counter() - began
        if device.challenged:
            second = request("REGISTER", number, sequence + 1, authorization(answer, device.username, device.password))
            began = time.perf_counter()
            answer = node.answer(second, flow, device)
            took += time.perf_counter() - began
        if not answer.startswith(b"SIP/2.0 200"):
            sys.exit(f"a registration was refused: {answer[:200]!r}")
    node.rest()
    return len(devices) / took


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    node = Node()
    devices = [
        Device(alias=f"device{n}@example.com", username=f"user{n}" if n % 2 else "", password="secret" if n % 2 else "")
        for n in range(DEVICES)
    ]
    flows = [Flow(Transport.UDP, (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", 5060), LOCAL) for n in range(DEVICES)]
    began = time.perf_counter()
    for number in range(5_000):
        node.answer(request("OPTIONS", number, 1), flows[number], devices[number])
    reference = 5_000 / (time.perf_counter() - began)
    node.rest()
    gc.collect()
    before = resident()
    fresh = register_all(node, flows, devices, 1)
    gc.collect()
    held = resident() - before
    refreshed = register_all(node, flows, devices, 3)
    began = time.perf_counter()
    node.registry.expire(AT_ONCE)
    look = (time.perf_counter() - began) * 1000
    node.now += 10_000.0
    longest = 0.0
    more = True
    while more:
        began = time.perf_counter()
        more = node.registry.expire(AT_ONCE)
        longest = max(longest, (time.perf_counter() - began) * 1000)
    print(f"reference: OPTIONS answered            {reference:9.0f} /s")
    print(f"new registrations (half with password) {fresh:9.0f} /s   {fresh / reference:5.2f} of the reference")
    print(f"refreshes (half with password)         {refreshed:9.0f} /s   {refreshed / reference:5.2f} of the reference")
    print(f"memory of {DEVICES} registrations       {held / 2**20:9.1f} MiB {held / GIB:5.2f} of the 1 GiB allowed")
    print(f"bytes per registration                 {held / DEVICES:9.0f}")
    print(f"a look for expired ones, none due      {look:9.2f} ms")
    print(f"all end at once: longest step          {longest:9.2f} ms, {len(node.registry)} left")


if __name__ == "__main__":
    main()
