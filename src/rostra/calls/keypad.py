"""What a participant types: its PIN, the number at a reception, or commands to the conference (CONF-136…CONF-139)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from rostra.calls import identity
from rostra.calls.attendant import KEYPADS, Attendant, Caller
from rostra.calls.switchboard import Refusal
from rostra.domain import greeting, keypad, reception, theme
from rostra.domain.admission import PinEntry, PinOutcome, may_key_host_pin, press, press_waiting
from rostra.domain.reception import Keyed, KeyedOutcome
from rostra.domain.theme import Command
from rostra.domain.vocabulary import Role, ServiceType

logger = structlog.get_logger("rostra.calls")

ENDED_BY_KEYPAD = "Conference host ended the conference with a DTMF command"
"""API-017."""
NOWHERE = "Neither conference nor gateway found"

Connect = Callable[[str], Awaitable[bool]]
"""Go on from a reception to what was keyed; False: it leads nowhere."""
Find = Callable[[str], bool]
"""Does a keyed number lead anywhere?"""
Room = Callable[[], bool]
"""Take a place in the conference; False: there is none."""


class Keypad:
    """Of one session."""

    def __init__(
        self, caller: Caller, attendant: Attendant, *, wrong: int, find: Find, connect: Connect, room: Room,
        refuse: Callable[[], None], judged: Callable[[bool], None],
    ) -> None:  # fmt: skip
        """`wrong`: PINs given wrongly before. `refuse`: what is done with somebody there is no room for. `judged` is
        told of every PIN whether it was right."""
        self._caller = caller
        self._attendant = attendant
        self._find = find
        self._connect = connect
        self._room = room
        self._refuse = refuse
        self._judged = judged
        self._pin = PinEntry(wrong=wrong)
        self._keyed = Keyed()
        self._pending = ""
        self._leaving = False
        self._accepted = False
        """The last key completed a PIN: a pound key behind it still belongs to that."""

    def begin_anew(self, attendant: Attendant) -> Attendant:
        """The participant is in another conference now."""
        self._attendant = attendant
        self._pin, self._keyed, self._pending = PinEntry(), Keyed(), ""
        self._leaving = self._accepted = False
        return attendant

    def dtmf(self, digits: str) -> None:
        """Keys, one after the other; what they mean depends on where the participant is by then."""
        for digit in digits:
            me, service = self._caller.participant, self._caller.conference.service
            if self._leaving:
                return
            ends, self._accepted = self._accepted and digit == "#", False
            if ends:
                continue
            if me.service_type is ServiceType.IVR and service.description.service_type == "two_stage_dialing":
                self._number(digit)
            elif me.service_type is ServiceType.IVR:
                self._enter_pin(digit)
            elif me.service_type is ServiceType.WAITING_ROOM:
                if me.protocol in KEYPADS and may_key_host_pin(self._caller.rules, me.role):
                    self._enter_pin_waiting(digit)
            elif me.service_type is ServiceType.GATEWAY:
                self._pass_on(digit)
            elif me.joined and me.role is Role.HOST:
                self._control(digit)
            elif me.joined and me.protocol in KEYPADS and may_key_host_pin(self._caller.rules, me.role):
                self._enter_pin_inside(digit)

    # ---- PINs

    def _enter_pin(self, digit: str) -> None:
        access = self._caller.rules
        self._pin, outcome = press(access, self._pin, digit)
        self._attendant.hush()
        match outcome:
            case PinOutcome.HOST | PinOutcome.GUEST:
                self._tell(right=True)
                self._accepted = digit != "#"
                self._accept(Role.HOST if outcome is PinOutcome.HOST else Role.GUEST)
            case PinOutcome.WRONG:
                self._tell(right=False)
                self._reject(theme.pin_entry(0), greeting.ask_pin(access.host_pin))
            case PinOutcome.ASK:
                self._attendant.show(theme.pin_entry(len(self._pin.digits)))

    def _enter_pin_waiting(self, digit: str) -> None:
        """A Guest without a PIN may be the Host after all."""
        if self._pin.exhausted:
            return
        self._pin, outcome = press_waiting(self._caller.rules, self._pin, digit)
        self._attendant.hush()
        if outcome is PinOutcome.HOST:
            self._tell(right=True)
            self._accepted = digit != "#"
            self._accept(Role.HOST)
        elif outcome is PinOutcome.WRONG:
            self._tell(right=False)
            self._attendant.flash(theme.PIN_INCORRECT, seconds=3.0)
            self._attendant.perform(lambda: self._attendant.say(theme.INVALID_PIN))
        else:
            count = len(self._pin.digits)
            self._attendant.show(theme.pin_entry(count) if count else "")

    def _enter_pin_inside(self, digit: str) -> None:
        """A Guest who came in without a PIN because a Host was there already: the conference stays in the picture."""
        self._pin, outcome = press_waiting(self._caller.rules, self._pin, digit)
        if outcome is PinOutcome.HOST:
            self._tell(right=True)
            self._accepted = digit != "#"
            self._accept(Role.HOST)
        elif outcome is PinOutcome.WRONG:
            self._tell(right=False)
            self._attendant.perform(lambda: self._attendant.say(theme.INVALID_PIN))

    def let_in(self, role: Role) -> None:
        """A Host has said what it is: no PIN is needed. At a reception nobody can say that."""
        conference = self._caller.conference
        if conference.service.description.service_type == "two_stage_dialing" or role is Role.UNKNOWN:
            return
        self._leaving = False  # also after too many wrong PINs, while it is told so
        self._pin = PinEntry()
        self._enter(role)

    def _accept(self, role: Role) -> None:
        if not identity.may_be(self._caller.participant, self._caller.conference.service.sign_on, role):
            self._log("PIN entry: single sign-on is needed.")
            if self._caller.participant.service_type is not ServiceType.IVR:  # it stays the Guest it is
                self._attendant.show()
                self._attendant.perform(lambda: self._attendant.say(theme.INVALID_PIN))
                return
            self._leaving = True
            self._attendant.perform(lambda: self._attendant.part(Refusal.SIGN_ON.text, theme.WILL_DISCONNECT))
            return
        self._enter(role)

    def _enter(self, role: Role) -> None:
        if self._caller.participant.service_type is ServiceType.IVR and not self._room():
            self._leaving = True
            self._refuse()
            return
        self._caller.conference.answer_prompt(self._caller.participant.uuid, role)
        if self._caller.participant.is_video_call:
            self._attendant.flash(theme.PIN_CORRECT)

    def _reject(self, then: str, prompt: str) -> None:
        if self._pin.exhausted:
            self._leaving = True
            self._attendant.show(theme.PIN_INCORRECT)
            self._attendant.perform(
                lambda: self._attendant.part(Refusal.PIN_RETRIES.text, theme.INVALID_PIN, theme.WILL_DISCONNECT)
            )
            return
        self._attendant.flash(theme.PIN_INCORRECT, then, seconds=3.0)
        self._attendant.perform(lambda: self._attendant.say(theme.INVALID_PIN, prompt))

    # ---- receptions

    def _number(self, digit: str) -> None:
        self._keyed, outcome = reception.press(self._keyed, digit)
        self._attendant.hush()
        if outcome is KeyedOutcome.NUMBER:
            self._try_number(self._keyed.digits)
        else:
            self._attendant.show(theme.RECEPTION, self._keyed.digits)

    def _try_number(self, keyed: str) -> None:
        if self._find(keyed):
            self._leaving = True
            self._log("Virtual Reception: number accepted.", digits=keyed)
            self._attendant.show(theme.TRANSFER, keyed)
            self._attendant.perform(lambda: self._go(keyed))
        else:
            self._not_valid(keyed)

    def _not_valid(self, keyed: str) -> None:
        """It leads nowhere: another one may be keyed, a few times."""
        self._keyed = reception.refused(self._keyed)
        self._log("Virtual Reception: number not valid.", digits=keyed)
        if self._keyed.exhausted:
            self._leaving = True
            self._attendant.show(theme.RECEPTION_INVALID)
            self._attendant.perform(lambda: self._attendant.part(NOWHERE, theme.NUMBER_NEVER_VALID))
            return
        self._attendant.flash(theme.RECEPTION_INVALID, theme.RECEPTION, seconds=3.0)
        self._attendant.ask_again(theme.NUMBER_NOT_VALID)

    async def _go(self, keyed: str) -> None:
        await self._attendant.say(theme.PLEASE_HOLD)
        self._caller.spawn(self._went(keyed))  # on its own: what the attendant does ends by going

    async def _went(self, keyed: str) -> None:
        if not await self._connect(keyed):
            self._leaving = False
            self._not_valid(keyed)

    # ---- conference control

    def _control(self, digit: str) -> None:
        commands = self._caller.conference.service.description.theme.commands
        self._pending, command = keypad.press(commands, self._pending, digit)
        if command is not None:
            self._log("Conference control by keypad.", command=str(command))
            self._caller.spawn(self._command(command))

    async def _command(self, command: Command) -> None:
        conference = self._caller.conference
        match command:
            case Command.TOGGLE_LOCK:
                await conference.lock(not conference.flags.locked)
            case Command.TOGGLE_GUEST_MUTE:
                await conference.mute_guests(not conference.flags.guests_muted)
            case Command.END_CONFERENCE:
                await conference.remove_all(ENDED_BY_KEYPAD)
            case Command.CYCLE_LAYOUT:
                await conference.cycle_layout()

    def _pass_on(self, digit: str) -> None:
        """In a gateway call keys are for the other end (SVC-080)."""
        conference, me = self._caller.conference, self._caller.participant.uuid
        for other in conference.participants:
            if other.uuid != me and other.joined:
                self._caller.spawn(conference.send_dtmf(other.uuid, digit))

    def _tell(self, *, right: bool) -> None:
        self._log("PIN entry: PIN accepted." if right else "PIN entry: PIN rejected.")
        self._judged(right)

    def _log(self, message: str, **more: str) -> None:
        logger.info(
            message, participant_id=self._caller.participant.uuid, conference=self._caller.conference.name, **more
        )
