"""What `dmfa extract` and `dmfa authorisations` say when there is nothing to give, and where what is given lies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import dmfa
from tests.unit.extracts.material import new_lake, register, row

NONE_GIVEN = "control: 0 extracts; nothing is given"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_lake(tmp_path_factory.mktemp("nothing-given"))


@pytest.mark.parametrize("text", ["[]", "", "# rows will come\n"])
def test_an_empty_register_gives_nothing_and_says_so(lake: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "authorisations.yaml"
    file.write_text(text)
    done = dmfa("extract", "2026/3", "--authorisations", file, "--lake", lake, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = f"{file} holds no authorisation: add a row for each extract that may be given"
    assert f"no extract is written: {told}" in done.stdout
    assert NONE_GIVEN in done.stdout
    shown = dmfa("authorisations", "--authorisations", file, cwd=tmp_path)
    assert (shown.returncode, told in shown.stdout) == (0, True)
    page = dmfa("authorisations", "--html", "--authorisations", file, cwd=tmp_path)
    assert (page.returncode, "holds no authorisation" in page.stdout) == (0, False)


def test_what_is_given_of_a_moment_lies_where_it_is_told(lake: Path, tmp_path: Path) -> None:
    file = register(tmp_path, row(format=["parquet"]))
    words = ("extract", "2026/3", "--as-of", datetime.now(UTC).isoformat(), "--authorisations", file)
    done = dmfa(*words, "--lake", lake, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (manifest,) = tmp_path.rglob("manifest.json")
    *_, told = "".join(done.stdout.splitlines()).rpartition("given and logged; ")
    assert Path(told) == manifest.parents[4]
    assert told.startswith(f"{tmp_path / 'out' / 'as-of'}")


@pytest.mark.parametrize("to", [(), ("--to", "some-fund")], ids=["all", "by name"])
@pytest.mark.parametrize(
    ("delivery", "told"),
    [
        ("mutation", "which follow from the delivery before and are of no moment; take --as-of out"),
        ("push", "which follow from the delivery before and are of no moment; take --as-of out"),
        ("pull", "on request: --request FILE"),
    ],
)
def test_who_is_not_given_whole_extracts_is_given_none_of_a_moment(
    lake: Path, tmp_path: Path, delivery: str, told: str, to: tuple[str, ...]
) -> None:
    file = register(tmp_path, row(delivery=delivery))
    words = ("extract", "2026/3", *to, "--as-of", datetime.now(UTC).isoformat(), "--authorisations", file)
    done = dmfa(*words, "--lake", lake, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert NONE_GIVEN in done.stdout
    assert (told in done.stdout) is (delivery != "pull" or bool(to))
    assert not list(tmp_path.rglob("manifest.json"))
