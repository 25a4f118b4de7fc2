"""Cloud bursting in status: no nodes are started in clouds, so there never are any (sheet 10, 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Table
from rostra.management.commands import Command, Parameter
from rostra.management.words import columns

_NONE = MemorySource(list)
_ROOM = columns("name", integer="free_hd_calls id max_hd_calls media_load")

TABLES = (
    Table(
        api="status",
        name="cloud_node",
        title="Cloud nodes",
        summary="Nodes that are started in a cloud when they are needed: there are none.",
        columns=columns(
            "aws_instance_id aws_instance_ip aws_instance_name aws_instance_state cloud_instance_id cloud_instance_ip "
            "cloud_instance_name cloud_instance_state workervm_configuration_location_name workervm_configuration_name",
            integer="max_hd_calls media_load workervm_configuration_id",
            datetime="aws_instance_launch_time cloud_instance_launch_time",
        ),
        source=_NONE,
    ),
    Table(
        api="status",
        name="cloud_monitored_location",
        title="Monitored locations",
        summary="Locations that may need nodes in a cloud: there are none.",
        columns=(
            *_ROOM,
            Column("overflow_location", "related", "Where its calls overflow to.", target="cloud_overflow_location"),
        ),
        source=_NONE,
    ),
    Table(
        api="status",
        name="cloud_overflow_location",
        title="Cloud overflow locations",
        summary="Locations of nodes in a cloud: there are none.",
        columns=(*_ROOM, *columns("", integer="systemlocation_id")),
        source=_NONE,
    ),
)


def _start(_values: Mapping[str, Any]) -> None:
    problem = gettext("Failed to find cloud instance: no nodes are started in clouds. Add a Conferencing Node instead.")
    raise ValidationError({"instance_id": [problem]})


COMMANDS = (
    Command(
        scope="platform",
        name="start_cloudnode",
        summary="Start a node in a cloud; refused, as there never is one.",
        parameters=(Parameter("instance_id", "string", "Number of the instance in the cloud."),),
        run=_start,
        permission="modify_platform",
        noted=("instance_id",),
    ),
)
