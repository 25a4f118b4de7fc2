"""`rostra setup`: the installation wizard, at a terminal or unattended (NODE-115 to NODE-125, CLOUD-026)."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from rostra import logs
from rostra.cli.home import HomeInUse, held
from rostra.environment import Environment, EnvironmentProblem, Secret

_PREFIX = "SETUP_"


def setup(
    answers: Annotated[
        Path | None, typer.Option("--answers", help="File of answers in YAML or JSON; names as the options, with _.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="IPv4 address of the Management Node.")] = None,
    netmask: Annotated[str | None, typer.Option(help="Its network mask.")] = None,
    gateway: Annotated[str | None, typer.Option(help="Its gateway.")] = None,
    hostname: Annotated[str | None, typer.Option(help="Its name.")] = None,
    domain: Annotated[str | None, typer.Option(help="Its domain.")] = None,
    dns_servers: Annotated[str | None, typer.Option(help="DNS servers, with spaces between.")] = None,
    ntp_servers: Annotated[str | None, typer.Option(help="NTP servers, with spaces between.")] = None,
    username: Annotated[str | None, typer.Option(help="Name of the administrator.")] = None,
    password: Annotated[
        str | None, typer.Option(help="His password; better in the file, or in the variable SETUP_PASSWORD.")
    ] = None,
    incident_reporting: Annotated[str | None, typer.Option(help="Send reports of problems: yes or no.")] = None,
    usage_statistics: Annotated[str | None, typer.Option(help="Send usage statistics: yes or no.")] = None,
    node: Annotated[bool, typer.Option(help="A Conferencing Node runs on this machine too (`rostra run`).")] = True,
    check_time: Annotated[bool, typer.Option(help="Insist that one of the NTP servers answers.")] = True,
) -> None:
    """Set the platform up, or change what was set up. Whatever is not answered stays as it is.

    Without any answer it asks, if there is a terminal. Answers may also be in the environment: SETUP_HOSTNAME etc.
    """
    from rostra.management.setup.answers import QUESTIONS, Invalid, merged, read

    options = {name: value for name, value in locals().items() if name in QUESTIONS and value is not None}
    try:
        environment = Environment.load()
        file = read(_content(answers)) if answers is not None else read(b"{}")
        given = merged(file, _typed(_variables(os.environ)), _typed(options))
        lines = _run(environment, given, with_node=node, check_time=check_time)
    except Invalid as problem:
        for name, text in problem.problems.items():
            typer.echo(f"rostra: {QUESTIONS.get(name, name)}: {text}", err=True)
        raise typer.Exit(1) from None
    for line in lines:
        typer.echo(line)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise EnvironmentProblem(f"{file} cannot be read: {problem.strerror}") from None


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    from rostra.management.setup.answers import QUESTIONS, Invalid

    found = {name.removeprefix(_PREFIX).lower(): text for name, text in environment.items() if name.startswith(_PREFIX)}
    unknown = set(found) - set(QUESTIONS)
    if unknown:
        raise Invalid({f"{_PREFIX}{name.upper()}": "There is no such question." for name in unknown})
    return {name: text for name, text in found.items() if text}


def _typed(texts: Mapping[str, str]) -> Any:
    from rostra.management.setup.answers import Answers, Invalid, understand

    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, text in texts.items():
        try:
            found[name] = understand(name, text)
        except ValueError as problem:
            problems[name] = str(problem)
    if problems:
        raise Invalid(problems)
    return Answers(**found)


def _run(environment: Environment, given: Any, *, with_node: bool, check_time: bool) -> list[str]:
    """Returns what to say at the end."""
    from rostra.management import settings

    logs.configure(dataclasses.replace(environment, log_level="error"), process="setup")
    environment = dataclasses.replace(
        environment, admin_password=Secret(given.password or str(environment.admin_password))
    )
    fresh = not environment.management_home.exists()
    settings.configure(environment)
    from rostra.management.setup import applying

    try:
        applying.check(given)
        if check_time and given.ntp_servers:
            _check_time(given.ntp_servers)
    except BaseException:
        if fresh:  # as if nothing had happened: the first start shows the password of a home that is new
            shutil.rmtree(environment.management_home)
        raise
    first = not applying.is_prepared()
    with _held(environment) if first else contextlib.nullcontext():
        return _carry_out(environment, given, first=first, with_node=with_node)


@contextlib.contextmanager
def _held(environment: Environment) -> Generator[None]:
    try:
        with held(environment.home):
            yield
    except HomeInUse as problem:
        raise EnvironmentProblem(str(problem)) from None


def _carry_out(environment: Environment, given: Any, *, first: bool, with_node: bool) -> list[str]:
    from rostra.management.audit import actor
    from rostra.management.prepare import prepare
    from rostra.management.setup import applying

    generated = prepare(environment, with_node=with_node) if first else None
    if not given.given and sys.stdin.isatty():
        given = _ask(applying.present(environment), first=first)
    with actor.by(way=actor.COMMAND_LINE):
        changed = applying.apply(environment, given, first=first)
    return _summary(environment, changed, generated, first=first)


def _check_time(servers: list[str]) -> None:
    from rostra.management.setup import clocks
    from rostra.management.setup.answers import Invalid

    if clocks.first_that_answers(servers) is None:
        raise Invalid({"ntp_servers": "None of them answers; all machines of a platform need the right time."})


def _ask(offered: dict[str, Any], *, first: bool) -> Any:
    from rostra.management.setup.answers import QUESTIONS, SECRET, Answers

    found: dict[str, Any] = {}
    for name, question in QUESTIONS.items():
        value = _secret(question, first=first) if name in SECRET else _answer(name, question, offered.get(name))
        if value is not None:
            found[name] = value
    return Answers(**found)


def _answer(name: str, question: str, offered: Any) -> Any:
    from rostra.management.setup.answers import YES_OR_NO, understand

    shown = ("yes" if offered else "no") if name in YES_OR_NO else offered
    shown = " ".join(shown) if isinstance(shown, list) else shown
    while True:
        text = typer.prompt(question, default=shown or None)
        try:
            return understand(name, str(text))
        except ValueError as problem:
            typer.echo(str(problem))


def _secret(question: str, *, first: bool) -> str | None:
    from rostra.management.setup.answers import Answers, Invalid, understand
    from rostra.management.setup.applying import check

    label = question if first else f"{question} (empty: as it is)"
    while True:
        text = typer.prompt(label, default=None if first else "", hide_input=True, show_default=False)
        if not text:
            return None
        try:
            value = understand("password", text)
            check(Answers(password=value))
        except (ValueError, Invalid) as problem:
            typer.echo(str(problem))
            continue
        if typer.prompt(f"{question} again", hide_input=True) == value:
            return value
        typer.echo("The two are not the same.")


def _summary(environment: Environment, changed: list[str], generated: Secret | None, *, first: bool) -> list[str]:
    from rostra.management.setup.answers import QUESTIONS
    from rostra.management.setup.applying import present

    now = present(environment)
    lines = [f"{QUESTIONS[name]}: changed" for name in changed] or ([] if first else ["Nothing changed."])
    if generated is not None and "password" not in changed:
        lines.append(f"Password of {now['username']}: {str.__str__(generated)}")
    lines.append(f"Admin site: https://{environment.own_address}:{environment.management_https_port}/")
    if not first and any(name in changed for name in ("address", "hostname", "domain")):
        lines.append("Restart Rostra for the new identity; nodes know the Management Node by its address.")
    return lines
