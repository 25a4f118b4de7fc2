"""What this room counts, for `/metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

REQUESTS = Counter("rostra_clientapi_requests", "Answers of the client API", ("endpoint", "status"))
MALFORMED = Counter("rostra_clientapi_malformed", "Requests refused because they could not be read", ("kind",))
WRONG_PINS = Counter("rostra_clientapi_wrong_pins", "Wrong PINs given to request_token")
EXPIRED = Counter("rostra_clientapi_expired", "Participants removed because their token ran out")
CLIENTS = Gauge("rostra_clientapi_clients", "Participants holding a token of this node")
STREAMS = Gauge("rostra_clientapi_streams", "Open event streams")
