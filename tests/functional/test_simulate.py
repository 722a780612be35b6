"""`dmfa simulate`: what it says and keeps, that the lake stays as it is, and what is told where it cannot be done."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from dmfa.errors import LakeProblem, NothingToRead
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.report import simulated
from flows.settings import Settings
from flows.stages import simulate
from flows.stages.simulate_sums import EFFECT, EMPLOYER
from tests.conftest import SAMPLES, TODAY, SampleRun, dmfa

QUARTER = Quarter(2026, 3)
WHAT_IF = SAMPLES / "what-if.yaml"
FILES = ["changes.yaml", "effect.json", "effect.parquet", "employers.parquet", "report.html"]
_PLACE = Path("simulations", "2026-3-what-if")


def standing(lake: Path) -> dict[str, tuple[int, int]]:
    """Every file of a lake but those that SQLite keeps for its readers, with size and time of its last change."""
    return {
        str(path.relative_to(lake)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(lake.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def state(lake: Path) -> int:
    with Lake.open(lake) as opened:
        return opened.snapshot_id()


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def at(lake: Path, out: Path) -> Settings:
    return Settings.gather({"DMFA_RECEIVED_ON": TODAY, "DMFA_WORKERS": "1"}, lake=lake, out=out)


@pytest.fixture
def settings(sample_run: SampleRun, tmp_path: Path) -> Settings:
    return at(sample_run.lake, tmp_path)


@pytest.fixture(scope="module")
def result(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> simulate.Simulation:
    """The sample quarter, simulated once for all tests that only look at it."""
    return simulate.run(QUARTER, WHAT_IF, at(sample_run.lake, tmp_path_factory.mktemp("simulated")))


def test_as_a_user_types_it(sample_run: SampleRun, tmp_path: Path) -> None:
    before = (state(sample_run.lake), standing(sample_run.lake))
    words = ("simulate", "2026/3", "--parameters", WHAT_IF, "--lake", sample_run.lake, "--out", tmp_path)
    done = dmfa(*words, DMFA_WORKERS="2")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"category_1/alpha +fraction +0\.1400 +0\.1500", done.stdout)
    assert f"kept in {tmp_path / _PLACE}" in done.stdout
    assert (state(sample_run.lake), standing(sample_run.lake)) == before
    first = kept(tmp_path / _PLACE)
    assert list(first) == FILES
    assert first["changes.yaml"] == WHAT_IF.read_bytes()
    assert [path.name for path in (tmp_path / "simulations").iterdir() if path.is_dir()] == [_PLACE.name]
    again = dmfa(*words, DMFA_WORKERS="1")
    assert again.stdout == done.stdout
    assert kept(tmp_path / _PLACE) == first


def test_before_is_what_the_lake_holds_computed(sample_run: SampleRun, result: simulate.Simulation) -> None:
    with Lake.open(sample_run.lake) as lake:
        rows = lake.arrow(
            "SELECT kind, coalesce(sum(computed_cents), 0)::BIGINT AS computed, count(*) AS rows,"
            " count(*) FILTER (outcome = 'not computable') AS lacking"
            " FROM lake.computed.difference WHERE quarter = 20263 GROUP BY kind ORDER BY kind"
        ).to_pylist()
    (total,) = result.effect.filter(grouping="total").iter_rows(named=True)
    assert [row["computed"] for row in rows] == [
        total["contributions_before_cents"],
        total["reductions_before_cents"],
    ]
    assert (sum(row["rows"] for row in rows), sum(row["lacking"] for row in rows)) == (total["rows"], total["left_out"])


def test_what_is_kept_agrees(sample_run: SampleRun, result: simulate.Simulation) -> None:
    effect = pl.read_parquet(result.folder / "effect.parquet")
    employers = pl.read_parquet(result.folder / "employers.parquet")
    told = json.loads((result.folder / "effect.json").read_text(encoding="utf-8"))
    assert effect.schema == pl.Schema(EFFECT)
    assert employers.schema == pl.Schema(EMPLOYER)
    (total,) = told["groups"]["total"]
    assert total["effect_cents"] == employers["effect_cents"].sum() < 0
    assert {name: len(rows) for name, rows in told["groups"].items()} == dict(
        effect["grouping"].value_counts().iter_rows()
    )
    # What the structural reduction leaves of the contributions may bound another reduction.
    changed = {row["key"] for row in simulated.changed_codes(result) if row["kind"] == "contribution"}
    assert changed == {"495/0"}
    # A hundredth of the bases, each rounded by itself.
    with Lake.open(sample_run.lake) as lake:
        (hundredth,) = lake.arrow(
            "SELECT sum((basis_cents + 50) // 100)::BIGINT AS cents FROM lake.computed.contribution"
            " WHERE quarter = 20263 AND contribution_worker_code = '495' AND contribution_type = 0"
            " AND rate_source LIKE 'seed profit%'"
        ).to_pylist()
    (row,) = [row for row in simulated.changed_codes(result) if row["key"] == "495/0"]
    lines = sum(one["lines"] for one in told["groups"]["total"])
    assert abs(row["change"] + hundredth["cents"]) <= lines
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert simulated.REGION in page


def test_no_number_of_a_person_gets_out(
    settings: Settings, result: simulate.Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    with Lake.open(settings.lake) as lake:
        rows = lake.arrow("SELECT DISTINCT inss FROM lake.authentic.natural_person WHERE inss > 0").column(0)
    simulated.show(result)
    employers = pl.read_parquet(result.folder / "employers.parquet")
    text = capsys.readouterr().out + "".join(
        (result.folder / name).read_text(encoding="utf-8") for name in ("effect.json", "report.html")
    )
    numbers = {int(number) for number in re.findall(r"\d{9,11}", text.replace(",", "").replace(".", ""))}
    for column in employers.iter_columns():
        numbers |= set(column.to_list()) if column.dtype == pl.Int64() else set()
    assert not numbers & set(rows.to_pylist())


def test_a_file_that_changes_nothing_has_no_effect(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "as it is.yaml"
    file.write_text("parameters: {structural_reduction/category_1/alpha: '0.1400'}\n", encoding="utf-8")
    result = simulate.run(QUARTER, file, settings)
    assert result.folder.name == "2026-3-as-it-is"
    assert result.effect["effect_cents"].to_list() == [0] * result.effect.height
    assert simulated.outcomes(result)["none"] == result.sums.employers.height
    simulated.show(result)
    assert "as it is.yaml changes no figure of 2026/3: the effect is zero" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("2026/3", "--parameters", "bad.yaml"), 2, "bad.yaml, line 3: there is no parameter"),
        (("2026/3", "--parameters", "none.yaml"), 10, "none.yaml cannot be read: no such file"),
    ],
)
def test_what_is_told_where_it_cannot_be_done(
    words: tuple[str, ...], code: int, told: str, sample_run: SampleRun, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("# what if\nparameters:\n  alpha: 1\n", encoding="utf-8")
    done = dmfa("simulate", *words, "--lake", sample_run.lake, cwd=tmp_path)
    assert done.returncode == code
    assert told in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert not (tmp_path / "out").exists()


def test_without_declarations_or_a_lake_there_is_nothing_to_simulate(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NothingToRead, match="no accepted declaration of 2024/1"):
        simulate.run(Quarter(2024, 1), WHAT_IF, settings)
    with pytest.raises(LakeProblem, match="there is no lake"):
        simulate.run(QUARTER, WHAT_IF, Settings.gather({}, lake=tmp_path / "lake", out=tmp_path))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"parameters: \xff\xfe")
    with pytest.raises(NothingToRead, match="UTF-8"):
        simulate.run(QUARTER, binary, settings)
    binary.write_bytes(b"#" * (simulate.LARGEST + 1))
    with pytest.raises(NothingToRead, match="no file of changes"):
        simulate.run(QUARTER, binary, settings)


def test_results_that_cannot_be_written_are_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "simulations").write_text("in the way")
    with pytest.raises(LakeProblem, match="could not be written"):
        simulate.run(QUARTER, WHAT_IF, settings)
    shutil.rmtree(tmp_path / "simulations", ignore_errors=True)
