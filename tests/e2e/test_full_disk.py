"""A platform whose disk takes nothing more: calls go on and new ones come in, changes are refused in words, and when
there is room again everything works, without a restart."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.phone import Phone
from tests.e2e.platform import Platform, fresh_environment, wait_until

pytestmark = pytest.mark.e2e

ROOMS = "/api/admin/configuration/v1/conference/"
SIZE = "160m"
MOUNT = f"""
cp -a "$0" "$0.laid" && mount -t tmpfs -o size={SIZE} tmpfs "$0" && cp -a "$0.laid/." "$0" && exec "$@"
"""
OWN_MOUNTS = ("unshare", "--mount", "sh", "-c")
MANY = 3000
"""More changes than fit into what a database has kept for itself."""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """One whose home is a small file system, seen by its processes alone."""
    if subprocess.run([*OWN_MOUNTS, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode:
        pytest.skip("file systems may not be mounted here")
    home = tmp_path / "home"
    made = Platform(fresh_environment(home), "run", before=(*OWN_MOUNTS, MOUNT, str(home)))
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Disk:
    """The file system of a platform's home, as its processes see it."""

    def __init__(self, platform: Platform) -> None:
        home = platform.environment.home.resolve()
        self._filler = Path(f"/proc/{platform.process.pid}/root{home}/filler")

    def fill(self) -> None:
        """To the last byte."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (1 << 20, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(size))

    def clear(self) -> None:
        self._filler.unlink()


def add(api: httpx.Client, name: str) -> httpx.Response:
    body = {"name": name, "service_type": "conference", "description": "x" * 200, "aliases": [{"alias": name}]}
    return api.post(ROOMS, json=body)


def refused(api: httpx.Client, disk: Disk) -> tuple[str, httpx.Response]:
    """The first room that is not taken, and the answer."""
    for number in range(MANY):
        answer = add(api, f"full{number}")
        if answer.status_code != 201:
            return f"full{number}", answer
        disk.fill()
    pytest.fail("everything fits")


def there(api: httpx.Client, path: str, **wanted: Any) -> int:
    return int(api.get(path, params=wanted).raise_for_status().json()["meta"]["total_count"])


def hears(phone: Phone, tone: int) -> None:
    wait_until(lambda: phone.hear(tone)[0] > -45, 10, f"{tone} Hz is not heard")


def test_a_full_disk_ends_no_call_and_loses_nothing(platform: Platform, tmp_path: Path) -> None:
    disk, sip = Disk(platform), f"127.0.0.1:{platform.environment.sip_port}"
    processes = {name: platform.child(name) for name in ("node", "management")}
    phones = (Phone(tmp_path / str(tone), audio_codecs=["opus"], tone=tone) for tone in (600, 1400))
    with platform.api() as api, next(phones) as one, next(phones) as two:
        one.call(f"sip:meet.demo@{sip}")
        disk.fill()
        name, answer = refused(api, disk)
        assert answer.status_code == 503
        assert "disk" in answer.json()["error"]
        assert there(api, ROOMS, name=name) == 0
        two.call(f"sip:meet.demo@{sip}")
        hears(one, 1400)
        hears(two, 600)
        assert os.statvfs(disk._filler).f_bavail == 0
        disk.clear()
        wait_until(lambda: add(api, name).status_code == 201, 10)
        two.hang_up()
        wait_until(lambda: reaches(two, f"sip:{name}@{sip}"), 15)
        wait_until(lambda: there(api, "/api/admin/history/v1/alarm/", name="disk_not_writable") >= 1, 15)
        assert there(api, "/api/admin/status/v1/alarm/", name="disk_not_writable") == 0
    assert {name: platform.child(name) for name in processes} == processes


def reaches(phone: Phone, uri: str) -> bool:
    try:
        phone.call(uri)
    except (TimeoutError, AssertionError):
        return False
    return True
