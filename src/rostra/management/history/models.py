"""Tables of history. Columns are named as sheet 10 (3.2) names them; nodes are IP addresses, locations names, so that
a record stays true when the configuration changes.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


def _text() -> models.TextField:
    return models.TextField(default="", blank=True)


def _whole() -> models.BigIntegerField:
    return models.BigIntegerField(default=0)


def _flag() -> models.BooleanField:
    return models.BooleanField(default=False)


class ConferenceRecord(models.Model):
    """A conference instance. Without `end_time` it may still be running."""

    id = models.CharField(max_length=100, primary_key=True)
    name = _text()
    service_type = _text()
    tag = _text()
    start_time = models.DateTimeField(db_index=True)
    end_time = models.DateTimeField(null=True, db_index=True)
    duration = _whole()
    participant_count = _whole()
    instant_message_count = _whole()
    direct_media_available = _flag()

    class Meta:
        verbose_name = "conference"
        ordering: ClassVar = ["-end_time"]

    def __str__(self) -> str:
        return self.name


class ParticipantRecord(models.Model):
    """A call. Without `end_time` it is still up; `presumed` ends are our guess until its node tells the truth."""

    id = models.CharField(max_length=100, primary_key=True)
    conference = models.ForeignKey(
        ConferenceRecord, null=True, on_delete=models.CASCADE, related_name="participants", db_constraint=False
    )
    conference_name = _text()
    node = models.CharField(max_length=64)
    """Fabric id of the node that signalled it."""
    boot = models.CharField(max_length=64)
    """That node's run."""
    presumed = _flag()
    start_time = models.DateTimeField(db_index=True)
    end_time = models.DateTimeField(null=True, db_index=True)
    duration = _whole()
    disconnect_reason = _text()
    display_name = _text()
    local_alias = _text()
    remote_alias = _text()
    protocol = _text()
    vendor = _text()
    role = _text()
    call_direction = _text()
    call_quality = _text()
    call_uuid = models.CharField(max_length=200, default="", blank=True, db_index=True)
    call_tag = _text()
    conversation_id = _text()
    service_type = _text()
    service_tag = _text()
    system_location = _text()
    signalling_node = _text()
    media_node = _text()
    proxy_node = _text()
    encryption = _text()
    has_media = _flag()
    is_streaming = _flag()
    bandwidth = _whole()
    rx_bandwidth = _whole()
    tx_bandwidth = _whole()
    remote_address = _text()
    remote_port = _whole()
    license_count = _whole()
    license_type = _text()
    av_id = _text()
    presentation_id = _text()
    idp_uuid = _text()
    is_idp_authenticated = _flag()
    is_direct = _flag()
    transcoding_enabled = models.BooleanField(default=True)
    historic_call_quality = models.JSONField(default=list)
    """Values of `domain.quality.Quality`, one for each 20 seconds."""

    class Meta:
        verbose_name = "participant"
        ordering: ClassVar = ["-end_time"]
        indexes: ClassVar = [models.Index(fields=["node", "boot", "end_time"], name="history_open_calls")]

    def __str__(self) -> str:
        return self.display_name


class BackplaneRecord(models.Model):
    """What one node sent another for a conference."""

    id = models.CharField(max_length=200, primary_key=True)
    conference = models.ForeignKey(
        ConferenceRecord, null=True, on_delete=models.CASCADE, related_name="backplanes", db_constraint=False
    )
    conference_name = _text()
    service_tag = _text()
    start_time = models.DateTimeField(db_index=True)
    end_time = models.DateTimeField(null=True, db_index=True)
    duration = _whole()
    disconnect_reason = _text()
    media_node = _text()
    remote_media_node = _text()
    remote_node_name = _text()
    remote_conference_name = _text()
    proxy_node = _text()
    protocol = _text()
    system_location = _text()
    type = _text()

    class Meta:
        verbose_name = "backplane"
        ordering: ClassVar = ["-end_time"]


class _Stream(models.Model):
    """A stream over its life: mean bit rates in kbps, loss in percent."""

    stream_id = models.CharField(max_length=20)
    """Number among those of its owner."""
    stream_type = _text()
    node = _text()
    start_time = models.DateTimeField()
    end_time = models.DateTimeField()
    rx_codec = _text()
    rx_bitrate = _whole()
    rx_resolution = _text()
    rx_fps = models.FloatField(default=0.0)
    rx_packets_received = _whole()
    rx_packets_lost = _whole()
    rx_packet_loss = models.FloatField(default=0.0)
    tx_codec = _text()
    tx_bitrate = _whole()
    tx_resolution = _text()
    tx_fps = models.FloatField(default=0.0)
    tx_packets_sent = _whole()
    tx_packets_lost = _whole()
    tx_packet_loss = models.FloatField(default=0.0)

    class Meta:
        abstract = True
        ordering: ClassVar = ["id"]


class ParticipantStream(_Stream):
    """Of a call. It may be told before its call is."""

    participant = models.ForeignKey(
        ParticipantRecord, on_delete=models.CASCADE, related_name="media_streams", db_constraint=False
    )
    quality = models.JSONField(default=list)
    """Of the call while its media was on one node, at the first of the streams there."""

    class Meta(_Stream.Meta):
        verbose_name = "media stream"


class BackplaneStream(_Stream):
    """Of a link."""

    backplane = models.ForeignKey(
        BackplaneRecord, on_delete=models.CASCADE, related_name="media_streams", db_constraint=False
    )

    class Meta(_Stream.Meta):
        verbose_name = "backplane media stream"


class PlatformEvent(models.Model):
    """Starts and ends of nodes, calls refused for want of capacity, media that moved."""

    time_changed = models.DateTimeField(db_index=True)
    event_type = models.CharField(max_length=40, db_index=True)
    state = _text()
    context = _text()
    details = _text()
    participant = models.CharField(max_length=100, default="", blank=True, db_index=True)
    workervm_address = _text()
    workervm_configuration_id = models.BigIntegerField(null=True)
    workervm_configuration_location_name = _text()
    workervm_configuration_name = _text()

    class Meta:
        verbose_name = "event"
        ordering: ClassVar = ["-time_changed"]


class RegistrationRecord(models.Model):
    """A device's registration. Without `end_time` it lasts; `presumed` ends are our guess until its node tells."""

    registration_id = models.CharField(max_length=100, unique=True)
    holder = models.CharField(max_length=64)
    """Fabric id of the node that had it."""
    boot = models.CharField(max_length=64)
    presumed = _flag()
    alias = _text()
    protocol = _text()
    username = _text()
    remote_address = _text()
    node = _text()
    vendor = _text()
    is_natted = _flag()
    start_time = models.DateTimeField(db_index=True)
    end_time = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name = "registration"
        ordering: ClassVar = ["-end_time"]
        indexes: ClassVar = [models.Index(fields=["holder", "boot", "end_time"], name="history_open_registrations")]

    def __str__(self) -> str:
        return self.alias


class Run(models.Model):
    """One run of a node's process, and which of its events we have (`received.Received`)."""

    node = models.CharField(max_length=64)
    boot = models.CharField(max_length=64)
    received = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["node", "boot"], name="history_run_once")]


class NodeContact(models.Model):
    """When we last heard of a Conferencing Node, and what it said; outlives restarts of the Management Node."""

    node = models.CharField(max_length=64, primary_key=True)
    boot = models.CharField(max_length=64, default="")
    last_reported = models.DateTimeField()
    last_updated = models.DateTimeField(null=True)
    """When it last took a change of configuration."""
    position = _whole()
    report = models.JSONField(default=dict)
    """Its last `fabric.peers.NodeReport`."""


class LoadHour(models.Model):
    """Load of a node or location over an hour: sums over its samples."""

    kind = models.CharField(max_length=20)
    """Table of status: `worker_vm` or `system_location`."""
    number = models.BigIntegerField()
    hour = models.DateTimeField(db_index=True)
    """Its beginning."""
    samples = _whole()
    load = _whole()
    """Percent."""
    used = _whole()
    """Tokens."""
    capacity = _whole()
    """Tokens."""

    class Meta:
        ordering: ClassVar = ["hour"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "number", "hour"], name="history_load_once")]
