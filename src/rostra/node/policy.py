"""The policy profile of this node's location, with what the configuration has for it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from rostra import release
from rostra.calls.policies import Found, MediaPlace
from rostra.calls.refusal import CallRefused, Refusal
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import AutomaticRow, GlobalRow, ServiceRow
from rostra.domain.gateway import Onward
from rostra.domain.history import Event
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.node import gateway_rules
from rostra.node.geography import Geography
from rostra.node.profiles import Profiles
from rostra.node.services import KILO, Themes
from rostra.policy import questions, services
from rostra.policy.checking import Invalid, Thing
from rostra.policy.client import PolicyClient
from rostra.policy.configurations import Configuration, configuration
from rostra.policy.decisions import Decision, Way
from rostra.policy.evaluation import Evaluation
from rostra.policy.noticing import Noticed
from rostra.policy.participants import Verdict
from rostra.policy.phonebook import Listing, RegistrationVerdict
from rostra.policy.profile import Profile
from rostra.policy.questions import Asking, CallFacts, PersonFacts, Question, ServiceFacts
from rostra.policy.running import NoTurn, Sandbox
from rostra.policy.services import GATEWAY, Platform
from rostra.policy.tables import SPEAKER

_TABLES = {
    Thing.THEME: "ivrtheme",
    Thing.LOCATION: "systemlocation",
    Thing.GATEKEEPER: "h323gatekeeper",
    Thing.SIP_PROXY: "sipproxy",
    Thing.MSSIP_PROXY: "mssipproxy",
    Thing.STUN: "stunserver",
    Thing.TURN: "turnserver",
}


class ConfiguredNames:
    """Implements `policy.checking.Names`."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def find(self, thing: Thing, name: str) -> int | None:
        table = _TABLES.get(thing)
        return None if table is None else self._lookup.number_of(table, name)


class NodePolicies:
    """Implements `calls.policies.Policies`."""

    def __init__(
        self, lookup: Lookup, geography: Geography, themes: Themes, address: str,
        trust: Callable[[], ssl.SSLContext], record: Callable[[Event], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """`address` is that of this node; `trust` whom it trusts over HTTPS; `record` takes alarms."""
        self._lookup = lookup
        self._geography = geography
        self._themes = themes
        self._address = address
        self._names = ConfiguredNames(lookup)
        self._client = PolicyClient(trust)
        self._scripts = Sandbox()
        self._noticed = Noticed()
        self._profiles = Profiles(lookup, geography, record)
        self._profiles.taken = self._warm
        self._renewing: set[asyncio.Task[None]] = set()

    def changed(self, resource: str, _key: int) -> None:
        """A configured row is another one now."""
        self._profiles.changed(resource)
        if resource == "ca_certificate":
            task = asyncio.get_running_loop().create_task(self._client.renew())
            self._renewing.add(task)
            task.add_done_callback(self._renewing.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._renewing, return_exceptions=True)
        await self._client.close()
        await self._scripts.close()

    @property
    def profile(self) -> Profile:
        """The one in use."""
        return self._profiles.current

    def _warm(self, profile: Profile) -> None:
        """Its first call shall not wait for a process to run the script in."""
        if profile.decides_services and profile.service_script:
            task = asyncio.get_running_loop().create_task(self._scripts.warm())
            self._renewing.add(task)
            task.add_done_callback(self._renewing.discard)

    @property
    def _asking(self) -> Asking:
        location = self._geography.locations().get(self._geography.location)
        return Asking(
            location=location.name if location else "", address=self._address, version=release.VERSION,
            build=release.build(),
        )  # fmt: skip

    def _evaluation(self) -> Evaluation:
        return Evaluation(self.profile, self._asking, self._client, self._scripts, self._names, self._noticed)

    # ---- Policies

    @property
    def decides_services(self) -> bool:
        return self.profile.decides_services

    async def service(
        self, call: CallFacts, configured: Callable[[], Service | None], calling: Service | None = None
    ) -> Found:
        evaluation, of = self._evaluation(), facts_of(calling) if calling else None
        asked = await evaluation.ask_service(call, of)
        if asked.way in (Way.REFUSE, Way.REDIRECT):  # final, whatever a script would say (POL-028)
            return Found(new_alias=asked.new_alias, refused=True)
        own = configured() if asked.way is Way.DEFAULT else None
        before = self._configuration(own) if own else asked.configuration
        try:
            scripted = await evaluation.adjust_service(call, before, asked.disposition, of)
        except NoTurn:  # it might have refused the call
            raise CallRefused(Refusal.OUT_OF_RESOURCE) from None
        match scripted.way:
            case Way.REFUSE | Way.REDIRECT:
                return Found(new_alias=scripted.new_alias, refused=True)
            case Way.USE if scripted.configuration != self._complete(before):
                return self._found(scripted, call, own)
            case _:
                return Found(service=own) if own else self._found(asked, call, None)

    def _found(self, decision: Decision, call: CallFacts, own: Service | None) -> Found:
        found = decision.configuration
        if found is None:
            return Found()
        if found["service_type"] == GATEWAY:
            return Found(call=services.gateway_call(found, self._names))
        same = own is not None and own.description.name == found["name"]
        made = services.service(
            found, self._platform(), self._names, alias=_plain(call.local_alias),
            id=own.description.id if own is not None and same else 0,
        )  # fmt: skip
        text = msgspec.json.encode(services.shown(found)).decode()
        return Found(service=msgspec.structs.replace(made, policy=text))

    async def participant(self, call: CallFacts, service: Service, person: PersonFacts) -> Verdict:
        if not self.profile.decides_participants:
            return Verdict()
        evaluation = self._evaluation()
        try:
            return await evaluation.participant(call, facts_of(service), self._configuration(service), person)
        except NoTurn:
            raise CallRefused(Refusal.OUT_OF_RESOURCE) from None

    async def media_place(self, call: CallFacts, service: Service) -> MediaPlace | None:
        if not self.profile.decides_locations:
            return None
        known = self._geography.locations()
        here = known.get(self._geography.location)
        if here is None:
            return None
        usual = tuple(known[key].name for key in (here.transcoding or here.id, *here.overflow) if key in known)
        evaluation = self._evaluation()
        names = await evaluation.location(call, facts_of(service), self._configuration(service), usual)
        if names == usual:
            return None
        keys = [key for name in names if (key := self._names.find(Thing.LOCATION, name)) is not None]
        return MediaPlace(principal=keys[0], overflow=tuple(keys[1:])) if keys else None

    async def avatar(
        self, alias: str, width: int, height: int, call: CallFacts, service: Service, role: Role
    ) -> bytes | None:
        question = questions.avatar(self._asking, alias, width, height, call, facts_of(service), role)
        return await self._picture(alias, question, width, height)

    async def contact_avatar(self, alias: str, width: int, height: int) -> bytes | None:
        question = questions.contact_avatar(self._asking, alias, width, height)
        return await self._picture(alias, question, width, height)

    async def _picture(self, alias: str, question: Question, width: int, height: int) -> bytes | None:
        """That of the user who is called so, where it is preferred, else the server's (POL-067, POL-068)."""
        profile = self.profile
        if not profile.enable_avatar_lookup:
            return None
        if profile.prefer_local_avatar_configuration and (address := self._lookup.avatar_of(_plain(alias))):
            own = await self._client.users_picture(profile, address)
            if own is not None:
                return own
        return await self._client.picture(profile, question, width, height)

    async def directory(self, searched: str, registration: str) -> Listing:
        return await self._evaluation().directory(searched, registration)

    async def registration(self, alias: str, protocol: CallProtocol, remote_address: str) -> RegistrationVerdict:
        question = questions.registration(self._asking, alias, protocol, remote_address)
        return await self._evaluation().registration(question)

    # ---- what is configured, in the words of policy

    def _configuration(self, service: Service) -> Configuration | None:
        """Of a service that policy made, what it said; of a configured one, the same words (section 4.9)."""
        if service.policy:
            return msgspec.json.decode(service.policy)
        if service.onward is not None:
            return self._configuration_of_call(service.description, service.onward)
        row = self._lookup.service(service.description.id)
        if row is None:
            return None
        called = self._lookup.automatic_participants(row.id)
        locations = {key: view.name for key, view in self._geography.locations().items()}
        aliases = self._lookup.aliases(row.id)
        adps = [adp_of(one, locations, aliases[0] if aliases else "") for one in called]
        return configuration_of(row, self._lookup.theme_name(row.ivr_theme_id), adps)

    def _configuration_of_call(self, description: ServiceDescription, onward: Onward) -> Configuration | None:
        rule = next((row for row in self._lookup.rules() if row.id == onward.rule), None)
        if rule is None:
            return None
        servers = self._lookup.servers_of_rule(rule.id)
        return gateway_rules.configuration_of(description, onward, rule, servers, self._name)

    def _name(self, thing: Thing, key: int | None) -> str:
        return "" if key is None else self._lookup.name_of(_TABLES[thing], key)

    def _complete(self, found: Configuration | None) -> Configuration | None:
        """With all defaults, as a script's answer has them; None: policy could not say that."""
        try:
            return None if found is None else configuration(found, self._names)
        except Invalid:
            return None

    def _platform(self) -> Platform:
        settings = self._lookup.global_settings()
        return platform_of(settings, lambda name: self._theme(name, settings.default_theme_id))

    def _theme(self, name: str, default: int | None) -> tuple[tuple[str, ...], Any]:
        names = self._themes.names(self._names.find(Thing.THEME, name) if name else None, default)
        return names, self._themes.settings(names)


def _plain(alias: str) -> str:
    return alias.partition(":")[2] if alias.lower().startswith(("sip:", "sips:", "h323:")) else alias


def facts_of(service: Service) -> ServiceFacts:
    return ServiceFacts(name=service.description.name, tag=service.description.tag)


def platform_of(settings: GlobalRow, themes: Callable[[str], Any]) -> Platform:
    def rate(kilobits: int | None) -> int | None:
        return kilobits * KILO if kilobits else None

    return Platform(
        themes=themes,
        enable_chat=settings.enable_chat,
        enable_denoise=settings.enable_denoise,
        enable_breakout_rooms=settings.enable_breakout_rooms,
        max_callrate_in=rate(settings.max_callrate_in),
        max_callrate_out=rate(settings.max_callrate_out),
        quality=settings.max_pixels_per_second,
        crypto_mode=settings.crypto_mode,
        disabled_codecs=settings.codecs_off,
        guests_only_timeout=float(settings.guests_only_timeout),
        last_participant_timeout=float(settings.eject_last_participant_backstop_timeout),
        waiting_timeout=float(settings.waiting_for_chair_timeout),
        pin_entry_timeout=float(settings.pin_entry_timeout),
    )


def configuration_of(row: ServiceRow, theme: str, automatic: list[Mapping[str, Any]]) -> Configuration:
    """A configured service in the words of policy (section 4.9), as an answer would have to give it."""
    found: dict[str, Any] = {
        "name": row.name,
        "service_type": row.service_type,
        "service_tag": row.tag,
        "description": row.description,
        "call_type": row.call_type,
        "ivr_theme_name": theme,
        "crypto_mode": row.crypto_mode or None,
        "max_pixels_per_second": row.max_pixels_per_second,
        "max_callrate_in": row.max_callrate_in and row.max_callrate_in * KILO,
        "local_display_name": "",
    }
    if row.service_type != "test_call":
        found["max_callrate_out"] = row.max_callrate_out and row.max_callrate_out * KILO
    if row.service_type == "two_stage_dialing":
        found |= {
            "match_string": row.match_string,
            "replace_string": row.replace_string,
            "two_stage_dial_type": row.two_stage_dial_type or "regular",
        }
    if row.service_type in ("conference", "lecture"):
        found |= _meeting(row, automatic)
    return found


def _meeting(row: ServiceRow, automatic: list[Mapping[str, Any]]) -> Configuration:
    views: dict[str, Any] = {"view": row.host_view}
    if row.service_type == "lecture":
        views = {
            "host_view": row.host_view,
            "guest_view": row.guest_view or row.host_view or SPEAKER,
            "force_presenter_into_main": row.force_presenter_into_main,
            "guests_can_see_guests": row.guests_can_see_guests,
        }
    return {
        **views,
        "allow_guests": row.allow_guests,
        "pin": row.pin,
        "guest_pin": row.guest_pin if row.allow_guests else "",
        "automatic_participants": automatic,
        "breakout_rooms": row.breakout_rooms,
        "denoise_enabled": row.denoise_enabled,
        "direct_media": row.direct_media,
        "enable_active_speaker_indication": row.enable_active_speaker_indication,
        "enable_chat": row.enable_chat,
        "enable_overlay_text": row.enable_overlay_text,
        "guests_can_present": row.guests_can_present,
        "live_captions_enabled": row.live_captions_enabled,
        "mute_all_guests": row.mute_all_guests,
        "participant_limit": row.participant_limit,
        "primary_owner_email_address": row.primary_owner_email_address,
    }


def adp_of(row: AutomaticRow, locations: Mapping[int, str], alias: str) -> Mapping[str, Any]:
    """Somebody who is called automatically, in the words of policy; `alias` is the service's first."""
    return {
        "local_alias": alias,
        "remote_alias": row.alias,
        "protocol": row.protocol,
        "role": row.role,
        "call_type": row.call_type,
        "dtmf_sequence": row.dtmf_sequence,
        "keep_conference_alive": row.keep_conference_alive,
        "routing": row.routing,
        "streaming": bool(row.streaming),
        "remote_display_name": row.remote_display_name,
        "presentation_url": row.presentation_url,
        "system_location_name": locations.get(row.system_location or 0, ""),
    }
