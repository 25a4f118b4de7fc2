"""Licences that are installed, and requests to whoever issues them (sheet 10 `licence` and `licence_request`).

What a licence grants is read from its signed document each time; the columns repeat it for lists and clients.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from rostra.configuration.fields import flag, text

LONGEST = 65536
"""Characters of a licence file or of an answer."""


def _told(label: str, help_text: str, limit: int = 255) -> Any:
    """Text that the licence says or that we say of it."""
    return text(label, limit, help_text, editable=False)


def _number(label: str, help_text: str) -> models.IntegerField:
    return models.IntegerField(label, default=0, help_text=help_text, editable=False)


class Licence(models.Model):
    """A licence; its key is `fulfillment_id`."""

    fulfillment_id = models.CharField(
        "Fulfilment ID", max_length=100, unique=True, editable=False, help_text="Identity of this license."
    )
    entitlement_id = models.TextField(
        "License entitlement key",
        max_length=LONGEST,
        help_text="The content of a license file, or an entitlement key to be activated by whoever issued it.",
    )
    offline_mode = flag(
        "Manually activate",
        "Store a request to be taken to the issuer by hand instead of asking over the network.",
        default=False,
    )
    fulfillment_type = _told("Fulfilment type", "How it came here: FILE, or ACTIVATION for an answered request.")
    product_id = _told("Product", "What the issuer calls it.")
    license_type = _told("License type", "What it counts: port or audio.")
    features = _told("Features", "What it counts and how many.")
    concurrent = _number("Concurrent calls", "How many calls there may be at the same time.")
    concurrent_overdraft = _number("Overdraft", "How many calls beyond that are tolerated.")
    activatable = _number("Activatable", "Not used by our licenses.")
    activatable_overdraft = _number("Activatable overdraft", "Not used by our licenses.")
    hybrid = _number("Hybrid", "Not used by our licenses.")
    hybrid_overdraft = _number("Hybrid overdraft", "Not used by our licenses.")
    start_date = _told("Start date", "First day, from midnight Pacific Standard Time; permanent when it always began.")
    expiration_date = _told("Expiration date", "Last day, until midnight UTC; permanent when it never ends.")
    status = _told("Status", "active, not_started, expired or corrupt.")
    trust_flags = _number("Trust flags", "1 when its signature and its deployment are right, else 0.")
    repair = _number("Repair", "1 when it was issued to another deployment and has to be issued anew.")
    server_chain = _told("Issuer", "Fingerprint of the key that signed it.")
    vendor_dictionary = models.JSONField(
        "Issuer's data", default=dict, blank=True, editable=False, help_text="What the issuer added for himself."
    )
    document = models.TextField("Document", editable=False, help_text="The signed license itself.")

    instead: LicenceRequest | None = None
    """What saving a new one led to when it was not installed at once."""

    class Meta:
        verbose_name = "License"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.fulfillment_id

    def save(self, *arguments: Any, **more: Any) -> None:
        """Save; a new one without document is installed from its entitlement, or asked for (see `keeping.add`)."""
        from rostra.management.licences import keeping

        if self.document:
            super().save(*arguments, **more)
            return
        made = keeping.add(self.entitlement_id, offline=self.offline_mode)
        if isinstance(made, Licence):
            vars(self).update(vars(made))
        else:
            self.instead = made

    def delete(self, *arguments: Any, **more: Any) -> tuple[int, dict[str, int]]:
        """Return it (see `keeping.give_back`)."""
        from rostra.management.licences import keeping

        keeping.give_back(self)
        return 1, {"licences.Licence": 1}


class LicenceRequest(models.Model):
    """A request that waits for its answer; its key is `sequence_number`."""

    sequence_number = models.CharField(
        "Sequence number", max_length=20, unique=True, editable=False, help_text="Number of this request."
    )
    reference = _told("Reference", "The entitlement key or the license that it is about.", LONGEST)
    actions = _told("Kind of request", "activate, return or repair.")
    generation_time = _told("Generation time", "When it was made, in UTC.")
    status = _told("Status", "stored until the answer has come.")
    response_xml = models.TextField(
        "Response",
        max_length=LONGEST,
        null=True,
        blank=True,
        help_text="The issuer's answer, which completes the request.",
    )
    request_xml = models.TextField("Request", editable=False, help_text="The request, for the issuer.")

    class Meta:
        verbose_name = "Stored license request"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.sequence_number

    def save(self, *arguments: Any, **more: Any) -> None:
        """Save; one that is there already is completed by its response (see `keeping.complete`)."""
        from rostra.management.licences import keeping

        if self.pk is None:
            super().save(*arguments, **more)
        else:
            keeping.complete(self, self.response_xml or "")


class ReturnedLicence(models.Model):
    """A licence bound to this deployment that was returned: it is not taken here again (SYS-205)."""

    fulfillment_id = models.CharField(max_length=100, unique=True)
    returned = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.fulfillment_id
