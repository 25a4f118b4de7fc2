"""What can be done with a running conference and its participants, whoever asks: Hosts, administrators, keypads.

What concerns the whole conference is written to its state; what concerns one participant is an order to the node
that signals it.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence

from rostra.conference import messages as w
from rostra.conference.events import CameraMoved, PeerSignal, RoomReferred
from rostra.conference.here import Here
from rostra.conference.roster import Participant
from rostra.conference.shared import Shared
from rostra.conference.silence import SILENCE
from rostra.conference.state import STARTED_BY_HAND, Value
from rostra.domain import layouts, look
from rostra.domain.service import Service
from rostra.domain.silence import SilenceRules
from rostra.domain.vocabulary import Role


class Control(abc.ABC):
    """The part of `calls.switchboard.Conference` that changes it. Raises OwnerUnreachable for lost nodes."""

    def __init__(self, here: Here, key: str, service: Service, shared: Shared) -> None:
        self._here = here
        self.key = key
        self._service = service
        self._shared = shared
        self._state = shared.state

    @abc.abstractmethod
    def carry_out(self, order: w.Order) -> bool:
        """Do something with a participant signalled here; False when there is none."""

    def recall(self, participant: str) -> Participant | None:
        """Somebody who has not left, also if its node is out of reach."""
        return self._state.recall(participant)

    async def lock(self, locked: bool) -> None:
        self._set_flags(locked=locked)

    async def start(self, by: str = "") -> None:
        starters = self._state.names(STARTED_BY_HAND)
        self._set_flags(**{STARTED_BY_HAND: tuple(dict.fromkeys((*starters, by))), "started": True})

    async def mute_guests(self, muted: bool) -> None:
        self._set_flags(guests_muted=muted)

    async def cycle_layout(self) -> None:
        """The next layout for all (POL sheet, `*8`)."""
        description = self._service.description
        lecture = description.service_type == "lecture"
        shown = look.look(description, self._state.register).hosts.layout.name
        chosen = layouts.next_layout(shown, lecture=lecture)
        names = ("host_layout", "guest_layout") if lecture else ("layout",)
        self._set_flags(**look.transform(dict.fromkeys(names, chosen), lecture=lecture))

    async def transform_layout(self, transforms: Mapping[str, object]) -> None:
        """Change how the pictures look until the conference ends (POL-162). Raises IllegalValue."""
        self._set_flags(**look.transform(transforms, lecture=self._lecture))

    async def override_layout(self, layouts: Sequence[object]) -> None:
        """Name who is shown. Raises IllegalValue."""
        self._set_flags(**look.override(layouts, lecture=self._lecture))

    @property
    def _lecture(self) -> bool:
        return self._service.description.service_type == "lecture"

    async def mute(self, participant: str, muted: bool) -> None:
        await self._do(self._order(participant, mute=muted))

    async def hold(self, participant: str, held: bool) -> None:
        await self._do(self._order(participant, hold=held))

    async def move_camera(self, participant: str, move: CameraMoved) -> None:
        """Of a participant that said it has one that can be moved (API-120)."""
        await self._do(self._order(participant, camera=move))

    async def signal(self, participant: str, signal: PeerSignal) -> None:
        """Pass on what the other client with direct media says."""
        await self._do(self._order(participant, signal=signal))

    async def detect_silence(self, rules: SilenceRules | None) -> None:
        """Mark those whose video has long been silent; None: nobody."""
        self._set_flags(**{SILENCE: rules.value if rules else ()})

    async def set_rules(self, **rules: bool) -> None:
        """What Guests may do: `guests_can_unmute`, `guests_can_present`."""
        self._set_flags(**rules)

    async def refer(self, participant: str, referral: RoomReferred) -> None:
        """Ask a Host to move its media to another room."""
        await self._do(self._order(participant, refer=referral))

    async def want_help(self, wanted: bool) -> None:
        """Of a breakout room: a Host shall come, or need not any more."""
        if self._state.flags.help_wanted != wanted:
            self._set_flags(help_wanted=wanted, help_since=self._here.now() if wanted else 0.0)

    async def set_role(self, participant: str, role: Role) -> None:
        await self._do(self._order(participant, role=role))

    async def set_client_state(self, participant: str, **members: bool | str | float) -> None:
        await self._do(self._order(participant, members=members))

    async def spotlight(self, participant: str, on: bool) -> None:
        await self._do(self._order(participant, members={"spotlight": self._here.now() if on else 0.0}))

    async def admit(self, participant: str) -> None:
        await self._do(self._order(participant, admit=True))

    async def remove(self, participant: str, reason: str) -> None:
        await self._do(self._order(participant, remove=reason))

    async def transfer(self, participant: str, alias: str, role: Role | None, *, trusted: bool = True) -> None:
        """Have a participant go to another conference; it is disconnected if that fails (CONF-120).

        `trusted`: who wants that is a registered caller, or the platform itself.
        """
        await self._do(self._order(participant, transfer=w.Transfer(alias=alias, role=role, trusted=trusted)))

    async def put_in_place(self, participant: str, call: Service, place: str) -> None:
        """Have a participant take the place of a party (by its uuid) of a gateway call; it stays if that fails."""
        alias = call.onward.alias if call.onward else ""
        await self._do(self._order(participant, transfer=w.Transfer(alias=alias, call=call, place=place)))

    async def send_dtmf(self, participant: str, digits: str) -> None:
        await self._do(self._order(participant, dtmf=digits))

    async def play(self, participant: str, *sounds: str) -> None:
        """Let one participant hear sounds of the theme (`domain.theme`), wherever it is carried."""
        await self._do(self._order(participant, play=sounds))

    def _order(self, participant: str, **what: object) -> w.Order:
        return w.Order(key=self.key, participant=participant, **what)  # type: ignore[arg-type]

    async def _do(self, order: w.Order) -> None:
        if not self.carry_out(order):
            await self._shared.order(order)

    def _set_flags(self, **values: Value) -> None:
        self._shared.write(self._state.set(**values))
