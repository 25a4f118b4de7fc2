"""Every documented answer is accepted by the validators of the official JavaScript packages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from rostra.calls.switchboard import CallRefused, Refusal

from .driver import ROOT, Api, User
from .fakes import FakeSwitchboard
from .packages import FOLDER, installed

Answers = list[tuple[str, httpx.Response]]
Scenario = Callable[[Api, FakeSwitchboard], Awaitable[Answers]]


async def tokens(api: Api, switchboard: FakeSwitchboard) -> Answers:
    ada = await api.join()
    answers = [
        ("token/RequestToken200", await api.request_token("meet.demo")),
        ("token/RequestToken200", await api.request_token("guests", "none")),
        ("token/RequestToken200", await api.request_token("narrow")),
        ("token/RequestToken403", await api.request_token("guests")),
        ("token/RequestToken403", await api.request_token("both")),
        ("token/RequestToken403", await api.request_token("closed")),
        ("token/RequestToken403", await api.request_token("closed", "9")),
        ("token/RequestToken403", await api.request_token("ivr")),
        ("token/RequestToken403", await api.request_token("ivr.mssip")),
        ("token/RequestToken403", await api.request_token("ivr", conference_extension="both")),
        ("token/RequestToken404", await api.request_token("nowhere")),
        ("token/RequestToken415", await api.http.post(f"{ROOT}/conferences/meet.demo/request_token", content=b"[")),
        ("token/RefreshToken200", await ada.post("refresh_token")),
        ("token/ReleaseToken200", await ada.post("release_token", {"reason": "Browser closed"})),
        ("token/ReleaseToken403", await api.http.post(f"{ROOT}/conferences/meet.demo/release_token")),
        ("token/RefreshToken403", await ada.post("refresh_token")),
    ]
    for refusal in (Refusal.PARTICIPANT_LIMIT, Refusal.MAINTENANCE, Refusal.OUT_OF_RESOURCE):
        switchboard.refusal = refusal
        answer = await api.request_token("meet.demo")
        answers.append((f"token/RequestToken{answer.status_code}", answer))
    return answers


HOST_FUNCTIONS = {
    "lock": "Lock200",
    "unlock": "Unlock200",
    "start_conference": "StartConference200",
    "muteguests": "Muteguests200",
    "unmuteguests": "Unmuteguests200",
    "clearallbuzz": "ClearAllBuzz200",
}


async def conference(api: Api, switchboard: FakeSwitchboard) -> Answers:
    ada = await api.join()
    await api.join(name="Bob")
    answers = [(f"conference/{name}", await ada.post(path)) for path, name in HOST_FUNCTIONS.items()]
    message = {"type": "text/plain", "payload": "hello"}
    return [
        *answers,
        ("conference/ConferenceStatus200", await ada.get("conference_status")),
        ("conference/Participants200", await ada.get("participants")),
        ("conference/MessageConference200", await ada.post("message", message)),
        ("conference/AvailableLayouts200", await ada.get("available_layouts?annotate=false")),
        ("conference/AvailableLayouts200", await ada.get("available_layouts?annotate=true")),
        ("conference/LayoutSvgs200", await ada.get("layout_svgs")),
        ("conference/Disconnect200", await ada.post("disconnect")),
    ]


PARTICIPANT_FUNCTIONS: dict[str, tuple[str, dict[str, object] | None]] = {
    "mute": ("MuteParticipant", None),
    "unmute": ("UnmuteParticipant", None),
    "client_mute": ("ClientMuteParticipant", None),
    "client_unmute": ("ClientUnmuteParticipant", None),
    "video_muted": ("VideoMuteParticipant", None),
    "video_unmuted": ("VideoUnmuteParticipant", None),
    "spotlighton": ("SpotlightonParticipant", None),
    "spotlightoff": ("SpotlightoffParticipant", None),
    "dtmf": ("DtmfParticipant", {"digits": "12#"}),
    "overlaytext": ("OverlaytextParticipant", {"text": "Ada"}),
    "role": ("RoleParticipant", {"role": "chair"}),
    "buzz": ("BuzzParticipant", None),
    "clearbuzz": ("ClearbuzzParticipant", None),
    "message": ("MessageParticipant", {"type": "text/plain", "payload": "psst"}),
    "notify_not_afk": ("NotifyNotAFK", None),
    "release_floor": ("ReleaseFloor", None),
    "transfer": ("TransferParticipant", {"conference_alias": "both"}),
    "fecc": ("FeccParticipant", {"action": "start", "movement": [{"axis": "pan", "direction": "left"}]}),
    "take_floor": ("TakeFloor", None),
    "allowrxpresentation": ("AllowrxpresentationParticipant", None),
    "denyrxpresentation": ("DenyrxpresentationParticipant", None),
    "pres_in_mix": ("PresInMixParticipant", {"state": True}),
    "show_live_captions": ("ShowLiveCaptions", None),
    "hide_live_captions": ("HideLiveCaptions", None),
    "preferred_aspect_ratio": ("PreferredAspectRatio", {"aspect_ratio": 1.7}),
    "disconnect": ("DisconnectParticipant", None),
}


async def participants(api: Api, switchboard: FakeSwitchboard) -> Answers:
    """As a Host on oneself, then the same functions with a token that is not worth anything."""
    ada = await api.join(supports_direct_chat=True)
    nobody = User(ada.http, ada.alias, "bm90aGluZw==", ada.uuid, {})
    answers: Answers = []
    for path, (name, body) in PARTICIPANT_FUNCTIONS.items():
        for user in (nobody, ada):
            answer = await user.post(f"participants/{ada.uuid}/{path}", body)
            answers.append((f"participant/{name}{answer.status_code}", answer))
    bob = await api.join(name="Bob")
    return [*answers, ("participant/AvatarJpgParticipant404", await bob.get(f"participants/{bob.uuid}/avatar.jpg"))]


CALL_FUNCTIONS: dict[str, tuple[str, dict[str, object] | None]] = {
    "new_candidate": ("NewCandidate", {"candidate": "candidate:1 1 udp 2122 192.0.2.1 4000 typ host", "mid": "0"}),
    "ack": ("Ack", {}),
    "update": ("Update", {"sdp": "v=0\r\n"}),
    "dtmf": ("Dtmf", {"digits": "5"}),
    "fecc": ("Fecc", {"action": "start", "movement": [{"axis": "pan", "direction": "left"}]}),
    "statistics": ("Statistics", {"audio": {}, "video": {"rx_bitrate": 5}}),
    "disconnect": ("DisconnectCall", {}),
}


async def calls(api: Api, switchboard: FakeSwitchboard) -> Answers:
    ada = await api.join()
    offer = {"call_type": "WEBRTC", "sdp": "v=0\r\n", "media_type": "video"}
    begun = await ada.post(f"participants/{ada.uuid}/calls", offer)
    call = begun.json()["result"]["call_uuid"]
    answers = [("participant/CallsWebrtcParticipant200", begun)]
    for token in ("bm90aGluZw==", ada.token):
        user = User(ada.http, ada.alias, token, ada.uuid, {})
        for path, (name, body) in CALL_FUNCTIONS.items():
            answer = await user.post(f"participants/{ada.uuid}/calls/{call}/{path}", body)
            answers.append((f"call/{name}{answer.status_code}", answer))
    session = switchboard.session(ada.uuid)
    assert session
    bad = await ada.post(f"participants/{ada.uuid}/calls", {**offer, "sdp": "nonsense"})
    answers.append(("participant/CallsWebrtcParticipant400", bad))
    for failure in (CallRefused(Refusal.OUT_OF_RESOURCE), RuntimeError("a bug"), TimeoutError()):
        session.failure = failure
        answer = await ada.post(f"participants/{ada.uuid}/calls", offer)
        answers.append((f"participant/CallsWebrtcParticipant{answer.status_code}", answer))
        session.failure = None
        call = await ada.call()
        session.failure = failure
        answer = await ada.post(f"participants/{ada.uuid}/calls/{call}/update", {"sdp": "v=0\r\n"})
        answers.append((f"call/Update{answer.status_code}", answer))
    return answers


AS_TEXT = frozenset(
    {
        *(f"participant/CallsWebrtcParticipant{status}" for status in (400, 500, 504)),
        *(f"call/Update{status}" for status in (500, 502, 503, 520)),
    }
)
"""Answers the SDK reads as plain text."""


async def verdicts(answers: Answers) -> dict[str, list[object]]:
    """Validator names with what they object to."""
    installed()
    bodies = ((name, answer.text if name in AS_TEXT else answer.json()) for name, answer in answers)
    lines = "\n".join(json.dumps({"validator": name, "body": body}) for name, body in bodies)
    pipe = asyncio.subprocess.PIPE
    node = await asyncio.create_subprocess_exec("node", "check.mjs", cwd=FOLDER, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await asyncio.wait_for(node.communicate(lines.encode() + b"\n"), 60)
    assert node.returncode == 0, err.decode()
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == len(answers)
    return {verdict["validator"]: verdict["errors"] for verdict in found if not verdict["accepted"]}


@pytest.mark.spec("API-177", "API-009", "API-007", "API-057")
@pytest.mark.parametrize("scenario", [tokens, conference, participants, calls], ids=lambda s: s.__name__)
async def test_official_validators_accept_every_answer(
    scenario: Scenario, api: Api, switchboard: FakeSwitchboard
) -> None:
    answers = await scenario(api, switchboard)
    for name, answer in answers:
        assert name.endswith(str(answer.status_code)), (name, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/json"
    assert await verdicts(answers) == {}


async def test_the_validators_do_object() -> None:
    """The check itself can fail: a number where the contract has a string."""
    wrong = httpx.Response(200, json={"status": "success", "result": {"token": "t", "expires": 120}})
    assert list(await verdicts([("token/RefreshToken200", wrong)])) == ["token/RefreshToken200"]
