"""One thread that serves all legs: sends what is due, takes what comes, reports."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any

from bench.load import control
from bench.load.receiving import Receiver
from bench.load.sending import PictureSender, Sender, VoiceSender

_IDLE = 0.05


class Stream:
    """What goes and comes of one stream of a leg."""

    def __init__(
        self, sender: PictureSender | VoiceSender, receiver: Receiver, send_control: Callable[[bytes], None]
    ) -> None:
        self.sender, self.receiver = sender, receiver
        self._send_control = send_control
        self._heard = (0, 0.0)

    def controlled(self, packet: bytes) -> None:
        for kind, count, body in control.parts(packet):
            if kind == control.SENDER_REPORT:
                self._heard = control.middle(body), time.time()
            elif isinstance(self.sender, PictureSender) and control.asks_for_key_frame(kind, count):
                self.sender.key_frame()
            elif isinstance(self.sender, PictureSender):
                self._limited(self.sender, kind, count, body)

    def _limited(self, sender: PictureSender, kind: int, count: int, body: bytes) -> None:
        for source, bitrate in control.limits(kind, count, body):
            if source == sender.source:
                sender.limit(bitrate)
                self._send_control(control.confirmation(sender, body))

    def report(self) -> None:
        self._send_control(control.report(self.sender, self.receiver, self._heard))


class Traffic:
    """The thread; a context manager."""

    def __init__(self) -> None:
        self.worst = 0.0
        """Seconds by which anything was sent late since `forget`."""
        self._poll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._queue: list[tuple[float, int, Any]] = []
        self._numbers = itertools.count()
        self._jobs: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._poll.close()

    def check(self) -> None:
        """Raises what has ended the thread."""
        if self._problem is not None:
            raise RuntimeError("the traffic has ended") from self._problem

    def listen(self, one: Any, readable: Callable[[], None]) -> None:
        """Call this in the thread whenever something has come."""
        self._readers[one.fileno()] = readable
        self._poll.register(one, select.EPOLLIN)

    def forget_socket(self, one: Any) -> None:
        self._poll.unregister(one)
        del self._readers[one.fileno()]

    def play(self, stream: Stream) -> None:
        """Begin to send, and report."""
        self._soon(lambda: self._begin(stream))

    def every(self, seconds: float, job: Callable[[], bool]) -> None:
        """Call a job in the thread, until it says no."""

        def again() -> None:
            if job():
                self._push(time.monotonic() + seconds, again)

        self._soon(again)

    def forget(self) -> None:
        self.worst = 0.0

    def _soon(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.append(job)

    def _begin(self, stream: Stream) -> None:
        now = time.monotonic()
        # not all in one moment, as callers are not
        begin = now + stream.sender.source * 7 % 33 / 1000
        stream.sender.begin(begin)
        self._push(begin, stream.sender)
        self.every(control.EVERY, lambda: stream.report() is None)

    def _push(self, due: float, what: Sender | Callable[[], None]) -> None:
        heapq.heappush(self._queue, (due, next(self._numbers), what))

    def _run(self) -> None:
        with contextlib.suppress(PermissionError):  # else what the load does late looks as if the node did
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        try:
            while not self._ended.is_set():
                self._turn()
        except BaseException as problem:  # whatever it is, the run is over and says so
            self._problem = problem
            raise

    def _turn(self) -> None:
        if self._jobs:
            with self._lock:
                jobs, self._jobs = self._jobs, []
            for job in jobs:
                job()
        now = time.monotonic()
        while self._queue and self._queue[0][0] <= now:
            due, _, what = heapq.heappop(self._queue)
            if isinstance(what, Sender):
                self.worst = max(self.worst, now - due)
                what.send(now)  # type: ignore[attr-defined]
                self._push(what.due, what)
            else:
                what()
        wait = min(_IDLE, self._queue[0][0] - time.monotonic()) if self._queue else _IDLE
        for descriptor, _ in self._poll.poll(max(0.0, wait)):
            self._readers[descriptor]()
