"""`dmfa reference import`: official rate files and employers, as a user types it, and what it does to amounts."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dmfa.errors import NothingToRead, UnknownQuarter, WrongUsage
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from dmfa.synth.rate_files import rate_archive, rate_files
from flows.report import queries
from flows.report.unknown import gaps_of_classes, sizes_unknown
from flows.settings import Settings
from flows.stages import compute, employers, ingest, rates, rates_told, reference
from tests.conftest import SAMPLES, TODAY, SampleRun, dmfa

QUARTER = Quarter(2026, 3)
CLASS = re.compile(rb"<EmployerClass>0*10</EmployerClass>\s*<WorkerCode>495<")
ARCHIVE = SAMPLES / "rates" / "dmfa_rate_2026_3_INVENTED.zip"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the invented files of 2026/2 and 2026/3."""
    folder = tmp_path_factory.mktemp("reference")
    done = dmfa("reference", "import", "rates", SAMPLES / "rates", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "said").write_text(done.stdout, encoding="utf-8")
    return folder / "lake"


@pytest.fixture
def own(lake: Path, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a copy that a test may change."""
    shutil.copytree(lake, tmp_path / "lake")
    yield Settings.gather({"DMFA_RECEIVED_ON": TODAY}, lake=tmp_path / "lake")


def states(settings: Settings) -> int:
    with Lake.open(settings.lake) as opened:
        return opened.snapshot_id()


def placed(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_it_tells_files_differences_and_the_wage_moderation(lake: Path) -> None:
    said = (lake.parent / "said").read_text(encoding="utf-8")
    assert "Invented rate files, 2026/3" in said
    assert "none of them has trust A" in said
    assert "Rates that changed since 2026/2" in said
    # 4.27 + 4.27 % x 21.00 = 5.1667, and of 20.00 = 5.1240
    assert "36.17 (10.00 + 21.00 + 5.17)" in said
    assert "35.12 (10.00 + 20.00 + 5.12)" in said
    assert "rates that changed since 2026/2: 0 new, 0 gone, 4 changed, 32 in all" in said
    assert "rates that follow its formulas: tax shift 4, share of the contribution 8" in said
    assert said.rstrip().endswith("control: 6 rate files read, 6 new in the lake, 0 there already; lake")


def test_amounts_follow_the_file_once_they_are_computed_anew(
    own_run: SampleRun, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.gather({"DMFA_RECEIVED_ON": TODAY}, lake=own_run.lake)
    (found,) = rates.run(ARCHIVE, settings)
    rates_told.show([found], settings)
    assert "run `dmfa compute 2026/3`" in capsys.readouterr().out
    assert compute.run(QUARTER, settings).changed
    with Lake.open(own_run.lake) as opened:
        rows = opened.arrow(
            "SELECT rate_source, trust, count(*) AS many FROM lake.computed.contribution c"
            " WHERE quarter = 20263 AND employer_class = '010' AND contribution_worker_code = '495' GROUP BY ALL"
        ).to_pylist()
        assert [(row["rate_source"], row["trust"]) for row in rows] == [
            ("invented file NOSSContributionRate_2026_3_INVENTED.xml", "B")
        ]
        (wrong,) = opened.arrow(
            "SELECT count(*) AS many FROM lake.computed.contribution WHERE quarter = 20263 AND trust IS NOT NULL"
            " AND contribution_worker_code = '495' AND employer_class = '010'"
            " AND abs(amount_cents * 10000 - basis_cents * 3512) > 5000"
        ).to_pylist()
        assert wrong["many"] == 0
        other = "SELECT count(*) FROM lake.computed.contribution WHERE quarter <> 20263 AND rate_source LIKE 'inv%'"
        assert opened.arrow(other).column(0).to_pylist() == [0]
        employer = opened.arrow(
            "SELECT min(noss_registration_nbr) FROM lake.computed.difference"
            " WHERE quarter = 20263 AND outcome = 'superfluous'"
        ).column(0)[0]
        small = opened.arrow(
            "SELECT min(noss_registration_nbr) FROM lake.computed.contribution"
            " WHERE quarter = 20263 AND contribution_worker_code = '809' AND contribution_type = 0"
        ).column(0)[0]
        gaps = queries.gaps(opened, QUARTER)
        of_classes = gaps_of_classes(opened, QUARTER)
        assert sum(gap.rows for gap in gaps) == sum(gap.rows for gap in of_classes) > 0
        for gap in of_classes:
            assert sum(int(part.rpartition(": ")[2]) for part in gap.classes.split(", ")) == gap.rows
        without = {one.code: one.employers for one in sizes_unknown(opened, QUARTER)}
    assert without["809"] > 1
    directory = own_run.folder / "employers.csv"
    directory.write_text(f"noss_registration_nbr,year,importance,ffe\n{small},2026,9,C\n")
    assert employers.run(directory, settings).changed
    assert compute.run(QUARTER, settings).changed
    with Lake.open(own_run.lake) as opened:
        assert {one.code: one.employers for one in sizes_unknown(opened, QUARTER)}["809"] == without["809"] - 1
    told = dmfa("explain", "2026/3", "--employer", employer, "--json", cwd=own_run.folder)
    amounts = [json.loads(line) for line in told.stdout.splitlines()]
    assert any(
        one.get("not_owed") == "not owed: invented file NOSSWorkerAndContributionComb_2026_3_INVENTED.xml"
        for one in amounts
    )
    assert "invented file NOSSContributionRate_2026_3_INVENTED.xml" in told.stdout


def test_filings_are_computed_by_the_files_of_the_lake_when_they_are_received(own: Settings, tmp_path: Path) -> None:
    filing = next(
        path for path in sorted((SAMPLES / "inbox").glob("FI.DMFA.*.2026*")) if CLASS.search(path.read_bytes())
    )
    settings = replace(own, out=tmp_path / "out")
    assert ingest.run([filing], settings).states["accepted"] == 1
    sql = "SELECT DISTINCT rate_source FROM lake.computed.contribution WHERE contribution_worker_code = '495'"
    with Lake.open(own.lake) as opened:
        assert opened.arrow(sql).column(0).to_pylist() == ["invented file NOSSContributionRate_2026_3_INVENTED.xml"]
    assert compute.run(QUARTER, settings) == compute.Recomputed(1, changed=False)


def test_the_same_file_again_changes_nothing(own: Settings) -> None:
    before = states(own)
    (found,) = rates.run(ARCHIVE, own)
    assert (len(found.files), found.changed) == (3, [])
    assert states(own) == before


def test_another_file_of_the_quarter_takes_its_place_in_a_new_state(own: Settings, tmp_path: Path) -> None:
    before = states(own)
    files = rate_files(QUARTER, employer_rate=1900)
    name = next(iter(files))
    (found,) = rates.run(placed(tmp_path / "new", {name: files[name]}), own)
    assert found.changed == ["contribution_rate"]
    assert states(own) == before + 1
    with Lake.open(own.lake) as opened:
        sql = (
            "SELECT DISTINCT employer_rate FROM lake.reference.contribution_rate{}"
            " WHERE contribution_worker_code = '495' AND quarter = 20263"
        )
        assert opened.arrow(sql.format("")).column(0).to_pylist() == [1900]
        assert opened.arrow(sql.format(f" AT (VERSION => {before})")).column(0).to_pylist() == [2000]
        files_now = opened.arrow("SELECT kind, name FROM lake.reference.rate_file WHERE quarter = 20263 ORDER BY 1")
        assert files_now.num_rows == 3
    assert (Path(own.lake) / "received").is_dir()


def test_an_invented_file_never_takes_the_place_of_an_official_one(own: Settings, tmp_path: Path) -> None:
    official = {
        name.replace("_INVENTED", ""): data.replace(b"<Fictitious>1</Fictitious>", b"")
        for name, data in rate_files(QUARTER).items()
    }
    (found,) = rates.run(placed(tmp_path / "official", official), own)
    assert len(found.changed) == 3
    before = states(own)
    with pytest.raises(WrongUsage, match="are invented, and the lake holds official file"):
        rates.run(ARCHIVE, own)
    assert states(own) == before


def test_one_refused_file_keeps_all_of_them_out(own: Settings, tmp_path: Path) -> None:
    files = rate_files(QUARTER, employer_rate=1900)
    last = list(files)[-1]
    files[last] = files[last].replace(b"<OwednessCode>0</OwednessCode>", b"", 1)
    before = states(own)
    with pytest.raises(UnknownQuarter, match="has no OwednessCode"):
        rates.run(placed(tmp_path / "bad", files), own)
    assert states(own) == before


def test_an_archive_of_another_quarter_is_refused(own: Settings, tmp_path: Path) -> None:
    _, data = rate_archive(QUARTER)
    path = placed(tmp_path / "wrong", {"dmfa_rate_2026_4.zip": data}) / "dmfa_rate_2026_4.zip"
    with pytest.raises(UnknownQuarter, match="of another quarter"):
        rates.run(path, own)


def test_two_different_files_of_a_kind_and_quarter_are_wrong_usage(own: Settings, tmp_path: Path) -> None:
    name, data = next(iter(rate_files(QUARTER).items()))
    twins = {name: data, name.replace("INVENTED", "INVENTED_v2"): data.replace(b"20.00", b"21.00")}
    with pytest.raises(WrongUsage, match="two files NOSSContributionRate of 2026/3"):
        rates.run(placed(tmp_path / "twins", twins), own)


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("nothing.zip", None, NothingToRead),
        ("damaged.zip", b"PK\3\4 and no more", NothingToRead),
        ("rates.xml", b"<a/>", UnknownQuarter),
        ("folder", {}, UnknownQuarter),
    ],
)
def test_what_holds_no_rate_file(
    name: str, data: bytes | dict[str, bytes] | None, error: type[Exception], own: Settings, tmp_path: Path
) -> None:
    path = tmp_path / name
    if isinstance(data, bytes):
        path.write_bytes(data)
    elif data is not None:
        placed(path, data)
    with pytest.raises(error):
        rates.run(path, own)


def test_doctor_tells_the_quarters_with_rate_files(lake: Path) -> None:
    with Lake.open(lake) as opened:
        assert reference.rate_files(opened) == "2026/2 (3 of 3, invented), 2026/3 (3 of 3, invented)"


def test_errors_are_two_plain_lines(lake: Path) -> None:
    done = dmfa("reference", "import", "rates", SAMPLES / "inbox", cwd=lake.parent)
    assert done.returncode == 11
    assert len(done.stderr.splitlines()) == 2
    assert "holds no rate file" in done.stderr
    assert done.stdout == ""


def test_employers_are_kept_by_year(own: Settings, tmp_path: Path) -> None:
    path = tmp_path / "employers.csv"
    path.write_text("noss_registration_nbr,year,importance,ffe\n100006,2026,4,C\n100105,2026,,B\n100006,2025,0,\n")
    assert employers.run(path, own) == employers.Directory(3, (2025, 2026), changed=True)
    assert not employers.run(path, own).changed
    path.write_text("noss_registration_nbr,year,importance,ffe,name\n100006,2026,5,,x\n")
    assert employers.run(path, own).changed
    with Lake.open(own.lake) as opened:
        rows = opened.arrow(
            "SELECT noss_registration_nbr, year, importance, ffe FROM lake.reference.employer ORDER BY ALL"
        )
    assert [tuple(row.values()) for row in rows.to_pylist()] == [(100006, 2025, None, None), (100006, 2026, 5, None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("noss_registration_nbr,year,importance\n1,2026,1\n", "has no column ffe"),
        ("noss_registration_nbr,year,importance,ffe\nx,2026,1,C\n", "line 2: noss_registration_nbr"),
        ("noss_registration_nbr,year,importance,ffe\n1,26,1,C\n", "line 2: year"),
        ("noss_registration_nbr,year,importance,ffe\n1,2026,10,C\n", "line 2: importance"),
        ("noss_registration_nbr,year,importance,ffe\n1,2026,1,D\n", "line 2: ffe"),
        ("noss_registration_nbr,year,importance,ffe\n1,2026,1,C\n1,2026,2,C\n", "an employer twice in 2026"),
    ],
)
def test_a_wrong_directory_is_wrong_usage(text: str, words: str, own: Settings, tmp_path: Path) -> None:
    path = tmp_path / "employers.csv"
    path.write_text(text)
    with pytest.raises(WrongUsage, match=words):
        employers.run(path, own)
