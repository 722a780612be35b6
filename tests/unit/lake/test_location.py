"""Where a lake is, and how it is told: never with a password."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dmfa.address import Address
from dmfa.errors import WrongUsage
from dmfa.lake import Location
from dmfa.lake.maintenance import clear_spool

POSTGRES = "postgres:host=db.example dbname=dmfa user=team;data=s3://bucket/lake/"


def test_a_folder_is_a_lake_with_its_catalog_inside() -> None:
    found = Location.of("some/lake")
    assert found == Location(Path("some/lake").absolute())
    assert found.catalog == Path("some/lake/catalog.sqlite").absolute()
    assert (str(found), found.catalog_name) == (str(found.folder), "catalog.sqlite")


def test_a_catalog_in_postgresql_has_its_data_elsewhere() -> None:
    found = Location.of(POSTGRES)
    assert found.database == "host=db.example dbname=dmfa user=team"
    assert found.folder == Address("s3", "bucket/lake")
    assert str(found) == "dmfa on db.example with s3://bucket/lake"
    assert str(found.data_file("history", "service", 20263, "x")) == (
        "s3://bucket/lake/data/history/service/quarter=20263/x.parquet"
    )
    assert Location.of(f"postgres:dbname='my lake';data={Path('/mnt/lake')}").folder == Path("/mnt/lake")
    assert Location.of("postgres:dbname = x;data=/mnt").catalog_name == "x on this machine"


def test_what_is_attached_names_catalog_and_data() -> None:
    sql = Location.of(POSTGRES).attach(read_only=True, create=False)
    assert sql.startswith("ATTACH 'ducklake:postgres:host=db.example dbname=dmfa user=team' AS lake (")
    assert "DATA_PATH 's3://bucket/lake/data/'" in sql
    assert "META_JOURNAL_MODE" not in sql


@pytest.mark.parametrize(
    "text",
    [
        "postgres:host=db dbname=dmfa",
        "postgres:host=db;data=s3://bucket/lake",
        "postgres:dbname=dmfa nonsense;data=s3://bucket/lake",
        "postgres:dbname=dmfa;data=",
        "postgres:dbname=dmfa;data=memory://bucket/lake",
        "s3://bucket/lake",
        "mysql:dbname=dmfa",
    ],
)
def test_what_names_no_lake_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage):
        Location.of(text)


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(WrongUsage, match="PGPASSWORD") as caught:
        Location.of(POSTGRES.replace("user", "password='not to be seen' user"))
    assert "not to be seen" not in str(caught.value)


def test_what_a_killed_run_left_unpacked_is_cleared_after_a_while(tmp_path: Path) -> None:
    location = Location(tmp_path)
    assert clear_spool(location) == 0
    for name, age in (("old", 2 * 86_400), ("new", 60)):
        file = tmp_path / "spool" / name / "x.tar"
        file.parent.mkdir(parents=True)
        file.touch()
        moment = file.stat().st_mtime - age
        os.utime(file, (moment, moment))
    assert clear_spool(location) == 1
    assert (tmp_path / "spool" / "new" / "x.tar").exists()
