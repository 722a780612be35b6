"""Files of replaced numbers: what is wrong in one is told by its line, without any number."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dmfa.errors import LakeProblem, NothingToRead, WrongUsage
from flows.settings import Settings
from flows.stages import replacements

OLD, NEW = "77101500172", "05123112338"
RIGHT = f"inss,{OLD},{NEW},2026-10-01,90"
HEADER = "kind,old,new,effective,reason"


def taken(folder: Path, text: str | bytes) -> None:
    path = folder / "numbers.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    replacements.run(path, Settings(lake=str(folder / "lake"), out=folder / "out", received_on=date(2026, 11, 22)))


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("person,77101500172,05123112338,2026-10-01,90", "kind"),
        ("inss,77101500173,05123112338,2026-10-01,90", "old"),
        ("inss,,05123112338,2026-10-01,90", "old"),
        ("inss,77101500172,x5123112338,2026-10-01,90", "new"),
        ("inss,77101500172,77101500172,2026-10-01,90", "new"),
        ("inss,5123112338,05123112338,2026-10-01,90", "new"),
        ("inss,77101500172,0005123112338,2026-10-01,90", "new"),
        ("noss,100006,100007,2026-10-01,92", "new"),
        ("noss,77101500172,100006,2026-10-01,92", "old"),
        ("company,0404455666,0404455667,2026-10-01,92", "old"),
        ("inss,77101500172,05123112338,2026-13-01,90", "effective"),
        ("inss,77101500172,05123112338,2026-11-23,90", "effective"),
        ("inss,77101500172,05123112338,2026-10-01,89", "reason"),
        ("inss,77101500172,05123112338,2026-10-01", "reason"),
    ],
)
def test_a_line_that_is_wrong_is_named_by_its_place(tmp_path: Path, line: str, column: str) -> None:
    with pytest.raises(WrongUsage) as error:
        taken(tmp_path, "\n".join([HEADER, "company,0449888671,0400767772,2026-10-01,93", line]))
    told = str(error.value)
    assert f"line 3: {column} is not what it should be" in told
    assert not any(number and number in told for number in line.split(",")[1:3])


def test_a_number_is_replaced_once(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="a number twice") as error:
        taken(
            tmp_path,
            "\n".join([HEADER, RIGHT, f"inss,{OLD},10100105,2026-10-01,90".replace("10100105", "00010100105")]),
        )
    assert OLD not in str(error.value)


@pytest.mark.parametrize("text", ["", HEADER, b"\xff\xfe", f'{HEADER}\n"inss,{OLD}'])
def test_what_holds_no_replacement_cannot_be_read(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises((NothingToRead, WrongUsage)) as error:
        taken(tmp_path, text)
    assert OLD not in str(error.value)


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="no column reason"):
        taken(tmp_path, "kind,old,new,effective\n")


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NothingToRead, match="no such file"):
        replacements.run(tmp_path / "none.csv", Settings(lake=str(tmp_path / "lake"), out=tmp_path))


def test_there_must_be_a_lake(tmp_path: Path) -> None:
    with pytest.raises(LakeProblem):
        taken(tmp_path, f"{HEADER}\n{RIGHT}\n")
    assert not (tmp_path / "lake").exists()
