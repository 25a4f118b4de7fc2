"""The resources `licence` and `licence_request` (sheet 10)."""

from __future__ import annotations

from rostra.configuration.resources import Resource, register
from rostra.management.licences.models import Licence, LicenceRequest

register.add(
    Resource(
        model=Licence,
        name="licence",
        section="Platform",
        icon="workspace_premium",
        summary="Licenses that limit this platform; without any, calls are neither limited nor counted.",
        key="fulfillment_id",
        list_methods=("get", "post"),
        detail_methods=("get", "delete"),
        internal=("document",),
        replicated=False,
        columns=("fulfillment_id", "license_type", "concurrent", "start_date", "expiration_date", "status"),
        search=("fulfillment_id", "entitlement_id"),
        csv=(),
    )
)
register.add(
    Resource(
        model=LicenceRequest,
        name="licence_request",
        section="Platform",
        icon="outgoing_mail",
        summary="Requests to the issuer of licenses that wait for his answer.",
        key="sequence_number",
        list_methods=("get",),
        detail_methods=("get", "post"),
        internal=("request_xml",),
        replicated=False,
        columns=("sequence_number", "reference", "actions", "generation_time", "status"),
        search=("reference",),
        csv=(),
    )
)
