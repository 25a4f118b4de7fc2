"""Pictures of people in a media worker."""

from __future__ import annotations

import pytest

from rostra.domain.scene import FACE
from rostra.media.engine import stage
from rostra.media.engine.faces import Faces
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
    assert (last.width, last.height, len(last.rgba)) == (20, 10, 800)


async def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadDescription, match="face:x is neither JPEG nor PNG"):
        await Faces().keep(f"{FACE}x", b"<html>")
