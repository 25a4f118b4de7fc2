"""Sending a backup to a file server by FTP, or by FTP over TLS (AUTH TLS, the server's certificate checked)."""

from __future__ import annotations

import dataclasses
import ftplib
import posixpath
import ssl
import urllib.parse
from pathlib import Path

PATIENCE = 30.0
"""Seconds the server may take for an answer."""


class NotSent(Exception):
    """The file is not there; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Where files go."""

    url: str
    """`ftp://host[:port][/directory]`, or `ftps://…`."""
    username: str = ""
    password: str = dataclasses.field(default="", repr=False)


def send(target: Target, file: Path, context: ssl.SSLContext | None = None) -> None:
    """Send `file`; it has its name only once it is there as a whole. Raises NotSent.

    `context`: whom to trust; default: the authorities this machine trusts.
    """
    parts = urllib.parse.urlsplit(target.url)
    secure = parts.scheme == "ftps"
    if parts.scheme not in ("ftp", "ftps") or not parts.hostname:
        raise NotSent(f"{target.url} is no address of an FTP server.")
    trusted = context or ssl.create_default_context()
    server = ftplib.FTP_TLS(context=trusted, timeout=PATIENCE) if secure else ftplib.FTP(timeout=PATIENCE)  # noqa: S321
    try:
        with server:
            server.connect(parts.hostname, parts.port or ftplib.FTP_PORT)
            server.login(target.username or "anonymous", target.password)
            if isinstance(server, ftplib.FTP_TLS):
                server.prot_p()
            directory = urllib.parse.unquote(parts.path)
            name = posixpath.join(directory, file.name)
            with file.open("rb") as content:
                server.storbinary(f"STOR {name}.part", content)
            server.rename(f"{name}.part", name)
    except (OSError, EOFError, ValueError, ftplib.Error) as problem:
        raise NotSent(f"{parts.hostname}: {str(problem) or type(problem).__name__}") from None
