"""`rostra licence`: for owners of platforms who limit them with licences of their own; see docs/admin/licences.md."""

from __future__ import annotations

import datetime
import secrets
from pathlib import Path
from typing import Annotated

import typer

from rostra.cli import signing
from rostra.domain.licensing import LicenceKind
from rostra.management.licences import document, exchange
from rostra.management.licences.document import Content, Grant, LicenceProblem, Receipt

application = typer.Typer(help="Issue licenses that limit platforms of your own.", no_args_is_help=True)

_Out = Annotated[Path | None, typer.Option("--out", help="File to write; without it the result is printed.")]


@application.command("new-key")
def new_key(
    file: Annotated[Path, typer.Argument(help="Where to put the private key; the public one goes beside it, as .pub")],
) -> None:
    """Make a key to sign with. Platforms that should take its licenses name the .pub file in ROSTRA_LICENCE_KEYS."""
    try:
        public = signing.make_pair(file)
    except OSError as problem:
        raise _end(f"{file}: {problem.strerror}") from None
    typer.echo(f"Key {document.fingerprint(public)}: {file} (keep it secret) and {file}.pub")


@application.command()
def issue(
    key: Annotated[Path, typer.Option("--key", help="Your private key.")],
    concurrent: Annotated[int, typer.Option("--calls", min=0, help="Concurrent calls.")] = 0,
    kind: Annotated[LicenceKind, typer.Option("--kind", help="What is counted.")] = LicenceKind.PORT,
    overdraft: Annotated[int, typer.Option("--overdraft", min=0, help="Calls tolerated beyond that.")] = 0,
    start: Annotated[datetime.datetime | None, typer.Option("--start", formats=["%Y-%m-%d"])] = None,
    end: Annotated[datetime.datetime | None, typer.Option("--end", formats=["%Y-%m-%d"])] = None,
    deployment: Annotated[str, typer.Option("--deployment", help="UUID of the only deployment it is good for.")] = "",
    entitlement: Annotated[str, typer.Option("--entitlement", help="The key it was ordered by.")] = "",
    issued_to: Annotated[str, typer.Option("--to", help="Who it is for.")] = "",
    identity: Annotated[str, typer.Option("--id", help="Its ID; without it one is made.")] = "",
    request: Annotated[
        Path | None, typer.Option("--request", help="A stored request; the result is the answer that completes it.")
    ] = None,
    out: _Out = None,
) -> None:
    """Issue a license, or answer a stored request."""
    try:
        signer = document.private_key(key.read_bytes())
        asked = exchange.read_request(request.read_text()) if request is not None else None
        content: Content
        if asked is not None and asked.action == exchange.RETURN:
            content = Receipt(id=asked.reference, deployment=asked.deployment)
        else:
            activates = asked is not None and asked.action == exchange.ACTIVATE
            content = Grant(
                id=identity or secrets.token_hex(8),
                entitlement=asked.reference if asked is not None and activates else entitlement,
                issued_to=issued_to,
                kind=kind,
                concurrent=concurrent,
                overdraft=overdraft,
                start=start.date() if start else None,
                end=end.date() if end else None,
                deployment=asked.deployment if asked is not None else deployment,
            )
        word = document.sign(content, signer)
    except OSError as problem:
        raise _end(f"{problem.filename}: {problem.strerror}") from None
    except LicenceProblem as problem:
        raise _end(str(problem)) from None
    text = exchange.write_answer(asked.number, [word]) if asked is not None else _file(content, word)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text)


def _file(content: Content, word: str) -> str:
    """A licence file: what it says for people, and the word that counts."""
    lines = ["# Rostra license"]
    if isinstance(content, Grant):
        lines.append(f"# {content.id}: {content.concurrent} calls of the kind {content.kind}")
        lines += [f"# for {' '.join(content.issued_to.split())}"] if content.issued_to else []
        lines += [f"# until {content.end}"] if content.end else []
    return "\n".join((*lines, word, ""))


def _end(reason: str) -> typer.Exit:
    typer.echo(f"rostra: {reason}", err=True)
    return typer.Exit(1)
