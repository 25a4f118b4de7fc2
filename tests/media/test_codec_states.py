"""What administrators are told of codecs."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from rostra.cli.commands import application
from rostra.configuration.vocabulary import CODECS
from rostra.media import codecs
from rostra.media.codecs import g729, states


def test_every_switch_has_a_state() -> None:
    known = [one.switch for one in states.all_codecs() if one.switch]
    assert sorted(known) == sorted(codec for codec, _label in CODECS)


@pytest.mark.spec("REF-132")
@pytest.mark.parametrize("offered", [{}, {"annexb": "yes"}, {"annexb": "no"}])
def test_comfort_noise_of_g729_is_declined(offered: dict[str, str]) -> None:
    assert g729.ROW.accept(offered) == {"annexb": "no"}


@pytest.mark.parametrize("there", [True, False])
def test_a_library_that_is_missing_is_named_and_not_negotiated(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(g729, "LIBRARY", "libc.so.6" if there else "libnowhere.so.0")
    g729.there.cache_clear()
    codecs._chosen.cache_clear()
    try:
        shown = CliRunner().invoke(application, ["codecs"]).stdout
        assert ("libbcg729-0" in shown) is not there
        assert "H264_B_1        ready" in shown
        assert any(row.name == "G729" for row in codecs.chosen(())) is there
    finally:
        g729.there.cache_clear()
        codecs._chosen.cache_clear()
