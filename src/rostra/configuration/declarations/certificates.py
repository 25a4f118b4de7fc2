"""Certificates: what nodes prove themselves with, whom they trust, and requests for more."""

from __future__ import annotations

from rostra.configuration import assignment
from rostra.configuration.models import CaCertificate, CertificateSigningRequest, TlsCertificate
from rostra.configuration.resources import Computed, Resource, register

register.add(
    Resource(
        model=TlsCertificate,
        name="tls_certificate",
        section="Certificates",
        icon="encrypted",
        summary="Certificates that nodes present, with their private keys.",
        list_methods=("delete", "get", "post", "patch"),
        detail_methods=("delete", "get", "patch"),
        write_only=("private_key", "private_key_passphrase"),
        computed=(
            Computed(
                name="nodes",
                help_text="DNS names of the nodes that present it; written also as their addresses.",
                read=assignment.node_names,
                write=assignment.assign_named,
                prefetch=("management_vms", "worker_vms"),
            ),
        ),
        columns=("subject_name", "issuer_name", "end_date"),
        search=("subject_name", "subject_alt_names", "issuer_name", "serial_no"),
        csv=(),
    )
)
register.add(
    Resource(
        model=CaCertificate,
        name="ca_certificate",
        section="Certificates",
        icon="verified_user",
        summary="Authorities trusted beside the built-in ones, and intermediate certificates.",
        list_methods=("delete", "get", "post"),
        detail_methods=("delete", "get", "patch"),
        columns=("subject_name", "issuer_name", "end_date"),
        search=("subject_name", "issuer_name", "serial_no"),
        csv=(),
    )
)
register.add(
    Resource(
        model=CertificateSigningRequest,
        name="certificate_signing_request",
        section="Utilities",
        writes=("platform",),  # a completed request is a TLS certificate
        icon="draft",
        summary="Requests to an authority for a certificate.",
        list_methods=("delete", "get", "post"),
        detail_methods=("delete", "get", "patch"),
        write_only=("private_key", "private_key_passphrase"),
        replicated=False,
        columns=("subject_name", "private_key_type", "tls_certificate"),
        search=("subject_name", "additional_subject_alt_names"),
        csv=(),
    )
)
