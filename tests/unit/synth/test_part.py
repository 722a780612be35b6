"""Parts of a quarter: names, archives, repetitions, corrections; a run that was stopped goes on."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dmfa.errors import Interrupted, LakeFull, LakeProblem, UnknownQuarter, WrongUsage
from dmfa.quarter import Quarter
from dmfa.reading.opener import open_filing
from dmfa.reading.source import find_filings
from dmfa.synth import Options, make_quarter
from dmfa.synth.part import Part
from dmfa.synth.truth import TABLES

QUARTER = Quarter(2026, 3)
SMALL = Options(largest=4)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def filings(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "truth" / "filings.parquet")


def stopping(after: int) -> Any:
    """A runner that is stopped after some parts."""

    def run(
        function: Callable[[Part], int], items: Sequence[Part], /, *, weight: Callable[[Part], int]
    ) -> Iterator[tuple[int, int]]:
        for position, item in enumerate(items[:after]):
            yield position, function(item)
        raise Interrupted("stopped")

    return run


@pytest.fixture
def cut_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmfa.synth.country._PART_EMPLOYERS", 8)


@pytest.mark.usefixtures("cut_small")
def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    options = Options(largest=4, faulty_per_million=300_000, archived=3)
    make_quarter(QUARTER, 30, 3, tmp_path / "whole", options)
    stopped = tmp_path / "stopped"
    with pytest.raises(Interrupted):
        make_quarter(QUARTER, 30, 3, stopped, options, run=stopping(2))
    assert not (stopped / "truth" / "filings.parquet").exists()
    done: list[tuple[int, int]] = []
    before = digests(stopped)
    truth = make_quarter(QUARTER, 30, 3, stopped, options, on_progress=lambda now, total: done.append((now, total)))
    assert digests(stopped) == digests(tmp_path / "whole")
    assert {name: digest for name, digest in before.items() if "truth" not in name}.items() <= digests(stopped).items()
    assert len(done) == 1 + 2, "parts made before were made again"
    assert done[0][0] > 0
    assert done[-1][0] == done[-1][1]
    assert truth.filings == 30


@pytest.mark.usefixtures("cut_small")
def test_an_unfinished_quarter_of_other_options_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        make_quarter(QUARTER, 30, 3, tmp_path, SMALL, run=stopping(1))
    before = digests(tmp_path)
    for quarter, seed, options in ((QUARTER, 4, SMALL), (QUARTER, 3, Options(largest=5)), (Quarter(2026, 2), 3, SMALL)):
        with pytest.raises(WrongUsage, match="unfinished quarter of other options"):
            make_quarter(quarter, 30, seed, tmp_path, options)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [(errno.ENOSPC, LakeFull, "the disk of .* is full"), (errno.EROFS, LakeProblem, "could not be written: read-only")],
)
def test_a_full_disk_is_told_in_plain_words(
    number: int, kind: type[LakeProblem], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == "20263_000003.xml":
            raise OSError(number, "Read-only file system" if number == errno.EROFS else "No space left on device")
        return written(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(kind, match=words) as caught:
            make_quarter(QUARTER, 5, 1, tmp_path / "out", SMALL)
    assert caught.value.exit_code == 13
    # With room again the same goes on.
    assert make_quarter(QUARTER, 5, 1, tmp_path / "out", SMALL).filings == 5


@pytest.mark.parametrize("quarter", ["2021/4", "2030/1"])
def test_a_quarter_without_schema_or_rates_is_unknown(quarter: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownQuarter):
        make_quarter(Quarter.parse(quarter), 1, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(largest=0), "cannot have 0 workers"),
        (Options(faulty_per_million=1_000_001), "1 is no share|1.* is no share"),
        (Options(repeated_per_million=-1), "is no share"),
        (Options(archived=-1), "cannot hold less than one"),
    ],
)
def test_wrong_options(options: Options, words: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=words):
        make_quarter(QUARTER, 1, 1, tmp_path / "out", options)


@pytest.mark.parametrize(
    "options",
    [
        Options(largest=3, archived=4, faulty_per_million=200_000, repeated_per_million=400_000),
        Options(largest=3, per_folder=7, repeated_per_million=400_000, corrected_per_million=1_000_000),
        Options(largest=3, archived=5, per_folder=7, fi_names=True, faulty_per_million=400_000,
                repeated_per_million=500_000, corrected_per_million=700_000),
    ],
    ids=["archives", "folders", "all"],
)  # fmt: skip
def test_a_receiver_finds_what_the_truth_names(options: Options, tmp_path: Path) -> None:
    make_quarter(QUARTER, 40, 6, tmp_path / "out", options)
    found = find_filings([tmp_path / "out"], tmp_path)
    told = {row["file"]: row for row in filings(tmp_path / "out").to_dicts()}
    assert [one.name for one in found.filings] == sorted(told)
    assert found.left_alone == len(TABLES)
    for one in found.filings:
        assert open_filing(one).sha256 == told[one.name]["sha256"]


def test_repetitions_come_after_what_they_repeat(tmp_path: Path) -> None:
    for names in (False, True):
        out = tmp_path / str(names)
        make_quarter(QUARTER, 80, 6, out, Options(largest=3, repeated_per_million=500_000, fi_names=names))
        told = filings(out)
        copies = told.filter(pl.col("same_bytes_as").is_not_null())
        assert 8 < copies.height < 32
        by_name = {row["file"]: row for row in told.to_dicts()}
        for copy in copies.to_dicts():
            first = by_name[copy["same_bytes_as"]]
            assert copy["file"] > first["file"]
            assert copy["sha256"] == first["sha256"]
            assert (copy["verdict"], copy["declarations"]) == ("accepted", None)
        seconds = told.filter(pl.col("fault") == "second_original")
        assert 8 < seconds.height < 32
        assert set(seconds["codes"]) == {"90007-006"}
        declared = pl.read_parquet(out / "truth" / "declarations.parquet").sort("file")
        twice = declared.filter(pl.col("noss_registration_nbr").is_duplicated())
        assert twice.height == 2 * seconds.height
        assert (
            twice.group_by("noss_registration_nbr").agg(pl.col("verdict"))["verdict"].to_list()
            == [["accepted", "refused"]] * seconds.height
        )


def test_what_was_refused_comes_again_without_the_fault(tmp_path: Path) -> None:
    options = Options(largest=3, faulty_per_million=1_000_000, corrected_per_million=500_000)
    make_quarter(QUARTER, 60, 6, tmp_path / "faulty", options)
    make_quarter(QUARTER, 60, 6, tmp_path / "good", Options(largest=3))
    told = filings(tmp_path / "faulty")
    later = told.filter(pl.col("file").str.starts_with("later/"))
    refused = told.filter(pl.col("verdict") == "refused")
    assert 0.3 < later.height / refused.height < 0.7
    assert set(later["verdict"]) == {"accepted"}
    assert later["fault"].is_null().all()
    for name in later["file"]:
        again, good = tmp_path / "faulty" / name, tmp_path / "good" / name.removeprefix("later/")
        differing = [
            pair
            for pair in zip(again.read_text().split("<"), good.read_text().split("<"), strict=True)
            if pair[0] != pair[1]
        ]
        assert [pair[0].split(">")[0] for pair in differing] == ["FormCreationDate"]


def test_giants_are_parts_of_their_own_and_change_no_byte(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = Options(largest=25, archived=50, first=3)
    plain = make_quarter(QUARTER, 60, 2, tmp_path / "plain", options)
    monkeypatch.setattr("dmfa.synth.country.GIANT_STAFF", 15)
    monkeypatch.setattr("dmfa.synth.part.GIANT_STAFF", 15)
    parts: list[Part] = []

    def run(
        function: Callable[[Part], int], items: Sequence[Part], /, *, weight: Callable[[Part], int]
    ) -> Iterator[tuple[int, int]]:
        parts.extend(items)
        yield from enumerate(map(function, items))

    giants = make_quarter(QUARTER, 60, 2, tmp_path / "giants", options, run=run)
    alone = [part for part in parts if part.workers >= 15 and part.end - part.start == 1]
    assert len(alone) >= 3
    in_order = sorted(parts, key=lambda part: part.start)
    assert [part.start for part in in_order] == [3, *(part.end for part in in_order[:-1])]
    assert in_order[-1].end == 63
    # Only they lie beside the archives.
    assert len(list((tmp_path / "giants").glob("*.xml"))) == len(alone)
    assert (giants.bytes, giants.persons, giants.rows) == (plain.bytes, plain.persons, plain.rows)
    assert set(filings(tmp_path / "giants")["sha256"]) == set(filings(tmp_path / "plain")["sha256"])


def test_the_largest_parts_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dmfa.synth.country._PART_WORKERS", 30)
    made: list[int] = []
    monkeypatch.setattr("dmfa.synth.country.make_part", lambda part: made.append(part.workers) or _write(part))
    make_quarter(QUARTER, 60, 2, tmp_path / "out", Options(largest=25))
    assert len(made) > 4
    assert made == sorted(made, reverse=True)
    shutil.rmtree(tmp_path / "out")


def _write(part: Part) -> int:
    from dmfa.synth.part import make_part

    return make_part(part)
