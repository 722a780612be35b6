import json
import os
from datetime import date

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dmfa.errors import LakeProblem
from dmfa.lake import ItemWriter, TableSpec, file_rows, staged
from dmfa.lake.writing import ROW_GROUP, fitted
from tests.unit.lake.material import BASIS, parquet_files, sha, specs, stage

SPEC = TableSpec(
    "history",
    "t",
    pa.schema([("a", pa.int64()), ("b", pa.int8()), ("c", pa.string()), ("d", pa.date32())]),
)


def test_rows_are_fitted_to_the_table():
    frame = pl.DataFrame({"c": ["015", None], "a": pl.Series([1, 2], dtype=pl.Int32), "d": [None, date(2026, 7, 1)]})
    assert fitted(SPEC, frame).to_pylist() == [
        {"a": 1, "b": None, "c": "015", "d": None},
        {"a": 2, "b": None, "c": None, "d": date(2026, 7, 1)},
    ]
    assert fitted(SPEC, frame).schema == SPEC.handed_over
    assert SPEC.handed_over.field("c").type == pa.large_string()


def test_a_column_that_the_table_lacks_is_refused():
    with pytest.raises(ValueError, match=r"history\.t has no column x, z"):
        fitted(SPEC, pl.DataFrame({"z": [1], "a": [1], "x": [1]}))


@pytest.mark.parametrize("rows", [{"b": [300_111]}, {"a": ["77101500172x"]}, {"d": ["77101500172"]}])
def test_a_value_that_does_not_fit_is_not_quoted(rows):
    with pytest.raises(ValueError, match="does not fit") as told:
        fitted(SPEC, pl.DataFrame(rows))
    assert "300" not in str(told.value)
    assert "77101500172" not in str(told.value)
    assert told.value.__suppress_context__


def test_one_file_per_table_and_quarter(tmp_path):
    with ItemWriter(tmp_path, "item", [BASIS]) as work:
        for code in "abc":
            work.append(
                "computed.basis", pl.DataFrame({"declaration_id": [1, 2], "quarter": [20263, 20262], "code": code})
            )
        manifest = work.close([sha(1)])
    assert manifest.rows("computed.basis") == 6
    assert manifest.rows("computed.difference") == 0
    assert {file.quarter: file.rows for file in manifest.files} == {20262: 3, 20263: 3}
    for file in manifest.files:
        table = pq.ParquetFile(tmp_path / "data" / file.path).read()
        assert table.schema.equals(BASIS.arrow)
        assert table.column("quarter").to_pylist() == [file.quarter] * 3
        assert table.column("code").to_pylist() == ["a", "b", "c"]
    assert staged(tmp_path) == [manifest]


def test_small_batches_gather_into_row_groups(tmp_path):
    frame = pl.DataFrame({"declaration_id": range(ROW_GROUP // 4), "quarter": 20263})
    with ItemWriter(tmp_path, "item", [BASIS]) as work:
        for _ in range(6):
            work.append("computed.basis", frame)
        manifest = work.close([])
    found = pq.ParquetFile(tmp_path / "data" / manifest.files[0].path).metadata
    assert [found.row_group(group).num_rows for group in range(found.num_row_groups)] == [ROW_GROUP, ROW_GROUP // 2]


def test_a_row_without_a_quarter_is_refused(tmp_path):
    with (
        pytest.raises(ValueError, match=r"a row of computed\.basis has no quarter"),
        ItemWriter(tmp_path, "i", [BASIS]) as work,
    ):
        work.append("computed.basis", pl.DataFrame({"declaration_id": [1, 2], "quarter": [20263, None]}))


def test_no_rows_make_no_file(tmp_path):
    with ItemWriter(tmp_path, "item", [BASIS]) as work:
        work.append("computed.basis", BASIS.arrow.empty_table())
        assert work.close([sha(1)]).files == ()
    assert [manifest.inputs for manifest in staged(tmp_path)] == [(sha(1),)]


def test_an_item_left_by_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), ItemWriter(tmp_path, "item", [BASIS]) as work:
        work.append("computed.basis", pl.DataFrame({"declaration_id": [1], "quarter": [20263]}))
        raise RuntimeError
    assert parquet_files(tmp_path) == set()
    assert staged(tmp_path) == []


def test_the_same_item_again_never_touches_the_files_of_the_first(tmp_path):
    first = stage(tmp_path, 1)
    before = {file.path: (tmp_path / "data" / file.path).read_bytes() for file in first.files}
    second = stage(tmp_path, 1)
    assert second.item_id == first.item_id
    assert before == {file.path: (tmp_path / "data" / file.path).read_bytes() for file in first.files}
    assert not {file.path for file in first.files} & {file.path for file in second.files}
    assert staged(tmp_path) == [second]


def test_only_complete_items_are_taken_over(tmp_path):
    good, short, gone = stage(tmp_path, 1), stage(tmp_path, 2), stage(tmp_path, 3)
    with (tmp_path / "data" / short.files[0].path).open("ab") as file:
        file.write(b"x")
    (tmp_path / "data" / gone.files[0].path).unlink()
    (tmp_path / "staging" / "cut.json").write_text(json.dumps({"item_id": "x", "inputs": []}))
    (tmp_path / "staging" / "broken.json").write_bytes(b"{\xff")
    (tmp_path / "staging" / "draft.json.part").write_bytes(b"{")
    assert staged(tmp_path) == [good]


def test_nothing_is_staged_where_there_is_no_lake(tmp_path):
    assert staged(tmp_path / "none") == []


def test_a_full_disk_is_told_and_leaves_no_finished_item(tmp_path, monkeypatch):
    def full(number):
        raise OSError(28, "No space left on device")

    work = ItemWriter(tmp_path, "item", specs())
    work.append("computed.basis", pl.DataFrame({"declaration_id": [1], "quarter": [20263]}))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LakeProblem, match=r"the disk of the lake .* is full") as told, work:
        work.close([sha(1)])
    assert told.value.exit_code == 13
    assert staged(tmp_path) == []
    assert parquet_files(tmp_path) == set()


def test_a_file_is_read_some_rows_at_a_time(tmp_path):
    path = tmp_path / "answer.parquet"
    pq.write_table(pa.table({"name": ["a", None, "c"], "content": ["1", "2", "3"], "other": [1, 2, 3]}), path)
    parts = [part.to_pydict() for part in file_rows(tmp_path, str(path), ["name", "content"], 2)]
    assert parts == [{"name": ["a", None], "content": ["1", "2"]}, {"name": ["c"], "content": ["3"]}]


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and then nothing that Parquet would be"])
def test_a_file_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "answer.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LakeProblem):
        list(file_rows(tmp_path, str(path), ["name"], 2))
