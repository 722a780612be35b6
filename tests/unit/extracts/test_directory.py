"""Files of the reference directory, and changes to it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dmfa.errors import NothingToRead, WrongUsage
from dmfa.extracts.directory import COLUMNS, DIRECTORY, is_quality, known_sectors, lines
from dmfa.extracts.directory_changes import Line, applied, changes
from tests.unit.extracts.material import CANARY

SECTORS = ("031", "999")
RIGHT = f"{CANARY},999,5,101,,2024-01-01,,2024-01-02"
OPEN = Line(CANARY, "999", "005", "101", None, date(2024, 1, 1), None, date(2024, 1, 2))


def csv_of(folder: Path, *rows: str, columns: tuple[str, ...] = COLUMNS) -> Path:
    file = folder / "directory.csv"
    file.write_text("\n".join([",".join(columns), *rows]) + "\n", encoding="utf-8")
    return file


def asked(folder: Path, *rows: str):
    return changes(csv_of(folder, *rows, columns=("operation", *COLUMNS)), SECTORS)


def test_lines_are_read_with_their_places_and_types(tmp_path):
    file = csv_of(tmp_path, RIGHT, "5123112338, 31 ,1,902,3,2024-01-01,2024-01-01,2024-01-02")
    (frame,) = lines(file, SECTORS)
    assert frame.rows() == [
        (2, CANARY, "999", "005", "101", None, date(2024, 1, 1), None, date(2024, 1, 2)),
        (3, 5123112338, "031", "001", "902", "3", date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 2)),
    ]
    assert frame.drop("place").schema == pl.DataFrame(DIRECTORY.arrow.empty_table()).schema


def test_parquet_says_the_same_with_numbers_and_days_of_its_own(tmp_path):
    (frame,) = lines(csv_of(tmp_path, RIGHT), SECTORS)
    frame.drop("place").write_parquet(tmp_path / "directory.parquet")
    (again,) = lines(tmp_path / "directory.parquet", SECTORS)
    assert again.drop("place").equals(frame.drop("place"))
    assert again["place"].to_list() == [1]


def test_r2_the_directory_holds_no_content():
    """Who knows whom, in what quality, from when to when; no amount, no day worked, no employer."""
    assert COLUMNS == (
        "inss", "sector", "institution_type", "quality", "phase", "begin_date", "end_date", "changed_on"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        ("85210100258,999,5,101,,2024-01-01,,2024-01-02", "inss"),
        ("852101002571,999,5,101,,2024-01-01,,2024-01-02", "inss"),
        ("-1,999,5,101,,2024-01-01,,2024-01-02", "inss"),
        (",999,5,101,,2024-01-01,,2024-01-02", "inss"),
        ("85210100257,998,5,101,,2024-01-01,,2024-01-02", "sector"),
        ("85210100257,9999,5,101,,2024-01-01,,2024-01-02", "sector"),
        ("85210100257,999,,101,,2024-01-01,,2024-01-02", "institution_type"),
        ("85210100257,999,5,901,,2024-01-01,,2024-01-02", "quality"),
        ("85210100257,999,5,1,,2024-01-01,,2024-01-02", "quality"),
        ("85210100257,999,5,,,2024-01-01,,2024-01-02", "quality"),
        ("85210100257,999,5,101,x,2024-01-01,,2024-01-02", "phase"),
        ("85210100257,999,5,101,,2024-02-30,,2024-01-02", "begin_date"),
        ("85210100257,999,5,101,,01/02/2024,,2024-01-02", "begin_date"),
        ("85210100257,999,5,101,,2024-01-02,2024-01-01,2024-01-02", "end_date"),
        ("85210100257,999,5,101,,2024-01-02,soon,2024-01-02", "end_date"),
        ("85210100257,999,5,101,,2024-01-01,,", "changed_on"),
        ("85210100257,999,5,101,,2024-01-01", "8 columns"),
        ("", "inss"),
    ],
)
def test_a_wrong_row_refuses_the_file_by_its_place_and_tells_no_value(tmp_path, wrong, column):
    with pytest.raises(WrongUsage) as caught:
        list(lines(csv_of(tmp_path, RIGHT, wrong, RIGHT), SECTORS))
    assert "line 3: " in caught.value.what
    assert column in caught.value.what
    assert "852101" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_first_of_several_wrong_rows_is_told(tmp_path):
    quality, sector = RIGHT.replace(",101,", ",1000,"), RIGHT.replace(",999,", ",1,")
    with pytest.raises(WrongUsage, match="line 4: quality"):
        list(lines(csv_of(tmp_path, RIGHT, RIGHT, quality, sector), SECTORS))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(RIGHT.replace("-01,,", "-32,,"), "begin_date"), (f"{RIGHT},1", "8 columns")],
    ids=["day", "uneven"],
)
def test_places_count_on_from_one_block_of_a_file_to_the_next(tmp_path, monkeypatch, wrong, said):
    monkeypatch.setattr("dmfa.extracts.directory.BLOCK", 500)
    file = csv_of(tmp_path, *[RIGHT] * 98, wrong, RIGHT)
    with pytest.raises(WrongUsage, match=f"line 100: .*{said}"):
        list(lines(file, SECTORS))
    frames = list(lines(csv_of(tmp_path, *[RIGHT] * 100), SECTORS))
    assert len(frames) > 5
    assert pl.concat(frames)["place"].to_list() == list(range(2, 102))


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", WrongUsage, "has no column inss"),
        (b"inss,sector\n1,2\n", WrongUsage, "has no column institution_type"),
        (",".join((*COLUMNS, "wage")).encode() + b"\n", WrongUsage, "has columns that no directory has"),
        (",".join(COLUMNS).encode() + b"\n", NothingToRead, "holds no line"),
        (f"{','.join(COLUMNS)}\n{RIGHT}\n".encode("utf-16"), WrongUsage, "has no column"),
        (f"{','.join(COLUMNS)}\n{RIGHT}\n{RIGHT}".encode() + b"\xff\n", NothingToRead, "is no CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_directory(tmp_path, data, error, said):
    file = tmp_path / "directory.csv"
    file.write_bytes(data)
    with pytest.raises(error, match=said) as caught:
        list(lines(file, SECTORS))
    assert str(CANARY) not in str(caught.value)


@pytest.mark.parametrize("name", ["none.csv", "none.parquet", "broken.parquet"])
def test_a_file_that_cannot_be_read(tmp_path, name):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(NothingToRead, match="cannot be read"):
        list(lines(tmp_path / name, SECTORS))


@pytest.mark.parametrize(
    ("code", "right"),
    [("000", True), ("900", True), ("902", True), ("901", False), ("903", False), ("1", False), (1, False)],
)
def test_quality_codes(code, right):
    assert is_quality(code) == right


def test_sectors_of_the_network_are_known_by_their_codes():
    assert {"018", "025", "031", "053", "054", "055", "056"} == known_sectors().keys()


def test_integrate_adds_a_line(tmp_path):
    row = f"integrate,{CANARY},999,005,103,1,2024-01-01,2024-06-30,2026-01-01"
    then, steps = applied(tmp_path, [OPEN], asked(tmp_path, row))
    new = replace(OPEN, quality="103", phase="1", end_date=date(2024, 6, 30), changed_on=date(2026, 1, 1))
    assert then == [OPEN, new]
    assert [(step.effect, step.line) for step in steps] == [("began", new)]


def test_change_gives_a_line_another_end_and_phase(tmp_path):
    row = f"change,{CANARY},999,005,101,2,2024-01-01,2025-12-31,2026-01-01"
    then, steps = applied(tmp_path, [OPEN], asked(tmp_path, row))
    new = replace(OPEN, phase="2", end_date=date(2025, 12, 31), changed_on=date(2026, 1, 1))
    assert then == [new]
    assert [(step.effect, step.line) for step in steps] == [("ended", OPEN), ("began", new)]


@pytest.mark.parametrize(
    ("period", "left"),
    [
        (",", []),
        ("2023-01-01,", []),
        ("2025-01-01,2025-12-31", [("2024-01-01", "2024-12-31"), ("2026-01-01", None)]),
        ("2025-01-01,", [("2024-01-01", "2024-12-31")]),
        ("2024-01-01,2024-01-01", [("2024-01-02", None)]),
    ],
    ids=["whole", "before it on", "a slice", "from a day on", "its first day"],
)
@pytest.mark.parametrize("quality", ["101", ""])
def test_de_integrate_takes_days_away(tmp_path, period, left, quality):
    row = f"de-integrate,{CANARY},999,005,{quality},,{period},2026-01-01"
    then, steps = applied(tmp_path, [OPEN], asked(tmp_path, row))
    assert [(str(line.begin_date), line.end_date and str(line.end_date)) for line in then] == left
    assert {line.changed_on for line in then} <= {date(2026, 1, 1)}
    assert [step.effect for step in steps] == ["ended", *["began"] * len(left)]


def test_de_integrate_by_quality_leaves_the_others_and_those_of_others(tmp_path):
    other, elsewhere = replace(OPEN, quality="103"), replace(OPEN, sector="031")
    row = f"de-integrate,{CANARY},999,005,101,,,,2026-01-01"
    then, _ = applied(tmp_path, [OPEN, other, elsewhere], asked(tmp_path, row))
    assert then == [other, elsewhere]


def test_changes_are_applied_in_the_order_of_the_file(tmp_path):
    rows = (
        f"de-integrate,{CANARY},999,005,101,,,,2026-01-01",
        f"integrate,{CANARY},999,005,101,,2026-02-01,,2026-02-01",
        f"change,{CANARY},999,005,101,,2026-02-01,2026-03-31,2026-04-01",
    )
    then, steps = applied(tmp_path, [OPEN], asked(tmp_path, *rows))
    assert [(line.begin_date, line.end_date) for line in then] == [(date(2026, 2, 1), date(2026, 3, 31))]
    told = [(step.change.place, step.effect) for step in steps]
    assert told == [(2, "ended"), (3, "began"), (4, "ended"), (4, "began")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"integrate,{CANARY},999,005,101,,2030-01-01,,2026-01-01", "shares a day"),
        (f"change,{CANARY},999,005,101,,2024-01-02,,2026-01-01", "no line of this quality that begins on this day"),
        (f"change,{CANARY},999,005,103,,2024-01-01,,2026-01-01", "no line of this quality"),
        (f"de-integrate,{CANARY},999,005,103,,,,2026-01-01", "no line of the directory loses a day"),
        (f"de-integrate,{CANARY},999,006,,,,,2026-01-01", "no line of the directory loses a day"),
        (f"de-integrate,{CANARY},999,005,101,,2020-01-01,2020-12-31,2026-01-01", "loses a day"),
    ],
)
def test_a_change_that_does_not_fit_is_told_by_its_line(tmp_path, row, said):
    more = f"integrate,{CANARY},999,005,106,,2024-01-01,,2026-01-01"
    with pytest.raises(WrongUsage, match=said) as caught:
        applied(tmp_path / "changes.csv", [OPEN], asked(tmp_path, more, row))
    assert "changes.csv, line 3: " in caught.value.what
    assert str(CANARY) not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"remove,{CANARY},999,005,101,,2024-01-01,,2026-01-01", "operation"),
        (f",{CANARY},999,005,101,,2024-01-01,,2026-01-01", "operation"),
        (f"integrate,{CANARY},999,005,,,2024-01-01,,2026-01-01", "quality"),
        (f"change,{CANARY},999,005,101,,,,2026-01-01", "begin_date"),
        (f"de-integrate,{CANARY},999,005,101,,,2024-01-01,2026-01-01", "end_date"),
        (f"de-integrate,{CANARY},999,005,101,,2024-01-02,2024-01-01,2026-01-01", "end_date"),
        (f"de-integrate,{CANARY},998,005,101,,,,2026-01-01", "sector"),
    ],
)
def test_a_change_that_is_wrong_in_itself(tmp_path, row, said):
    with pytest.raises(WrongUsage, match=f"line 2: {said} is not what it should be"):
        asked(tmp_path, row)
