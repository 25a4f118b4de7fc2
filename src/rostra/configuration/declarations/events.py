"""System: who is told what happens."""

from __future__ import annotations

from rostra.configuration.models import EventSink
from rostra.configuration.resources import Resource, register

register.add(
    Resource(
        model=EventSink,
        name="event_sink",
        section="System",
        icon="campaign",
        summary="Servers that are told what happens in the conferences of a location.",
        columns=("name", "url", "version", "description"),
        search=("name", "url", "description"),
        groups=(
            ("Receiver", ("url", "username", "password", "verify_tls_certificate")),
            ("Messages", ("version", "bulk_support", "filter_events", "events", "restart_date")),
        ),
    )
)
