"""Differences between declared and computed amounts as anomalies, and what too many of them do."""

import polars as pl
import pytest

from contributions import SCHEMAS, refusals
from dmfa.anomaly import ANOMALY_SCHEMA
from dmfa.checks import verdict
from dmfa.schema.catalogue import catalogue
from flows.stages.differing import differing, refused, too_many

BLOCKS = {
    "worker_contribution": "WorkerContribution",
    "occupation_deduction": "OccupationDeduction",
    "worker_deduction": "WorkerDeduction",
    "student_contribution": "StudentContribution",
}
USUAL = {
    "declaration_id": 3,
    "filing_id": 7,
    "declared_table": "worker_contribution",
    "declared_ordinal": 4,
    "kind": "contribution",
    "code": "495",
    "type": 0,
    "inss": 77101500172,
    "declared_cents": 123_456,
    "computed_cents": 200_000,
    "outcome": "differs",
}


def found(*rows):
    frame = pl.DataFrame([{**USUAL, **row} for row in rows], schema=SCHEMAS["difference"])
    return differing(frame, BLOCKS)


def test_a_contribution_that_differs_is_a_p_anomaly():
    anomalies = found({})
    assert dict(anomalies.schema) == ANOMALY_SCHEMA
    (row,) = anomalies.to_dicts()
    assert (row["code"], row["severity"], row["zone"]) == ("00085-044", "P", "ContributionAmount")
    assert (row["filing_id"], row["declaration_id"], row["block"], row["block_ordinal"]) == (
        7,
        3,
        "WorkerContribution",
        4,
    )
    assert row["message"] == "the amount declared for contribution 495 type 0 is not the one computed anew"


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("compl_indemnity_contribution", "00085-044"),
        ("student_contribution", "00077-044"),
        ("dismissed_statutory_worker_contribution", "00072-044"),
        ("contribution_unrelated_to_np", "00022-044"),
    ],
)
def test_each_block_has_the_code_of_its_own_zone(table, code):
    (row,) = found({"declared_table": table, "type": None}).to_dicts()
    assert (row["code"], row["severity"]) == (code, "P")
    assert row["message"] == "the amount declared for contribution 495 is not the one computed anew"


@pytest.mark.parametrize("table", ["occupation_deduction", "worker_deduction"])
def test_a_deduction_that_differs_is_an_np_anomaly(table):
    (row,) = found({"declared_table": table, "kind": "deduction", "code": "3000", "type": None}).to_dicts()
    assert (row["code"], row["severity"], row["zone"], row["block"]) == (
        "00089-044",
        "NP",
        "DeductionAmount",
        BLOCKS[table],
    )
    assert row["message"] == "the amount declared for deduction 3000 is not the one computed anew"


@pytest.mark.parametrize(
    "row",
    [
        *({"outcome": outcome} for outcome in ("equal", "rounding", "missing", "superfluous", "not computable")),
        {"declared_table": None, "declared_ordinal": None},
        {"declared_table": "early_retirement_contribution"},
    ],
)
def test_nothing_else_is_an_anomaly(row):
    assert found(row).is_empty()


def test_no_amount_and_no_number_is_told():
    (row,) = found({}).to_dicts()
    text = " ".join(str(value) for value in row.values())
    assert all(secret not in text for secret in ("77101500172", "123456", "123_456", "200000"))
    assert row["seen_value"] is None


def counted(threshold, p=1, declared=4, severity="P"):
    rows = [{"declaration_id": 3, "severity": severity}] * p
    contributions = pl.DataFrame({"declaration_id": [3] * declared}, schema={"declaration_id": pl.Int64})
    anomalies = pl.DataFrame(rows, schema={"declaration_id": pl.Int64, "severity": pl.String})
    return too_many(anomalies, contributions, threshold).to_list()


@pytest.mark.parametrize(
    ("threshold", "p", "declared", "ids"),
    [
        (None, 4, 4, []),
        (25, 1, 4, []),
        (24, 1, 4, [3]),
        (0, 1, 1_000, [3]),
        (0, 0, 4, []),
        (100, 4, 4, []),
        (100, 1, 0, [3]),
    ],
)
def test_more_than_so_many_percent_is_too_many(threshold, p, declared, ids):
    assert counted(threshold, p, declared) == ids


def test_only_p_counts():
    assert counted(0, 4, 4, severity="NP") == []


def test_anomalies_of_a_filing_as_a_whole_are_not_counted():
    anomalies = pl.DataFrame(
        {"declaration_id": [None], "severity": ["P"]}, schema_overrides={"declaration_id": pl.Int64}
    )
    none = pl.DataFrame(schema={"declaration_id": pl.Int64})
    assert too_many(anomalies, none, 0).to_list() == []


def test_too_many_refuse_their_declaration_alone():
    filings = pl.DataFrame({"filing_id": [7], "state": ["judged"], "declarations": [2]})
    forms = pl.DataFrame({"declaration_id": [3, 4], "filing_id": [7, 7]})
    none = pl.DataFrame(schema=ANOMALY_SCHEMA)
    judged = verdict(filings, forms, none, too_many=pl.Series([3]))
    assert judged.forms.select("declaration_id", "refused").rows() == [(3, True), (4, False)]
    assert judged.filings["verdict"].to_list() == ["refused"]
    assert verdict(filings, forms, none).forms["refused"].to_list() == [False, False]


RIGHT = {
    "declaration_id": 3,
    "filing_id": 7,
    "declared_table": "occupation_deduction",
    "declared_ordinal": 4,
    "inss": 77101500172,
    "deduction_code": "8320",
    "amount_cents": 0,
    "refusal": refusals.AGE,
}


def without_right(*rows):
    return refused(pl.DataFrame([{**RIGHT, **row} for row in rows], schema=SCHEMAS["deduction"]), BLOCKS)


def test_a_reduction_without_a_right_has_the_code_of_the_condition():
    anomalies = without_right({})
    assert dict(anomalies.schema) == ANOMALY_SCHEMA
    (row,) = anomalies.to_dicts()
    assert (row["code"], row["severity"], row["zone"]) == ("00086-077", "NP", "DeductionCode")
    assert (row["block"], row["block_ordinal"], row["declaration_id"]) == ("OccupationDeduction", 4, 3)
    assert row["message"] == f"nothing is due of deduction 8320: {refusals.AGE}"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (refusals.NOT_FOR_EMPLOYER, "00086-050"),
        (refusals.NO_COUNTED_TIME, "00086-058"),
        (refusals.MU_TOO_LOW, "00086-076"),
        (refusals.REFERENCE_WAGE, "00086-261"),
        (refusals.QUARTERS_USED, "00086-201"),
        (refusals.ABROAD, "00086-474"),
        (refusals.OTHER_REGION, "00086-475"),
        (refusals.ANOTHER_CHOSEN, "00089-044"),
    ],
)
def test_each_refusal_has_its_official_code(refusal, code):
    assert without_right({"refusal": refusal})["code"].to_list() == [code]


def test_what_the_checks_tell_or_is_not_declared_or_due_is_no_anomaly():
    rows = [{"refusal": refusals.WRONG_LEVEL}, {"refusal": refusals.NO_DETAIL}, {"refusal": None}]
    assert without_right(*rows, {"declared_ordinal": None, "declared_table": None}).is_empty()


def test_the_official_catalogue_knows_every_code_of_a_refusal():
    anomalies = without_right(*({"refusal": refusal} for refusal in refusals.ALL))
    for code, severity, zone in anomalies.select("code", "severity", "zone").iter_rows():
        known = catalogue().codes[code]
        assert (known.element, set(known.severities.values())) == (zone, {severity})
