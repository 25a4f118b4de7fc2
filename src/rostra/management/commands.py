"""What an administrator can have the platform do at once, beyond changing its configuration (sheet 10, 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext

from rostra.configuration.models import WorkerVM
from rostra.fabric.membership import node_name
from rostra.fabric.status import Command as FabricCommand
from rostra.fabric.status import CommandReply, MoveCallsAway, Moved, Refused
from rostra.management.status import platform


class Failed(Exception):
    """The command was understood, but could not be carried out; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class FileAnswer:
    """The answer of a command is this file itself."""

    file: Path
    content_type: str


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """What a command can be told."""

    name: str
    type: str
    """`string`, `integer`, `boolean`, `identifier` (text that clients also send as a number), or `file`: an
    UploadedFile, a part of a multipart body."""
    help: str
    required: bool = True
    choices: tuple[str, ...] = ()
    """The only values, unless empty."""
    most: int = 0
    """Most characters; 0: any number."""
    also: str = ""
    """Another name some clients have for it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """`POST /api/admin/command/v1/<scope>/<name>/`."""

    scope: str
    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    run: Callable[[Mapping[str, Any]], Any]
    """Takes the parameters, returns the `data` of the answer or a FileAnswer. Raises ValidationError by parameter, or
    Failed.
    """
    permission: str
    """Of Django's or one of ours (`accounts.permissions`); who may give it."""
    noted: tuple[str, ...] = ()
    """Parameters whose values the administrator log states."""
    answers: str = ""
    """Content type of the file it may answer with (`FileAnswer`)."""


def tell_nodes(rows: Iterable[WorkerVM], command: FabricCommand) -> dict[str, CommandReply]:
    """Tell nodes something at once; replies by name."""
    nodes = {node_name(row.pk): row.name for row in rows}
    replies = platform().tell(nodes, command)
    return {nodes[node]: reply for node, reply in replies.items()}


def refusal(reply: CommandReply) -> str:
    """Why a node did not do what it was told."""
    return reply.reason if isinstance(reply, Refused) else "The node does not know it."


def _move_calls_away(values: Mapping[str, Any]) -> dict[str, int]:
    row = WorkerVM.objects.filter(pk=values["worker_vm_id"]).first()
    if row is None:
        raise ValidationError({"worker_vm_id": [gettext("Failed to find Conferencing Node.")]})
    (reply,) = tell_nodes([row], MoveCallsAway()).values()
    if not isinstance(reply, Moved):
        raise Failed(refusal(reply))
    return {"legs": reply.legs}


COMMANDS = (
    Command(
        scope="platform",
        name="move_calls_away",
        summary="Hand the media of all calls that a Conferencing Node carries to other nodes; nobody has to redial.",
        parameters=(Parameter("worker_vm_id", "integer", "Number of the Conferencing Node (worker_vm)."),),
        run=_move_calls_away,
        permission="configuration.change_workervm",
        noted=("worker_vm_id",),
    ),
)


def parameters(command: Command, body: Mapping[str, Any]) -> dict[str, Any]:
    """The checked parameters of a request; unknown ones are ignored. Raises ValidationError by parameter."""
    found: dict[str, Any] = {}
    problems: dict[str, list[str]] = {}
    for parameter in command.parameters:
        value = body.get(parameter.name)
        if value is None and parameter.also:
            value = body.get(parameter.also)
        try:
            if value is None or (isinstance(value, str) and value == ""):
                if parameter.required:
                    raise ValueError("This field is required.")
            else:
                found[parameter.name] = _read(parameter, value)
        except ValueError as problem:
            problems[parameter.name] = [str(problem)]
    if problems:
        raise ValidationError(problems)  # type: ignore[arg-type] - by name, as Django's forms do
    return found


def _read(parameter: Parameter, value: Any) -> Any:
    """A value as the command wants it. Raises ValueError."""
    read = _READERS[parameter.type](value)
    if parameter.choices and read not in parameter.choices:
        raise ValueError(f"Value {read!r} is not a valid choice.")
    if parameter.most and len(read) > parameter.most:
        raise ValueError(f"Ensure this value has at most {parameter.most} characters.")
    return read


def _whole(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError("Enter a whole number.")
    return int(text)


def _flag(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false", "1", "0"):
        raise ValueError("Enter true or false.")
    return text in ("true", "1")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("Enter text.")
    return value


def _identifier(value: Any) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _file(value: Any) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise ValueError("Send a file as multipart/form-data.")
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "integer": _whole,
    "boolean": _flag,
    "string": _text,
    "identifier": _identifier,
    "file": _file,
}
