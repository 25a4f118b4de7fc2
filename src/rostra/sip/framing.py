"""Messages out of a byte stream (RFC 3261 18.3; keep-alives of RFC 5626 4.4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rostra.sip.errors import RemoteError
from rostra.sip.limits import MAX_HEAD, MAX_MESSAGE

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_FIRST_LINE = re.compile(rb"[\x20-\x7e\x80-\xff]+$")
_HEADER_LINE = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]+[ \t]*:|[ \t]")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class StreamFramer:
    """Cuts the messages of one connection by their Content-Length."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._line = 0
        """Where the line begins that has no end yet,"""
        self._searched = 0
        """and up to where an end was looked for."""
        self._total = 0
        """Bytes of the message whose headers are all there; 0: they are not."""
        self._half = False
        """What came last was one CRLF: another one makes it a keep-alive."""
        self.messages = 0
        """Whole messages seen so far."""

    @property
    def pending(self) -> int:
        """Bytes held of an unfinished message."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes; yields whole messages, and `b""` for a keep-alive that wants its pong.

        Raises RemoteError when the stream can no longer be followed: the connection must be closed.
        """
        self._buffer += data
        while self._buffer:
            if self._half:
                if len(self._buffer) == 1 and self._buffer.startswith(b"\r"):
                    return
                self._half = False
                if self._buffer.startswith(b"\r\n"):
                    del self._buffer[:2]
                    yield b""
                    continue
            if self._buffer.startswith((b"\r", b"\n")):
                self._half = len(self._buffer) == 2 and self._buffer.startswith(b"\r\n")
                if len(self._buffer) < 4 and b"\r\n\r\n".startswith(self._buffer) and len(self._buffer) != 2:
                    return
                if self._buffer.startswith(b"\r\n\r\n"):
                    del self._buffer[:4]
                    yield b""
                else:
                    del self._buffer[: 2 if self._buffer.startswith(b"\r\n") else 1]
                continue
            if not self._total and not self._find_head():
                return
            if len(self._buffer) < self._total:
                return
            message = bytes(self._buffer[: self._total])
            del self._buffer[: self._total]
            self._line = self._searched = self._total = 0
            self.messages += 1
            yield message

    def _find_head(self) -> bool:
        """Are all headers there? Each byte is looked at once, however small the pieces they come in.

        Garbage (or TLS on the plain port) is noticed with its first line, not after 32 KiB of it.
        """
        while (stop := self._buffer.find(b"\r\n", self._searched)) >= 0:
            if stop == self._line:
                self._total = stop + 2 + self._body_length(bytes(self._buffer[:stop]))
                if self._total > MAX_MESSAGE:
                    raise RemoteError(f"longer than {MAX_MESSAGE} bytes", 513)
                return True
            pattern = _HEADER_LINE if self._line else _FIRST_LINE
            if not pattern.match(self._buffer, self._line, stop):
                raise RemoteError("the stream does not speak SIP")
            self._line = self._searched = stop + 2
        if not self._line and _CONTROL.search(self._buffer, self._searched):
            raise RemoteError("the stream does not speak SIP")
        if len(self._buffer) > MAX_HEAD:
            raise RemoteError("headers without end", 513)
        self._searched = max(self._line, len(self._buffer) - 1)
        return False

    def _body_length(self, head: bytes) -> int:
        found = _LENGTH.findall(head)
        if not found:
            return 0
        text = found[0].strip()
        if len(set(found)) > 1 or not text.isdigit() or len(text) > 10:
            raise RemoteError("unusable Content-Length")
        return int(text)
