"""Every limit of the SIP stack, so that no far end can make it grow without bound."""

from __future__ import annotations

MAX_MESSAGE = 64 * 1024
"""Bytes of one message; more is answered 513, or ends a stream connection."""
MAX_HEADER_LINES = 256
MAX_HEAD = 32 * 1024
"""Bytes of start line and headers together."""
MAX_LIST = 64
"""Values of one list header (Via, Route, Contact)."""
MAX_TRANSACTIONS = 60_000
"""Under way; further requests are answered 503 without state."""
KEPT_FREE = 6_000
"""Of these, only for requests within calls: whoever hangs up must be heard, or stays in the conference."""
MAX_REMAINS = 60_000
"""Answered, and kept to answer repetitions alike; beyond that the oldest go, for nobody is refused for what is over. By
UDP a call that comes and goes leaves two for 32 seconds each."""
MAX_CALLS = 5_000
MAX_CONNECTIONS = 60_000
"""Stream connections, as far as the machine allows open files; further ones are closed at once."""
SHARE_OF_ONE = 4
"""One address may hold this fraction (one nth) of all stream connections: there may be a whole company behind it."""
MAX_HANDSHAKES = 1_000
"""TLS handshakes under way: each costs memory, and processor time before anybody has said who he is."""
MAX_HANDSHAKES_OF_ONE = 64
"""Of one source."""
HANDSHAKE_TIMEOUT = 10.0
"""Seconds for a handshake,"""
HANDSHAKE_SURE = 1.0
"""and those that it has for sure: later it makes way for others when there are too many."""
MAX_CONNECTION_BACKLOG = 256 * 1024
"""Bytes waiting to be sent on one stream connection; a peer that reads slower is cut off."""
MAX_PENDING_EVENTS = 64
"""Events of one call waiting for the application; a call that piles up more is ended."""
IDLE_CONNECTION = 600.0
"""Seconds after which a silent stream connection without calls is closed."""
UNUSED_CONNECTION = 32.0
"""Seconds a new stream connection may stay without a complete message."""
