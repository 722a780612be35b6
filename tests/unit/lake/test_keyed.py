"""Rows by key, and what of them is in force."""

import polars as pl
import pytest

from dmfa.lake import REPLACED, Lake
from dmfa.lake.location import Location
from dmfa.lake.writing import ItemWriter
from tests.unit.lake.material import new_lake, specs, stage, writer


def service(declaration, quarter, version, line, own):
    keys = {"declaration_id": declaration, "quarter": quarter, "filing_id": 1, "version": version, "status": 0}
    return {**keys, "worker_record_ordinal": line, "service_ordinal": own}


SERVICES = [
    service(10, 20263, version, line, own) for version, line, own in ((1, 0, 0), (1, 0, 1), (1, 1, 2), (2, 0, 3))
]
SERVICES += [service(30, 20262, 1, 0, 0)]
ENDED = [
    {"quarter": 20263, "declaration_id": 10, "unit": unit, "ordinal": 0, "version": 1, "ended_by": 2}
    for unit in ("worker_record", "employer_declaration")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two services of a line that has a second version, one of another line, one of another quarter."""
    folder = new_lake(tmp_path_factory.mktemp("keyed"))
    with writer(folder) as lake:
        lake.publish([stage(folder, 1), stage(folder, 3, quarter=20262, status=3)])
        with ItemWriter(Location.of(folder), "services", [*specs(), REPLACED]) as work:
            work.append("history.service", pl.DataFrame(SERVICES))
            work.append(REPLACED.key, pl.DataFrame(ENDED))
            files = work.close(()).files
        with lake.transaction() as publication:
            publication.append_files(files)
            # What a transaction adds is read in it.
            keys = pl.DataFrame({"declaration_id": [10]})
            assert lake.keyed("history").rows("service", None, keys).height == 4
    return folder


def found(folder, keys, schema="history"):
    with Lake.open(folder) as lake:
        rows = lake.keyed(schema).rows("service", ["declaration_id", "service_ordinal"], pl.DataFrame(keys))
    return sorted(rows.rows())


@pytest.mark.parametrize(
    ("keys", "rows"),
    [
        ({"declaration_id": [10]}, [(10, 0), (10, 1), (10, 2), (10, 3)]),
        ({"quarter": [20263], "declaration_id": [30]}, []),
        ({"quarter": [20263, 20262], "declaration_id": [10, 30], "worker_record_ordinal": [1, 0]}, [(10, 2), (30, 0)]),
        ({"quarter": [20262, 20263], "declaration_id": [10, 30]}, []),
        ({"quarter": [20262]}, [(30, 0)]),
    ],
)
def test_rows_are_those_that_agree_with_a_key_in_all_its_columns(folder, keys, rows):
    assert found(folder, keys) == rows


def test_no_key_gives_no_row(folder):
    assert found(folder, pl.DataFrame(schema={"quarter": pl.Int32, "declaration_id": pl.Int64})) == []


def test_the_highest_ordinal_counts_what_is_no_longer_in_force(folder):
    with Lake.open(folder) as lake:
        highest = lake.keyed("history").highest(
            {"service": "service_ordinal"}, pl.DataFrame({"declaration_id": [10, 30]})
        )
    assert sorted(highest["service"].rows()) == [(10, 3), (30, 0)]


def test_what_is_replaced_or_cancelled_is_not_in_force(folder):
    """All below a line goes with it; another line, and another unit with that ordinal, stay."""
    assert found(folder, {"declaration_id": [10]}, "authentic") == [(10, 2), (10, 3)]
    with Lake.open(folder) as lake:
        frames = lake.frames("authentic", ["employer_declaration", "natural_person"])
    assert frames["employer_declaration"].height == 0
    assert sorted(frames["natural_person"]["natural_person_ordinal"]) == [0, 1, 2]
