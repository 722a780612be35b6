"""Cubes of a few jobs, against counts by hand, and one delivered out of a lake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dmfa.extracts import EXTRACTS, load, permits
from dmfa.extracts.cubes import TOTAL, Cube
from dmfa.extracts.shape import Part, Shape
from tests.unit.extracts.institutions import whole_row
from tests.unit.extracts.material import CANARY, DAY, QUARTER, given, new_lake, permit_of, register

GROUPS = ["quarter", "region", "sex"]
MEASURES = ["persons", "jobs", "fte"]


def part(folder: Path, groups: Sequence[str] = GROUPS, measures: Sequence[str] = MEASURES) -> Part:
    """The table of the statistics, by some groups."""
    row = whole_row("statistics", answer={"employment": [*groups, *measures]}, groups=list(groups))
    (permit,) = permits(load(register(folder, row)), DAY)
    shape: Shape = EXTRACTS["statistics"].shape(permit)
    return shape.parts[0]


def jobs(*rows: tuple[int, int, str | None, str, int, int | None]) -> pl.DataFrame:
    """Jobs: attestation, person, region, sex, whether it counts at the end, volume."""
    made = pl.DataFrame(
        [(*row, row[4], QUARTER.code) for row in rows],
        schema={"attestation": pl.Int64, "inss": pl.Int64, "region": pl.String, "sex": pl.String,
                "persons": pl.Int64, "fte": pl.Int64, "jobs": pl.Int64, "quarter": pl.Int32},
        orient="row",
    )  # fmt: skip
    texts = ("nace_division", "worker_status", "size_class")
    return made.with_columns(pl.lit("x").alias(name) for name in texts)


def cube(made: pl.DataFrame, *groups: str) -> dict[Any, tuple[Any, ...]]:
    columns = [name for name in made.columns if name in groups]
    return {row[: len(columns)]: row[len(columns) :] for row in made.select(*columns, *MEASURES).iter_rows()}


def many(first: int, region: str, sex: str, number: int, fte: int = 100) -> list[tuple[int, int, str, str, int, int]]:
    return [(first + n, 1_000 + first + n, region, sex, 1, fte) for n in range(number)]


def test_every_total_is_there_and_parts_add_up_to_it(tmp_path: Path) -> None:
    made = Cube(part(tmp_path), 2)
    made.add(jobs(*many(0, "A", "female", 3), *many(10, "A", "male", 4)))
    made.add(jobs(*many(20, "B", "female", 5), *many(30, "B", "male", 6)))
    table, told = made.made()
    assert cube(table, "region", "sex") == {
        ("A", "female"): (3, 3, 300), ("A", "male"): (4, 4, 400), ("A", TOTAL): (7, 7, 700),
        ("B", "female"): (5, 5, 500), ("B", "male"): (6, 6, 600), ("B", TOTAL): (11, 11, 1_100),
        (TOTAL, "female"): (8, 8, 800), (TOTAL, "male"): (10, 10, 1_000), (TOTAL, TOTAL): (18, 18, 1_800),
    }  # fmt: skip
    assert table["quarter"].unique().to_list() == [QUARTER.code]
    assert told.len() == 18


def test_a_person_with_two_jobs_counts_once_where_most_work_was_done(tmp_path: Path) -> None:
    made = Cube(part(tmp_path, ["quarter", "region"]), 2)
    twice = (90, 1_000, "B", "male", 1, 900)  # the person of the first job, with more work elsewhere
    made.add(jobs(*many(0, "A", "male", 4), *many(10, "B", "male", 3), twice))
    table, _ = made.made()
    assert cube(table, "region") == {("A",): (3, 4, 400), ("B",): (4, 4, 1_200), (TOTAL,): (7, 8, 1_600)}


def test_a_job_that_ended_before_counts_for_its_volume_alone(tmp_path: Path) -> None:
    made = Cube(part(tmp_path, ["quarter", "region"]), 2)
    ended = [(50 + n, 2_000 + n, "A", "male", 0, 50) for n in range(2)]
    made.add(jobs(*many(0, "A", "male", 3), *ended))
    assert cube(made.made()[0], "region") == {("A",): (3, 3, 400), (TOTAL,): (3, 3, 400)}


def test_persons_without_a_number_are_not_one_person(tmp_path: Path) -> None:
    made = Cube(part(tmp_path, ["quarter", "region"]), 2)
    made.add(jobs((1, 0, "A", "male", 1, 1), (2, 0, "A", "male", 1, 1), (3, 0, "A", "male", 1, 1)))
    assert cube(made.made()[0], "region")[(TOTAL,)] == (3, 3, 3)


def test_what_is_not_known_is_no_nought_and_no_group_of_nobody(tmp_path: Path) -> None:
    made = Cube(part(tmp_path, ["quarter", "region"]), 2)
    made.add(jobs(*((n, 10 + n, None, "male", 1, None) for n in range(1, 4))))
    assert cube(made.made()[0], "region") == {("unknown",): (3, 3, None), (TOTAL,): (3, 3, None)}


@pytest.mark.parametrize("shards", [1, 4])
def test_r23_small_counts_and_what_would_tell_them_are_left_out(tmp_path: Path, shards: int) -> None:
    rows = [
        *many(0, "A", "female", 2), *many(100, "A", "male", 40), *many(200, "B", "female", 30),
        *many(300, "B", "male", 50), *many(400, "C", "female", 60), *many(500, "C", "male", 70),
    ]  # fmt: skip
    made = Cube(part(tmp_path), 5)
    for shard in range(shards):
        made.add(jobs(*rows[::-1][shard::shards]))
    table, told = made.made()
    cells = cube(table, "region", "sex")
    assert {cell for cell, values in cells.items() if values == (None, None, None)} == {
        ("A", "female"), ("A", "male"), ("B", "female"), ("B", "male"),
    }  # fmt: skip
    assert cells["A", TOTAL] == (42, 42, 4_200)
    assert cells[TOTAL, "female"] == (92, 92, 9_200)
    assert told.len() == len(rows)


def test_r23_a_few_persons_behind_many_jobs_or_a_volume_are_small_too(tmp_path: Path) -> None:
    made = Cube(part(tmp_path, ["quarter", "region"]), 3)
    several = [(600 + n, 5_000, "A", "male", 1, 10) for n in range(9)]
    ended = [(700, 6_000, "C", "male", 0, 10), (701, 6_001, "C", "male", 0, 10)]
    made.add(jobs(*several, *many(0, "B", "male", 20), *ended, *many(100, "D", "male", 30)))
    cells = cube(made.made()[0], "region")
    assert cells["A",] == cells["C",] == (None, None, None)


def test_r9_attestations_that_nothing_given_tells_of_are_not_told(tmp_path: Path) -> None:
    made = Cube(part(tmp_path, ["quarter", "region"]), 5)
    made.add(jobs(*many(0, "A", "male", 2)))
    table, told = made.made()
    assert cube(table, "region") == {("A",): (None, None, None), (TOTAL,): (None, None, None)}
    assert told.len() == 0


def test_no_jobs_make_no_cube(tmp_path: Path) -> None:
    table, told = Cube(part(tmp_path), 5).made()
    assert table.is_empty()
    assert told.is_empty()
    assert table.columns == [*GROUPS, *MEASURES]


def test_r20_r23_statistics_are_delivered_with_totals_and_without_a_persons_number(tmp_path: Path) -> None:
    groups = ["quarter", "worker_status", "sex"]
    changes: dict[str, Any] = {"answer": {"employment": [*groups, "persons", "jobs"]}, "groups": groups}
    permit = permit_of(tmp_path, **whole_row("statistics", **changes))
    lake = new_lake(tmp_path)
    delivery = given(lake, permit, tmp_path / "out", shard=2)
    other = given(lake, permit, tmp_path / "else")
    files = [Path(str(one.folder)) / "employment.parquet" for one in (delivery, other)]
    assert files[0].read_bytes() == files[1].read_bytes()
    table = pl.read_parquet(files[0])
    assert table.filter(worker_status=TOTAL, sex=TOTAL).height == 1
    assert set(table["sex"]) <= {"male", "female", "unknown", TOTAL}
    assert {cell < 2 for cell in table["persons"].drop_nulls() if cell} <= {False}
    for path in Path(str(delivery.folder)).iterdir():
        assert str(CANARY).encode() not in path.read_bytes()
    assert delivery.manifest["attestations"] <= 9  # of so few persons hardly anything is told
