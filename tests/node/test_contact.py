"""How long the Management Node has not been heard, over restarts and in days that the test makes."""

from __future__ import annotations

from pathlib import Path

from rostra.node.contact import Contact

DAY = 24 * 3600.0


class World:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.now = 1_000_000.0
        self.heard = 0.0

    def start(self) -> Contact:
        began = self.now

        def silence() -> float:
            return self.now - max(self.heard, began)

        return Contact(self.file, silence, lambda: self.now)


def test_days_add_up_over_restarts(tmp_path: Path) -> None:
    world = World(tmp_path / "contact")
    contact = world.start()
    world.now += 100
    world.heard = world.now
    assert contact.silent() < 1
    world.now += 5 * DAY
    assert contact.silent() > 4.9 * DAY
    again = world.start()
    world.now += 9 * DAY
    assert 13.9 * DAY < again.silent() < 14.1 * DAY
    world.heard = world.now
    assert again.silent() < 1
    assert world.start().silent() < 700


def test_a_damaged_file_or_none_is_a_first_start(tmp_path: Path) -> None:
    (tmp_path / "contact").write_text("yesterday")
    world = World(tmp_path / "contact")
    contact = world.start()
    world.now += DAY
    assert 0.9 * DAY < contact.silent() < 1.1 * DAY
