"""Kinds of service as the site tells them apart: nothing is stored here, each only has pages of its own."""

from __future__ import annotations

from rostra.configuration.models import Conference


class VirtualAuditorium(Conference):
    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - as Django has it
        proxy = True
        verbose_name = "Virtual Auditorium"
        verbose_name_plural = "Virtual Auditoriums"


class VirtualReception(Conference):
    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - as Django has it
        proxy = True
        verbose_name = "Virtual Reception"
        verbose_name_plural = "Virtual Receptions"


class TestCallService(Conference):
    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - as Django has it
        proxy = True
        verbose_name = "Test Call Service"
        verbose_name_plural = "Test Call Services"
