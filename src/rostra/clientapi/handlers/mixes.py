"""A layout of one's own: a composition that only the caller is sent (API-126)."""

from __future__ import annotations

import time

from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import ConfigureMix, CreateMix
from rostra.clientapi.envelope import NOT_FOUND, ApiProblem
from rostra.domain import layouts

MAIN = "main"
"""The composition for all."""
PERSONAL = "main.!personal"


async def create(asked: Asked) -> bool:
    """The caller is sent a composition of its own from now on, which looks like that of all until it is changed."""
    name = asked.carried(CreateMix).mix_name
    if name != PERSONAL:
        raise ApiProblem(400, "Illegal value")
    if asked.me.mix_name != name:
        await asked.conference.set_client_state(asked.me.uuid, mix_name=name, mix_since=time.time(), mix_layout="")
    return True


async def configure(asked: Asked) -> bool:
    """Choose its layout; none: as all see it."""
    name = asked.carried(ConfigureMix).transform_layout.layout or ""
    _own(asked)
    found = layouts.find(name) if name else None
    lecture = asked.client.session.service.service_type == "lecture"
    if name and (found is None or not layouts.allowed(found, lecture=lecture)):
        raise ApiProblem(400, "Illegal value")
    await asked.conference.set_client_state(asked.me.uuid, mix_layout=found.name if found else "")
    return True


async def delete(asked: Asked) -> bool:
    """Back to the composition for all. Deleting it twice is fine (API-014)."""
    if asked.values["mix"] != PERSONAL:
        raise ApiProblem(404, NOT_FOUND)
    await asked.conference.set_client_state(asked.me.uuid, mix_name=MAIN, mix_since=0.0, mix_layout="")
    return True


def _own(asked: Asked) -> None:
    """Raises ApiProblem 404 for a composition that the caller does not have."""
    if asked.values["mix"] != asked.me.mix_name or asked.me.mix_name == MAIN:
        raise ApiProblem(404, NOT_FOUND)
