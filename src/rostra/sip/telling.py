"""What an agent is told beside what the engine says of its call."""

from __future__ import annotations

from rostra.calls.switchboard import FarEnd
from rostra.sip.events import Event


class MediaGone:
    """The media is gone, and has to be set up anew; `tried` says how often that has failed."""

    def __init__(self, tried: int = 0) -> None:
        self.tried = tried


class Dropped:
    """The platform ended the call."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Held:
    """A Host has put the participant on hold, or has let it go on."""

    def __init__(self, held: bool) -> None:
        self.held = held


class Silence:
    """The place that is being called has not said anything for a while."""


Told = Event | MediaGone | Dropped | Silence | Held | FarEnd
