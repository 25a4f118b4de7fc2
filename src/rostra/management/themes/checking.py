"""Is a package what a theme may be (REF-013, REF-016...REF-019)? What is wrong is told file by file."""

from __future__ import annotations

import io
import zipfile

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from PIL import Image

from rostra.domain import theme, themecheck
from rostra.domain.theme import Kind

_TOLD = 20
"""Problems that one refusal tells."""
_FORMATS = {Kind.JPEG: "JPEG", Kind.PNG: "PNG"}


def check(archive: zipfile.ZipFile) -> None:
    """Judge an archive that is safe to read. Raises ValidationError with a message for each file."""
    found, problems = themecheck.placed([info.filename for info in archive.infolist() if not info.is_dir()])
    for name, member in found.items():
        try:
            _check(name, archive.read(member))
        except themecheck.BadFile as problem:
            problems.append(f"{name}: {problem}")
    if not found and not problems:
        problems.append(gettext("The archive holds no file of a theme."))
    if problems:
        more = [gettext("And %(count)d more.") % {"count": len(problems) - _TOLD}] if len(problems) > _TOLD else []
        raise ValidationError([*problems[:_TOLD], *more])


def _check(name: str, data: bytes) -> None:
    themecheck.check(name, data)
    form = _FORMATS.get(theme.FILES[name].kind)
    if form is None:
        return
    try:
        with Image.open(io.BytesIO(data), formats=(form,)) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise themecheck.BadFile("is damaged: it cannot be decoded") from problem
