"""Objects sent as multipart/form-data: one part per field, files among them (sheet 10, 1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from rostra.configuration.resources import Resource
from rostra.management.api import wire
from rostra.management.api.errors import bad_request


def body(resource: Resource, request: HttpRequest) -> Mapping[str, Any]:
    """The object in a request of any method; lists are given in JSON. Raises Refused (400)."""
    try:
        # Django reads forms of POST requests only.
        values, files = MultiPartParser(request.META, request, request.upload_handlers, request.encoding).parse()
    except (MultiPartParserError, RequestDataTooBig, TooManyFilesSent) as problem:
        raise bad_request(f"The form cannot be read: {problem}") from None
    found: dict[str, Any] = dict(files.items())
    lists = {f.name for f in resource.fields if wire.wire_type(f) in ("list", "dict")} | set(resource.relations)
    optional = {field.name for field in resource.fields if field.null}
    for name in values:
        text = values[name]
        if name in lists:
            found[name] = _json(name, text)
        else:
            found[name] = None if text == "" and name in optional else text
    return found


def _json(name: str, text: Any) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise bad_request(f"{name} has to be JSON.") from None
