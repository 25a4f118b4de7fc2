"""Every endpoint of the client API, one row each; OpenAPI and the dispatcher are derived from it."""

from __future__ import annotations

import dataclasses
from typing import Any

from rostra.clientapi import bodies, results
from rostra.clientapi.endpoints import Endpoint, EndpointTable, Handler, Who
from rostra.clientapi.handlers import (
    absent,
    avatars,
    breakouts,
    calls,
    conference,
    dialling,
    mixes,
    participants,
    presentation,
    registrations,
    theme,
    tokens,
)

C = "conferences/{alias}"
P = C + "/participants/{participant}"
K = P + "/calls/{call}"
R = "registrations/{registration}"
B = C + "/breakouts/{breakout}"

PROMPT = 4.5
"""Seconds for requests in the SDK's call queue, which gives up after 5 (API-013)."""


def _get(path: str, who: Who, handler: Handler, result: Any, **more: Any) -> Endpoint:
    return Endpoint(method="GET", path=path, who=who, handler=handler, result=result, **more)


def _post(path: str, who: Who, handler: Handler, body: type[bodies.Body] | None = None, **more: Any) -> Endpoint:
    return Endpoint(method="POST", path=path, who=who, handler=handler, body=body, **more)


TOKENS = (
    _post(
        f"{C}/request_token",
        Who.ANYBODY,
        tokens.request_token,
        bodies.RequestToken,
        result=results.TokenGranted,
        errors=(403, 404, 415, 502, 503, 504, 529),
    ),
    _post(
        f"{C}/refresh_token",
        Who.HOLDER,
        tokens.refresh_token,
        result=results.TokenRefreshed,
        errors=(403,),
        waiting=True,
        lenient=True,
    ),
    _post(f"{C}/release_token", Who.ANYBODY, tokens.release_token, bodies.ReleaseToken, errors=(403,), lenient=True),
    _get(f"{C}/events", Who.HOLDER, tokens.events, None, errors=(403, 404), waiting=True),
    _get("status", Who.ANYBODY, absent.status, str, errors=(503,)),
)

CONFERENCE = (
    _get(f"{C}/conference_status", Who.HOLDER, conference.conference_status, results.ConferenceState, waiting=True),
    _get(f"{C}/participants", Who.HOLDER, conference.participants, list[results.ParticipantObject], waiting=True),
    _post(f"{C}/lock", Who.HOST, conference.lock, log="Conference lock requested by API."),
    _post(f"{C}/unlock", Who.HOST, conference.unlock, log="Conference unlock requested by API."),
    _post(f"{C}/start_conference", Who.HOST, conference.start_conference, log="Conference start requested by API."),
    _post(f"{C}/muteguests", Who.HOST, conference.mute_guests, log="Mute of all guests requested by API."),
    _post(f"{C}/unmuteguests", Who.HOST, conference.unmute_guests, log="Unmute of all guests requested by API."),
    _post(f"{C}/disconnect", Who.HOST, conference.disconnect, log="Conference termination requested by API."),
    _post(f"{C}/message", Who.HOLDER, conference.message, bodies.Message),
    _post(f"{C}/silent_video_detection", Who.HOST, conference.silent_video_detection, bodies.SilentVideo),
    _post(f"{C}/set_guests_can_unmute", Who.HOST, conference.guests_can_unmute, bodies.Setting),
    _post(f"{C}/set_guests_can_present", Who.HOST, conference.guests_can_present, bodies.Setting),
    _post(f"{C}/video_mixes/create", Who.HOLDER, mixes.create, bodies.CreateMix),
    _post(f"{C}/video_mixes/{{mix}}/configure", Who.HOLDER, mixes.configure, bodies.ConfigureMix),
    _post(f"{C}/video_mixes/{{mix}}/delete", Who.HOLDER, mixes.delete),
    _post(f"{C}/clearallbuzz", Who.HOST, conference.clear_all_buzz),
    _post(f"{C}/clearspotlights", Who.HOST, conference.clear_spotlights),
    _get(f"{C}/available_layouts", Who.HOLDER, conference.available_layouts, list[str | results.LayoutName]),
    _post(f"{C}/transform_layout", Who.HOST, conference.transform_layout, bodies.TransformLayout, errors=(400, 403)),
    _post(f"{C}/override_layout", Who.HOST, conference.override_layout, bodies.OverrideLayout, errors=(400, 403)),
    _get(f"{C}/layout_svgs", Who.HOLDER, conference.layout_svgs, dict[str, str]),
    _get(f"{C}/theme", Who.HOLDER, theme.screens, None, errors=(403,), waiting=True),
    _get(f"{C}/theme/", Who.HOLDER, theme.screens, None, errors=(403,), waiting=True),
    _get(f"{C}/theme/{{path}}", Who.HOLDER, theme.image, None, errors=(403, 404)),
)

PARTICIPANT = (
    _post(
        f"{P}/disconnect",
        Who.HOST_OR_SELF,
        participants.disconnect,
        waiting=True,
        log="Participant disconnect requested by API.",
    ),
    _post(f"{P}/mute", Who.HOST_OR_SELF, participants.mute, log="Participant mute requested by API."),
    _post(f"{P}/unmute", Who.HOST_OR_SELF, participants.unmute, log="Participant unmute requested by API."),
    _post(f"{P}/hold", Who.HOST, participants.hold, log="Participant hold requested by API."),
    _post(f"{P}/resume", Who.HOST, participants.resume, log="Participant resume requested by API."),
    _post(f"{P}/fecc", Who.HOST, participants.camera, bodies.CameraMove),
    _post(f"{P}/preferred_aspect_ratio", Who.SELF, participants.aspect_ratio, bodies.AspectRatio),
    _post(f"{P}/spotlighton", Who.HOST, participants.spotlight_on),
    _post(f"{P}/spotlightoff", Who.HOST, participants.spotlight_off),
    _post(f"{P}/unlock", Who.HOST_IF_ANY, participants.unlock, log="Participant admission requested by API."),
    _post(f"{P}/dtmf", Who.HOST_OR_SELF, participants.dtmf, bodies.DigitsBody, log="Sending DTMF to participant."),
    _post(f"{P}/overlaytext", Who.HOST, participants.overlay_text, bodies.Overlay),
    _post(f"{P}/role", Who.HOST, participants.role, bodies.RoleBody, log="Participant role change requested by API."),
    _post(f"{P}/message", Who.HOLDER, participants.message, bodies.Message),
    _post(f"{P}/client_mute", Who.SELF, participants.client_mute),
    _post(f"{P}/client_unmute", Who.SELF, participants.client_unmute),
    _post(f"{P}/video_muted", Who.HOST_OR_SELF, participants.video_muted),
    _post(f"{P}/video_unmuted", Who.HOST_OR_SELF, participants.video_unmuted),
    _post(f"{P}/buzz", Who.SELF, participants.buzz),
    _post(f"{P}/clearbuzz", Who.HOST_OR_SELF, participants.clear_buzz),
    _post(f"{P}/notify_not_afk", Who.SELF, participants.not_afk),
    _get(f"{P}/avatar.jpg", Who.HOLDER, avatars.of_participant, None, errors=(403, 404)),
)

PRESENTATION = (
    _post(f"{P}/take_floor", Who.SELF, presentation.take_floor, bodies.TakeFloor, result=type(None), lenient=True),
    _post(f"{P}/release_floor", Who.SELF, presentation.release_floor, result=type(None)),
    _post(
        f"{P}/allowrxpresentation",
        Who.HOST,
        presentation.allow_receiving,
        log="Participant presentation receipt enabled by API.",
    ),
    _post(
        f"{P}/denyrxpresentation",
        Who.HOST,
        presentation.deny_receiving,
        log="Participant presentation receipt disabled by API.",
    ),
    _post(f"{P}/pres_in_mix", Who.HOST_OR_SELF, presentation.in_mix, bodies.PresentationInMix),
    _post(f"{C}/presentation", Who.HOLDER, presentation.show_picture, raw=True),
    _get(f"{C}/presentation.jpeg", Who.HOLDER, presentation.picture, None),
    _get(f"{C}/presentation.png", Who.HOLDER, presentation.lossless_picture, None),
    _get(f"{C}/presentation_high.jpeg", Who.HOLDER, presentation.large_picture, None),
)

CALLS = (
    _post(
        f"{P}/calls",
        Who.SELF,
        calls.begin,
        bodies.Call,
        result=results.WebRtcCall,
        waiting=True,
        errors=(400, 403, 500, 504),
        within=PROMPT,
    ),
    _post(
        f"{K}/ack",
        Who.SELF,
        calls.acknowledge,
        bodies.Acknowledge,
        waiting=True,
        lenient=True,
        errors=(403,),
        within=PROMPT,
    ),
    _post(
        f"{K}/new_candidate",
        Who.SELF,
        calls.new_candidate,
        bodies.NewCandidate,
        result=type(None),
        waiting=True,
        errors=(403, 502),
        within=PROMPT,
    ),
    _post(
        f"{K}/update",
        Who.SELF,
        calls.update,
        bodies.Update,
        result=results.WebRtcCall,
        waiting=True,
        errors=(403, 500, 502, 503, 520),
        within=PROMPT,
    ),
    _post(f"{K}/dtmf", Who.SELF, calls.dtmf, bodies.DigitsBody, waiting=True, errors=(400, 403)),
    _post(f"{K}/fecc", Who.SELF, calls.camera, bodies.CameraMove, errors=(400, 403)),
    _post(f"{K}/statistics", Who.SELF, calls.statistics, result=type(None), waiting=True, lenient=True, errors=(403,)),
    _post(
        f"{K}/disconnect",
        Who.SELF,
        calls.disconnect,
        result=type(None),
        waiting=True,
        lenient=True,
        errors=(403, 502, 503),
    ),
)


def _disabled(who: Who, *paths: str) -> tuple[Endpoint, ...]:
    return tuple(_post(path, who, absent.disabled, lenient=True) for path in paths)


DIALLING = (
    _post(
        f"{C}/dial",
        Who.HOST,
        dialling.dial,
        bodies.Dial,
        result=list[str],
        log="Outgoing call requested",
    ),
    _post(
        f"{P}/transfer",
        Who.HOST_OR_SELF,
        dialling.transfer,
        bodies.Transfer,
        log="Participant transfer requested by API.",
    ),
)

ABSENT = _disabled(Who.SELF, f"{P}/show_live_captions", f"{P}/hide_live_captions")

BREAKOUTS = (
    _post(
        f"{C}/breakouts",
        Who.HOST,
        breakouts.create,
        bodies.OpenRoom,
        result=results.RoomOpened,
        log="Breakout room requested by API.",
    ),
    _post(f"{C}/breakouts/message", Who.HOST, breakouts.message, bodies.Message),
    _post(
        f"{C}/breakouts/disconnect",
        Who.HOST,
        breakouts.close_all,
        result=type(None),
        log="End of all breakout rooms requested by API.",
    ),
    _post(f"{C}/breakouts/empty", Who.HOST, breakouts.empty, log="Emptying of breakout rooms requested by API."),
    _post(
        f"{C}/participants/breakout",
        Who.HOST,
        breakouts.move_from_main,
        bodies.MoveToRoom,
        log="Participant move to breakout room requested by API.",
    ),
    _post(
        f"{B}/participants/breakout",
        Who.HOST,
        breakouts.move,
        bodies.MoveToRoom,
        log="Participant move to breakout room requested by API.",
    ),
    _post(f"{B}/disconnect", Who.HOST, breakouts.close, log="End of breakout room requested by API."),
    _post(f"{B}/request_guest_token", Who.HOST, breakouts.guest_token, result=str),
    _post(f"{B}/breakoutbuzz", Who.HOST, breakouts.ask_for_help, inside_room=True),
    _post(f"{B}/clearbreakoutbuzz", Who.HOST, breakouts.need_no_help, inside_room=True),
    _post(f"{C}/breakoutbuzz", Who.HOLDER, breakouts.ask_for_help),
    _post(f"{C}/clearbreakoutbuzz", Who.HOLDER, breakouts.need_no_help),
    _post(f"{C}/leavebreakout", Who.HOLDER, breakouts.leave),
)

IN_ROOMS = (
    *("transform_layout", "muteguests", "unmuteguests", "lock", "unlock", "message", "clearallbuzz"),
    *("video_mixes/create", "video_mixes/{mix}/configure", "video_mixes/{mix}/delete"),
    *("participants/{participant}/" + path for path in (
        *("calls", "take_floor", "release_floor", "show_live_captions", "hide_live_captions", "mute", "unmute"),
        *("client_mute", "client_unmute", "video_muted", "video_unmuted", "overlaytext", "unlock", "disconnect"),
        *("buzz", "clearbuzz", "transfer", "fecc", "spotlighton", "spotlightoff", "dtmf", "role", "message"),
        *("calls/{call}/" + end for end in ("ack", "disconnect", "new_candidate", "update", "statistics")),
    )),
)  # fmt: skip
"""Functions that Hosts have inside breakout rooms as well."""


def _inside(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """The same functions under the path of a room."""
    return tuple(
        dataclasses.replace(one, path=f"{B}/{end}", inside_room=True, waiting=False)
        for one in endpoints
        if (end := one.path.removeprefix(f"{C}/")) in IN_ROOMS
    )


REGISTRATIONS = (
    _post(
        f"{R}/request_token",
        Who.ANYBODY,
        registrations.request_token,
        result=results.Registered,
        lenient=True,
        errors=(401, 403, 404),
    ),
    _post(
        f"{R}/refresh_token",
        Who.ANYBODY,
        registrations.refresh_token,
        bodies.RegistrationToken,
        result=results.RegistrationRefreshed,
        lenient=True,
        errors=(401, 403),
    ),
    _post(
        f"{R}/release_token",
        Who.ANYBODY,
        registrations.release_token,
        bodies.RegistrationToken,
        lenient=True,
        errors=(401, 403),
    ),
    _get(f"{R}/events", Who.ANYBODY, registrations.events, None, errors=(401, 403)),
    _get(f"{R}/avatar.jpg", Who.ANYBODY, registrations.avatar, None, errors=(403, 404)),
    _get("registrations", Who.ANYBODY, registrations.search, list[results.DirectoryEntry], errors=(401, 403)),
)

_HELD = (*CONFERENCE, *PARTICIPANT, *PRESENTATION, *CALLS, *DIALLING, *ABSENT)
TABLE = EndpointTable((*TOKENS, *_HELD, *BREAKOUTS, *_inside(_HELD), *REGISTRATIONS))
