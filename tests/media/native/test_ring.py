"""What waits between a source and the mixer, block by block, without a clock: never more than the source needs."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from .conftest import NATIVE

BLOCK = 960
BIGGER_THAN_A_RING = 1 << 16


class Ring:
    """One source: `run` lets time pass in blocks of 20 ms."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._ring = ctypes.create_string_buffer(BIGGER_THAN_A_RING)
        self._pushed = 0
        library.rostra_ring_reset(self._ring)

    def push(self, blocks: int) -> None:
        for _ in range(blocks):
            self._pushed += 1
            samples = np.full(BLOCK, self._pushed, np.int16).tobytes()
            self._library.rostra_ring_push(self._ring, samples, ctypes.c_size_t(BLOCK))

    def run(self, arriving: list[int]) -> list[int | None]:
        """So many blocks arrive before each tick; how many blocks behind what then plays is, None for a hole."""
        found: list[int | None] = []
        block = (ctypes.c_int16 * BLOCK)()
        for count in arriving:
            self.push(count)
            played = self._library.rostra_ring_pop(self._ring, block) and block[BLOCK - 1]
            found.append(self._pushed - played if played else None)
        return found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    made: Path = tmp_path_factory.mktemp("ring") / "ring.so"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "gstreamer-base-1.0", "gstreamer-video-1.0"],
        check=True, capture_output=True, text=True, timeout=20,
    ).stdout.split()  # fmt: skip
    subprocess.run(
        ["cc", "-std=gnu11", "-shared", "-fPIC", "-O1", "-o", made, NATIVE / "ring.c", *flags], check=True, timeout=60
    )
    return ctypes.CDLL(str(made))


@pytest.fixture
def ring(library: ctypes.CDLL) -> Ring:
    return Ring(library)


def test_a_steady_source_is_heard_without_a_hole(ring: Ring) -> None:
    played = ring.run([1] * 1000)
    assert None not in played[1:]
    assert played[-1] in (0, 1)


def test_what_waits_needlessly_is_dropped(ring: Ring) -> None:
    """A source that begins with a burst is heard without its delay after some seconds."""
    ring.push(5)
    played = ring.run([1] * 400)
    assert played[20] is not None
    assert played[20] >= 4
    assert played[-1] in (0, 1)


def test_a_source_that_is_often_late_is_given_time(ring: Ring) -> None:
    """A pause of 40 ms every 3 s costs one hole; after that enough is kept to bridge it, for minutes."""
    pause = [0, 0, 3] + [1] * 147
    first = ring.run(pause * 2)
    assert None in first
    assert None not in ring.run(pause * 15)


def test_a_source_that_is_late_no_more_loses_its_delay(ring: Ring) -> None:
    ring.run(([0, 0, 3] + [1] * 147) * 4)
    assert ring.run([1] * 200)[-1] == 2
    assert ring.run([1] * 50 * 180)[-1] in (0, 1)


def test_silence_between_words_is_not_lateness(ring: Ring) -> None:
    """A source that sends nothing while silent does not earn delay by it."""
    for _ in range(20):
        ring.run([1] * 120 + [0] * 40)
    ring.run([1, 1, 3])
    assert ring.run([1] * 200)[-1] in (0, 1)
