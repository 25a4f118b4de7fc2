"""Relays of an edge node: its own UDP ports, between endpoints and the workers of transcoding nodes (POL-130, POL-139).

Datagrams are forwarded as they are by one native thread (`native/relay.h`, which also states who may use a relay and
how an endpoint is found); here ports are chosen and calls keep theirs. No GStreamer. Not thread-safe: one event loop
uses a `Relays`; no call of it waits for the network.
"""

from __future__ import annotations

import ctypes
import dataclasses
import enum
import errno
import functools
import ipaddress
import os
import random
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from rostra import machine
from rostra.environment import Environment, PortRange
from rostra.media.relay_sdp import Place

LIBRARY: Final = "librostrarelay.so"
ANY: Final = "0.0.0.0"  # noqa: S104  (endpoints come to any address of ours)
_TRIES: Final = 400
_BUFFER: Final = 1 << 20
"""Bytes of kernel buffer: a key frame arrives in one burst."""


class RelayMissing(Exception):
    """The native library is not there or cannot be loaded. The text names the command that builds it."""


class OutOfPorts(Exception):
    """No port of the range, or no file descriptor, is free."""


class RelayFailure(Exception):
    """The system refuses a relay, or there is none for a call."""


class Shape(enum.Enum):
    """What a stream needs."""

    RTP = 2
    """Two ports, RTP on an even one and RTCP on the next; the endpoint is where its packets come from."""
    ICE = 1
    """One port; the endpoint is who the worker answers."""


class _Address(ctypes.Structure):
    _fields_ = (("address", ctypes.c_uint32), ("port", ctypes.c_uint32))


class _Way(ctypes.Structure):
    _fields_ = (
        ("packets", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("dropped", ctypes.c_uint64),
        ("strangers", ctypes.c_uint64),
        ("silent", ctypes.c_int64),
    )


class _State(ctypes.Structure):
    _fields_ = (
        ("inward", _Way),
        ("outward", _Way),
        ("endpoint", _Address),
        ("moves", ctypes.c_uint64),
        ("age", ctypes.c_int64),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """One direction of a relay."""

    packets: int
    bytes: int
    dropped: int
    """The party's own that were too large, had nowhere to go or were not taken by the network."""
    strangers: int
    """Packets of others, not forwarded."""
    silent: float | None
    """Seconds since the last one was forwarded; None: none yet."""


@dataclasses.dataclass(frozen=True, slots=True)
class RelayState:
    """One relay: a port of a stream."""

    stream: int
    control: bool
    """The RTCP port of a pair."""
    outside: Place
    inward: Way
    """From the endpoint to the worker."""
    outward: Way
    endpoint: Place | None
    """Where packets for the endpoint go now."""
    moves: int
    """How often that changed."""
    silent: float
    """Seconds since anything was forwarded either way, or since it was opened."""


@dataclasses.dataclass(slots=True)
class _Stream:
    shape: Shape
    outside: int
    handles: list[int]


class Relays:
    """All relays of a node; a context manager that closes them at its end. Raises RelayMissing."""

    def __init__(self, environment: Environment) -> None:
        self._ports = environment.media_ports
        announced = environment.media_address
        self._bind = announced if announced and machine.has_address(announced) else ANY
        self.address = announced or machine.primary_address()
        """What endpoints are told."""
        self._calls: dict[str, list[_Stream]] = {}
        self._native: int | None = _library().rostra_relays_new()
        if not self._native:
            raise RelayFailure(f"no relays: {os.strerror(ctypes.get_errno())}")

    def __enter__(self) -> Relays:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        self.shut()

    def shut(self) -> None:
        """Close all, for good."""
        native, self._native = self._native, None
        self._calls.clear()
        if native:
            _library().rostra_relays_free(native)

    @property
    def calls(self) -> tuple[str, ...]:
        return tuple(self._calls)

    def open(self, call: str, shapes: Sequence[Shape]) -> tuple[Place, ...]:
        """Relays for each stream of a call: the places endpoints are told of. Repeatable; more streams add theirs.

        Raises OutOfPorts or RelayFailure; the call then has what it had before.
        """
        known = self._calls.get(call, [])
        if any(stream.shape is not shape for stream, shape in zip(known, shapes, strict=False)):
            raise RelayFailure(f"call {call} has streams of another shape")
        fresh: list[_Stream] = []
        try:
            for shape in shapes[len(known) :]:
                fresh.append(self._open(shape))  # noqa: PERF401  (those opened so far are closed when one fails)
        except Exception:
            self._close(fresh)
            raise
        streams = [*known, *fresh]
        if streams:
            self._calls[call] = streams
        return tuple(Place(self.address, stream.outside) for stream in streams[: len(shapes)])

    def aim(self, call: str, targets: Sequence[Place]) -> tuple[Place, ...]:
        """Forward each stream to a place of a worker (RTCP of a pair: the next port), or to another than before.

        Returns the places the worker sees. An ICE endpoint has to find a new worker first; an RTP one is kept.
        Raises RelayFailure.
        """
        streams = self._streams(call, len(targets))
        return tuple(self._aim(stream, target) for stream, target in zip(streams, targets, strict=False))

    def announce(self, call: str, endpoints: Sequence[tuple[Place, Place] | None]) -> None:
        """Where signalling says an RTP endpoint is (RTP, RTCP): packets go there until it is heard from elsewhere, and
        it may come from that address at any time. None changes nothing. Raises RelayFailure.
        """
        for stream, endpoint in zip(self._streams(call, len(endpoints)), endpoints, strict=False):
            for handle, place in zip(stream.handles, endpoint or (), strict=False):
                self._do("expect", handle, _native_address(place))

    def close(self, call: str) -> None:
        """Give up a call's relays. Unknown calls are fine."""
        self._close(self._calls.pop(call, []))

    def statistics(self, call: str) -> tuple[RelayState, ...]:
        """Counters of each port; none for unknown calls."""
        return tuple(
            self._read(index, number, stream)
            for index, stream in enumerate(self._calls.get(call, []))
            for number in range(len(stream.handles))
        )

    def idle(self, seconds: float) -> tuple[str, ...]:
        """Calls for which nothing was forwarded for so long, on any port."""
        return tuple(
            call for call in self._calls if all(state.silent >= seconds for state in self.statistics(call))
        )  # fmt: skip

    # ---- one stream

    def _open(self, shape: Shape) -> _Stream:
        outside = bind_next(self._ports, shape.value, self._bind)
        try:
            inside = bind_next(self._ports, shape.value)
        except OutOfPorts:
            _close_all(outside)
            raise
        stream = _Stream(shape, outside[0].getsockname()[1], [])
        try:
            for out, into in zip(outside, inside, strict=True):
                ice = int(shape is Shape.ICE)
                stream.handles.append(self._do("open", out.fileno(), into.fileno(), ice))
                out.detach()
                into.detach()
        except RelayFailure:
            self._close([stream])
            raise
        finally:
            _close_all([*outside, *inside])  # those that were not handed over
        return stream

    def _aim(self, stream: _Stream, target: Place) -> Place:
        seen = _Address()
        for offset, handle in reversed(list(enumerate(stream.handles))):
            place = _native_address(Place(target.address, target.port + offset))
            self._do("aim", handle, place, ctypes.byref(seen))
        return _place(seen)

    def _close(self, streams: Sequence[_Stream]) -> None:
        for stream in streams:
            for handle in stream.handles:
                self._do("close", handle)

    def _streams(self, call: str, count: int) -> list[_Stream]:
        streams = self._calls.get(call, [])
        if count > len(streams):
            raise RelayFailure(f"call {call} has relays for {len(streams)} streams, not {count}")
        return streams

    def _read(self, index: int, number: int, stream: _Stream) -> RelayState:
        state = _State()
        self._do("read", stream.handles[number], ctypes.byref(state))
        inward, outward = _way(state.inward), _way(state.outward)
        heard = [way.silent for way in (inward, outward) if way.silent is not None]
        return RelayState(
            stream=index,
            control=number == 1,
            outside=Place(self.address, stream.outside + number),
            inward=inward,
            outward=outward,
            endpoint=_place(state.endpoint) if state.endpoint.port else None,
            moves=state.moves,
            silent=min(heard, default=state.age / 1000),
        )

    def _do(self, name: str, *arguments: Any) -> int:
        if self._native is None:
            raise RelayFailure("the relays of this node are closed")
        result: int = getattr(_library(), f"rostra_relay_{name}")(self._native, *arguments)
        if result < 0:
            raise RelayFailure(f"cannot {name}: {os.strerror(-result)}")
        return result


# ---- ports ------------------------------------------------------------------------------------------------


def bind_next(ports: PortRange, count: int, address: str = ANY) -> list[socket.socket]:
    """Bind `count` consecutive ports, the first a multiple of `count`, chosen at random. Raises OutOfPorts."""
    low = -(-ports.low // count) * count
    runs = (ports.high - low + 1) // count
    for number in random.sample(range(max(0, runs)), min(max(0, runs), _TRIES)):
        bound: list[socket.socket] = []
        try:
            for offset in range(count):
                bound.append(_bound(address, low + number * count + offset))  # noqa: PERF401  (closed when one fails)
        except OSError as problem:
            _close_all(bound)
            if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise OutOfPorts(f"no port of {ports} at {address}: {problem}") from problem
            continue
        return bound
    raise OutOfPorts(f"no {count} ports within {ports} are free")


def _bound(address: str, port: int) -> socket.socket:
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            endpoint.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        endpoint.bind((address, port))
    except OSError:
        endpoint.close()
        raise
    return endpoint


def _close_all(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        one.close()


# ---- the library ------------------------------------------------------------------------------------------


def library_path() -> Path:
    """Where the library is. Raises RelayMissing."""
    here = Path(__file__).resolve()
    candidates = (here.parents[3] / "build" / "native" / LIBRARY, here.parent / "native" / LIBRARY)
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise RelayMissing(f"{LIBRARY} is not at {candidates[0]}: build it with `make native`")


@functools.cache
def _library() -> ctypes.CDLL:
    path = library_path()
    try:
        library = ctypes.CDLL(str(path), use_errno=True)
    except OSError as problem:
        raise RelayMissing(f"{path} cannot be loaded ({problem}): build it with `make native`") from problem
    relays, handle, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
    declarations: dict[str, tuple[Any, ...]] = {
        "rostra_relays_new": (relays,),
        "rostra_relays_free": (None, relays),
        "rostra_relay_open": (handle, relays, number, number, number),
        "rostra_relay_aim": (number, relays, handle, _Address, ctypes.POINTER(_Address)),
        "rostra_relay_expect": (number, relays, handle, _Address),
        "rostra_relay_read": (number, relays, handle, ctypes.POINTER(_State)),
        "rostra_relay_close": (number, relays, handle),
    }
    for name, (result, *arguments) in declarations.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def _native_address(place: Place) -> _Address:
    """Raises RelayFailure when the place is not of IPv4."""
    try:
        return _Address(int(ipaddress.IPv4Address(place.address)), place.port)
    except ValueError as problem:
        raise RelayFailure(f"no relay to {place.address}: {problem}") from problem


def _place(native: _Address) -> Place:
    return Place(str(ipaddress.IPv4Address(native.address)), native.port)


def _way(native: _Way) -> Way:
    silent = None if native.silent < 0 else native.silent / 1000
    return Way(native.packets, native.bytes, native.dropped, native.strangers, silent)
