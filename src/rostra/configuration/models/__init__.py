"""Every configurable resource, declared once."""

from rostra.configuration.journal import Change, Mark
from rostra.configuration.models.fabric import Enrolment, FabricMember
from rostra.configuration.models.files import StoredFile, StoredPart
from rostra.configuration.models.location import SystemLocation
from rostra.configuration.models.node import WorkerVM
from rostra.configuration.models.service import AutomaticParticipant, Conference, ConferenceAlias
from rostra.configuration.models.settings import GlobalSettings

__all__ = [
    "AutomaticParticipant",
    "Change",
    "Conference",
    "ConferenceAlias",
    "Enrolment",
    "FabricMember",
    "GlobalSettings",
    "Mark",
    "StoredFile",
    "StoredPart",
    "SystemLocation",
    "WorkerVM",
]
