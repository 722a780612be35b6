"""How DuckDB is told of a store: what its clients find, and never shown."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dmfa.address import Address
from dmfa.lake import Location
from dmfa.lake.store import S3, let_in


def test_how_s3_is_reached_is_told_without_keys() -> None:
    found = S3("host:1", False, "here", ("key", "word", "token"))
    assert all(part not in repr(found) for part in ("key", "word", "token"))


@pytest.fixture
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing but the environment."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("_machine")
def test_keys_and_endpoint_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "ACCESS_KEY_ID": "key",
        "SECRET_ACCESS_KEY": "word",
        "SESSION_TOKEN": "token",
        "DEFAULT_REGION": "eu-west-1",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/")
    assert S3.found() == S3("127.0.0.1:9000", False, "eu-west-1", ("key", "word", "token"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://store.example")
    assert S3.found().encrypted
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert S3.found().endpoint == ""


@pytest.mark.usefixtures("_machine")
def test_without_keys_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert S3.found().keys == ("", "", "")


def test_a_lake_on_disk_tells_duckdb_of_no_store() -> None:
    with duckdb.connect(config={"autoload_known_extensions": "false"}) as connection:
        let_in(connection, Location(Path("/lake")))
        assert connection.execute("SELECT count(*) FROM duckdb_secrets()").fetchall() == [(0,)]
    assert isinstance(Location.of("postgres:dbname=x;data=s3://b/l").folder, Address)
