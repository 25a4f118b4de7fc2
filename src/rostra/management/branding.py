"""Packages of the web app's branding in the site: what it looks like as shipped, and what was uploaded (CONF-039)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy
from unfold import decorators

from rostra.configuration.models import WebappBranding

DEFAULT = Path(__file__).resolve().parents[3] / "web" / "dist" / "branding_default"
"""The complete branding that the built web app comes with."""

action: Any = decorators.action


class BrandingPages:
    """Mixed into the admin class of brandings."""

    actions_list: ClassVar[Any] = ("export_csv", "import_csv", "default_branding")
    actions_detail: ClassVar[Any] = ("download_branding",)

    @action(
        description=gettext_lazy("Download default branding"),
        url_path="default",
        icon="download",
        permissions=["view"],
    )
    def default_branding(self, request: HttpRequest) -> HttpResponse:
        """All files that a package may hold, as they are shipped."""
        if not DEFAULT.is_dir():
            raise Http404
        return _archive("branding_default.zip", default_package())

    @action(description=gettext_lazy("Download branding"), url_path="download", icon="download", permissions=["view"])
    def download_branding(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The uploaded files."""
        if not object_id.isdecimal():
            raise Http404
        row = get_object_or_404(WebappBranding.objects.select_related("branding_file"), pk=object_id)
        if row.branding_file is None:
            raise Http404
        return _archive("branding_custom.zip", b"".join(row.branding_file.chunks()))


def default_package() -> bytes:
    """An archive that may be changed and uploaded."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(DEFAULT.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(DEFAULT).as_posix())
    return target.getvalue()


def _archive(name: str, data: bytes) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return HttpResponse(data, content_type="application/zip", headers={"Content-Disposition": disposition})
