"""Other help texts, for migrations: one step for all of them, as no table changes."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation


class Describe(Operation):
    """Give fields other help texts. `AlterField` would build every model anew for each of them."""

    reduces_to_sql = False
    elidable = True

    def __init__(self, texts: dict[str, dict[str, str]]) -> None:
        self.texts = texts
        """Model, field and what its help says now."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        for model, texts in self.texts.items():
            fields = state.models[app_label, model].fields
            for name, text in texts.items():
                changed = fields[name].clone()
                changed.help_text = text
                fields[name] = changed

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        pass

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        pass

    def describe(self) -> str:
        return "Describe fields"
