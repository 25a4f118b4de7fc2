"""The transaction state machines as data (RFC 3261 17, with the accepted state of RFC 6026).

`docs/protocols/sip.md` is generated from these tables; `transactions.py` runs them.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

T1 = 0.5
"""Round-trip estimate, seconds."""
T2 = 4.0
"""Longest interval between retransmissions of non-INVITE requests and of INVITE responses, seconds."""
T4 = 5.0
"""How long a message may stay in the network, seconds."""
LIMIT = 64 * T1
"""How long anything is waited for, seconds."""


class State(enum.Enum):
    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    ACCEPTED = "Accepted"
    TERMINATED = "Terminated"


class Input(enum.Enum):
    """What a transaction can be told. For servers, PROVISIONAL, SUCCESS and FAILURE are our own responses."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    REQUEST = "request again"
    ACK = "ACK"
    RETRANSMIT = "timer A/E/G"
    TIMEOUT = "timer B/F/H"
    LINGER = "timer D/I/J/K/L/M"
    BROKEN = "transport error"


class Act(enum.Enum):
    """What a transaction does. Starting a timer stops its previous run."""

    SEND = "send"
    RESEND = "send the last again"
    SEND_ACK = "send ACK"
    DELIVER = "tell the user"
    TIMED_OUT = "tell the user: timeout"
    FAILED = "tell the user: transport error"
    RETRANSMIT_SOON = "start A/E/G"
    RETRANSMIT_LATER = "double A/E/G"
    RETRANSMIT_SLOWLY = "E at T2"
    START_TIMEOUT = "start B/F/H"
    START_LINGER = "start D/I/J/K/L/M"
    STOP_RETRANSMIT = "stop A/E/G"
    STOP_TIMEOUT = "stop B/F/H"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Where an input leads and what is done on the way."""

    state: State
    acts: tuple[Act, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """One kind of transaction."""

    name: str
    initial: Row
    rows: Mapping[tuple[State, Input], Row]
    slowest: float
    """Most seconds between retransmissions."""
    linger: Mapping[State, tuple[float, float]]
    """Seconds of the lingering timer in a state, over unreliable and reliable transports."""


_SETTLED = (Act.STOP_RETRANSMIT, Act.STOP_TIMEOUT)

INVITE_CLIENT = Machine(
    "INVITE client",
    Row(State.CALLING, (Act.SEND, Act.RETRANSMIT_SOON, Act.START_TIMEOUT)),
    {
        (State.CALLING, Input.RETRANSMIT): Row(State.CALLING, (Act.RESEND, Act.RETRANSMIT_LATER)),
        (State.CALLING, Input.TIMEOUT): Row(State.TERMINATED, (Act.TIMED_OUT,)),
        (State.CALLING, Input.BROKEN): Row(State.TERMINATED, (Act.FAILED,)),
        (State.CALLING, Input.PROVISIONAL): Row(State.PROCEEDING, (*_SETTLED, Act.DELIVER)),
        (State.CALLING, Input.SUCCESS): Row(State.ACCEPTED, (*_SETTLED, Act.START_LINGER, Act.DELIVER)),
        (State.CALLING, Input.FAILURE): Row(State.COMPLETED, (*_SETTLED, Act.SEND_ACK, Act.START_LINGER, Act.DELIVER)),
        (State.PROCEEDING, Input.PROVISIONAL): Row(State.PROCEEDING, (Act.DELIVER,)),
        (State.PROCEEDING, Input.SUCCESS): Row(State.ACCEPTED, (Act.START_LINGER, Act.DELIVER)),
        (State.PROCEEDING, Input.FAILURE): Row(State.COMPLETED, (Act.SEND_ACK, Act.START_LINGER, Act.DELIVER)),
        (State.PROCEEDING, Input.BROKEN): Row(State.TERMINATED, (Act.FAILED,)),
        (State.COMPLETED, Input.FAILURE): Row(State.COMPLETED, (Act.SEND_ACK,)),
        (State.COMPLETED, Input.LINGER): Row(State.TERMINATED),
        (State.ACCEPTED, Input.SUCCESS): Row(State.ACCEPTED, (Act.DELIVER,)),
        (State.ACCEPTED, Input.LINGER): Row(State.TERMINATED),
    },
    slowest=LIMIT,
    linger={State.COMPLETED: (32.0, 0.0), State.ACCEPTED: (LIMIT, LIMIT)},
)

NON_INVITE_CLIENT = Machine(
    "non-INVITE client",
    Row(State.TRYING, (Act.SEND, Act.RETRANSMIT_SOON, Act.START_TIMEOUT)),
    {
        (State.TRYING, Input.RETRANSMIT): Row(State.TRYING, (Act.RESEND, Act.RETRANSMIT_LATER)),
        (State.TRYING, Input.TIMEOUT): Row(State.TERMINATED, (Act.TIMED_OUT,)),
        (State.TRYING, Input.BROKEN): Row(State.TERMINATED, (Act.FAILED,)),
        (State.TRYING, Input.PROVISIONAL): Row(State.PROCEEDING, (Act.DELIVER,)),
        (State.TRYING, Input.SUCCESS): Row(State.COMPLETED, (*_SETTLED, Act.START_LINGER, Act.DELIVER)),
        (State.TRYING, Input.FAILURE): Row(State.COMPLETED, (*_SETTLED, Act.START_LINGER, Act.DELIVER)),
        (State.PROCEEDING, Input.RETRANSMIT): Row(State.PROCEEDING, (Act.RESEND, Act.RETRANSMIT_SLOWLY)),
        (State.PROCEEDING, Input.TIMEOUT): Row(State.TERMINATED, (Act.TIMED_OUT,)),
        (State.PROCEEDING, Input.BROKEN): Row(State.TERMINATED, (Act.FAILED,)),
        (State.PROCEEDING, Input.PROVISIONAL): Row(State.PROCEEDING, (Act.DELIVER,)),
        (State.PROCEEDING, Input.SUCCESS): Row(State.COMPLETED, (*_SETTLED, Act.START_LINGER, Act.DELIVER)),
        (State.PROCEEDING, Input.FAILURE): Row(State.COMPLETED, (*_SETTLED, Act.START_LINGER, Act.DELIVER)),
        (State.COMPLETED, Input.LINGER): Row(State.TERMINATED),
    },
    slowest=T2,
    linger={State.COMPLETED: (T4, 0.0)},
)

INVITE_SERVER = Machine(
    "INVITE server",
    Row(State.PROCEEDING),
    {
        (State.PROCEEDING, Input.REQUEST): Row(State.PROCEEDING, (Act.RESEND,)),
        (State.PROCEEDING, Input.PROVISIONAL): Row(State.PROCEEDING, (Act.SEND,)),
        (State.PROCEEDING, Input.SUCCESS): Row(State.ACCEPTED, (Act.SEND, Act.START_LINGER)),
        (State.PROCEEDING, Input.FAILURE): Row(State.COMPLETED, (Act.SEND, Act.RETRANSMIT_SOON, Act.START_TIMEOUT)),
        (State.PROCEEDING, Input.BROKEN): Row(State.TERMINATED, (Act.FAILED,)),
        (State.COMPLETED, Input.REQUEST): Row(State.COMPLETED, (Act.RESEND,)),
        (State.COMPLETED, Input.RETRANSMIT): Row(State.COMPLETED, (Act.RESEND, Act.RETRANSMIT_LATER)),
        (State.COMPLETED, Input.ACK): Row(State.CONFIRMED, (*_SETTLED, Act.START_LINGER)),
        (State.COMPLETED, Input.TIMEOUT): Row(State.TERMINATED),
        (State.COMPLETED, Input.BROKEN): Row(State.TERMINATED),
        (State.CONFIRMED, Input.LINGER): Row(State.TERMINATED),
        (State.ACCEPTED, Input.SUCCESS): Row(State.ACCEPTED, (Act.SEND,)),
        (State.ACCEPTED, Input.ACK): Row(State.ACCEPTED, (Act.DELIVER,)),
        (State.ACCEPTED, Input.LINGER): Row(State.TERMINATED),
    },
    slowest=T2,
    linger={State.CONFIRMED: (T4, 0.0), State.ACCEPTED: (LIMIT, LIMIT)},
)

NON_INVITE_SERVER = Machine(
    "non-INVITE server",
    Row(State.TRYING),
    {
        (State.TRYING, Input.PROVISIONAL): Row(State.PROCEEDING, (Act.SEND,)),
        (State.TRYING, Input.SUCCESS): Row(State.COMPLETED, (Act.SEND, Act.START_LINGER)),
        (State.TRYING, Input.FAILURE): Row(State.COMPLETED, (Act.SEND, Act.START_LINGER)),
        (State.TRYING, Input.BROKEN): Row(State.TERMINATED, (Act.FAILED,)),
        (State.PROCEEDING, Input.REQUEST): Row(State.PROCEEDING, (Act.RESEND,)),
        (State.PROCEEDING, Input.PROVISIONAL): Row(State.PROCEEDING, (Act.SEND,)),
        (State.PROCEEDING, Input.SUCCESS): Row(State.COMPLETED, (Act.SEND, Act.START_LINGER)),
        (State.PROCEEDING, Input.FAILURE): Row(State.COMPLETED, (Act.SEND, Act.START_LINGER)),
        (State.PROCEEDING, Input.BROKEN): Row(State.TERMINATED, (Act.FAILED,)),
        (State.COMPLETED, Input.REQUEST): Row(State.COMPLETED, (Act.RESEND,)),
        (State.COMPLETED, Input.LINGER): Row(State.TERMINATED),
        (State.COMPLETED, Input.BROKEN): Row(State.TERMINATED),
    },
    slowest=T2,
    linger={State.COMPLETED: (LIMIT, 0.0)},
)

MACHINES = (INVITE_CLIENT, NON_INVITE_CLIENT, INVITE_SERVER, NON_INVITE_SERVER)
