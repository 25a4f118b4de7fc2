"""Lines: the sound of far ends over RTP without a pipeline, served by the native stage (native/line.h).

Many lines share a thread: it takes packets apart and into order, decodes them for the mixer and reports; what goes out
was encoded once for all who hear the same. For codecs the stage has itself, on sockets of our own, with or without
SDES. Sound in other codecs, and what ICE or DTLS carries, goes through pipelines.
"""

from __future__ import annotations

import asyncio
import ctypes
import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from rostra.domain.media import CodecParameters, CryptoAttribute
from rostra.media import codecs
from rostra.media.engine import stage
from rostra.media.engine.ports import PortPair
from rostra.media.engine.rtp_statistics import Received, Sent
from rostra.media.engine.sections import BadDescription
from rostra.media.engine.srtp import Key, native

_SOURCES: Final = 4
_ADDRESS: Final = 64


class _Setup(ctypes.Structure):
    _fields_ = (
        ("leg", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("rtp", ctypes.c_int32),
        ("rtcp", ctypes.c_int32),
        ("codecs", ctypes.c_int32 * 128),
        ("codec", ctypes.c_int32),
        ("payload_type", ctypes.c_int32),
        ("events", ctypes.c_int32),
        ("events_clock", ctypes.c_int32),
        ("tones", ctypes.c_int32),
        ("key_in", Key),
        ("key_out", Key),
        ("rollover", ctypes.c_uint32),
    )


class _Source(ctypes.Structure):
    _fields_ = (
        ("source", ctypes.c_uint32),
        ("clock", ctypes.c_uint32),
        ("address", ctypes.c_char * _ADDRESS),
        ("reports", ctypes.c_char * _ADDRESS),
        ("port", ctypes.c_uint32),
        ("trusted", ctypes.c_int32),
        ("packets", ctypes.c_uint64),
        ("octets", ctypes.c_uint64),
        ("lost", ctypes.c_int64),
        ("jitter", ctypes.c_double),
        ("bitrate", ctypes.c_double),
    )


class State(ctypes.Structure):
    """What the stage tells of a line."""

    _fields_ = (
        ("sources", _Source * _SOURCES),
        ("count", ctypes.c_int32),
        ("source", ctypes.c_uint32),
        ("sent", ctypes.c_uint64),
        ("sent_octets", ctypes.c_uint64),
        ("sent_lost", ctypes.c_int64),
        ("sent_jitter", ctypes.c_double),
        ("sent_bitrate", ctypes.c_double),
        ("round_trip", ctypes.c_double),
        ("reports", ctypes.c_uint64),
        ("concealed", ctypes.c_uint64),
        ("late", ctypes.c_uint64),
        ("rollover", ctypes.c_uint32),
    )


@functools.cache
def _library() -> Any:
    library = stage.load()
    line, number = ctypes.c_void_p, ctypes.c_int
    for name, result, *arguments in (
        ("open", line, ctypes.POINTER(_Setup)),
        ("close", None, line),
        ("handle", ctypes.c_uint64, line),
        ("aim", None, line, ctypes.c_char_p, number, number),
        ("gate", None, line, number),
        ("muffle", None, line, number),
        ("press", None, line, number),
        ("read", None, line, ctypes.POINTER(State)),
        ("keys_signal", number),
        ("next_key", number, ctypes.POINTER(ctypes.c_uint64)),
    ):
        function = getattr(library, f"rostra_line_{name}")
        function.restype, function.argtypes = result, arguments
    return library


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a line is to carry."""

    receive: tuple[CodecParameters, ...]
    send: CodecParameters
    events: CodecParameters | None = None
    mux: bool = False
    key_in: CryptoAttribute | None = None
    key_out: CryptoAttribute | None = None


def possible(receive: tuple[CodecParameters, ...], send: CodecParameters) -> bool:
    """Whether the stage has all these codecs itself."""
    rows = [codecs.BY_NAME[one.name] for one in receive]
    return codecs.BY_NAME[send.name].native and all(row.native or row is codecs.EVENTS for row in rows)


def canonical(leg: str) -> str:
    """As the reports of all streams of a leg name us (CNAME, RFC 3550 6.5.1)."""
    return "".join(one for one in leg if one.isascii() and (one.isalnum() or one in "-_."))[:100] + "@rostra"


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """What a line counts."""

    received: list[Received]
    sent: list[Sent]
    hosts: frozenset[str]
    """Where media or reports came from."""
    reports: int
    concealed: int
    """Packets that were made up."""
    late: int
    """Packets that came after they had been made up."""
    rollovers: dict[int, int]


class Line:
    """One stream of sound; it receives from the beginning, and sends once it is aimed and opened."""

    def __init__(
        self,
        leg: str,
        plan: Plan,
        pair: PortPair,
        on_key: Callable[[str], None],
        rollovers: Mapping[int, int] | None = None,
    ) -> None:
        """Raises BadDescription when the keys cannot be used. `rollovers`: see `Figures`, of a line before this one."""
        library = _library()
        setup = _Setup(
            leg=leg.encode(),
            name=canonical(leg).encode(),
            rtp=pair.rtp.fileno(),
            rtcp=-1 if plan.mux else pair.rtcp.fileno(),
            codec=library.rostra_codec_named(plan.send.name.encode()),
            payload_type=plan.send.payload_type,
            events=plan.events.payload_type if plan.events else -1,
            events_clock=plan.events.clock_rate if plan.events else 0,
            tones=not any(one.name == codecs.EVENTS.name for one in plan.receive),
            key_in=native(plan.key_in),
            key_out=native(plan.key_out),
            rollover=max(rollovers.values(), default=0) if rollovers else 0,
        )
        for one in plan.receive:
            setup.codecs[one.payload_type] = library.rostra_codec_named(one.name.encode())
        self._line: int | None = library.rostra_line_open(ctypes.byref(setup))
        if not self._line:
            raise BadDescription("the keys cannot be used")
        self._handle: int = library.rostra_line_handle(self._line)
        self.destination = "", 0
        self._pressing = plan.events is not None
        _listeners.add(self._handle, on_key)

    def aim(self, address: str, port: int, reports: int) -> None:
        """Where it is sent from now on: media, and reports."""
        self.destination = address, port
        _library().rostra_line_aim(self._line, address.encode(), port, reports)

    def gate(self, *, drop: bool) -> None:
        """Open or shut what is sent."""
        _library().rostra_line_gate(self._line, not drop)

    def muffle(self, *, muffled: bool) -> None:
        """Keep what arrives from the mixer."""
        _library().rostra_line_muffle(self._line, muffled)

    @property
    def presses(self) -> bool:
        """The far end takes keys as events."""
        return self._pressing

    def press(self, number: int) -> None:
        """Press a key, by its number in RFC 4733."""
        _library().rostra_line_press(self._line, number)

    def release(self) -> None:
        """Let go of it."""
        _library().rostra_line_press(self._line, -1)

    def figures(self) -> Figures:
        """What has been counted so far."""
        state = State()
        _library().rostra_line_read(self._line, ctypes.byref(state))
        sources = [state.sources[i] for i in range(state.count)]
        heard = [one for one in sources if one.trusted]
        hosts = {text.decode() for one in sources for text in (one.address, one.reports) if text}
        sent = Sent(
            source=state.source,
            clock_rate=48000,
            packets=state.sent,
            octets=state.sent_octets,
            bitrate=state.sent_bitrate,
            lost=max(0, state.sent_lost),
            jitter=state.sent_jitter,
            round_trip=state.round_trip,
        )
        return Figures(
            received=[_received(one) for one in heard],
            sent=[sent] if state.sent else [],
            hosts=frozenset(hosts),
            reports=state.reports,
            concealed=state.concealed,
            late=state.late,
            rollovers={heard[0].source: state.rollover} if heard and state.rollover else {},
        )

    def close(self) -> None:
        """Free it; the sockets stay. Safe to repeat."""
        line, self._line = self._line, None
        if line:
            _listeners.remove(self._handle)
            _library().rostra_line_close(line)


def _received(one: Any) -> Received:
    return Received(
        source=one.source,
        clock_rate=one.clock,
        address=(one.address.decode(), one.port) if one.address else None,
        packets=one.packets,
        lost=max(0, one.lost),
        octets=one.octets,
        bitrate=one.bitrate,
        jitter=one.jitter,
    )


class _Listeners:
    """Who is told of keys, by line; of one event loop at a time."""

    def __init__(self) -> None:
        self._told: dict[int, Callable[[str], None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, handle: int, on_key: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            loop.add_reader(_library().rostra_line_keys_signal(), self._read)
            self._loop = loop
        self._told[handle] = on_key

    def remove(self, handle: int) -> None:
        self._told.pop(handle, None)

    def _read(self) -> None:
        library, handle = _library(), ctypes.c_uint64()
        while key := library.rostra_line_next_key(ctypes.byref(handle)):
            told = self._told.get(handle.value)
            if told:
                told(chr(key))


_listeners = _Listeners()
