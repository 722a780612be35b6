"""Options win over the environment, the environment over the defaults."""

from datetime import date
from pathlib import Path

import pytest

from dmfa.errors import WrongUsage
from flows.settings import Settings


def test_defaults() -> None:
    settings = Settings.gather({})
    assert (settings.lake, settings.out, settings.inbox) == ("lake", Path("out"), Path("inbox"))
    assert (settings.checks, settings.trust, settings.prescription, settings.lake_wait) == ("all", "B", "warn", 30.0)
    assert settings.workers >= 1
    assert settings.received_on >= date(2026, 1, 1)
    assert not settings.received_on_given
    assert settings.keep_states is settings.keep_received is None


def test_the_environment_counts_where_no_option_is_given() -> None:
    environment = {"DMFA_LAKE": "/a", "DMFA_OUT": "/b", "DMFA_WORKERS": "3", "DMFA_RECEIVED_ON": "2026-10-01"}
    settings = Settings.gather(environment, lake="/c", out=None)
    assert (settings.lake, settings.out, settings.workers) == ("/c", Path("/b"), 3)
    assert settings.received_on == date(2026, 10, 1)
    assert settings.received_on_given


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DMFA_CHECKS", "some"),
        ("DMFA_PROOF", "no"),
        ("DMFA_TRUST", "C"),
        ("DMFA_PRESCRIPTION", "maybe"),
        ("DMFA_LIMITATION_YEARS", "5"),
        ("DMFA_WORKERS", "0"),
        ("DMFA_WORKERS", "two"),
        ("DMFA_LAKE_WAIT", "-1"),
        ("DMFA_KEEP_STATES", "0"),
        ("DMFA_KEEP_RECEIVED", "long"),
        ("DMFA_RECEIVED_ON", "31/10/2026"),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: str) -> None:
    with pytest.raises(WrongUsage, match=f"{name}={value}"):
        Settings.gather({name: value})


def test_a_folder_of_releases_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="is not a folder"):
        Settings.gather({}, xsd=tmp_path / "nowhere")
