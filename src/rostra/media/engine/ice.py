"""ICE on the streams of an RTP leg (RFC 8445): a full agent of libnice, whose components stand in for sockets.

Each m-section is a stream of the agent, with one component, or two where RTCP has a port of its own. Consent is asked
for all the time media is sent (RFC 7675), so nothing goes to who has not asked for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from rostra.domain.ice import RTP, IceServers, IceSide, StunServer, TurnServer
from rostra.environment import PortRange
from rostra.media.engine import ports
from rostra.media.engine.gst import GLib, Nice
from rostra.media.engine.pipeline import Pipeline, make
from rostra.media.engine.ports import OutOfPorts

logger = structlog.get_logger("rostra.media")

GATHERING = 1.0
"""Seconds for which candidates are waited for; what comes later is not told."""
RESOLVING = 1.0
"""Seconds for which a server's address is waited for,"""
REMEMBERED = 30.0
"""and for which it is remembered, or that there is none: each call would wait again, and hold a thread meanwhile."""
_MOST_ADDRESSES = 8
_MOST_SERVERS = 100


_gobject, _nice = ctypes.CDLL("libgobject-2.0.so.0"), ctypes.CDLL("libnice.so.10")
_gobject.g_object_get.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]
_gobject.g_object_get.restype = None
_TAKES = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p
)
_nice.nice_agent_attach_recv.argtypes = [
    ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, _TAKES, ctypes.c_void_p,
]  # fmt: skip


@_TAKES
def _dropped(*_: Any) -> None:
    """Media that has come before there is anybody to take it."""


class _Thread:
    """Where agents of this process get their packets and timers; begun with the first of them."""

    def __init__(self) -> None:
        self.context: Any = GLib.MainContext.new()
        loop = GLib.MainLoop.new(self.context, False)
        threading.Thread(target=loop.run, name="ice", daemon=True).start()


_thread: _Thread | None = None


def _context() -> Any:
    global _thread  # one for the process, which serves one conference
    if _thread is None:
        _thread = _Thread()
    return _thread.context


def _attach(agent: Any, stream: int, component: int) -> None:
    """Have a component's packets read: checks are answered, what else comes is dropped.

    Introspection leaves this function out. The address of an object is its hash.
    """
    at = ctypes.c_void_p(hash(agent))
    context = ctypes.c_void_p()
    _gobject.g_object_get(at, b"main-context", ctypes.byref(context), None)
    _nice.nice_agent_attach_recv(at, stream, component, context, _dropped, None)


class Agent:
    """Of one leg."""

    def __init__(
        self,
        leg: str,
        port_range: PortRange,
        servers: IceServers,
        *,
        controlling: bool,
        announced: str,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`announced`: our address, as configured for static NAT, or the first of ours. `changed`: told when a way is
        found or lost."""
        self._tell = changed
        self._leg = leg
        self._ports = port_range
        self._servers = servers
        addresses = own_addresses(announced)
        self._announced = "" if announced in addresses else announced
        self._loop = asyncio.get_running_loop()
        self._streams: list[tuple[int, int]] = []
        """Ids, and the number of components."""
        self._generation = ""
        self._gathered: dict[int, asyncio.Event] = {}
        self._remote: dict[int, IceSide] = {}
        self.agent: Any = Nice.Agent.new_full(
            _context(), Nice.Compatibility.RFC5245, Nice.AgentOption.CONSENT_FRESHNESS
        )
        for name, value in (("upnp", False), ("ice-tcp", False), ("controlling-mode", controlling)):
            self.agent.set_property(name, value)
        for address in addresses:
            one = Nice.Address.new()
            if one.set_from_string(address):
                self.agent.add_local_address(one)
        self._handlers = [
            self.agent.connect("candidate-gathering-done", self._done),
            self.agent.connect("component-state-changed", self._changed),
        ]

    async def reserve(self, components: Sequence[int], generation: str) -> tuple[IceSide, ...]:
        """Streams with so many components each, and what we state of them. Raises OutOfPorts."""
        if self._streams and generation != self._generation:
            self.agent.restart()
            self._remote.clear()
        self._generation = generation
        fresh = [self._add(count) for count in components[len(self._streams) :]]
        if fresh:
            await self._gather(fresh)
        return tuple(self._side(*stream) for stream in self._streams[: len(components)])

    def _add(self, count: int) -> int:
        stream: int = self.agent.add_stream(count)
        if not stream:
            raise OutOfPorts("ICE has no more streams")
        self.agent.set_stream_tos(stream, ports.marked() << 2)
        for component in range(1, count + 1):
            self.agent.set_port_range(stream, component, self._ports.low, self._ports.high)
        self._streams.append((stream, count))
        self._gathered[stream] = asyncio.Event()
        self._attend(stream, count)
        return stream

    def attend(self) -> None:
        """Go on with checks after a pipeline has ended: its elements were what took the packets."""
        for stream in self._streams:
            self._attend(*stream)

    def _attend(self, stream: int, count: int) -> None:
        for component in range(1, count + 1):
            _attach(self.agent, stream, component)

    async def _gather(self, fresh: Sequence[int]) -> None:
        stun, turn = await resolved(self._servers)
        if stun is not None:
            self.agent.set_property("stun-server", stun.address)
            self.agent.set_property("stun-server-port", stun.port)
        for stream in fresh:
            if turn is not None:
                self._use_relay(stream, turn)
            if not self.agent.gather_candidates(stream):
                raise OutOfPorts(f"no port within {self._ports} is free for ICE")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GATHERING):
                for stream in fresh:
                    await self._gathered[stream].wait()
        found = [word for stream, count in self._streams for word in self._side(stream, count).candidates]
        missing(self._leg, self._servers, found)

    def _use_relay(self, stream: int, turn: TurnServer) -> None:
        count = next(count for known, count in self._streams if known == stream)
        for component in range(1, count + 1):
            self.agent.set_relay_info(
                stream, component, turn.address, turn.port, turn.username, turn.password, Nice.RelayType.UDP
            )  # fmt: skip

    def _side(self, stream: int, count: int) -> IceSide:
        _, ufrag, password = self.agent.get_local_credentials(stream)
        candidates = [
            self.agent.generate_local_candidate_sdp(one).strip().removeprefix("a=candidate:")
            for component in range(1, count + 1)
            for one in self.agent.get_local_candidates(stream, component)
        ]
        return IceSide(
            ufrag=ufrag, password=password,
            candidates=tuple(as_announced(one, self._announced) for one in candidates),
        )  # fmt: skip

    def connect(self, index: int, theirs: IceSide) -> None:
        """Find a way to the far end of a stream."""
        stream, count = self._streams[index]
        before = self._remote.get(stream)
        if before == theirs:
            return
        self._remote[stream] = theirs
        if before is None or (before.ufrag, before.password) != (theirs.ufrag, theirs.password):
            self.agent.set_remote_credentials(stream, theirs.ufrag, theirs.password)
        for component in range(1, count + 1):
            mine = [one for one in theirs.candidates if one.split()[1] == str(component)]
            parsed = [self.agent.parse_remote_candidate_sdp(stream, f"a=candidate:{one}") for one in mine]
            told = [one for one in parsed if one is not None]
            if told:
                self.agent.set_remote_candidates(stream, component, told)

    def components(self, index: int) -> int:
        return self._streams[index][1]

    def ready(self, index: int) -> bool:
        """A way for its media was found. (What is told of changes comes by several threads, in any order.)"""
        if self.agent is None:
            return False
        state = self.agent.get_component_state(self._streams[index][0], RTP)
        return state in (Nice.ComponentState.CONNECTED, Nice.ComponentState.READY)

    def source(self, pipeline: Pipeline, name: str, index: int, component: int, caps: Any) -> Any:
        """Packets of a component."""
        made = self._element(pipeline, "nicesrc", name, index, component)
        named = pipeline.add(make("capsfilter", f"{name}-caps"))
        named.set_property("caps", caps)
        made.link(named)
        return named

    def sink(self, pipeline: Pipeline, name: str, index: int, component: int) -> Any:
        """Packets out of a component; they are lost until there is a way."""
        made = self._element(pipeline, "nicesink", name, index, component)
        for setting in ("sync", "async", "qos"):
            made.set_property(setting, False)
        return made

    def _element(self, pipeline: Pipeline, factory: str, name: str, index: int, component: int) -> Any:
        made = make(factory, name)
        made.set_property("agent", self.agent)
        made.set_property("stream", self._streams[index][0])
        made.set_property("component", component)
        return pipeline.add(made)

    def close(self) -> None:
        """Give up ports and relays."""
        agent, self.agent = self.agent, None
        if agent is None:
            return
        for handler in self._handlers:
            agent.disconnect(handler)
        for stream, _ in self._streams:
            agent.remove_stream(stream)  # relays are given back in the background
        agent.close_async(None)

    def _done(self, _: Any, stream: int) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._gathered[stream].set)

    def _changed(self, _: Any, stream: int, component: int, state: int) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, stream, component, state)

    def _note(self, stream: int, component: int, state: int) -> None:
        if self.agent is None:
            return
        if state == Nice.ComponentState.FAILED:
            logger.info("ICE found no way", leg=self._leg, stream=stream, component=component)
        self._tell()


def own_addresses(first: str = "") -> list[str]:
    """Of this machine, as far as others may reach them: `first`, where it is one, then those of networks."""
    found: list[str] = Nice.interfaces_get_local_ips(True)
    known = dict.fromkeys(ipaddress.ip_address(one.split("%")[0]) for one in found)
    chosen = [one for one in known if str(one) == first]
    chosen += [one for one in known if one not in chosen and not (one.is_loopback or one.is_link_local)]
    return [str(one) for one in chosen or known][:_MOST_ADDRESSES]


def as_announced(candidate: str, announced: str) -> str:
    """Behind static NAT our own address is not the one we are reached at."""
    words = candidate.split()
    if announced and words[7:8] == ["host"] and ":" not in words[4] and ":" not in announced:
        words[4] = announced
    return " ".join(words)


async def resolved(servers: IceServers) -> tuple[StunServer | None, TurnServer | None]:
    """The servers by their addresses; None instead of one that has none, which is logged."""
    stun, turn = servers.stun, servers.turn
    stun_at = await _address_of(stun.address, stun.port) if stun else ""
    turn_at = await _address_of(turn.address, turn.port) if turn else ""
    return (
        StunServer(address=stun_at, port=stun.port) if stun and stun_at else None,
        TurnServer(address=turn_at, port=turn.port, username=turn.username, password=turn.password)
        if turn and turn_at
        else None,
    )


_addresses: dict[tuple[str, int], tuple[float, str]] = {}
"""Of configured servers, and until when."""


async def _address_of(host: str, port: int) -> str:
    until, address = _addresses.get((host, port), (0.0, ""))
    if time.monotonic() >= until:
        if len(_addresses) >= _MOST_SERVERS:
            _addresses.clear()
        address = await _looked_up(host, port)
        _addresses[host, port] = time.monotonic() + REMEMBERED, address
    return address


async def _looked_up(host: str, port: int) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        async with asyncio.timeout(RESOLVING):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        return str(found[0][4][0])
    except (OSError, TimeoutError, UnicodeError) as problem:
        logger.warning("STUN or TURN server has no address", server=host, problem=str(problem) or "no answer in time")
        return ""


def missing(leg: str, servers: IceServers, candidates: Sequence[str]) -> None:
    """Say so when a configured server was of no use; the call goes on by what else there is."""
    kinds = {word for one in candidates for word in one.split()[7:8]}
    if servers.turn is not None and "relay" not in kinds:
        logger.warning(
            "TURN server gives no relay: check its address, port and credentials, and that UDP from here reaches it",
            leg=leg, server=servers.turn.address, port=servers.turn.port, username=servers.turn.username,
        )  # fmt: skip
