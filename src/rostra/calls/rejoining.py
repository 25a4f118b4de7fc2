"""Who joins anew, having lost its connection or its node, is what it was: its role, and past a lock it was inside of.

Each client of the API has a secret in its tokens; its roster entry, which all nodes of the conference have, holds the
mark of that. So any of them knows who comes back, also when the node that issued the token is gone.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rostra.calls import arrivals
from rostra.calls.switchboard import CallRequest
from rostra.conference.instance import ConferenceInstance
from rostra.conference.link import ask_about
from rostra.conference.roster import Participant
from rostra.conference.state import STARTED_BY_HAND
from rostra.domain.service import Service
from rostra.domain.vocabulary import Role, ServiceType
from rostra.fabric.peers import Connection


async def recall(
    request: CallRequest, service: Service, running: Callable[[str], ConferenceInstance | None], bus: Connection
) -> Participant | None:
    """The caller as it was in the conference of the service; None: it was not there, or left long ago.

    `running` gives the conference as it is here. Where it is not, other nodes are asked: who only says that he comes
    back begins none.
    """
    former = request.former
    if former is None or service.description.service_type not in ("conference", "lecture"):
        return None
    key = arrivals.conference_key(service, ServiceType.CONFERENCE)
    here = running(key)
    if here is not None and not here.ended:
        known = here.recall(former.participant)
    else:
        known = await ask_about(bus, key, former.participant)
    if known is None or not known.mark or known.mark != former.mark or known.role is Role.UNKNOWN:
        return None
    return known


def judged(request: CallRequest, former: Participant | None) -> CallRequest:
    """Nobody is asked again for what it has given before (PIN, sign-on), or was given by a Host."""
    return request if former is None else msgspec.structs.replace(request, role=former.role)


def resumed(participant: Participant, former: Participant | None) -> Participant:
    """The new entry, with what others made of the former one."""
    if former is None:
        return participant
    return msgspec.structs.replace(
        participant, is_muted=former.is_muted, spotlight=former.spotlight, buzz_time=former.buzz_time, idp=former.idp,
        is_trusted=former.is_trusted, rx_presentation_allowed=former.rx_presentation_allowed,
        overlay_text=_overlay(participant, former), mix_name=former.mix_name, mix_since=former.mix_since,
        mix_layout=former.mix_layout, bypass_lock=participant.bypass_lock or former.bypass_lock or former.joined,
    )  # fmt: skip


async def succeed(conference: ConferenceInstance, participant: Participant, former: Participant | None) -> None:
    """Who has started the conference by hand counts as its Host without media, also from now on (CONF-160)."""
    starters = conference.register(STARTED_BY_HAND)
    if former is not None and isinstance(starters, tuple) and former.uuid in starters:
        await conference.start(participant.uuid)


def _overlay(participant: Participant, former: Participant) -> str:
    """What somebody has written in its picture; its name otherwise."""
    return participant.overlay_text if former.overlay_text == former.display_name else former.overlay_text
