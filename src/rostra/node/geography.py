"""The configured geography as this node reads it: itself, the locations, and what conferences reserve."""

from __future__ import annotations

from collections.abc import Mapping

from rostra.configuration.queries import Lookup
from rostra.configuration.rows import NodeRow
from rostra.domain import capacity
from rostra.domain.placement import LocationView, NodeRole

_OF_INTEREST = frozenset({"worker_vm", "system_location", "global"})


class Geography:
    """Implements `calls.anchors.Atlas`. Read from the local database again after every change."""

    def __init__(self, lookup: Lookup, key: int) -> None:
        self._lookup = lookup
        self._key = key
        self._nodes: list[NodeRow] | None = None
        self._locations: dict[int, LocationView] | None = None
        self._full_hd: bool | None = None

    def changed(self, resource: str, _key: int) -> None:
        """A configured row is another one now."""
        if resource in _OF_INTEREST:
            self._nodes = self._locations = self._full_hd = None

    @property
    def me(self) -> NodeRow | None:
        """This node's own row; None before its configuration has arrived."""
        return next((row for row in self.nodes if row.id == self._key), None)

    @property
    def maintenance(self) -> bool:
        """This node takes no new calls (NODE-127)."""
        return self.me is not None and self.me.maintenance_mode

    @property
    def nodes(self) -> list[NodeRow]:
        if self._nodes is None:
            self._nodes = self._lookup.nodes()
        return self._nodes

    @property
    def location(self) -> int:
        """Id of the location this node is in (PLAT-032); 0 before its configuration has arrived."""
        return self.me.system_location if self.me else 0

    def locations(self) -> Mapping[int, LocationView]:
        if self._locations is None:
            self._locations = {
                row.id: LocationView(
                    id=row.id, name=row.name,
                    overflow=tuple(one for one in (row.overflow_location1, row.overflow_location2) if one),
                    transcoding=row.transcoding_location,
                )
                for row in self._lookup.locations()
            }  # fmt: skip
        return self._locations

    def reservation(self, *, audio_only: bool) -> int:
        if self._full_hd is None:
            self._full_hd = self._lookup.global_settings().max_pixels_per_second == "fullhd"
        transcoding = sum(row.node_type == NodeRole.CONFERENCING for row in self.nodes)
        return capacity.reservation(transcoding_nodes=transcoding, audio_only=audio_only, full_hd=self._full_hd)
