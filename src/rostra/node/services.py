"""From configuration rows to the services the dial plan speaks of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from rostra.configuration.queries import Lookup
from rostra.configuration.rows import GlobalRow, ServiceRow
from rostra.domain.admission import AccessRules
from rostra.domain.reception import ReceptionRules
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.signon import SignOnRules
from rostra.domain.theme import BASE_SETTINGS, ThemeSettings

KILO = 1000


class Themes(Protocol):
    """What is known of themes here (`node.themes`)."""

    def names(self, *themes: int | None) -> tuple[str, ...]: ...

    def settings(self, names: tuple[str, ...]) -> ThemeSettings: ...


def _nobody(group: int) -> tuple[str, ...]:
    return ()


def service_of(
    row: ServiceRow, settings: GlobalRow, themes: Themes | None = None,
    providers: Callable[[int], tuple[str, ...]] = _nobody,
) -> Service:  # fmt: skip
    """A configured service with the platform's defaults filled in; rates become bit/s.

    `providers`: identities of those in an identity provider group.
    """
    names = themes.names(row.ivr_theme_id, settings.default_theme_id) if themes else ()
    return Service(
        description=_with_media(
            row,
            settings,
            ServiceDescription(
                id=row.id,
                name=row.name,
                service_type=row.service_type,
                call_type=row.call_type,
                description=row.description,
                tag=row.tag,
                allow_guests=row.allow_guests,
                has_host_pin=bool(row.pin),
                has_guest_pin=bool(row.guest_pin),
                enable_chat=settings.enable_chat if row.enable_chat == "default" else row.enable_chat == "yes",
                enable_overlay_text=row.enable_overlay_text,
                enable_active_speaker_indication=row.enable_active_speaker_indication,
                guests_can_present=row.guests_can_present,
                host_view=row.host_view,
                guest_view=row.guest_view or row.host_view,
                force_presenter_into_main=row.force_presenter_into_main,
                guests_can_see_guests=row.guests_can_see_guests,
                participant_limit=row.participant_limit,
                direct_media=row.direct_media,
                direct_media_notification_duration=row.direct_media_notification_duration,
                breakout_rooms=row.breakout_rooms and settings.enable_breakout_rooms,
                mute_all_guests=row.mute_all_guests,
                guests_only_timeout=float(settings.guests_only_timeout),
                last_participant_timeout=float(settings.eject_last_participant_backstop_timeout),
                waiting_timeout=float(settings.waiting_for_chair_timeout),
                pin_entry_timeout=float(settings.pin_entry_timeout),
                themes=names,
                theme=themes.settings(names) if themes else BASE_SETTINGS,
                reception=ReceptionRules(
                    match=row.match_string, replace=row.replace_string, kind=row.two_stage_dial_type or "regular"
                ),
            ),
        ),
        access=AccessRules(host_pin=row.pin, allow_guests=row.allow_guests, guest_pin=row.guest_pin),
        sign_on=_sign_on(row, providers),
    )


def _with_media(row: ServiceRow, settings: GlobalRow, description: ServiceDescription) -> ServiceDescription:
    """What calls may send and receive."""
    return msgspec.structs.replace(
        description,
        max_callrate_in=_rate(row.max_callrate_in or settings.max_callrate_in),
        max_callrate_out=_rate(row.max_callrate_out or settings.max_callrate_out),
        quality=row.max_pixels_per_second or settings.max_pixels_per_second,
        disabled_codecs=settings.codecs_off,
        crypto_mode=row.crypto_mode or settings.crypto_mode,
        denoise=row.denoise_enabled and settings.enable_denoise,
    )


def _sign_on(row: ServiceRow, providers: Callable[[int], tuple[str, ...]]) -> SignOnRules:
    hosts, guests = row.host_identity_provider_group_id, row.guest_identity_provider_group_id
    return SignOnRules(
        hosts=None if hosts is None else providers(hosts),
        guests=None if guests is None else providers(guests),
        others_if_trusted=row.non_idp_participants == "allow_if_trusted",
    )


def _rate(kilobits: int | None) -> int | None:
    return kilobits * KILO if kilobits else None


def finder(lookup: Lookup, themes: Themes | None = None) -> Callable[[str], Service | None]:
    """Look-up of configured aliases in the node's own database."""

    def find(alias: str) -> Service | None:
        row = lookup.find_alias(alias)
        return None if row is None else service_of(row, lookup.global_settings(), themes, lookup.identity_providers)

    return find
