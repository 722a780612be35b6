"""How checks of single rows are registered, asked and told, on hand-made tables."""

from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest

from dmfa.checks import Context, above, any_below, check, count_below, registry, rows, run, sum_below
from dmfa.checks.relatives import Relatives

CONTEXT = Context(
    date(2026, 11, 22),
    {"employer_declaration": "EmployerDeclaration", "worker_record": "WorkerRecord", "occupation": "Occupation"},
)


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No check but those of the test."""
    registry.row_checks()  # the package's own register themselves once, before
    monkeypatch.setattr(registry, "_ROW_CHECKS", {})
    monkeypatch.setattr(registry, "_TABLE_CHECKS", {})
    run._ready.cache_clear()
    yield
    run._ready.cache_clear()


def tables(quarter: int = 20233) -> dict[str, pl.DataFrame]:
    """Two declarations: the first with two lines, two and no occupations; the second with one line and occupation."""
    keys = {"declaration_id": [7, 3], "filing_id": [70, 30], "quarter": [quarter] * 2}
    lines = {"declaration_id": [7, 7, 3], "quarter": [quarter] * 3, "worker_record_ordinal": [0, 1, 0]}
    occupations = {"declaration_id": [7, 7, 3], "quarter": [quarter] * 3, "worker_record_ordinal": [0, 0, 0]}
    return {
        "employer_declaration": pl.DataFrame(keys).with_columns(noss_registration_nbr=pl.Series([100006, 199999934])),
        "worker_record": pl.DataFrame(lines).with_columns(
            worker_code=pl.Series(["015", "495", "027"]), border=pl.Series([0, 1, 0])
        ),
        "occupation": pl.DataFrame(occupations).with_columns(
            occupation_ordinal=pl.Series([0, 1, 0]),
            contract_type=pl.Series([0, 1, None], dtype=pl.Int64),
            mean_working_hours=pl.Series([None, 1900, 3800], dtype=pl.Int64),
            ship_id=pl.Series([None] * 3, dtype=pl.Int64),
        ),
    }


def told(found: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return found.select("filing_id", *columns).rows()


def test_a_row_is_told_with_its_place_its_value_and_its_severity() -> None:
    @rows("00048-008", table="occupation")
    def hours() -> pl.Expr:
        """The hours are too many.

        What is told is the first sentence.
        """
        return pl.col("mean_working_hours") > 3_000

    found = check(tables(), CONTEXT).anomalies
    (row,) = found.to_dicts()
    assert (row["filing_id"], row["declaration_id"], row["block"], row["block_ordinal"]) == (30, 3, "Occupation", 0)
    assert (row["code"], row["severity"], row["zone"], row["seen_value"]) == (
        "00048-008", "B", "MeanWorkingHours", "3800",
    )  # fmt: skip
    assert row["message"] == "The hours are too many"


def test_null_is_no_anomaly() -> None:
    @rows("00050-008", table="occupation")
    def contract() -> pl.Expr:
        """Anything but full-time."""
        return pl.col("contract_type") != 0

    assert told(check(tables(), CONTEXT).anomalies, "block_ordinal") == [(70, 1)]


def test_columns_above_and_below() -> None:
    @rows("00048-001", "00048-008", table="occupation")
    def family() -> dict[str, pl.Expr]:
        """Two of one kind."""
        return {
            "00048-001": above("worker_record", "worker_code") == "027",
            "00048-008": above("employer_declaration", "noss_registration_nbr") == 100006,
        }

    @rows("00037-001", "00037-008", "00037-035", table="worker_record")
    def line() -> dict[str, pl.Expr]:
        """Three of another."""
        return {
            "00037-001": count_below("occupation") == 0,
            "00037-008": sum_below("occupation", pl.col("mean_working_hours")) == 1_900,
            "00037-035": any_below("occupation", above("worker_record", "border") == pl.col("contract_type")),
        }

    found = check(tables(), CONTEXT).anomalies
    assert told(found, "code", "block", "block_ordinal") == [
        (30, "00048-001", "Occupation", 0),
        (70, "00037-001", "WorkerRecord", 1),
        (70, "00037-008", "WorkerRecord", 0),
        (70, "00037-035", "WorkerRecord", 0),
        (70, "00048-008", "Occupation", 0),
        (70, "00048-008", "Occupation", 1),
    ]
    assert found["message"][0] == "MeanWorkingHours is missing"


def test_what_is_told_may_be_above_and_is_told_once() -> None:
    @rows("00037-008", table="occupation", place="worker_record")
    def line() -> pl.Expr:
        """Its line is wrong."""
        return pl.col("quarter") > 0

    found = check(tables(), CONTEXT).anomalies
    assert told(found, "block", "block_ordinal", "seen_value") == [
        (30, "WorkerRecord", 0, "027"), (70, "WorkerRecord", 0, "015"),
    ]  # fmt: skip


def test_a_zone_that_is_empty_everywhere_is_asked_only_if_that_is_the_point() -> None:
    @rows("01195-001", table="occupation", empty=True)
    def missing() -> pl.Expr:
        """The ship is missing."""
        return pl.col("ship_id").is_null() & (above("worker_record", "worker_code") == "027")

    @rows("01195-008", table="occupation")
    def wrong() -> pl.Expr:
        """Would be told of every row."""
        return pl.col("ship_id").is_null()

    @rows("01195-513", table="occupation", empty=True)
    def unknown_column() -> pl.Expr:
        """Reads what no release has."""
        return pl.col("ship_name").is_null()

    assert told(check(tables(), CONTEXT).anomalies, "code") == [(30, "01195-001")]


def test_what_a_list_can_not_tell_is_counted_and_no_anomaly() -> None:
    @rows("00048-008", table="occupation", code_list="hours")
    def hours() -> pl.Expr:
        """Not on the list."""
        return pl.when(pl.col("mean_working_hours") > 3_000).then(None).otherwise(statement=False)

    checked = check(tables(), CONTEXT)
    assert checked.anomalies.is_empty()
    assert checked.not_verifiable == {"00048-008": 1}


@pytest.mark.parametrize("few", [True, False])
def test_few_values_are_asked_once_and_answer_the_same(few: bool) -> None:
    @rows("00048-008", table="occupation", code_list="hours", few=few)
    def hours() -> pl.Expr:
        """Not on the list."""
        return pl.when(pl.col("mean_working_hours") > 3_000).then(None).otherwise(pl.col("contract_type") == 1)

    checked = check(tables(), CONTEXT)
    assert told(checked.anomalies, "code", "block_ordinal") == [(70, "00048-008", 1)]
    assert checked.not_verifiable == {"00048-008": 1}


@pytest.mark.parametrize(
    ("quarter", "codes"), [(20224, []), (20231, ["00048-008"]), (20233, ["00048-008"]), (20234, [])]
)
def test_a_check_holds_in_its_quarters(quarter: int, codes: list[str]) -> None:
    @rows("00048-008", table="occupation", since="2023/1", until="2023/3")
    def hours() -> pl.Expr:
        """The hours are too many."""
        return pl.col("mean_working_hours") > 3_000

    assert check(tables(quarter), CONTEXT).anomalies["code"].to_list() == codes


def test_the_catalogue_of_the_quarter_decides_severity_and_whether_it_is_told() -> None:
    @rows("90107-001", "00039-014", table="worker_record", zone="")
    def both() -> dict[str, pl.Expr]:
        """Of every line with border 1."""
        return dict.fromkeys(("90107-001", "00039-014"), pl.col("border") == 1)

    def severities(quarter: int) -> dict[str, str]:
        return dict(check(tables(quarter), CONTEXT).anomalies.select("code", "severity").rows())

    assert severities(20222) == {"00039-014": "P"}
    assert severities(20232) == {"00039-014": "B", "90107-001": "NP"}
    assert severities(20263) == {"00039-014": "B", "90107-001": "P"}


def test_values_that_tell_who_somebody_is_or_earns_are_not_shown() -> None:
    @rows("00024-053", table="natural_person")
    def person() -> pl.Expr:
        """Any."""
        return pl.col("inss") > 0

    @rows("00070-029", table="remun")
    def pay() -> pl.Expr:
        """Any."""
        return pl.col("remun_amount") > 0

    found = tables() | {
        "natural_person": pl.DataFrame(
            {"declaration_id": [7], "quarter": [20233], "natural_person_ordinal": [0], "inss": [85210100257]}
        ),
        "remun": pl.DataFrame({"declaration_id": [7], "quarter": [20233], "remun_ordinal": [4], "remun_amount": [5]}),
    }
    context = Context(CONTEXT.received_on, {**CONTEXT.blocks, "natural_person": "NaturalPerson", "remun": "Remun"})
    anomalies = check(found, context).anomalies
    assert told(anomalies, "code", "seen_value", "block_ordinal") == [
        (70, "00024-053", None, 0),
        (70, "00070-029", None, 4),
    ]
    assert "85210100257" not in str(anomalies.rows())


def test_the_validators_checks_alone_ask_no_row() -> None:
    @rows("00048-008", table="occupation")
    def hours() -> pl.Expr:
        """Every row."""
        return pl.lit(value=True)

    alone = Context(CONTEXT.received_on, CONTEXT.blocks, validator_only=True)
    assert check(tables(), alone).anomalies.is_empty()


def test_a_block_under_another_parent_has_nothing_above_it() -> None:
    found = tables() | {
        "address": pl.DataFrame(
            {"declaration_id": [7, 7, 3], "worker_record_ordinal": pl.Series([None, 1, None], dtype=pl.Int32)}
        )
    }
    beside = Relatives(found).beside("address", ["worker_record.worker_code"])
    assert beside["worker_record.worker_code"].to_list() == [None, "495", None]
    below = Relatives(found)
    assert below.knows("worker_record", count_below("address").meta.root_names()[0])
    name = count_below("address").meta.root_names()[0]
    found["address"] = found["address"].with_columns(quarter=20233)
    assert Relatives(found).beside("worker_record", [name])[name].to_list() == [0, 1, 0]


def test_registration() -> None:
    def function() -> pl.Expr:
        """Nothing."""
        return pl.lit(value=False)

    with pytest.raises(ValueError, match="no official code"):
        rows("00048-999", table="occupation")(function)
    rows("00048-008", table=("occupation", "worker_record"))(function)
    with pytest.raises(ValueError, match="two checks of occupation"):
        rows("00048-008", table="occupation")(function)
    assert [(one.code, one.table) for one in registry.row_checks()] == [
        ("00048-008", "occupation"), ("00048-008", "worker_record"),
    ]  # fmt: skip
