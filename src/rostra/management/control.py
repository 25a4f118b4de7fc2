"""Commands that act on conferences in progress and on their participants (sheet 10, 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from rostra.configuration.models import Conference
from rostra.domain import look
from rostra.fabric.status import CommandReply, ConferenceStatus, NotHere, Obeyed, OnConference, OnParticipant
from rostra.management.accounts.permissions import CONTROL
from rostra.management.commands import Command, Failed, Parameter, refusal
from rostra.management.dialling import DIAL, dial
from rostra.management.status import platform

_NO_CONFERENCE = "Failed to find conference."
_NO_PARTICIPANT = "Failed to find participant."
_IDENTIFIER = 200

Values = Mapping[str, Any]


def on_conference(identity: str, action: str, **more: Any) -> None:
    """Have every node that has part in a conference do something with it; one that does is enough.

    All are told, as some may not hear of each other. Raises ValidationError for an unknown one, Failed when no node
    does it.
    """
    nodes = _nodes_of(identity)
    _settle(
        platform().tell(nodes, OnConference(conference=identity, action=action, **more)),
        "conference_id",
        _NO_CONFERENCE,
    )


def on_participant(identity: str, action: str, role: str = "", alias: str = "") -> None:
    """Have the node that signals a participant do something with it. Raises as `on_conference`."""
    for node, status in platform().snapshot().statuses.items():
        if any(who.uuid == identity for part in status.conferences for who in part.participants):
            told = OnParticipant(participant=identity, action=action, role=role, alias=alias)
            return _settle(platform().tell([node], told), "participant_id", _NO_PARTICIPANT)
    raise ValidationError({"participant_id": [_NO_PARTICIPANT]})


def _parts(wanted: Callable[[ConferenceStatus], bool]) -> dict[str, ConferenceStatus]:
    """What each node has of the conferences that are wanted."""
    statuses = platform().snapshot().statuses
    return {node: part for node, status in statuses.items() for part in status.conferences if wanted(part)}


def _nodes_of(identity: str) -> Sequence[str]:
    found = _parts(lambda part: part.id == identity)
    if not found:
        raise ValidationError({"conference_id": [_NO_CONFERENCE]})
    return list(found)


def _settle(replies: Mapping[str, CommandReply], parameter: str, missing: str) -> None:
    answers = list(replies.values())
    if any(isinstance(reply, Obeyed) for reply in answers):
        return
    if all(isinstance(reply, NotHere) for reply in answers):  # it ended while it was looked for
        raise ValidationError({parameter: [missing]})
    raise Failed(next(refusal(reply) for reply in answers if not isinstance(reply, NotHere)))


# ---- what clients give


def _identity(given: str) -> str:
    """Instance of what a client names: by its id, or by the number of the configured service."""
    if given.isascii() and given.isdecimal() and len(given) < 19:
        name = Conference.objects.filter(pk=int(given)).values_list("name", flat=True).first()
        running = _parts(lambda part: part.name == name) if name else {}
        return next((part.id for part in running.values()), given)
    return given.lower()


def _toggled(setting: str, on: str, off: str, state: Callable[[], bool]) -> str:
    """The action that `setting` means; `toggle` goes by how it is now."""
    return setting if setting != "toggle" else off if state() else on


def _conference(action: str) -> Callable[[Values], None]:
    return lambda values: on_conference(_identity(values["conference_id"]), action)


def _lock(values: Values) -> None:
    identity = _identity(values["conference_id"])
    parts = _parts(lambda part: part.id == identity)
    setting = values.get("setting", "lock")
    on_conference(identity, _toggled(setting, "lock", "unlock", lambda: any(p.is_locked for p in parts.values())))


def _transform_layout(values: Values) -> None:
    """Each line of the free text is for one picture, in the order of display."""
    transforms = {name: value for name, value in values.items() if name != "conference_id"}
    if _FREE_TEXT in transforms:
        transforms[_FREE_TEXT] = tuple(str(transforms[_FREE_TEXT]).splitlines())
    for name in transforms:
        try:
            look.transform({name: transforms[name]}, lecture=False)
        except look.IllegalValue:
            raise ValidationError({name: ["Illegal value."]}) from None
    on_conference(_identity(values["conference_id"]), "transform_layout", transforms=tuple(transforms.items()))


def _participant(action: str) -> Callable[[Values], None]:
    return lambda values: on_participant(values["participant_id"].lower(), action, values.get("role", ""))


def _mute(values: Values) -> None:
    identity = values["participant_id"].lower()

    def muted() -> bool:
        parts = _parts(lambda part: any(who.uuid == identity and who.is_muted for who in part.participants))
        return bool(parts)

    on_participant(identity, _toggled(values.get("setting", "mute"), "mute", "unmute", muted))


def _transfer(values: Values) -> None:
    on_participant(
        values["participant_id"].lower(), "transfer", values.get("role", ""), values["conference_alias"]
    )  # fmt: skip


# ---- the commands

_CONFERENCE_ID = Parameter("conference_id", "identifier", "Id of the conference in status.", most=_IDENTIFIER)
_PARTICIPANT_ID = Parameter(
    "participant_id", "identifier", "Id of the participant in status.", most=_IDENTIFIER, also="participant_uuid"
)
_LOCK_SETTING = Parameter(
    "setting", "string", "What to do; without it: lock.", required=False, choices=("lock", "unlock", "toggle")
)
_MUTE_SETTING = Parameter(
    "setting", "string", "What to do; without it: mute.", required=False, choices=("mute", "unmute", "toggle")
)
_ROLES = ("chair", "guest")
_ROLE = Parameter("role", "string", "chair for a Host, or guest.", choices=_ROLES)


def _text(name: str, help: str, most: int = 250, *, required: bool = False, choices: tuple[str, ...] = ()) -> Parameter:
    return Parameter(name, "string", help, required, choices, most)


def _switch(name: str, help: str) -> Parameter:
    return Parameter(name, "boolean", help, required=False)


_TRANSFER = (
    _text("conference_alias", "Where to send it.", required=True),
    Parameter("role", "string", "Role it shall have there.", required=False, choices=_ROLES),
)
_FREE_TEXT = "free_form_overlay_text"
_LAYOUT = (
    _text("layout", "Layout for everybody."),
    _text("host_layout", "Layout for Hosts."),
    _text("guest_layout", "Layout for Guests."),
    _switch("enable_overlay_text", "Show names."),
    _switch("streaming_indicator", "Show when it is streamed."),
    _switch("recording_indicator", "Show when it is recorded."),
    _switch("transcribing_indicator", "Show when it is transcribed."),
    _switch("live_captions_indicator", "Show when there are live captions."),
    _switch("ai_enabled_indicator", "Show when an assistant listens."),
    _switch("plus_n_pip_enabled", "Show how many are not seen."),
    _text(_FREE_TEXT, "Texts in place of names, one a line, in the order of display.", 1000),
)


def _of_conference(name: str, summary: str, run: Callable[[Values], None], *more: Parameter) -> Command:
    noted = ("conference_id", "setting")
    return Command("conference", name, summary, (_CONFERENCE_ID, *more), run, CONTROL, noted)


def _of_participant(name: str, summary: str, run: Callable[[Values], None], *more: Parameter) -> Command:
    noted = ("participant_id", "setting", "role")
    return Command("participant", name, summary, (_PARTICIPANT_ID, *more), run, CONTROL, noted)


COMMANDS = (
    _of_conference("disconnect", "End a conference for everybody.", _conference("disconnect")),
    _of_conference("lock", "Let nobody else in unasked.", _lock, _LOCK_SETTING),
    _of_conference("unlock", "Let everybody in again.", _conference("unlock")),
    _of_conference("mute_guests", "Mute all Guests.", _conference("mute_guests")),
    _of_conference("unmute_guests", "Unmute all Guests.", _conference("unmute_guests")),
    _of_conference("transform_layout", "Change the layout, or with nothing go back.", _transform_layout, *_LAYOUT),
    _of_participant("disconnect", "Disconnect a participant.", _participant("disconnect")),
    _of_participant("mute", "Mute a participant.", _mute, _MUTE_SETTING),
    _of_participant("unmute", "Unmute a participant.", _participant("unmute")),
    _of_participant("unlock", "Let a waiting participant into a locked conference.", _participant("unlock")),
    _of_participant("role", "Make a participant a Host or a Guest.", _participant("role"), _ROLE),
    _of_participant("transfer", "Send a participant to another conference.", _transfer, *_TRANSFER),
    Command(
        "participant", "dial", "Call somebody from a conference, which begins when it has not.", DIAL, dial, CONTROL,
        ("conference_alias", "destination"),
    ),
)  # fmt: skip

ALIASES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("", "snapshot"): ("platform", "snapshot"),
    ("", "sync"): ("conference", "sync"),
    ("", "upgrade"): ("platform", "upgrade"),
    ("backup", "create"): ("platform", "backup_create"),
    ("backup", "restore"): ("platform", "backup_restore"),
    ("certificates", "import"): ("platform", "certificates_import"),
    ("cloudnode", "start"): ("platform", "start_cloudnode"),
    ("conference", "send_email"): ("conference", "send_conference_email"),
    ("device", "send_email"): ("conference", "send_device_email"),
    ("software", "bundle"): ("platform", "software_bundle"),
}
"""Other names that clients have for commands, of any module (sheet 10, 6)."""
