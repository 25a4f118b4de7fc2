"""What an administrator can have the platform do at once, beyond changing its configuration (sheet 10, 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from rostra.configuration.models import WorkerVM
from rostra.fabric.membership import node_name
from rostra.fabric.status import Command as FabricCommand
from rostra.fabric.status import CommandReply, MoveCallsAway, Moved
from rostra.management.status import platform


class Failed(Exception):
    """The command was understood, but could not be carried out; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """What a command can be told."""

    name: str
    type: str
    """`string`, `integer`, `boolean`, or `file`: an UploadedFile, a part of a multipart body."""
    help: str
    required: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """`POST /api/admin/command/v1/<scope>/<name>/`."""

    scope: str
    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    run: Callable[[Mapping[str, Any]], Any]
    """Takes the parameters, returns the answer's `data`. Raises ValidationError by parameter, or Failed."""
    permission: str
    """Of Django's; who may give it."""


def tell_nodes(rows: Iterable[WorkerVM], command: FabricCommand) -> dict[str, CommandReply]:
    """Tell nodes something at once; replies by name."""
    nodes = {node_name(row.pk): row.name for row in rows}
    replies = platform().tell(nodes, command)
    return {nodes[node]: reply for node, reply in replies.items()}


def _move_calls_away(values: Mapping[str, Any]) -> dict[str, int]:
    row = WorkerVM.objects.filter(pk=values["worker_vm_id"]).first()
    if row is None:
        raise ValidationError({"worker_vm_id": ["Failed to find Conferencing Node."]})
    (reply,) = tell_nodes([row], MoveCallsAway()).values()
    if not isinstance(reply, Moved):
        raise Failed(reply.reason)
    return {"legs": reply.legs}


COMMANDS = (
    Command(
        scope="platform",
        name="move_calls_away",
        summary="Hand the media of all calls that a Conferencing Node carries to other nodes; nobody has to redial.",
        parameters=(Parameter("worker_vm_id", "integer", "Number of the Conferencing Node (worker_vm)."),),
        run=_move_calls_away,
        permission="configuration.change_workervm",
    ),
)


def parameters(command: Command, body: Mapping[str, Any]) -> dict[str, Any]:
    """The checked parameters of a request; unknown ones are ignored. Raises ValidationError by parameter."""
    found: dict[str, Any] = {}
    problems: dict[str, list[str]] = {}
    for parameter in command.parameters:
        value = body.get(parameter.name)
        try:
            if value is None or (isinstance(value, str) and value == ""):
                if parameter.required:
                    raise ValueError("This field is required.")
            else:
                found[parameter.name] = _READERS[parameter.type](value)
        except ValueError as problem:
            problems[parameter.name] = [str(problem)]
    if problems:
        raise ValidationError(problems)  # type: ignore[arg-type] - by name, as Django's forms do
    return found


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


def _file(value: Any) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise ValueError("Send a file as multipart/form-data.")
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {"integer": _whole, "boolean": _flag, "string": _text, "file": _file}
