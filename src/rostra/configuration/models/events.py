"""What happens outside of calls: event sinks (sheet 11, 11.1) and the schedule of scaling."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import validators, vocabulary
from rostra.configuration.fields import KnownListField, choice, flag, secret, text, whole
from rostra.configuration.translating import gettext


def check_events(value: Any) -> None:
    """Raises ValidationError for anything but a list of known events."""
    known = {event for event, _label in vocabulary.EVENTS}
    if not isinstance(value, list) or any(
        not isinstance(item, dict) or item.get("name") not in known for item in value
    ):
        raise ValidationError(gettext('Give a list of {"name": event}.'))


class EventSink(models.Model):
    """A server that gets every event of the locations that name it."""

    name = text("Name", 250, "A name no other event sink has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.", null=True)
    url = text("URL", 255, "Where events are posted to.", default=None, validators=[validators.url])
    username = text("Username", 100, "For the receiver; empty: none.", null=True)
    password = secret("Password", 100, "For the receiver.", null=True, sent_to=("url",))
    bulk_support = flag("Bulk messages", "Several events may come in one message.", default=False)
    verify_tls_certificate = flag("Verify TLS certificate", "Refuse a receiver nobody vouches for.", default=False)
    version = whole("Version", 1, 2, "Of the messages; 2 adds media events.", default=1)
    restart_date = models.DateTimeField(
        "Restart", null=True, blank=True, help_text="When sending was last told to begin anew."
    )
    events = KnownListField(
        "Events",
        known=vocabulary.EVENTS,
        member="name",
        default=list,
        blank=True,
        validators=[check_events],
        help_text="What is sent while events are filtered.",
    )
    filter_events = flag("Filter events", "Send the chosen events only.", default=False)
    updated_at = models.DateTimeField("Changed", auto_now=True, help_text="When this was last changed, in UTC.")

    class Meta:
        verbose_name = "Event sink"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class ScheduledScaling(models.Model):
    """When something is to have more instances."""

    policy_name = text("Name", 250, "A name no other policy has.", default=None, unique=True)
    policy_type = choice("Type", vocabulary.SCALING_POLICIES, "What is scaled.", default=None)
    resource_identifier = text("Resource", 250, "The connector that is scaled.", default=None)
    enabled = flag("Enabled", "Others are kept for later.", default=True)
    instances_to_add = whole("Instances to add", 0, 1000, "Beyond those that are always there.", default=0)
    minutes_in_advance = whole("Minutes in advance", 0, 1440, "How long it takes to start them.", default=20)
    local_timezone = text(
        "Time zone", 100, "Of the times below, such as Europe/Oslo.", default="UTC", validators=[validators.time_zone]
    )
    start_date = models.DateField("First day", help_text="From this day on.")
    time_from = models.TimeField("From", help_text="When the instances are needed.")
    time_to = models.TimeField("To", help_text="Until when.")
    mon = flag("Monday", "On Mondays.", default=False)
    tue = flag("Tuesday", "On Tuesdays.", default=False)
    wed = flag("Wednesday", "On Wednesdays.", default=False)
    thu = flag("Thursday", "On Thursdays.", default=False)
    fri = flag("Friday", "On Fridays.", default=False)
    sat = flag("Saturday", "On Saturdays.", default=False)
    sun = flag("Sunday", "On Sundays.", default=False)
    updated = models.DateTimeField("Changed", auto_now=True, null=True, help_text="When this was last changed, in UTC.")

    class Meta:
        verbose_name = "Scheduled scaling policy"
        verbose_name_plural = "Scheduled scaling policies"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.policy_name
