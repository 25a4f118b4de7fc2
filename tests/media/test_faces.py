"""Pictures of people in a media worker."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from rostra.domain.scene import FACE
from rostra.media.engine import stage
from rostra.media.engine.faces import SIDE, Faces
from rostra.media.engine.sections import BadDescription
from rostra.media.messages import FACES_KEPT
from tests.themes import picture


@pytest.fixture(scope="module", autouse=True)
def _decoders() -> None:
    stage.load()


async def test_a_face_is_decoded_once_and_only_so_many_are_kept() -> None:
    faces = Faces()
    for at in range(FACES_KEPT + 1):
        await faces.keep(f"{FACE}{at}", picture((20, 10)))
    assert faces.of(f"{FACE}0") is None
    last = faces.of(f"{FACE}{FACES_KEPT}")
    assert last
    assert (last.width, last.height, len(last.rgba)) == (10, 10, 400)


@pytest.mark.parametrize("size", [(900, 600), (600, 900), (60, 60)])
async def test_the_middle_of_a_picture_is_shown_as_a_circle(size: tuple[int, int]) -> None:
    width, height = size
    whole = Image.new("RGB", size, (255, 0, 0))
    side = min(size)
    whole.paste((0, 0, 255), ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2))
    file = io.BytesIO()
    whole.save(file, "PNG")
    faces = Faces()
    await faces.keep(f"{FACE}x", file.getvalue())
    face = faces.of(f"{FACE}x")
    assert face
    assert face.width == face.height == min(side, SIDE)
    assert len(face.rgba) == 4 * face.width**2
    at = {place: face.rgba[4 * (place[1] * face.width + place[0]) :][:4] for place in _places(face.width)}
    assert at[0, face.width - 1] == at[face.width - 1, 0] == bytes(4)
    middle = at[face.width // 2, face.width // 2]
    assert middle == bytes((0, 0, 255, 255))
    assert all(colour[2] >= colour[0] for colour in at.values()), "at the edge no more than a shade of what is cut off"


def _places(side: int) -> list[tuple[int, int]]:
    """Two corners, the middle, and where the circle touches an edge."""
    last, half = side - 1, side // 2
    return [(0, last), (last, 0), (half, half), (half, 0), (0, half), (half, last), (last, half)]


async def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadDescription, match="face:x is neither JPEG nor PNG"):
        await Faces().keep(f"{FACE}x", b"<html>")
